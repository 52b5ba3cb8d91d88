"""What happened to a prospect. Private fields are sealed with the client's key wherever they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from belt.core.decider import Private
from conveyor_events.words import Seat
from lead_gen.identity import IdentityKey


@dataclass(frozen=True)
class ProspectRegistered:
    """The variant of the line is stamped here: it holds for the whole journey."""

    client: str
    journey: str
    line: str
    variant: str
    source: str
    segment: str | None
    country: str | None
    name: Private[str]
    keys: Private[tuple[IdentityKey, ...]]
    protected_until: datetime
    by: Seat
    at: datetime


@dataclass(frozen=True)
class RegistrationRefused:
    """Another person tried to register or claim the client."""

    line: str
    by: Seat
    held_by: Seat
    reason: str
    protected_until: datetime | None
    at: datetime


@dataclass(frozen=True)
class ProspectVerified:
    checks: tuple[str, ...]
    sourced_by: Seat
    by: Seat
    at: datetime


@dataclass(frozen=True)
class CallLogged:
    client: str
    outcome: str
    started_at: datetime
    duration_s: int
    next_call_at: datetime | None
    note: Private[str | None]
    by: Seat
    at: datetime


@dataclass(frozen=True)
class GatekeeperMet:
    client: str
    role: str
    attitude: int
    best_time: Private[str | None]
    by: Seat
    at: datetime


@dataclass(frozen=True)
class GatekeeperPassed:
    approach: str
    attempts: int
    by: Seat
    at: datetime


@dataclass(frozen=True)
class DecisionMakerReached:
    client: str
    person: Private[str]
    position: Private[str]
    channel: Private[str]
    influence: str
    by: Seat
    at: datetime


@dataclass(frozen=True)
class NeedIdentified:
    """`handover_due_at`: offered by then, or overdue. None: no deadline runs."""

    client: str
    need_id: str
    category: str
    statement: Private[str]
    evidence: Private[tuple[str, ...]]
    current_supplier: Private[str | None]
    competitor_id: str | None
    budget: str
    wish: str
    handover_due_at: datetime | None
    sourced_by: Seat
    by: Seat
    at: datetime


@dataclass(frozen=True)
class HandoverOverdue:
    need_id: str
    sourced_by: Seat
    at: datetime


@dataclass(frozen=True)
class LeadOffered:
    """`among`: who could have been chosen when the rotation chose; empty where nobody had to choose.

    `counts`: the offer is open work of its receiver in a line that routes by load. `by` None: offered by itself.
    """

    client: str
    offer_id: str
    need_id: str
    attempt: int
    evidence: Private[tuple[str, ...]]
    to: Seat | None
    team: str
    mode: str
    among: tuple[str, ...]
    counts: bool
    accept_due_at: datetime | None
    first_touch_due_at: datetime | None
    credit_until: datetime
    sourced_by: Seat
    by: Seat | None
    at: datetime


@dataclass(frozen=True)
class LeadWithdrawn:
    """`reason` is a code, `note` what was said instead of one. `frees`: whose open work it was, in a line that routes
    by load. `by` None: the next station was faster.
    """

    client: str
    offer_id: str
    need_id: str
    reason: str | None
    note: Private[str | None]
    handover_due_at: datetime | None
    frees: str | None
    by: Seat | None
    at: datetime


@dataclass(frozen=True)
class OfferMoved:
    """Re-routed or escalated at the receiving station."""

    offer_id: str
    to: Seat | None
    frees: str | None
    at: datetime


@dataclass(frozen=True)
class LeadReturned:
    offer_id: str
    need_id: str
    reason: str
    rework_until: datetime
    frees: str | None
    sourced_by: Seat
    by: Seat
    at: datetime


@dataclass(frozen=True)
class LeadHandedOver:
    offer_id: str
    need_id: str
    frees: str | None
    sourced_by: Seat
    converted_by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectParked:
    SCHEMA: ClassVar[int] = 2  # 1: the reason stood open, and no client was named

    client: str
    until: datetime | None
    reason: Private[str]
    by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectResumed:
    """`by` None: its time had come."""

    by: Seat | None
    at: datetime


@dataclass(frozen=True)
class LeadRecycled:
    """Back from the next station: its finder's again, until then parked."""

    reason: str
    until: datetime | None
    sourced_by: Seat
    at: datetime


@dataclass(frozen=True)
class ContactForbidden:
    client: str
    reason: Private[str | None]
    by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectReassigned:
    before: Seat
    to: Seat
    reason: str
    protected_until: datetime
    by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectMerged:
    client: str
    into: str
    sourced_by: Seat
    by: Seat
    at: datetime


@dataclass(frozen=True)
class KeysTaken:
    """The keys of a prospect that was merged into this one."""

    client: str
    merged: str
    keys: Private[tuple[IdentityKey, ...]]
    by: Seat
    at: datetime


@dataclass(frozen=True)
class PersonalDataErased:
    """The client's key is destroyed with this event."""

    client: str
    by: Seat
    at: datetime


@dataclass(frozen=True)
class JourneyMigrated:
    before: str
    variant: str
    served_by: Seat | None
    legacy_until: datetime | None
    by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectReleased:
    sourced_by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectClaimed:
    before: Seat
    protected_until: datetime
    by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectInvalidated:
    """`sourced_by`: in whose base it was counted, if it was verified; else whose prospect it was."""

    reason: str
    verified_at: datetime | None
    sourced_by: Seat
    by: Seat
    at: datetime


@dataclass(frozen=True)
class ProspectBecameCustomer:
    converted_by: Seat
    at: datetime


Event = (
    ProspectRegistered
    | RegistrationRefused
    | ProspectVerified
    | CallLogged
    | GatekeeperMet
    | GatekeeperPassed
    | DecisionMakerReached
    | NeedIdentified
    | HandoverOverdue
    | LeadOffered
    | LeadWithdrawn
    | OfferMoved
    | LeadReturned
    | LeadHandedOver
    | ProspectParked
    | ProspectResumed
    | LeadRecycled
    | ContactForbidden
    | ProspectReassigned
    | ProspectMerged
    | KeysTaken
    | PersonalDataErased
    | JourneyMigrated
    | ProspectReleased
    | ProspectClaimed
    | ProspectInvalidated
    | ProspectBecameCustomer
)
EVENTS: tuple[type, ...] = (
    ProspectRegistered,
    RegistrationRefused,
    ProspectVerified,
    CallLogged,
    GatekeeperMet,
    GatekeeperPassed,
    DecisionMakerReached,
    NeedIdentified,
    HandoverOverdue,
    LeadOffered,
    LeadWithdrawn,
    OfferMoved,
    LeadReturned,
    LeadHandedOver,
    ProspectParked,
    ProspectResumed,
    LeadRecycled,
    ContactForbidden,
    ProspectReassigned,
    ProspectMerged,
    KeysTaken,
    PersonalDataErased,
    JourneyMigrated,
    ProspectReleased,
    ProspectClaimed,
    ProspectInvalidated,
    ProspectBecameCustomer,
)


def erases(event: Event) -> str | None:
    """Whose key an event destroys."""
    return event.client if isinstance(event, PersonalDataErased) else None


def _parked(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"client": ""}


UPCAST = {("ProspectParked", 1): _parked}
