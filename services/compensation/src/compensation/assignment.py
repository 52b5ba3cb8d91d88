"""The stream of one person's pay: by which plans, on which lines, from when to when.

In one role, a day on a line is paid by one assignment. All assignments of a person are one stream, so two commands that
come at once are decided one after the other, and the second sees the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from belt.core.decider import Refused
from compensation.approval import PlanBook
from compensation.months import Span
from conveyor_events import HOUSE


@dataclass(frozen=True)
class Assign:
    """Puts a person on a plan; the same again with another `until` moves the end, and before `since` withdraws it."""

    person: str
    plan: str
    role: str
    since: date
    by: str
    at: datetime
    until: date | None = None
    line: str | None = None


@dataclass(frozen=True)
class Assigned:
    at: datetime
    person: str
    plan: str
    role: str
    since: date
    until: date | None
    line: str | None
    by: str

    @property
    def span(self) -> Span | None:
        """The days it covers, both included; none when it was withdrawn."""
        return Span(self.since, self.until) if self.until is None or self.since <= self.until else None


EVENTS = (Assigned,)
Identity = tuple[str, str, str | None, date]


@dataclass(frozen=True)
class Assignments:
    """What holds for the person, by (plan, role, line, since)."""

    entries: Mapping[Identity, Assigned] = field(default_factory=dict)


def reads(_person: str, command: Assign, _state: Assignments) -> Sequence[tuple[str, str]]:
    return [("plan", command.plan)]


def decide(command: Assign, state: Assignments, book: PlanBook) -> Sequence[Assigned]:
    drafted = [written.drafted for written in book.versions.values() if written.approved is not None]
    if not drafted:
        raise Refused("assignment.plan-not-approved", plan=command.plan)
    if drafted[0].role != command.role:
        raise Refused("assignment.other-role", plan=command.plan, role=drafted[0].role)
    known = state.entries.get((command.plan, command.role, command.line, command.since))
    if known is None and command.until is not None and command.until < command.since:
        raise Refused("assignment.ends-before-it-begins", since=command.since, until=command.until)
    if known is not None and known.until == command.until:
        return []
    if known is None and command.person == HOUSE:
        raise Refused("person.reserved", person=HOUSE)  # what nobody earned would be paid out
    c = command
    assigned = Assigned(c.at, c.person, c.plan, c.role, c.since, c.until, c.line, c.by)
    standing = _in_the_way(assigned, known, state)
    if standing is not None:
        days = {"since": standing.since, "until": standing.until}
        raise Refused("assignment.overlaps", standing={"plan": standing.plan, "line": standing.line, **days})
    return [assigned]


def _in_the_way(new: Assigned, known: Assigned | None, state: Assignments) -> Assigned | None:
    """The first other assignment in the role that shares a day and a line with this one. No line is every line.

    An end that comes earlier only takes days away: so what overlaps from before this was refused can be ended.
    """
    if known is not None and (known.until is None or (new.until is not None and new.until <= known.until)):
        return None
    others = [one for one in state.entries.values() if one is not known and one.role == new.role]
    met = [one for one in others if _share_a_line(one, new) and _share_a_day(one, new)]
    return min(met, key=lambda one: one.since, default=None)


def _share_a_line(one: Assigned, other: Assigned) -> bool:
    return one.line is None or other.line is None or one.line == other.line


def _share_a_day(one: Assigned, other: Assigned) -> bool:
    return one.span is not None and other.span is not None and one.span.meet(other.span) is not None


def evolve(state: Assignments, event: Assigned) -> Assignments:
    return Assignments({**state.entries, (event.plan, event.role, event.line, event.since): event})
