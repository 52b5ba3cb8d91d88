"""Not now, never again, or otherwise: parked and resumed, recycled, not to be contacted, reassigned, migrated."""

from __future__ import annotations

from belt.core.decider import Refused
from conveyor_events.roster import Roster
from conveyor_events.words import HOUSE, VARIANTS, Role, Seat, Station
from lead_gen.prospect.commands import ForbidContact, MigrateJourney, Park, Reassign, Recycle, Resume
from lead_gen.prospect.events import (
    ContactForbidden,
    Event,
    JourneyMigrated,
    LeadRecycled,
    ProspectParked,
    ProspectReassigned,
    ProspectResumed,
)
from lead_gen.prospect.holding import finder, protection, staffing_of
from lead_gen.prospect.offering import superseded
from lead_gen.prospect.state import FINAL, GONE, Prospect, Stage

PARKABLE = (Stage.CONTACTING, Stage.IN_DIALOGUE)
ELSEWHERE = (Stage.OFFERED, Stage.RELEASED, Stage.CONVERTING)


def park(command: Park, by: Seat, prospect: Prospect) -> list[Event]:
    """A known need is never parked: it goes on, whatever budget and wish."""
    if prospect.stage is Stage.NURTURE and prospect.parked_until == command.until:
        return []
    if prospect.stage not in PARKABLE:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    if command.until is not None and command.until <= command.at:
        raise Refused("span.empty")
    return [ProspectParked(prospect.client, command.until, command.reason, by, command.at)]


def resume(command: Resume, by: Seat, prospect: Prospect) -> list[Event]:
    if prospect.stage is Stage.CONTACTING:
        return []
    if prospect.stage is not Stage.NURTURE:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    return [ProspectResumed(by, command.at)]


def recycle(command: Recycle, prospect: Prospect) -> list[Event]:
    """Only what the next station still had comes back."""
    if prospect.stage is not Stage.CONVERTING:
        return []
    return [LeadRecycled(command.reason, command.not_before, prospect.sourced_by, command.at)]


def forbid(command: ForbidContact, by: Seat, prospect: Prospect) -> list[Event]:
    """The client's word is the last one, in any stage. An open offer is void."""
    if prospect.stage is Stage.DO_NOT_CONTACT:
        return []
    if prospect.stage in GONE:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    return [
        *superseded(prospect, "contact_forbidden", by, command.at),
        ContactForbidden(prospect.client, command.reason, by, command.at),
    ]


def reassign(command: Reassign, by: Seat, prospect: Prospect, roster: Roster) -> list[Event]:
    """Who holds it from now on, while it is this station's. What was earned before stays stamped as it was."""
    if by.role != Role.MANAGER:
        raise Refused("prospect.needs-manager")
    if command.to == prospect.sourced_by.person:
        return []
    if prospect.stage in FINAL or prospect.stage in ELSEWHERE:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    staffed = staffing_of(roster, prospect.line, command.at)
    if command.to == HOUSE:
        raise Refused("person.reserved", person=HOUSE)
    to = finder(command.to, roster, prospect.line, prospect.variant, command.at)
    until = protection(staffed, command.at)
    return [ProspectReassigned(prospect.sourced_by, to, command.reason, until, by, command.at)]


def migrate(command: MigrateJourney, by: Seat, prospect: Prospect, roster: Roster) -> list[Event]:
    """What was stamped stays: who found and who sold is credited as before. Who serves from now on comes with it."""
    if by.role != Role.MANAGER:
        raise Refused("prospect.needs-manager")
    if command.variant not in VARIANTS:
        raise Refused("variant.unknown", variant=command.variant, known=sorted(VARIANTS))
    if prospect.stage in GONE | {Stage.DO_NOT_CONTACT}:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    served_by = _server(command, prospect, roster)
    until = command.legacy_until
    if until is not None and (served_by is None or until <= command.at):
        raise Refused("span.empty")
    said = served_by is None or prospect.migrated == (command.variant, served_by, until)
    if command.variant == prospect.variant and said:
        return []
    return [JourneyMigrated(prospect.variant, command.variant, served_by, until, by, command.at)]


def _server(command: MigrateJourney, prospect: Prospect, roster: Roster) -> Seat | None:
    """A customer is served by one of the account team, in its role; whoever is no customer yet is offered later."""
    if command.served_by is None:
        return None
    if prospect.stage is not Stage.CUSTOMER:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    there = Station.ACCOUNT_MGMT
    role = roster.role_at(prospect.line, there, command.at)
    if role is None or not roster.works_at(command.served_by, prospect.line, there, command.at):
        raise Refused("seat.not-held", person=command.served_by, line=prospect.line, station=there)
    return Seat(person=command.served_by, role=role)
