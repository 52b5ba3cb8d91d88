"""Who works where: people, roles, absences, leaves, and how each line is staffed. One stream for the company.

The other stations hear of it on the staff topic and fold the same roster. Names are private and stay here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import assert_never

from belt.core.calendar import UnknownZone, day_start, zone_info
from belt.core.decider import Private, Refused
from belt.core.replacing import replace
from belt.core.rotation import ROUTINGS
from conveyor_events import roster as rosters
from conveyor_events import staff
from conveyor_events.money import MINOR_UNITS
from conveyor_events.roster import Roster
from conveyor_events.staff import LineStaffed, Policy, StationTeam
from conveyor_events.words import COLLEAGUE, HOUSE, VARIANTS, Role, Station

CATEGORY, COMPANY = "staffing", "company"

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hire:
    """Said again it corrects the first day or the name."""

    person: str
    name: str | None
    hired_on: date
    by: str
    at: datetime


@dataclass(frozen=True)
class GrantRole:
    person: str
    role: str
    since: datetime
    until: datetime | None
    by: str
    at: datetime


@dataclass(frozen=True)
class RevokeRole:
    person: str
    role: str
    until: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class SetAbsence:
    """Set again with the same `since` it replaces; an empty one cancels."""

    person: str
    since: datetime
    until: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class Leave:
    person: str
    last_day: date
    by: str
    at: datetime


@dataclass(frozen=True)
class StaffLine:
    """From `since` on the line has this variant, these teams, managers and rules."""

    line: str
    variant: str
    since: datetime
    zone: str
    currency: str
    teams: Mapping[str, StationTeam]
    managers: tuple[str, ...]
    policy: Policy
    by: str
    at: datetime


Command = Hire | GrantRole | RevokeRole | SetAbsence | Leave | StaffLine

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PersonHired:
    person: str
    name: Private[str | None]
    hired_on: date
    by: str
    at: datetime


@dataclass(frozen=True)
class PersonNamed:
    person: str
    name: Private[str | None]
    by: str
    at: datetime


@dataclass(frozen=True)
class RoleGranted:
    person: str
    role: str
    since: datetime
    until: datetime | None
    by: str
    at: datetime


@dataclass(frozen=True)
class RoleRevoked:
    person: str
    role: str
    until: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class AbsenceSet:
    person: str
    since: datetime
    until: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class PersonLeft:
    """`left_at`: the end of the last day in the zone of the line where the person works."""

    person: str
    last_day: date
    left_at: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class LineWasStaffed:
    staffed: LineStaffed
    by: str
    at: datetime


Event = PersonHired | PersonNamed | RoleGranted | RoleRevoked | AbsenceSet | PersonLeft | LineWasStaffed
EVENTS: tuple[type, ...] = (
    PersonHired,
    PersonNamed,
    RoleGranted,
    RoleRevoked,
    AbsenceSet,
    PersonLeft,
    LineWasStaffed,
)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Staffing:
    """The roster that everybody folds, and the names that only this station knows."""

    roster: Roster = Roster()
    names: Mapping[str, str | None] = field(default_factory=dict)


# --- decide ---------------------------------------------------------------------------------------------------------


def decide(command: Command, staffing: Staffing) -> Sequence[Event]:
    """What changes nothing in the roster was said before."""
    events = _happens(command, staffing)
    return [event for event in events if evolve(staffing, event) != staffing]


def _happens(command: Command, staffing: Staffing) -> list[Event]:
    match command:
        case StaffLine():
            return [_line(command, staffing)]
        case Hire(person, name, hired_on, by, at):
            return _hire(staffing, PersonHired(person, name, hired_on, by, at))
        case GrantRole(person, role, since, until, by, at):
            _known(staffing, person)
            if role not in set(Role):
                raise Refused("role.unknown", role=role, known=sorted(Role))
            if until is not None and until <= since:
                raise Refused("span.empty")
            return [RoleGranted(person, role, since, until, by, at)]
        case RevokeRole(person, role, until, by, at):
            _known(staffing, person)
            if not any(held == role for held, _ in staffing.roster.people[person].roles):
                raise Refused("role.not-held", person=person, role=role)
            return [RoleRevoked(person, role, until, by, at)]
        case SetAbsence(person, since, until, by, at):
            _known(staffing, person)
            if until < since:
                raise Refused("span.empty")
            return [AbsenceSet(person, since, until, by, at)]
        case Leave():
            return [_leave(command, staffing)]
        case _:
            assert_never(command)


def _known(staffing: Staffing, *people: str) -> None:
    unknown = sorted({person for person in people if person not in staffing.roster.people})
    if unknown:
        raise Refused("person.unknown", people=unknown)


def _hire(staffing: Staffing, hired: PersonHired) -> list[Event]:
    if hired.person in (HOUSE, COLLEAGUE):
        raise Refused("person.reserved", person=hired.person)
    named = replace(hired, name=hired.name if hired.name is not None else staffing.names.get(hired.person))
    if rosters.evolve(staffing.roster, public(named)) == staffing.roster:
        return [PersonNamed(named.person, named.name, named.by, named.at)]
    return [named]


def _leave(command: Leave, staffing: Staffing) -> Event:
    _known(staffing, command.person)
    employments = staffing.roster.people[command.person].employments
    if not employments or command.last_day < employments[-1].first_day:
        raise Refused("person.not-hired-yet", person=command.person)
    left_at = day_start(_zone(staffing, command.person, command.last_day), command.last_day + timedelta(days=1))
    return PersonLeft(command.person, command.last_day, left_at, command.by, command.at)


def _zone(staffing: Staffing, person: str, day: date) -> str:
    """Where the person's days end: on the line they work for, else on any line of the company."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    lines = [staffed for line in sorted(staffing.roster.lines) if (staffed := _in_force(staffing, line, noon))]
    own = [staffed for staffed in lines if person in _people(staffed)]
    return next((staffed.zone for staffed in [*own, *lines]), "UTC")


