"""When people of the demo do things: two moments of every working day, numbered from the first one on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from conveyor.demo.company import ABSENCES, AFTER, FIRST_DAY, HOLIDAYS, PEOPLE, ZONE

HOURS = (10, 15)


def instant(day: date, hour: int) -> datetime:
    """This hour of the day in the company's zone, as UTC."""
    return datetime.combine(day, time(hour), ZoneInfo(ZONE)).astimezone(UTC)


def opening() -> datetime:
    """The first instant of the company's first day."""
    return instant(FIRST_DAY, 0)


def closing() -> datetime:
    """The first instant after the last day of the demo."""
    return instant(AFTER, 0)


def working_days() -> Iterator[date]:
    day = FIRST_DAY
    while day < AFTER:
        if day.weekday() < 5 and day not in HOLIDAYS:
            yield day
        day += timedelta(days=1)


@cache
def slots() -> tuple[datetime, ...]:
    """Every moment at which somebody may act."""
    return tuple(instant(day, hour) for day in working_days() for hour in HOURS)


@cache
def first_slot_of(day: date) -> int:
    """The number of the first slot on or after this day."""
    return next((number for number, at in enumerate(slots()) if at >= instant(day, 0)), len(slots()))


def at_work(person: str, at: datetime) -> bool:
    """Whether the person works at this instant. Who is nobody of ours (the house, an integration) always does."""
    known = PEOPLE.get(person)
    if known is None:
        return True
    if at < instant(known.hired, 0) or gone(person, at):
        return False
    return not any(
        person in absence.people and instant(*absence.since) <= at < instant(*absence.until) for absence in ABSENCES
    )


def gone(person: str, at: datetime) -> bool:
    """Whether the person has left for good."""
    known = PEOPLE.get(person)
    return known is not None and known.last_day is not None and at >= instant(known.last_day + timedelta(days=1), 0)
