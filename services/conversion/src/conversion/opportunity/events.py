"""What happens to an opportunity. What was said in a meeting is sealed under the client's key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from belt.core.decider import Private
from conversion.opportunity.commands import NextStep
from conversion.terms import Instalment, Line, Part
from conveyor_events.words import Seat


@dataclass(frozen=True)
class OpportunityOpened:
    at: datetime
    by: Seat
    opportunity: str
    client: str
    journey: str
    variant: str
    line: str
    needs: tuple[str, ...]
    sourced_by: Seat
    converted_by: Seat


@dataclass(frozen=True)
class MeetingScheduled:
    at: datetime
    by: Seat
    meeting: str
    starts_at: datetime


@dataclass(frozen=True)
class MeetingHeld:
    at: datetime
    by: Seat
    client: str
    meeting: str
    objective_met: str
    facts: Private[tuple[str, ...]]
    next_step: Private[NextStep | None]


@dataclass(frozen=True)
class ProposalSent:
    at: datetime
    by: Seat
    proposal: str
    revision: int
    lines: tuple[Line, ...]
    net: Decimal
    tax: Decimal
    currency: str
    valid_until: date | None


@dataclass(frozen=True)
class DealClosed:
    """`at` is the instant of the sale; `now` when it was told, for deadlines that count from here."""

    at: datetime
    now: datetime
    by: Seat
    deal: str
    net: Decimal
    tax: Decimal
    currency: str
    lines: tuple[Line, ...]
    schedule: tuple[Instalment, ...]
    splits: tuple[Part, ...]
    checklist: tuple[str, ...]


@dataclass(frozen=True)
class DealRefused:
    """Somebody tried to make a first sale to a customer. The attempt is a fact of its own."""

    at: datetime
    by: Seat
    served_by: Seat | None
    reason: str
    net: Decimal
    currency: str


@dataclass(frozen=True)
class OpportunityLost:
    at: datetime
    by: Seat
    reason: str


Event = OpportunityOpened | MeetingScheduled | MeetingHeld | ProposalSent | DealClosed | DealRefused | OpportunityLost
EVENTS: tuple[type, ...] = (
    OpportunityOpened,
    MeetingScheduled,
    MeetingHeld,
    ProposalSent,
    DealClosed,
    DealRefused,
    OpportunityLost,
)
