"""Amounts, lines, schedules and parts."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belt.core.decider import Refused
from conversion.deal.terms import MOST, Instalment, Line, amount, priced, scheduled

CENTS = st.decimals(min_value=0, max_value=10**9, places=2)


@given(CENTS, st.decimals(min_value=Decimal("0.001"), max_value=10**4, places=3), st.integers(0, 100))
def test_a_line_is_rounded_once_and_never_worth_more_than_its_full_price(
    price: Decimal, qty: Decimal, discount: int
) -> None:
    line = Line("a", qty, price, Decimal(discount))
    net = line.net("EUR")
    assert net == net.quantize(Decimal("0.01"))
    assert 0 <= net <= Line("a", qty, price).net("EUR")
    assert abs(net - qty * price * (100 - discount) / 100) <= Decimal("0.005")


@given(st.lists(CENTS, min_size=1, max_size=20))
def test_the_price_is_the_sum_of_its_lines(prices: list[Decimal]) -> None:
    lines = [Line(str(n), Decimal(1), price) for n, price in enumerate(prices)]
    total = sum(prices, Decimal(0))
    assert priced(lines, None, "EUR") == priced(lines, total, "EUR") == total


def test_digits_beyond_what_machines_round_to_still_count() -> None:
    line = Line("a", Decimal("1.000000000001"), Decimal("99999999999999.999999999999"))
    assert line.net("EUR") == Decimal("100000000000100.00")


def test_an_amount_is_shown_to_its_minor_units() -> None:
    assert str(amount("net", Decimal(10), "EUR")) == "10.00"
    assert str(amount("net", Decimal("10.000"), "KWD")) == "10.000"
    assert str(amount("net", Decimal("10.0"), "JPY")) == "10"
    assert str(amount("net", Decimal("-0.00"), "EUR")) == "0.00"


def test_the_largest_amount_is_a_sale_and_one_cent_more_a_slip() -> None:
    assert amount("net", MOST, "EUR") == MOST
    with pytest.raises(Refused, match=r"money\.too-large"):
        amount("net", MOST + Decimal("0.01"), "EUR")


def test_no_schedule_is_fine_and_one_that_pays_too_much_is_not() -> None:
    assert scheduled((), Decimal(10), Decimal(2), "EUR") == ()
    part = Instalment(date(2026, 4, 1), Decimal("12.01"))
    with pytest.raises(Refused, match=r"terms\.schedule-does-not-add-up"):
        scheduled((part,), Decimal(10), Decimal(2), "EUR")
