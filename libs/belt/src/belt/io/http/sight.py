"""How the doors ask who may see what: one question to the service's own `authorize`, one answer, 404.

    sights = Sights(desk, authorize, roster)

    guard = sights.guard(request, "work", find, "thing.unknown")       a command: asked inside its unit
    sight = await sights.of(request, "see", find, "thing.unknown")     one thing is looked at
    among = await sights.among(request, things.c.line, things.c.owner)  a list: a condition of its query

`find` is a pure look at the streams: the thing, or None. Unknown and not yours to see are refused in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, or_, true
from starlette.requests import Request

from belt.core.decider import Refused
from belt.core.subject import Subject
from belt.io.http.desk import Desk
from belt.io.store.unit import Guard, Reads
from conveyor_events.nearness import lines_near
from conveyor_events.roster import Roster

T = TypeVar("T")
Find = Callable[[Reads, datetime], T | None]


Authorize = Callable[[Subject, Any, Any, Roster, datetime], bool]
"""What a service answers: may this reader do this with that."""


class Sight(Generic[T]):
    """What one reader sees of one thing."""

    def __init__(self, ask: Callable[[str], bool], thing: T) -> None:
        self.may, self.thing = ask, thing


class Sights(Generic[T]):
    """Made once by a service's routes. `roster` finds who works where among the streams."""

    def __init__(self, desk: Desk, authorize: Authorize, roster: Callable[[Reads], Roster]) -> None:
        self._desk, self._authorize, self._roster = desk, authorize, roster

    def guard(self, request: Request, action: str, find: Find[T], unknown: str) -> Guard:
        """For a command: refuses as unknown what the subject may not do this with."""
        subject, now = self._desk.subject(request), self._desk.clock.now()

        def guard(read: Reads) -> None:
            thing = find(read, now)
            if thing is None or not self._authorize(subject, action, thing, self._roster(read), now):
                raise Refused(unknown)

        return guard

    async def of(self, request: Request, action: str, find: Find[T], unknown: str) -> Sight[T]:
        """For looking at one thing: refuses like `guard`; then says what else may be done with it."""
        subject, now = self._desk.subject(request), self._desk.clock.now()

        def look(read: Reads) -> tuple[T | None, Roster]:
            return find(read, now), self._roster(read)

        thing, roster = await self._desk.read(look)
        if thing is None or not self._authorize(subject, action, thing, roster, now):
            raise Refused(unknown)
        return Sight(lambda asked: self._authorize(subject, asked, thing, roster, now), thing)

    async def among(
        self, request: Request, line: Column[Any], *people: Column[Any], more: ColumnElement[bool] | None = None
    ) -> ColumnElement[bool]:
        """For a list: the rows on lines near the subject, and those that name it in one of the columns of people."""
        subject, now = self._desk.subject(request), self._desk.clock.now()
        roster = await self._desk.read(self._roster)
        near = lines_near(subject.person, subject.scopes, roster, now)
        if near is None:
            return true()
        own = [column == subject.person for column in people] if near.present else []
        return or_(line.in_(sorted(near.lines)), *own, *([more] if more is not None and near.present else []))
