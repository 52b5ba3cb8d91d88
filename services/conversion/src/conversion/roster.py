"""Who works where, as this station knows it: the staff topic, kept in one stream and folded by the shared roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from belt.core.calendar import Calendar
from conveyor_events import roster
from conveyor_events.catalog import entry, wire_type
from conveyor_events.roster import Roster
from conveyor_events.staff import LineStaffed, WorkingCalendar
from conveyor_events.upcast import lift
from conveyor_events.words import Event, Role, Seat, Station

CATEGORY, COMPANY = "roster", "company"
READ = (CATEGORY, COMPANY)
HERE, NEXT = Station.CONVERSION, Station.ACCOUNT_MGMT


@dataclass(frozen=True)
class Learn:
    """A staff event arrived."""

    at: datetime
    told: Event


@dataclass(frozen=True)
class Learned:
    """A staff event as it was told; `version` is that of the public event, so old ones stay readable."""

    at: datetime
    type: str
    version: int
    data: dict[str, Any]


def decide(command: Learn, known: Roster) -> Sequence[Learned]:
    told = command.told
    if roster.evolve(known, told) == known:
        return []  # said twice, or nothing about staff
    return [Learned(command.at, wire_type(told), told.VERSION, told.model_dump(mode="json"))]


def evolve(known: Roster, event: Learned) -> Roster:
    found = entry(event.type, event.version)
    data = lift(event.type, event.version, found.model.VERSION, event.data)
    return roster.evolve(known, found.model.model_validate(data))


# --- what decisions of this station ask it --------------------------------------------------------------------------


def calendar_of(staffed: LineStaffed | None) -> Calendar:
    """The working hours of the line; while its staffing is not known, the usual ones in UTC."""
    hours = staffed.policy.calendar if staffed else WorkingCalendar()
    zone = staffed.zone if staffed else "UTC"
    return Calendar.of(zone, hours.weekdays, hours.opens, hours.closes, hours.holidays, hours.pauses)


def managers(known: Roster, line: str, at: datetime) -> tuple[str, ...]:
    """Who may decide over others on this line, in the order the staffing names them."""
    staffed = known.line(line, at)
    return tuple(one for one in staffed.managers if known.manages(one, line, at)) if staffed else ()


def acting(known: Roster, person: str, owner: Seat, line: str, at: datetime) -> Seat | None:
    """The seat in which a person acts on what the owner holds: as the owner, or as a manager of the line."""
    if person == owner.person:
        return owner
    return Seat(person=person, role=Role.MANAGER) if known.manages(person, line, at) else None
