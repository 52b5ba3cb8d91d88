"""Who serves the client, who may speak for it, and how it goes from one to another."""

from __future__ import annotations

from datetime import datetime

from account_mgmt.account.commands import MigrateAccount, ReassignAccount, TakeAccount
from account_mgmt.account.events import AccountReassigned, Event, JourneyMigrated, SeatTaken
from account_mgmt.account.state import HERE, Account, Holding
from account_mgmt.account.words import MoveReason, Status
from belt.core.decider import Refused
from conveyor_events.roster import Roster
from conveyor_events.words import HOUSE, Role, Seat, role_at


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


def take(command: TakeAccount, account: Account) -> list[Event]:
    """The offer says from when on; an instant belongs to one holder only."""
    if account.status is Status.NONE:
        raise Refused("account.unknown")
    if Holding(command.since, command.holder) in account.holdings:
        return []
    if any(held.since == command.since for held in account.holdings):
        raise Refused("account.served-since", since=command.since)
    return [SeatTaken(command.at, command.offer_id, command.by, command.holder, command.since)]


def reassign(command: ReassignAccount, account: Account, roster: Roster) -> list[Event]:
    """From `at` on, and never into the past of a holding that began later."""
    if account.status is Status.NONE:
        raise Refused("account.unknown")
    at, to = command.at, command.to
    if not roster.manages(command.by, account.line, at):
        raise Refused("account.not-manager", line=account.line)
    if to != HOUSE and not roster.works_at(to, account.line, HERE, at):
        raise Refused("account.receiver-not-in-team", to=to)
    role = roster.role_at(account.line, HERE, at) or role_at(account.variant, HERE)
    by, holder = Seat(person=command.by, role=Role.MANAGER), Seat(person=to, role=role)
    return _moved(account, at, by, holder, command.reason, command.legacy_until)


def migrate(command: MigrateAccount, account: Account) -> list[Event]:
    """The journey's variant is another now; its seats come with the migration."""
    if account.status is Status.NONE:
        raise Refused("account.unknown")
    at = command.at
    events: list[Event] = [] if command.variant == account.variant else [JourneyMigrated(at, command.variant)]
    if command.holder is not None:
        events += _moved(account, at, command.by, command.holder, MoveReason.MIGRATION, command.legacy_until)
    return events


def _moved(
    account: Account, at: datetime, by: Seat | None, holder: Seat, reason: MoveReason, legacy_until: datetime | None
) -> list[Event]:
    before = account.holder_at(at)
    if before == holder:
        return []  # served by them already
    newest = account.holdings[-1].since if account.holdings else None
    if newest is not None and newest >= at:
        raise Refused("account.served-since", since=newest)
    if legacy_until is not None and (legacy_until <= at or before.person == HOUSE):
        raise Refused("account.no-legacy", legacy_until=legacy_until, served_by=before.person)
    return [AccountReassigned(at, by, before, holder, reason, legacy_until)]
