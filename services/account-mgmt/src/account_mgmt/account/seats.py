"""Who serves the client, who may speak for it, and how it goes from one to another."""

from __future__ import annotations

from datetime import datetime

from account_mgmt.account.commands import MigrateAccount, ReassignAccount, TakeAccount
from account_mgmt.account.events import AccountReassigned, Event, JourneyMigrated, MigrationNoted, SeatTaken
from account_mgmt.account.state import HERE, Account, Holding, evolve
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
    taken = SeatTaken(command.at, command.offer_id, command.by, command.holder, command.since)
    return [taken, *catch_up(evolve(account, taken))]


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
    until = command.legacy_until
    before = account.holder_at(at)
    if before == holder:
        return []  # served by them already
    newest = account.holdings[-1].since if account.holdings else None
    if newest is not None and newest >= at:
        raise Refused("account.served-since", since=newest)
    if until is not None and (until <= at or before.person == HOUSE):
        raise Refused("account.no-legacy", legacy_until=until, served_by=before.person)
    return [AccountReassigned(at, by, before, holder, command.reason, until)]


def migrate(command: MigrateAccount, account: Account) -> list[Event]:
    """The journey's variant is another now; its seats come with the migration.

    It was decided at the first station, so nothing of it is refused: leads and deals come in any order to each other.
    """
    noted = MigrationNoted(
        command.at, command.client, command.variant, command.by, command.holder, command.legacy_until
    )
    if account.status is not Status.NONE:
        return _migrated(noted, account)
    return [] if account.noted == noted else [noted]


def catch_up(account: Account) -> list[Event]:
    """A migration that was told before there was an account."""
    return [] if account.noted is None else _migrated(account.noted, account)


def _migrated(noted: MigrationNoted, account: Account) -> list[Event]:
    """Into the past of a later holding, too: that one goes on from its own instant."""
    at, holder = noted.at, noted.holder
    events: list[Event] = [] if noted.variant == account.variant else [JourneyMigrated(at, noted.variant)]
    before = account.holder_at(at)
    if holder is None or holder == before or any(held.since == at for held in account.holdings):
        return events
    remembered = noted.legacy_until is not None and noted.legacy_until > at and before.person != HOUSE
    until = noted.legacy_until if remembered else None
    return [*events, AccountReassigned(at, noted.by, before, holder, MoveReason.MIGRATION, until)]
