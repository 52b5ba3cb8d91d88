"""Who works where at a given instant: a pure fold of the staff topic, the same at every station.

People and lines arrive in any order to each other. Intervals are half-open, [from, until), and kept, so the roster
also answers for the past and for staffing that lies ahead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from types import MappingProxyType

from conveyor_events import words
from conveyor_events.staff import AbsenceSet, LineStaffed, RoleGranted, RoleRevoked, StaffHired, StaffLeft
from conveyor_events.words import Event, Role, Station

_EASTERNMOST = timedelta(hours=14)


@dataclass(frozen=True)
class Span:
    """[since, until); without `until` it is open."""

    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the instant lies in the span."""
        return self.since <= at and (self.until is None or at < self.until)

    def cut(self, until: datetime) -> "Span":
        """The span, over at the latest at this instant."""
        return self if self.until is not None and self.until <= until else replace(self, until=until)


@dataclass(frozen=True)
class Employment:
    """From the first day to the end of the last one."""

    first_day: date
    last_day: date | None = None
    left_at: datetime | None = None

    @cached_property
    def begins(self) -> datetime:
        """The first day carries no zone: it begins as soon as it begins anywhere on earth."""
        return datetime.combine(self.first_day, time.min, UTC) - _EASTERNMOST

    def covers(self, at: datetime) -> bool:
        return self.begins <= at and (self.left_at is None or at < self.left_at)


@dataclass(frozen=True)
class Person:
    """What staff events say about one person."""

    employments: tuple[Employment, ...] = ()
    roles: tuple[tuple[str, Span], ...] = ()
    absences: tuple[Span, ...] = ()

    def employed(self, at: datetime) -> bool:
        """Hired and not left."""
        return any(employment.covers(at) for employment in self.employments)

    def absent(self, at: datetime) -> bool:
        """Away, though employed."""
        return any(span.covers(at) for span in self.absences)

    def holds(self, role: str, at: datetime) -> bool:
        """A role dies with the employment in which it was granted: who comes back is granted it anew."""
        leaves = [past.left_at for past in self.employments if past.left_at is not None and past.left_at <= at]
        return self.employed(at) and any(
            held == role and span.covers(at) and not any(span.since < left for left in leaves)
            for held, span in self.roles
        )


_NOBODY = Person()


@dataclass(frozen=True)
class Roster:
    """People and lines as the staff events known so far tell it."""

    people: Mapping[str, Person] = field(default_factory=lambda: MappingProxyType({}))
    lines: Mapping[str, tuple[LineStaffed, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def holds(self, person: str, role: str, at: datetime) -> bool:
        """Employed and in this role; an absence does not take a role away."""
        return self.people.get(person, _NOBODY).holds(role, at)

    def active(self, person: str, at: datetime) -> bool:
        """Hired, not left, not absent."""
        known = self.people.get(person, _NOBODY)
        return known.employed(at) and not known.absent(at)

    def line(self, line: str, at: datetime) -> LineStaffed | None:
        """The staffing in force: the one with the latest `since` that has begun."""
        return next((staffed for staffed in reversed(self.lines.get(line, ())) if staffed.since <= at), None)

    def role_at(self, line: str, station: Station, at: datetime) -> Role | None:
        """The role that works at the station of this line."""
        staffed = self.line(line, at)
        return words.role_at(staffed.variant, station) if staffed else None

    def members(self, line: str, station: Station, at: datetime) -> tuple[str, ...]:
        """Who can be given work at the station: active, in the station's role, in the team's order."""
        return tuple(
            p for p in self._team(line, station, at) if self.active(p, at) and self._fits(p, line, station, at)
        )

    def works_at(self, person: str, line: str, station: Station, at: datetime) -> bool:
        """Whether the person belongs to the station's team in the station's role, absent or not."""
        staffed = self.line(line, at)
        team = staffed.teams.get(station) if staffed else None
        return team is not None and person in team.members and self._fits(person, line, station, at)

    def manages(self, person: str, line: str, at: datetime) -> bool:
        """Whether the line names the person as a manager and the person holds that role."""
        staffed = self.line(line, at)
        return staffed is not None and person in staffed.managers and self.holds(person, Role.MANAGER, at)

    def _team(self, line: str, station: Station, at: datetime) -> tuple[str, ...]:
        staffed = self.line(line, at)
        team = staffed.teams.get(station) if staffed else None
        return tuple(dict.fromkeys(team.members)) if team else ()

    def _fits(self, person: str, line: str, station: Station, at: datetime) -> bool:
        role = self.role_at(line, station, at)
        return role is not None and self.holds(person, role, at)


def evolve(roster: Roster, event: Event) -> Roster:
    """The roster after one more event; events of other topics leave it as it is."""
    match event:
        case LineStaffed():
            others = [staffed for staffed in roster.lines.get(event.line, ()) if staffed.since != event.since]
            history = tuple(sorted([*others, event], key=lambda staffed: staffed.since))
            return replace(roster, lines=MappingProxyType({**roster.lines, event.line: history}))
        case StaffHired() | StaffLeft() | RoleGranted() | RoleRevoked() | AbsenceSet():
            known = _person(roster.people.get(event.person, _NOBODY), event)
            return replace(roster, people=MappingProxyType({**roster.people, event.person: known}))
        case _:
            return roster


def _person(known: Person, event: StaffHired | StaffLeft | RoleGranted | RoleRevoked | AbsenceSet) -> Person:
    match event:
        case StaffHired():
            return replace(known, employments=_hired(known.employments, event.hired_on))
        case StaffLeft():
            return replace(known, employments=_left(known.employments, event))
        case RoleGranted():
            others = tuple(pair for pair in known.roles if (pair[0], pair[1].since) != (event.role, event.since))
            return replace(known, roles=(*others, (event.role, Span(event.since, event.until))))
        case RoleRevoked():
            return replace(
                known,
                roles=tuple(
                    (role, span.cut(event.until) if role == event.role else span) for role, span in known.roles
                ),
            )
        case AbsenceSet():
            kept = tuple(span for span in known.absences if span.since != event.since)
            return replace(known, absences=(*kept, Span(event.since, event.until)))


def _hired(employments: tuple[Employment, ...], on: date) -> tuple[Employment, ...]:
    """A hire after the last day opens another employment; before it, it corrects the first day."""
    if employments and (employments[-1].last_day is None or on <= employments[-1].last_day):
        return (*employments[:-1], replace(employments[-1], first_day=on))
    return (*employments, Employment(on))


def _left(employments: tuple[Employment, ...], event: StaffLeft) -> tuple[Employment, ...]:
    """A leave ends the latest employment; said again it corrects the last day."""
    if not employments:
        return ()
    return (*employments[:-1], replace(employments[-1], last_day=event.last_day, left_at=event.left_at))
