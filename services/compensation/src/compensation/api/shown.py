"""What the doors of pay share: the shape of answers, months in addresses, and the scopes that open a door to pay."""

from __future__ import annotations

from pydantic import ConfigDict

from belt.core.decider import Refused
from belt.io.http.body import Strict
from compensation.months import Month

PAY = ("pay:read:own", "pay:read:team", "pay:read:all", "pay:audit")
SUMS = (*PAY, "pay:read:totals")


class Shown(Strict):
    """Whatever the fold gives: a statement explains itself."""

    model_config = ConfigDict(extra="allow")


def month_of(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise Refused("period.invalid", period=text[:20]) from None
