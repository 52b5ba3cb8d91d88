"""Calendar months in a zone: the half-open periods of pay, and the day counts inside them."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

_TEXT = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, written 2026-03."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _TEXT.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not a month such as 2026-03")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def days(self) -> int:
        return monthrange(self.year, self.number)[1]

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.number, self.days)

    @property
    def quarter(self) -> str:
        return f"{self.year:04d}-Q{(self.number + 2) // 3}"

    def plus(self, months: int) -> "Month":
        years, index = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, index + 1)

    def through(self, last: "Month") -> Iterator["Month"]:
        """This month and every later one up to and including `last`."""
        month = self
        while month <= last:
            yield month
            month = month.plus(1)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `since` to `until`, both included; without `until` it is open."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)

    def meet(self, other: "Span") -> "Span | None":
        """The days in both."""
        since = max(self.since, other.since)
        until = min((end for end in (self.until, other.until) if end is not None), default=None)
        return Span(since, until) if until is None or since <= until else None


def joined(spans: list[Span]) -> list[Span]:
    """The same days as spans that neither overlap nor touch, in order."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda s: s.since):
        last = result[-1] if result else None
        if last and (last.until is None or (span.since - last.until).days <= 1):
            until = None if last.until is None or span.until is None else max(last.until, span.until)
            result[-1] = Span(last.since, until)
        else:
            result.append(span)
    return result


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which day and month an instant belongs to, in one zone."""

    zone: ZoneInfo

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def month(self, at: datetime) -> Month:
        return Month.of(self.day(at))


@lru_cache
def calendar(zone: str) -> Calendar:
    """The calendar of an IANA zone such as Europe/Berlin."""
    return Calendar(ZoneInfo(zone))
