"""What the doors of pay share: the shape of answers, months in addresses, and the scopes that open a door to pay."""

from __future__ import annotations

from decimal import Decimal

from pydantic import ConfigDict

from belt.core.decider import Refused
from belt.io.http.body import Strict
from compensation.months import Month
from conveyor_events.money import MINOR_UNITS, fits

PAY = ("pay:read:own", "pay:read:team", "pay:read:all", "pay:audit")
SUMS = (*PAY, "pay:read:totals")


class Shown(Strict):
    """Whatever the fold gives: a statement explains itself."""

    model_config = ConfigDict(extra="allow")


def payable(amount: Decimal, currency: str | None) -> None:
    """Refused unless there is such a currency and the amount can be paid in it to the last digit."""
    if currency is None:
        raise Refused("adjustment.digits", currency=None)
    if currency not in MINOR_UNITS:
        raise Refused("rate.unknown-currency", currency=currency)
    if not fits(amount, currency):
        raise Refused("adjustment.digits", currency=currency)


def month_of(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise Refused("period.invalid", period=text[:20]) from None
