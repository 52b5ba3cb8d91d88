"""What can be asked of an opportunity. `at` is business time, `now` the clock's, `by` the person who acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from conversion.deal.terms import Instalment, Line
from conveyor_events.words import Seat

CATEGORY = "opportunity"
OBJECTIVES = ("full", "fallback", "no")
OBJECTIONS = ("price", "need", "timing", "trust", "competitor", "authority", "product", "other")
RESULTS = ("resolved", "open", "conceded")
CHANNELS = ("phone", "mail", "meeting", "video", "chat", "letter", "other")
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
    first_touch_due_at: datetime | None = None


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
class TouchClient:
    """The hunter spoke with the client, or wrote, and there is nothing more to tell of it."""

    at: datetime
    by: str
    channel: str
    note: str | None = None


@dataclass(frozen=True)
class MissTouch:
    """The clock's: the first contact was due."""

    at: datetime


@dataclass(frozen=True)
class ScheduleMeeting:
    """Needs a plan that is ready."""

    at: datetime
    by: str
    meeting: str
    starts_at: datetime
    plan: str


@dataclass(frozen=True)
class CancelMeeting:
    at: datetime
    by: str
    meeting: str


@dataclass(frozen=True)
class RecordMeeting:
    """A meeting took place, planned before or not."""

    at: datetime
    by: str
    meeting: str
    objective_met: str
    facts: tuple[str, ...] = ()
    next_step: NextStep | None = None
    answers: tuple[str, ...] = ()
    surprises: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordPresentation:
    """What we have was shown, for these needs of the client."""

    at: datetime
    by: str
    presentation: str
    needs: tuple[str, ...] = ()
    note: str | None = None


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
    promises: tuple[str, ...] = ()


@dataclass(frozen=True)
class RaiseObjection:
    at: datetime
    by: str
    objection: str
    kind: str
    words: str | None = None


@dataclass(frozen=True)
class AnswerObjection:
    at: datetime
    by: str
    objection: str
    technique: str
    result: str


@dataclass(frozen=True)
class StartNegotiation:
    """Above the line's limit it needs a plan that is ready."""

    at: datetime
    by: str
    plan: str | None = None


@dataclass(frozen=True)
class MakeConcession:
    """Nothing is given away for nothing: `in_return_for` says what came back."""

    at: datetime
    by: str
    concession: str
    item: str
    in_return_for: str
    value: Decimal | None = None


@dataclass(frozen=True)
class LoseOpportunity:
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class ReopenOpportunity:
    """A lost one goes on where it stood, within the line's window."""

    at: datetime
    by: str


@dataclass(frozen=True)
class RecycleOpportunity:
    """A lost client goes back to lead generation, to be called again not before a day."""

    at: datetime
    by: str
    reason: str
    not_before: datetime | None = None


@dataclass(frozen=True)
class Stall:
    """The clock's: nobody has done anything for so long."""

    at: datetime


Opening = OpenFromLead | OpenOpportunity
Clock = MissTouch | Stall
Sell = TouchClient | ScheduleMeeting | CancelMeeting | RecordMeeting | RecordPresentation | SendProposal
Bargain = RaiseObjection | AnswerObjection | StartNegotiation | MakeConcession
End = LoseOpportunity | ReopenOpportunity | RecycleOpportunity
Command = Opening | Clock | Sell | Bargain | CloseDeal | End
