"""Amounts that the office is asked to pay: in a currency that there is, to its last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from belt.core.decider import Refused
from compensation.api.shown import payable


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("10.00", "AAA", "rate.unknown-currency"),
        ("10.00", None, "adjustment.digits"),
        ("10.001", "EUR", "adjustment.digits"),
        ("10.5", "JPY", "adjustment.digits"),
    ],
)
def test_what_cannot_be_paid_is_refused_by_its_code(amount: str, currency: str | None, code: str) -> None:
    with pytest.raises(Refused) as refused:
        payable(Decimal(amount), currency)
    assert refused.value.code == code


def test_what_can_be_paid_passes() -> None:
    payable(Decimal("-10.25"), "EUR")
    payable(Decimal(10), "JPY")
    payable(Decimal("10.125"), "KWD")
