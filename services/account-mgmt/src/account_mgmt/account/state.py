"""The state of an account, as its events make it: who serves the client at which instant, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import assert_never

from account_mgmt.account.events import (
    AccountAtRiskFlagged,
    AccountOpened,
    AccountReassigned,
    AccountRiskCleared,
    BecameRegular,
    ComplaintReceived,
    ComplaintResolved,
    CustomerChurned,
    CustomerLapsed,
    CustomerReturned,
    DeadlinesStamped,
    Event,
    JourneyMigrated,
    MigrationNoted,
    PurchaseCounted,
    PurchaseNoted,
    SeatTaken,
    ServiceContactLogged,
)
from account_mgmt.account.words import LeaveReason, MoveReason, RiskCause, Status
from belt.core.replacing import replace
from conveyor_events.accounts import Legacy
from conveyor_events.words import HOUSE, Seat, Station, role_at

HERE = Station.ACCOUNT_MGMT
NOBODY = Seat(person=HOUSE, role=HOUSE)


@dataclass(frozen=True)
class Purchase:
    sale_id: str
    sold_at: datetime
    counts: bool = True


@dataclass(frozen=True)
class Holding:
    """A seat from an instant on, until the next holding begins."""

    since: datetime
    seat: Seat
    legacy: Legacy | None = None


@dataclass(frozen=True)
class Journey:
    """One pass along the line, from an instant on, until the next one begins."""

    journey: str | None
    variant: str
    since: datetime


@dataclass(frozen=True)
class Risk:
    cause: RiskCause
    ref: str
    since: datetime


@dataclass(frozen=True)
class Complaint:
    received: ComplaintReceived
    resolved: ComplaintResolved | None = None


@dataclass(frozen=True)
class Account:
    """`quiet_since` and the two due instants are stamped: a later change of the policy does not move them."""

    client: str = ""
    status: Status = Status.NONE
    journey: str | None = None
    variant: str = ""
    line: str = ""
    sourced_by: Seat = NOBODY
    converted_by: Seat = NOBODY
    holdings: tuple[Holding, ...] = ()
    journeys: tuple[Journey, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    counted_from: datetime | None = None  # the last return: older purchases count for no status
    regular_since: datetime | None = None
    risks: tuple[Risk, ...] = ()
    quiet_since: datetime | None = None
    risk_due_at: datetime | None = None
    lapse_due_at: datetime | None = None
    gone_at: datetime | None = None
    left: LeaveReason | None = None
    contacts: tuple[ServiceContactLogged, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    noted: MigrationNoted | None = None  # told before there was an account

    def holding_at(self, at: datetime) -> Holding | None:
        held = [holding for holding in self.holdings if holding.since <= at]
        return held[-1] if held else None

    def holder_at(self, at: datetime) -> Seat:
        """Who serves the client at this instant; before the first holding it is the house."""
        held = self.holding_at(at)
        return held.seat if held else Seat(person=HOUSE, role=role_at(self.variant, HERE))

    def legacy_at(self, at: datetime) -> Legacy | None:
        """Who is remembered in the pay of a sale made at this instant, also after the account went on to a third."""
        holder = self.holder_at(at).person
        legacies = (held.legacy for held in reversed(self.holdings) if held.since <= at)
        return next((one for one in legacies if one is not None and at < one.until and one.person != holder), None)

    def purchase(self, sale_id: str) -> Purchase | None:
        return next((made for made in self.purchases if made.sale_id == sale_id), None)

    def complaint(self, complaint_id: str) -> Complaint | None:
        return next((one for one in self.complaints if one.received.complaint_id == complaint_id), None)

    @property
    def last_purchase_at(self) -> datetime | None:
        """The latest purchase that counts."""
        return max((made.sold_at for made in self.purchases if made.counts), default=None)

    @property
    def open_complaints(self) -> tuple[Complaint, ...]:
        return tuple(one for one in self.complaints if one.resolved is None)

    @property
    def at_ease(self) -> Status:
        """Where a client stands while nothing is wrong."""
        return Status.BUYER if self.regular_since is None else Status.REGULAR


def evolve(account: Account, event: Event) -> Account:
    match event:
        case PurchaseNoted():
            noted = Purchase(event.sale_id, event.sold_at)
            return replace(account, client=event.client, purchases=(*account.purchases, noted))
        case PurchaseCounted():
            counted = tuple(
                replace(made, counts=event.counts) if made.sale_id == event.sale_id else made
                for made in account.purchases
            )
            return replace(account, purchases=counted)
        case AccountOpened():
            return replace(
                account,
                client=event.client,
                status=Status.AWAITING,
                journey=event.journey,
                variant=event.variant,
                line=event.line,
                sourced_by=event.sourced_by,
                converted_by=event.converted_by,
                journeys=(Journey(event.journey, event.variant, event.at),),
            )
        case SeatTaken():
            status = Status.BUYER if account.status is Status.AWAITING else account.status
            return replace(account, status=status, holdings=_held(account, Holding(event.since, event.holder)))
        case AccountReassigned():
            until = event.legacy_until
            legacy = Legacy(person=event.before.person, until=until) if until is not None else None
            waits = None if event.reason is MoveReason.MIGRATION else account.noted
            holding = Holding(event.at, event.holder, legacy)
            return replace(account, holdings=_held(account, holding), noted=waits)
        case JourneyMigrated(at=at, variant=variant):
            journeys = (*account.journeys, Journey(account.journey, variant, at))
            return replace(account, variant=variant, journeys=journeys, noted=None)
        case MigrationNoted():
            return replace(account, client=event.client, noted=event)
        case ServiceContactLogged():
            return replace(account, contacts=(*account.contacts, event))
        case ComplaintReceived():
            return replace(account, complaints=(*account.complaints, Complaint(event)))
        case ComplaintResolved():
            complaints = tuple(
                replace(one, resolved=event) if one.received.complaint_id == event.complaint_id else one
                for one in account.complaints
            )
            return replace(account, complaints=complaints)
        case _:
            return _stands(account, event)


def _stands(
    account: Account,
    event: DeadlinesStamped
    | BecameRegular
    | AccountAtRiskFlagged
    | AccountRiskCleared
    | CustomerLapsed
    | CustomerChurned
    | CustomerReturned,
) -> Account:
    """The status, and what it hangs on."""
    match event:
        case DeadlinesStamped(quiet_since=since, risk_due_at=risk, lapse_due_at=lapse):
            return replace(account, quiet_since=since, risk_due_at=risk, lapse_due_at=lapse)
        case BecameRegular():
            return replace(account, status=Status.REGULAR, regular_since=event.since)
        case AccountAtRiskFlagged(at=at, cause=cause, ref=ref):
            due = None if cause is RiskCause.SILENCE else account.risk_due_at
            risks = (*account.risks, Risk(cause, ref, at))
            return replace(account, status=Status.AT_RISK, risks=risks, risk_due_at=due)
        case AccountRiskCleared(cause=cause, ref=ref):
            risks = tuple(risk for risk in account.risks if (risk.cause, risk.ref) != (cause, ref))
            return replace(account, status=account.status if risks else account.at_ease, risks=risks)
        case CustomerLapsed(at=at):
            return _gone(account, Status.LAPSED, at)
        case CustomerChurned(at=at, reason=reason):
            return replace(_gone(account, Status.CHURNED, at), left=reason)
        case CustomerReturned():
            back = replace(account, gone_at=None, left=None)
            if not event.again:
                return replace(back, status=account.at_ease)
            return replace(
                back,
                status=Status.BUYER,
                journey=event.journey,
                variant=event.variant,
                journeys=(*account.journeys, Journey(event.journey, event.variant, event.since)),
                counted_from=event.since,
                regular_since=None,
            )
        case _:
            assert_never(event)


def _gone(account: Account, status: Status, at: datetime) -> Account:
    return replace(account, status=status, gone_at=at, risks=(), quiet_since=None, risk_due_at=None, lapse_due_at=None)


def _held(account: Account, holding: Holding) -> tuple[Holding, ...]:
    """Holdings in the order of time, whatever the order in which they became known."""
    return tuple(sorted((*account.holdings, holding), key=lambda held: held.since))


def fold(account: Account, events: Iterable[Event]) -> Account:
    return reduce(evolve, events, account)
