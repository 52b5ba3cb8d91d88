"""What can be asked of an opportunity. `at` is business time, `now` the clock's, `by` the person who acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from conversion.terms import Instalment, Line
from conveyor_events.words import Seat

CATEGORY = "opportunity"
OBJECTIVES = ("full", "fallback", "no")
LOST_REASONS = ("price", "competitor", "no_decision", "no_fit", "timing", "lost_contact", "other")


@dataclass(frozen=True)
class NextStep:
    """What was agreed to come next, who does it, and by when."""

    what: str
    who: str
    by: date | None = None


@dataclass(frozen=True)
class OpenFromLead:
    """A lead was accepted; the seats and the journey come with it."""

    at: datetime
    by: Seat
    opportunity: str
    client: str
    journey: str
    variant: str
    line: str
    need: str
    sourced_by: Seat
    converted_by: Seat


@dataclass(frozen=True)
class OpenOpportunity:
    """A hunter's own find: nobody sourced it, so the house holds that seat."""

    at: datetime
    by: str
    opportunity: str
    client: str
    line: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScheduleMeeting:
    at: datetime
    by: str
    meeting: str
    starts_at: datetime


@dataclass(frozen=True)
class RecordMeeting:
    """A meeting took place, planned before or not."""

    at: datetime
    by: str
    meeting: str
    objective_met: str
    facts: tuple[str, ...] = ()
    next_step: NextStep | None = None


@dataclass(frozen=True)
class SendProposal:
    """A proposal; with an id that was sent before, its next revision. Without `net` the lines make the price."""

    at: datetime
    by: str
    proposal: str
    lines: tuple[Line, ...]
    net: Decimal | None
    tax: Decimal
    currency: str
    valid_until: date | None = None


@dataclass(frozen=True)
class CloseDeal:
    """The first sale is made. `splits` are (person, weight); without any the hunter made it alone."""

    at: datetime
    now: datetime
    by: str
    deal: str
    net: Decimal
    tax: Decimal
    currency: str
    lines: tuple[Line, ...] = ()
    schedule: tuple[Instalment, ...] = ()
    splits: tuple[tuple[str, Decimal], ...] = ()
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoseOpportunity:
    at: datetime
    by: str
    reason: str


Command = OpenFromLead | OpenOpportunity | ScheduleMeeting | RecordMeeting | SendProposal | CloseDeal | LoseOpportunity
