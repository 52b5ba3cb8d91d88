"""The account: one client in service. Who serves it from when on, and when a buyer becomes a regular customer.

    none -> awaiting -> buyer -> regular

The money of its sales lives in streams of their own (sale.py); here a sale is only a purchase that counts or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from account_mgmt.roster import CATEGORY as ROSTER
from account_mgmt.roster import COMPANY
from belt.core.calendar import days_between
from belt.core.decider import Refused
from conveyor_events.roster import Roster
from conveyor_events.staff import Policy
from conveyor_events.words import HOUSE, Role, Seat, Station, role_at

CATEGORY = "account"
HERE = Station.ACCOUNT_MGMT


class Status(StrEnum):
    """Where the client stands."""

    NONE = "none"  # nobody was offered this client yet, though its first sale may be known
    AWAITING = "awaiting"  # offered, not yet taken: the seat belongs to the house
    BUYER = "buyer"
    REGULAR = "regular"


SELLING = frozenset({Status.AWAITING, Status.BUYER, Status.REGULAR})
"""Where a repeat sale may be recorded."""

# --- commands -------------------------------------------------------------------------------------------------------


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
    """The buyer is offered to this station."""

    at: datetime
    client: str
    journey: str | None
    variant: str
    line: str
    sourced_by: Seat
    converted_by: Seat


@dataclass(frozen=True)
class TakeAccount:
    """The offer was accepted: `holder` serves the client from `since` on."""

    at: datetime
    offer_id: str
    by: Seat
    holder: Seat
    since: datetime


Command = NotePurchase | CountPurchase | OpenAccount | TakeAccount

# --- events ---------------------------------------------------------------------------------------------------------


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
class BecameRegular:
    """The n-th purchase within the days of the policy was made at `since`; `by` made it known."""

    at: datetime
    by: Seat | None
    since: datetime
    served_by: Seat
    purchases: int


Event = PurchaseNoted | PurchaseCounted | AccountOpened | SeatTaken | BecameRegular
EVENTS: tuple[type, ...] = (PurchaseNoted, PurchaseCounted, AccountOpened, SeatTaken, BecameRegular)

# --- state ----------------------------------------------------------------------------------------------------------


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


NOBODY = Seat(person=HOUSE, role=HOUSE)


@dataclass(frozen=True)
class Account:
    client: str = ""
    status: Status = Status.NONE
    journey: str | None = None
    variant: str = ""
    line: str = ""
    sourced_by: Seat = NOBODY
    converted_by: Seat = NOBODY
    holdings: tuple[Holding, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    regular_since: datetime | None = None

    def holder_at(self, at: datetime) -> Seat:
        """Who serves the client at this instant; before the first holding it is the house."""
        held = [holding.seat for holding in self.holdings if holding.since <= at]
        return held[-1] if held else Seat(person=HOUSE, role=role_at(self.variant, HERE))

    def purchase(self, sale_id: str) -> Purchase | None:
        return next((made for made in self.purchases if made.sale_id == sale_id), None)


def seat_of(account: Account, roster: Roster, person: str, at: datetime) -> Seat:
    """The seat in which the person may act here: as holder, in the team, as who made the first sale, as manager."""
    if account.status is Status.NONE:
        raise Refused("account.unknown")
    holder = account.holder_at(at)
    if person == holder.person:
        return holder
    role = roster.role_at(account.line, HERE, at)
    if role is not None and roster.works_at(person, account.line, HERE, at):
        return Seat(person=person, role=role)
    if person == account.converted_by.person:
        return account.converted_by
    if roster.manages(person, account.line, at):
        return Seat(person=person, role=Role.MANAGER)
    raise Refused("account.not-yours", served_by=holder.person)


# --- decide ---------------------------------------------------------------------------------------------------------


def reads(_id: str, _command: Command, _account: Account) -> Sequence[tuple[str, str]]:
    return [(ROSTER, COMPANY)]


def decide(command: Command, account: Account, roster: Roster) -> Sequence[Event]:
    events = _happens(command, account)
    after = account
    for event in events:
        after = evolve(after, event)
    return [*events, *_regular(command, after, roster)] if events else []


def _happens(command: Command, account: Account) -> list[Event]:
    match command:
        case NotePurchase(at, client, sale_id, sold_at, _):
            return [] if account.purchase(sale_id) else [PurchaseNoted(at, client, sale_id, sold_at)]
        case CountPurchase(at, sale_id, counts):
            made = account.purchase(sale_id)
            return [] if made is None or made.counts is counts else [PurchaseCounted(at, sale_id, counts)]
        case OpenAccount():
            if account.status is not Status.NONE:
                return []  # offered again after a rejection: it waits already
            return [
                AccountOpened(
                    command.at,
                    command.client,
                    command.journey,
                    command.variant,
                    command.line,
                    command.sourced_by,
                    command.converted_by,
                )
            ]
        case TakeAccount(at, offer_id, by, holder, since):
            if account.status is Status.NONE:
                raise Refused("account.unknown")
            return [] if Holding(since, holder) in account.holdings else [SeatTaken(at, offer_id, by, holder, since)]
        case _:
            assert_never(command)


def _regular(command: Command, account: Account, roster: Roster) -> list[Event]:
    """Enough purchases within the days of the policy: the day of the first is day 0, the last day is included."""
    if account.status is not Status.BUYER:
        return []
    staffed = roster.line(account.line, command.at)
    policy, zone = (staffed.policy, staffed.zone) if staffed else (Policy(), "UTC")
    made = sorted((purchase.sold_at, purchase.sale_id) for purchase in account.purchases if purchase.counts)
    for (first, _), (last, _) in zip(made, made[max(policy.regular_purchases, 1) - 1 :], strict=False):
        if days_between(zone, first, last) <= policy.regular_days:
            since = max(last, account.holdings[0].since)
            by = command.by if isinstance(command, NotePurchase | TakeAccount) else None
            return [BecameRegular(command.at, by, since, account.holder_at(since), policy.regular_purchases)]
    return []


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
            )
        case SeatTaken():
            holdings = sorted((*account.holdings, Holding(event.since, event.holder)), key=lambda held: held.since)
            status = Status.BUYER if account.status is Status.AWAITING else account.status
            return replace(account, status=status, holdings=tuple(holdings))
        case BecameRegular():
            return replace(account, status=Status.REGULAR, regular_since=event.since)
        case _:
            assert_never(event)
