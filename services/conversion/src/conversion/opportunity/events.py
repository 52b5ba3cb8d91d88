"""What happens to an opportunity. What was said in a meeting is sealed under the client's key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from belt.core.decider import Private
from conversion.deal.terms import Instalment, Line, Part
from conversion.opportunity.commands import NextStep
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
    from_lead: bool = False
    first_touch_due_at: datetime | None = None
    stalls_after: int = 14  # days without anything done


@dataclass(frozen=True)
class FirstTouchMade:
    """The hunter's first contact with a client that came as a lead."""

    at: datetime
    by: Seat
    due_at: datetime | None


@dataclass(frozen=True)
class FirstTouchMissed:
    at: datetime
    by: Seat


@dataclass(frozen=True)
class ClientTouched:
    at: datetime
    by: Seat
    client: str
    channel: str
    note: Private[str | None]


@dataclass(frozen=True)
class MeetingScheduled:
    at: datetime
    by: Seat
    meeting: str
    starts_at: datetime
    plan: str | None = None


@dataclass(frozen=True)
class MeetingCancelled:
    """`stage` is where the opportunity stands without it."""

    at: datetime
    by: Seat
    meeting: str
    stage: str


@dataclass(frozen=True)
class MeetingHeld:
    at: datetime
    by: Seat
    client: str
    meeting: str
    objective_met: str
    facts: Private[tuple[str, ...]]
    next_step: Private[NextStep | None]
    answers: Private[tuple[str, ...]] = ()
    surprises: Private[tuple[str, ...]] = ()


@dataclass(frozen=True)
class PresentationGiven:
    at: datetime
    by: Seat
    client: str
    presentation: str
    needs: tuple[str, ...]
    note: Private[str | None]


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
    promises: tuple[str, ...] = ()
    variant: str | None = None  # that of the journey by now, where it was migrated since it was opened


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
class ObjectionRaised:
    at: datetime
    by: Seat
    client: str
    objection: str
    kind: str
    words: Private[str | None]


@dataclass(frozen=True)
class ObjectionAnswered:
    at: datetime
    by: Seat
    objection: str
    technique: str
    result: str


@dataclass(frozen=True)
class NegotiationStarted:
    at: datetime
    by: Seat
    plan: str | None


@dataclass(frozen=True)
class ConcessionMade:
    at: datetime
    by: Seat
    client: str
    concession: str
    item: Private[str]
    in_return_for: Private[str]
    value: Decimal | None


@dataclass(frozen=True)
class OpportunityLost:
    at: datetime
    by: Seat
    reason: str


@dataclass(frozen=True)
class OpportunityReopened:
    """`stage` is where it stood when it was lost."""

    at: datetime
    by: Seat
    stage: str


@dataclass(frozen=True)
class OpportunityRecycled:
    at: datetime
    by: Seat
    reason: str
    not_before: datetime | None
    others_open: bool = False  # the client is still sold to


@dataclass(frozen=True)
class OpportunityStalled:
    at: datetime


ACTIVITY = (
    ClientTouched,
    MeetingScheduled,
    MeetingCancelled,
    MeetingHeld,
    PresentationGiven,
    ProposalSent,
    ObjectionRaised,
    ObjectionAnswered,
    NegotiationStarted,
    ConcessionMade,
    OpportunityReopened,
)
"""What keeps an opportunity from being stalled."""

Event = (
    OpportunityOpened
    | FirstTouchMade
    | FirstTouchMissed
    | ClientTouched
    | MeetingScheduled
    | MeetingCancelled
    | MeetingHeld
    | PresentationGiven
    | ProposalSent
    | ObjectionRaised
    | ObjectionAnswered
    | NegotiationStarted
    | ConcessionMade
    | DealClosed
    | DealRefused
    | OpportunityLost
    | OpportunityReopened
    | OpportunityRecycled
    | OpportunityStalled
)
EVENTS: tuple[type, ...] = (
    OpportunityOpened,
    FirstTouchMade,
    FirstTouchMissed,
    *ACTIVITY,
    DealClosed,
    DealRefused,
    OpportunityLost,
    OpportunityRecycled,
    OpportunityStalled,
)
