"""Which events follow from a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from account_mgmt.account import care, seats, standing
from account_mgmt.account.commands import (
    ClearRisk,
    Command,
    CountPurchase,
    CustomerLeft,
    FlagRisk,
    LogContact,
    MeetDeadline,
    MigrateAccount,
    NotePurchase,
    OpenAccount,
    ReassignAccount,
    ReceiveComplaint,
    ResolveComplaint,
    TakeAccount,
)
from account_mgmt.account.events import AccountOpened, ComplaintResolved, Event, PurchaseCounted
from account_mgmt.account.state import Account, evolve, fold
from account_mgmt.account.words import ACTIVE, Status
from account_mgmt.roster import CATEGORY as ROSTER
from account_mgmt.roster import COMPANY
from belt.core.decider import Due, Refused
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def reads(_id: str, _command: Command, _account: Account) -> Sequence[tuple[str, str]]:
    return [(ROSTER, COMPANY)]


def decide(command: Command, account: Account, roster: Roster) -> Sequence[Event]:
    """What was due before the command comes first, even if the command itself is refused."""
    # A purchase in time keeps the client, however late it becomes known.
    until = command.sold_at if isinstance(command, NotePurchase) else command.at
    late = standing.overdue(until, account, roster)
    account = fold(account, late)
    try:
        events = _happens(command, account, roster)
    except Refused as refused:
        raise Refused(refused.code, record=late, **refused.facts) from None
    if not events:
        return late
    account, by = fold(account, events), _by(command, events)
    if account.status in ACTIVE:
        heard = care.complaints(command.at, by, account)
        events += heard
        events += standing.consequences(command, by, fold(account, heard), roster)
    return [*late, *events]


def _happens(command: Command, account: Account, roster: Roster) -> list[Event]:
    match command:
        case NotePurchase():
            return standing.bought(command, account, roster)
        case CountPurchase(at, sale_id, counts):
            made = account.purchase(sale_id)
            return [] if made is None or made.counts is counts else [PurchaseCounted(at, sale_id, counts)]
        case OpenAccount():
            return _open(command, account)
        case TakeAccount():
            return seats.take(command, account)
        case ReassignAccount():
            return seats.reassign(command, account, roster)
        case MigrateAccount():
            return seats.migrate(command, account)
        case MeetDeadline():
            return []  # all that was due has been said by `overdue`
        case _:
            return _cared(command, account, roster)


def _cared(
    command: LogContact | ReceiveComplaint | ResolveComplaint | FlagRisk | ClearRisk | CustomerLeft,
    account: Account,
    roster: Roster,
) -> list[Event]:
    match command:
        case LogContact():
            return care.log_contact(command, account, roster)
        case ReceiveComplaint():
            return care.receive(command, account, roster)
        case ResolveComplaint():
            return care.resolve(command, account, roster)
        case FlagRisk():
            return care.flag(command, account)
        case ClearRisk():
            return care.clear(command, account, roster)
        case CustomerLeft():
            return care.leave(command, account, roster)
        case _:
            assert_never(command)


def _open(command: OpenAccount, account: Account) -> list[Event]:
    if account.status is not Status.NONE:
        return []  # offered again after a rejection: it waits already
    opened = AccountOpened(
        command.at,
        command.client,
        command.journey,
        command.variant,
        command.line,
        command.sourced_by,
        command.converted_by,
    )
    return [opened, *(() if command.itself else seats.catch_up(evolve(account, opened)))]


def _by(command: Command, events: Sequence[Event]) -> Seat | None:
    """Whose doing the consequences are."""
    if isinstance(command, NotePurchase | TakeAccount):
        return command.by
    return next((event.by for event in events if isinstance(event, ComplaintResolved)), None)


def timers(account: Account) -> Sequence[Due]:
    """The two instants at which silence says something, while they stand."""
    dues = {"risk": account.risk_due_at, "lapse": account.lapse_due_at}
    return [Due(name, at, MeetDeadline(at)) for name, at in dues.items() if at is not None]
