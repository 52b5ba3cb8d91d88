"""Who leads whom, and since when: the managers of a line lead everybody whom its teams name.

The line's staffing is the only source that dates both sides: `LineStaffed` names managers and members, and holds until
the line is staffed anew; a manager must hold that role, a member must work here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from compensation.months import Month
from conveyor_events.roster import Roster, Span
from conveyor_events.staff import LineStaffed

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Teams:
    """The roster as pay asks it. Months are those of the company's zone."""

    roster: Roster
    zone: str
    _found: dict[str, tuple[tuple[str, Span], ...]] = field(default_factory=dict, compare=False, repr=False)

    def led(self, person: str, at: datetime) -> frozenset[str]:
        """The lines whose teams the person leads at an instant."""
        return frozenset(line for line in self.roster.lines if self.roster.manages(person, line, at))

    def ever_led(self, person: str, now: datetime) -> frozenset[str]:
        """Whoever was at some time in a team of a line that the person leads now."""
        led = self.led(person, now)
        return frozenset(member for line in led for staffed in self.roster.lines[line] for member in _members(staffed))

    def member(self, person: str, at: datetime) -> frozenset[str]:
        """The lines that have the person in a team at an instant."""
        return frozenset(line for line, span in self.memberships(person) if span.covers(at))

    def member_in(self, person: str, month: Month) -> frozenset[str]:
        """The lines that have the person in a team on some day of the month."""
        return self.member_between(person, month.first_day, month.last_day)

    def member_between(self, person: str, first: date, last: date | None) -> frozenset[str]:
        """The lines that have the person in a team on some day from the first to the last one."""
        days = Span(self._start(first), None if last is None else self._start(last + timedelta(days=1)))
        return frozenset(line for line, span in self.memberships(person) if _meet(span, days) is not None)

    def memberships(self, person: str) -> tuple[tuple[str, Span], ...]:
        """From when to when the person is in a team of which line, for as long as they work here."""
        if person not in self._found:
            self._found[person] = tuple(self._memberships(person))
        return self._found[person]

    def _memberships(self, person: str) -> Iterator[tuple[str, Span]]:
        for line, staffings in self.roster.lines.items():
            ends = [*(later.since for later in staffings[1:]), None]
            for staffed, end in zip(staffings, ends, strict=True):
                if person in _members(staffed):
                    named = Span(staffed.since, end)
                    yield from ((line, both) for work in self._employed(person) if (both := _meet(named, work)))

    def _employed(self, person: str) -> Iterator[Span]:
        known = self.roster.people.get(person)
        if known is None or not known.employments:
            yield Span(_BEGINNING)  # who was never said to be hired works here all the time
            return
        for work in known.employments:
            yield Span(self._start(work.first_day), work.left_at)

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time.min, ZoneInfo(self.zone))


def _members(staffed: LineStaffed) -> frozenset[str]:
    return frozenset(member for team in staffed.teams.values() for member in team.members)


def _meet(a: Span, b: Span) -> Span | None:
    """What lies in both; None if that is nothing."""
    since = max(a.since, b.since)
    until = min((end for end in (a.until, b.until) if end is not None), default=None)
    return Span(since, until) if until is None or since < until else None
