"""Working time and calendar days: deadlines count working hours of a team, windows count dates in its zone.

Everything is computed in the zone and returned in UTC, so a change of summer time moves the clock, not the deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)


class UnknownZone(ValueError):
    """Not the name of an IANA time zone."""


@lru_cache(maxsize=256)
def zone_info(zone: str) -> ZoneInfo:
    """The IANA zone; a name that does not exist is refused."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise UnknownZone(f"unknown time zone {zone!r}") from unknown


def day_of(zone: str, at: datetime) -> date:
    """The calendar date in the zone at this instant."""
    return _aware(at).astimezone(zone_info(zone)).date()


@lru_cache(maxsize=4_096)
def day_start(zone: str, day: date) -> datetime:
    """The first instant of the date in the zone, in UTC. Where midnight is skipped, the instant of the skip."""
    return _instant(zone, day, _MIDNIGHT)


def days_between(zone: str, start: datetime, end: datetime) -> int:
    """Calendar days from start to end in the zone; the day of `start` is day 0."""
    return (day_of(zone, end) - day_of(zone, start)).days


def days_later(zone: str, start: datetime, days: int) -> datetime:
    """00:00 of day `days` in the zone, the day of `start` being day 0: the end of a half-open window of days."""
    return day_start(zone, day_of(zone, start) + timedelta(days=days))


@dataclass(frozen=True)
class Calendar:
    """When people work. `closes` at 00:00 means the end of the day; 0 is Monday."""

    zone: str
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: time = time(9)
    closes: time = time(18)
    holidays: frozenset[date] = frozenset()
    breaks: tuple[tuple[time, time], ...] = ()  # such as lunch, in order

    def __post_init__(self) -> None:
        zone_info(self.zone)
        if not self.weekdays or not set(self.weekdays) <= set(range(7)):
            raise ValueError("working days are numbers from 0 (Monday) to 6, and at least one of them")
        if self.closes != _MIDNIGHT and self.opens >= self.closes:
            raise ValueError("a working day opens before it closes")
        marks = [self.opens, *(mark for pause in self.breaks for mark in pause)]
        marks += [self.closes] if self.closes != _MIDNIGHT else []
        if any(before >= after for before, after in pairwise(marks)):
            raise ValueError("breaks lie within the working day, one after the other")

    @classmethod
    def of(
        cls,
        zone: str,
        weekdays: Iterable[int] = (0, 1, 2, 3, 4),
        opens: str = "09:00",
        closes: str = "18:00",
        holidays: Iterable[date] = (),
        breaks: Iterable[tuple[str, str]] = (),
    ) -> Calendar:
        """From the words of a policy: times as text."""
        days = tuple(sorted(set(weekdays)))
        pauses = tuple(sorted((time.fromisoformat(begins), time.fromisoformat(ends)) for begins, ends in breaks))
        hours = time.fromisoformat(opens), time.fromisoformat(closes)
        return cls(zone, days, *hours, frozenset(holidays), pauses)

    def works(self, day: date) -> bool:
        """Whether people work on this date."""
        return day.weekday() in self.weekdays and day not in self.holidays

    def due(self, start: datetime, hours: int) -> datetime:
        """The instant at which so many working hours have passed since `start`. Time outside of work does not count."""
        if hours < 0:
            raise ValueError("a deadline does not lie in the past")
        left, reached = timedelta(hours=hours), _aware(start).astimezone(UTC)
        if not left:
            return reached
        for opens, closes in self._shifts(day_of(self.zone, reached)):
            worked = closes - max(opens, reached)
            if worked >= left:
                return max(opens, reached) + left
            left -= max(worked, timedelta(0))
        raise AssertionError("the calendar has no end")  # pragma: no cover

    def deadline(self, start: datetime, hours: int, now: datetime) -> datetime | None:
        """`due`, or None if it was over before anybody could have kept it (`now`): history is not judged."""
        due = self.due(start, hours)
        return due if due > now else None

    def working_days_later(self, start: datetime, days: int) -> datetime:
        """The end of the n-th working day after the day of `start`: the window includes its last day whole."""
        if days < 0:
            raise ValueError("a window does not end before it begins")
        day = self.day_of(start)
        while days:
            day += _DAY
            days -= self.works(day)
        return self.day_start(day + _DAY)

    def day_of(self, at: datetime) -> date:
        return day_of(self.zone, at)

    def day_start(self, day: date) -> datetime:
        return day_start(self.zone, day)

    def _shifts(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """(begins, ends) of every stretch of work from this date on."""
        while True:
            if self.works(day):
                last = day + _DAY if self.closes == _MIDNIGHT else day
                begins = self.opens
                for pause, goes_on in self.breaks:
                    yield _instant(self.zone, day, begins), _instant(self.zone, day, pause)
                    begins = goes_on
                yield _instant(self.zone, day, begins), _instant(self.zone, last, self.closes)
            day += _DAY


def _instant(zone: str, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, zone_info(zone)).astimezone(UTC)


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("a time needs a zone")
    return at
