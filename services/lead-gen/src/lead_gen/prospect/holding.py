"""Whose client it is: seats, protection, and what happens when a second person wants the same one."""

from __future__ import annotations

from datetime import datetime

from belt.core.calendar import days_later
from belt.core.decider import Refused
from conveyor_events.roster import Person, Roster
from conveyor_events.staff import LineStaffed
from conveyor_events.words import HOUSE, Role, Seat, Station, instant_text, role_at
from lead_gen.prospect.commands import ClaimProspect, ContestClient
from lead_gen.prospect.events import Event, ProspectClaimed, ProspectReleased, RegistrationRefused
from lead_gen.prospect.state import GONE, Prospect, Stage

HERE = Station.LEAD_GEN


def staffing_of(roster: Roster, line: str, at: datetime) -> LineStaffed:
    """How the line is staffed at this instant."""
    staffed = roster.line(line, at)
    if staffed is None:
        raise Refused("line.unknown", line=line, at=instant_text(at))
    return staffed


def protection(staffed: LineStaffed, at: datetime) -> datetime:
    """Until when a client taken now is closed to others: the last day is included."""
    return days_later(staffed.zone, at, staffed.policy.protection_days + 1)


def finder(person: str, roster: Roster, line: str, variant: str, at: datetime) -> Seat:
    """The seat in which somebody finds clients on this line. The house finds what nobody is known to have found.

    The role is the one they work in by now, also on a journey that began when the line was staffed otherwise.
    """
    if person == HOUSE:
        return Seat(person=HOUSE, role=role_at(variant, HERE))
    role = roster.role_at(line, HERE, at)
    if role is None or not roster.works_at(person, line, HERE, at):
        raise Refused("seat.not-held", person=person, line=line, station=HERE)
    return Seat(person=person, role=role)


def acting(prospect: Prospect, roster: Roster, by: str, at: datetime, *, manager: bool) -> Seat:
    """The seat in which somebody works this prospect: whose it is, or a manager of the line."""
    if by == prospect.sourced_by.person:
        if by != HOUSE and not roster.people.get(by, Person()).employed(at):
            raise Refused("seat.not-held", person=by, line=prospect.line, station=HERE)
        return prospect.sourced_by
    if manager and roster.manages(by, prospect.line, at):
        return Seat(person=by, role=Role.MANAGER)
    raise Refused("prospect.not-yours", held_by=prospect.sourced_by.person)


def protected_until(prospect: Prospect, at: datetime) -> datetime | None:
    """The end of protection as far as it is known by now."""
    until = prospect.rework_until if prospect.stage is Stage.REWORK else prospect.protected_until
    return until if until is not None and at < until else None


def protected(prospect: Prospect, at: datetime) -> bool:
    """Whether the client is closed to others. What is offered or sold to is closed as long as that lasts."""
    if prospect.keeper.person == HOUSE or prospect.stage in GONE | {Stage.RELEASED}:
        return False
    if prospect.stage in (Stage.OFFERED, Stage.CONVERTING, Stage.CUSTOMER):
        return True
    return protected_until(prospect, at) is not None


def contest(command: ContestClient, prospect: Prospect, roster: Roster) -> Refused:
    """The answer to somebody who registers what is registered already."""
    staffed = staffing_of(roster, command.line, command.at)
    return _refusal(
        finder(command.by, roster, command.line, staffed.variant, command.at), command.line, prospect, command.at
    )


def claim(command: ClaimProspect, prospect: Prospect, roster: Roster) -> list[Event]:
    """A released prospect is anybody's; so is one whose protection is over, or that nobody but the house holds."""
    at, line = command.at, prospect.line
    staffed = staffing_of(roster, line, at)
    if prospect.stage in GONE:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    if prospect.stage is Stage.DO_NOT_CONTACT:
        raise Refused("contact-forbidden", client_id=prospect.client)
    by = finder(command.by, roster, line, prospect.variant, at)
    free = prospect.stage is Stage.RELEASED
    if by.person == prospect.keeper.person and not free:
        return []
    if prospect.stage in (Stage.OFFERED, Stage.CONVERTING, Stage.CUSTOMER) or protected(prospect, at):
        raise _refusal(by, line, prospect, at)
    claimed = ProspectClaimed(prospect.sourced_by, protection(staffed, at), by, at)
    return [claimed] if free else [ProspectReleased(prospect.sourced_by, at), claimed]


def _refusal(by: Seat, line: str, prospect: Prospect, at: datetime) -> Refused:
    """Two people and one client: the second attempt is a fact, conflicts are found from it."""
    if prospect.stage is Stage.DO_NOT_CONTACT:
        return Refused("contact-forbidden", client_id=prospect.client)
    held_by, until = prospect.keeper, protected_until(prospect, at)
    if prospect.stage is Stage.CUSTOMER:
        reason, until = "existing-customer", None
    elif protected(prospect, at):
        reason = "client-protected"
    else:
        reason, until = "client-known", None
    facts = {"client_id": prospect.client}
    if until is not None:
        facts["protected_until"] = instant_text(until)
    if by.person == held_by.person:
        return Refused("client-known" if reason == "client-protected" else reason, **facts)
    if reason == "client-known" or by.person == HOUSE:
        return Refused(reason, **facts)
    return Refused(reason, record=[RegistrationRefused(line, by, held_by, reason, until, at)], **facts)
