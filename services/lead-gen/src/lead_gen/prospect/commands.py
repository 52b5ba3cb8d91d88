"""What one may want of a prospect. `at` is business time, `now` the clock: a deadline over by `now` never runs.

`by` is the person who acts; `manager` says that they may act for a whole line, whoever holds the prospect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from conveyor_events.words import Seat
from lead_gen.identity import IdentityKey

Check = Literal["reachable_phone", "decision_role_known", "legal_active"]
CallOutcome = Literal[
    "no_answer", "gatekeeper_blocked", "gatekeeper_passed", "reached", "refused", "wrong_number", "callback"
]
GatekeeperRole = Literal["secretary", "assistant", "reception", "other"]
Approach = Literal["referral", "direct_line", "topic", "letter", "event", "other"]
Influence = Literal["decides", "advises", "uses", "pays"]
Budget = Literal["unknown", "none", "some"]
Wish = Literal["unknown", "low", "high"]

INVALID = frozenset({"closed_down", "no_such", "duplicate", "out_of_market"})
"""Why a prospect can be none."""


@dataclass(frozen=True)
class RegisterProspect:
    client: str
    line: str
    name: str
    country: str | None
    keys: tuple[IdentityKey, ...]
    source: str
    segment: str | None
    by: str
    at: datetime


@dataclass(frozen=True)
class ContestClient:
    """Somebody tried to register this client anew: one of its keys was theirs as well. Always refused."""

    line: str
    by: str
    at: datetime


@dataclass(frozen=True)
class VerifyProspect:
    checks: tuple[Check, ...]
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class LogCall:
    outcome: CallOutcome
    started_at: datetime
    duration_s: int
    next_call_at: datetime | None
    note: str | None
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class RecordGatekeeper:
    """With an approach the gatekeeper was passed, too."""

    role: GatekeeperRole
    attitude: int
    best_time: str | None
    approach: Approach | None
    attempts: int
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class RecordContactReached:
    person: str
    position: str
    channel: str
    influence: Influence
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class IdentifyNeed:
    """Budget and wish are information, never a gate. Without an id: `need_id` None, and it is derived."""

    need_id: str | None
    category: str
    statement: str
    evidence: tuple[str, ...]
    current_supplier: str | None
    competitor_id: str | None
    budget: Budget
    wish: Wish
    by: str
    at: datetime
    now: datetime
    manager: bool = False


@dataclass(frozen=True)
class OfferLead:
    """To the named person, else to whom the routing of the line picks. After a return: with new evidence."""

    offer_id: str | None
    to: str | None
    evidence: tuple[str, ...]
    by: str
    at: datetime
    now: datetime
    manager: bool = False


@dataclass(frozen=True)
class MeetHandover:
    """The handover is due: the lead is offered by itself where the policy says so, else it is overdue."""

    at: datetime


@dataclass(frozen=True)
class WithdrawOffer:
    """A request: it loses against an acceptance. The reason is a code, or a text that stays here."""

    reason: str | None
    by: str
    at: datetime
    now: datetime
    manager: bool = False


@dataclass(frozen=True)
class Invalidate:
    reason: str
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class Park:
    """Not now: the client is to be called again, at `until` or when somebody thinks of it."""

    until: datetime | None
    reason: str
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class Resume:
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class WakeProspect:
    """The clock's: the time for which the client was parked is over."""

    at: datetime


@dataclass(frozen=True)
class ForbidContact:
    """The client asks not to be contacted any more. It stays known, so that nobody enters it anew."""

    reason: str | None
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class Reassign:
    """A manager gives the prospect to another person of the team."""

    to: str
    reason: str
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class Merge:
    """The same client was entered twice: this one ends, `into` stays and is known by the keys of both."""

    into: str
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class TakeKeys:
    """Said by a prospect that was merged into this one: its identity keys are this one's now."""

    merged: str
    keys: tuple[IdentityKey, ...]
    by: Seat
    at: datetime


@dataclass(frozen=True)
class EraseMerged:
    """Said by the prospect that this one was merged into: it is the same client, which asked to be forgotten."""

    by: Seat
    at: datetime


@dataclass(frozen=True)
class ErasePersonalData:
    """The client asks to be forgotten. What was earned with it stays countable."""

    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class MigrateJourney:
    """A journey goes on under another variant; `served_by` is who serves the client from now on."""

    variant: str
    served_by: str | None
    legacy_until: datetime | None
    by: str
    at: datetime
    manager: bool = False


@dataclass(frozen=True)
class ReleaseProspect:
    """The time for rework is over."""

    at: datetime


@dataclass(frozen=True)
class ClaimProspect:
    by: str
    at: datetime


@dataclass(frozen=True)
class HandOver:
    """The lead was accepted: by the first receiver, a later one, or after an overturned rejection."""

    offer_id: str
    need_id: str
    sourced_by: Seat
    converted_by: Seat
    at: datetime


@dataclass(frozen=True)
class ReturnLead:
    """The lead was rejected."""

    offer_id: str
    reason: str
    by: Seat
    at: datetime


@dataclass(frozen=True)
class MoveOffer:
    """The offer has another receiver; None is the queue."""

    offer_id: str
    to: Seat | None
    at: datetime


@dataclass(frozen=True)
class MakeCustomer:
    """The first sale is won."""

    converted_by: Seat
    at: datetime


@dataclass(frozen=True)
class Recycle:
    """The next station lost the client, and it may be called again."""

    reason: str
    not_before: datetime | None
    sourced_by: Seat
    at: datetime


Work = (
    VerifyProspect
    | LogCall
    | RecordGatekeeper
    | RecordContactReached
    | IdentifyNeed
    | OfferLead
    | WithdrawOffer
    | Park
    | Resume
    | ForbidContact
    | Reassign
    | Merge
    | ErasePersonalData
    | MigrateJourney
    | Invalidate
)
"""Done by whose prospect it is, or by a manager."""

Rival = ContestClient | ClaimProspect
Timed = MeetHandover | ReleaseProspect | WakeProspect
Told = HandOver | ReturnLead | MoveOffer | Recycle | MakeCustomer
Merged = TakeKeys | EraseMerged
Command = RegisterProspect | Rival | Work | Timed | Told | Merged
