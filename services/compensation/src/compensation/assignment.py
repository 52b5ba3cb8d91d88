"""The stream of one person's pay: by which plans, on which lines, from when to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from belt.core.decider import Refused
from compensation.approval import PlanBook


@dataclass(frozen=True)
class Assign:
    """Puts a person on a plan; the same again with another `until` moves the end."""

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
    if command.until is not None and command.until < command.since:
        raise Refused("assignment.ends-before-it-begins", since=command.since, until=command.until)
    known = state.entries.get((command.plan, command.role, command.line, command.since))
    if known is not None and known.until == command.until:
        return []
    c = command
    return [Assigned(c.at, c.person, c.plan, c.role, c.since, c.until, c.line, c.by)]


def evolve(state: Assignments, event: Assigned) -> Assignments:
    return Assignments({**state.entries, (event.plan, event.role, event.line, event.since): event})
