"""What happens to an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from account_mgmt.account.words import Channel, LeaveReason, Matter, MoveReason, Remedy, RiskCause
from belt.core.decider import Private
from conveyor_events.words import Seat


@dataclass(frozen=True)
class PurchaseNoted:
    at: datetime
    client: str
    sale_id: str
    sold_at: datetime


@dataclass(frozen=True)
class PurchaseCounted:
    """Whether the purchase counts for the status from now on."""

    at: datetime
    sale_id: str
    counts: bool


@dataclass(frozen=True)
class AccountOpened:
    at: datetime
    client: str
    journey: str | None
    variant: str
    line: str
    sourced_by: Seat
    converted_by: Seat


@dataclass(frozen=True)
class SeatTaken:
    """`holder` has the seat from `since` until the next one takes it."""

    at: datetime
    offer_id: str
    by: Seat
    holder: Seat
    since: datetime


@dataclass(frozen=True)
class AccountReassigned:
    """`holder` has the seat from `at` on; repeat sales made before `legacy_until` name `before` as well."""

    at: datetime
    by: Seat | None
    before: Seat
    holder: Seat
    reason: MoveReason
    legacy_until: datetime | None


@dataclass(frozen=True)
class JourneyMigrated:
    """From now on the journey has another variant."""

    at: datetime
    variant: str


@dataclass(frozen=True)
class MigrationNoted:
    """The journey was migrated before its account was offered, or became known so: it counts once there is one."""

    at: datetime
    client: str
    variant: str
    by: Seat | None
    holder: Seat | None
    legacy_until: datetime | None


@dataclass(frozen=True)
class DeadlinesStamped:
    """The client bought last at `quiet_since`. Silence makes it a risk, and then lets it lapse, at these instants."""

    at: datetime
    quiet_since: datetime
    risk_due_at: datetime
    lapse_due_at: datetime


@dataclass(frozen=True)
class BecameRegular:
    """The n-th purchase within the days of the policy was made at `since`; `by` made it known."""

    at: datetime
    by: Seat | None
    since: datetime
    served_by: Seat
    purchases: int


@dataclass(frozen=True)
class AccountAtRiskFlagged:
    at: datetime
    cause: RiskCause
    ref: str
    served_by: Seat


@dataclass(frozen=True)
class AccountRiskCleared:
    """One cause of risk is gone; with the last one the client is no longer at risk."""

    at: datetime
    cause: RiskCause
    ref: str
    by: Seat | None


@dataclass(frozen=True)
class CustomerLapsed:
    at: datetime
    served_by: Seat
    last_purchase_at: datetime | None
    after_days: int


@dataclass(frozen=True)
class CustomerChurned:
    at: datetime
    client: str
    by: Seat
    served_by: Seat
    reason: LeaveReason
    note: Private[str | None]


@dataclass(frozen=True)
class CustomerReturned:
    """`again`: a new journey begins. Otherwise the purchase was made before the lapse, which is taken back."""

    at: datetime
    by: Seat | None
    since: datetime
    sale_id: str
    after_days: int
    journey: str
    variant: str
    again: bool
    served_by: Seat


@dataclass(frozen=True)
class ServiceContactLogged:
    at: datetime
    client: str
    by: Seat
    contact_id: str
    channel: Channel
    next_at: datetime | None
    person: Private[str | None]
    summary: Private[str | None]


@dataclass(frozen=True)
class ComplaintReceived:
    at: datetime
    client: str
    by: Seat
    complaint_id: str
    about: Matter
    text: Private[str]


@dataclass(frozen=True)
class ComplaintResolved:
    at: datetime
    client: str
    by: Seat
    complaint_id: str
    remedy: Remedy
    note: Private[str | None]


Event = (
    PurchaseNoted
    | PurchaseCounted
    | AccountOpened
    | SeatTaken
    | AccountReassigned
    | JourneyMigrated
    | MigrationNoted
    | DeadlinesStamped
    | BecameRegular
    | AccountAtRiskFlagged
    | AccountRiskCleared
    | CustomerLapsed
    | CustomerChurned
    | CustomerReturned
    | ServiceContactLogged
    | ComplaintReceived
    | ComplaintResolved
)
EVENTS: tuple[type, ...] = (
    PurchaseNoted,
    PurchaseCounted,
    AccountOpened,
    SeatTaken,
    AccountReassigned,
    JourneyMigrated,
    MigrationNoted,
    DeadlinesStamped,
    BecameRegular,
    AccountAtRiskFlagged,
    AccountRiskCleared,
    CustomerLapsed,
    CustomerChurned,
    CustomerReturned,
    ServiceContactLogged,
    ComplaintReceived,
    ComplaintResolved,
)