def _in_force(staffing: Staffing, line: str, at: datetime) -> LineStaffed | None:
    return staffing.roster.line(line, at)


def _people(staffed: LineStaffed) -> set[str]:
    return {member for team in staffed.teams.values() for member in team.members} | set(staffed.managers)


def _line(command: StaffLine, staffing: Staffing) -> Event:
    if command.variant not in VARIANTS:
        raise Refused("variant.unknown", variant=command.variant, known=sorted(VARIANTS))
    try:
        zone_info(command.zone)
    except UnknownZone:
        raise Refused("zone.unknown", zone=command.zone) from None
    if command.currency not in MINOR_UNITS:
        raise Refused("currency.unknown", currency=command.currency)
    if set(command.teams) != set(Station):
        raise Refused("line.team-missing", stations=sorted(Station), given=sorted(command.teams))
    _rules(command.policy)
    staffed = LineStaffed(
        line=command.line,
        variant=command.variant,
        since=command.since,
        zone=command.zone,
        currency=command.currency,
        teams=dict(command.teams),
        managers=list(command.managers),
        policy=command.policy,
    )
    _known(staffing, *_people(staffed))
    return LineWasStaffed(staffed, command.by, command.at)


def _rules(policy: Policy) -> None:
    """Counts and periods of a policy are numbers from zero on; the routing is one we know."""
    if policy.routing not in ROUTINGS:
        raise Refused("routing.unknown", routing=policy.routing, known=sorted(ROUTINGS))
    if policy.negotiation_plan_above is not None and policy.negotiation_plan_above < 0:
        raise Refused("policy.out-of-range", field="negotiation_plan_above")
    for name, value in policy.model_dump(exclude={"calendar", "routing", "negotiation_plan_above"}).items():
        if value < 0 or value > 10_000:
            raise Refused("policy.out-of-range", field=name)


def evolve(staffing: Staffing, event: Event) -> Staffing:
    names = staffing.names
    if isinstance(event, PersonHired | PersonNamed) and names.get(event.person, "") != event.name:
        names = {**names, event.person: event.name}
    if isinstance(event, PersonNamed):
        return replace(staffing, names=names)
    return Staffing(rosters.evolve(staffing.roster, public(event)), names)


def public(
    event: PersonHired | RoleGranted | RoleRevoked | AbsenceSet | PersonLeft | LineWasStaffed,
) -> staff.StaffHired | staff.RoleGranted | staff.RoleRevoked | staff.AbsenceSet | staff.StaffLeft | staff.LineStaffed:
    """What the roster is folded from, here and everywhere: the event without names."""
    match event:
        case PersonHired(person=person, hired_on=hired_on):
            return staff.StaffHired(person=person, hired_on=hired_on)
        case RoleGranted(person=person, role=role, since=since, until=until):
            return staff.RoleGranted(person=person, role=role, since=since, until=until)
        case RoleRevoked(person=person, role=role, until=until):
            return staff.RoleRevoked(person=person, role=role, until=until)
        case AbsenceSet(person=person, since=since, until=until):
            return staff.AbsenceSet(person=person, since=since, until=until)
        case PersonLeft(person=person, last_day=last_day, left_at=left_at):
            return staff.StaffLeft(person=person, last_day=last_day, left_at=left_at)
        case LineWasStaffed(staffed=staffed):
            return staffed
        case _:
            assert_never(event)


def holder(event: Event) -> str | None:
    """Whose key seals the name."""
    return f"person:{event.person}" if isinstance(event, PersonHired | PersonNamed) else None
