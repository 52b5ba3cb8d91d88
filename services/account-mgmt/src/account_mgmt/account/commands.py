"""What can be asked of an account. Each command carries its time and, where a person asks, who."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from account_mgmt.account.words import Channel, LeaveReason, Matter, MoveReason, Remedy, RiskCause
from conveyor_events.words import Seat


@dataclass(frozen=True)
class NotePurchase:
    """The client bought: its first sale at conversion, or a repeat sale here."""

    at: datetime
    client: str
    sale_id: str
    sold_at: datetime
    by: Seat | None = None


@dataclass(frozen=True)
class CountPurchase:
    """All money of a sale went back, so it counts no longer; or it was paid again, so it does."""

    at: datetime
    sale_id: str
    counts: bool


@dataclass(frozen=True)
class OpenAccount:
    """The buyer is offered to this station; `itself`: whoever sold takes it in the same breath."""

    at: datetime
    client: str
    journey: str | None
    variant: str
    line: str
    sourced_by: Seat
    converted_by: Seat
    itself: bool = False


@dataclass(frozen=True)
class TakeAccount:
    """The offer was accepted: `holder` serves the client from `since` on."""

    at: datetime
    offer_id: str
    by: Seat
    holder: Seat
    since: datetime


@dataclass(frozen=True)
class ReassignAccount:
    """A manager gives the account to another of the team, or to the house, from `at` on.

    Until `legacy_until` repeat sales name the one before as well.
    """

    at: datetime
    by: str
    to: str
    reason: MoveReason
    legacy_until: datetime | None = None


@dataclass(frozen=True)
class MigrateAccount:
    """The client's journey was migrated to another variant, with its seats."""

    at: datetime
    variant: str
    by: Seat | None
    holder: Seat | None
    legacy_until: datetime | None = None
    client: str = ""


@dataclass(frozen=True)
class LogContact:
    """Somebody spoke with the client. `summary` and `person` are personal."""

    at: datetime
    by: str
    contact_id: str
    channel: Channel
    person: str | None = None
    summary: str | None = None
    next_at: datetime | None = None


@dataclass(frozen=True)
class ReceiveComplaint:
    at: datetime
    by: str
    complaint_id: str
    about: Matter
    text: str


@dataclass(frozen=True)
class ResolveComplaint:
    at: datetime
    by: str
    complaint_id: str
    remedy: Remedy
    note: str | None = None


@dataclass(frozen=True)
class FlagRisk:
    """Something says that the client may be lost. `ref` names what said so."""

    at: datetime
    cause: RiskCause
    ref: str


@dataclass(frozen=True)
class ClearRisk:
    """Whoever serves the client has made sure of it. An open complaint has to be resolved instead."""

    at: datetime
    by: str


@dataclass(frozen=True)
class CustomerLeft:
    """The client said that it will not buy any more."""

    at: datetime
    by: str
    reason: LeaveReason
    note: str | None = None


@dataclass(frozen=True)
class MeetDeadline:
    """The clock's command. Early or late makes no difference: what was due by `at` happens at its own instant."""

    at: datetime


Command = (
    NotePurchase
    | CountPurchase
    | OpenAccount
    | TakeAccount
    | ReassignAccount
    | MigrateAccount
    | LogContact
    | ReceiveComplaint
    | ResolveComplaint
    | FlagRisk
    | ClearRisk
    | CustomerLeft
    | MeetDeadline
)
