"""What the doors of pay share: the shape of answers, months in addresses, and who may see whose pay."""

from __future__ import annotations

from pydantic import ConfigDict

from belt.core.decider import Refused
from belt.io.auth import Subject
from belt.io.body import Strict
from compensation.months import Month


class Shown(Strict):
    """Whatever the fold gives: a statement explains itself."""

    model_config = ConfigDict(extra="allow")


def month_of(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise Refused("period.invalid", period=text[:20]) from None


def may_see(subject: Subject, person: str) -> bool:
    """One's own pay, or all of it. Who may not see it is told the same as if there were none."""
    return subject.may("pay:read:all") or (subject.may("pay:read:own") and subject.person == person)
