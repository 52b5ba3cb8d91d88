"""Statements and their lines, as the fold gives them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request

from belt.core.decider import Refused
from belt.io.desk import Desk
from belt.io.doors import Doors
from compensation.api.sheets import kept
from compensation.api.shown import Shown, may_see, month_of
from compensation.clerk.books import Books, told
from compensation.months import Month
from conveyor_events.words import Instant

PAY = ("pay:read:own", "pay:read:team", "pay:read:all")


def add(doors: Doors, desk: Desk, books: Books) -> None:
    @doors.query("/v1/statements/{person}/{period}", *PAY, reply=Shown)
    async def statement(
        request: Request,
        person: str,
        period: str,
        known_at: Annotated[Instant | None, Query(description="as it was known at this instant")] = None,
    ) -> dict[str, Any]:
        """A person's statement of a month, line by line with its reasons."""
        month = month_of(period)
        if not may_see(desk.subject(request), person):
            raise Refused("statement.unknown")
        found = await books.statement(person, month, known_at)
        if not found.lines and person not in books.history.people:
            raise Refused("statement.unknown")
        shown = found.to_json() | {"stage": "open"}
        frozen = await kept(desk, person, period) if known_at is None else None
        return shown if frozen is None else shown | frozen

    @doors.query("/v1/lines/{line_id}", *PAY, reply=Shown)
    async def line(request: Request, line_id: str) -> dict[str, Any]:
        """One line and the events it comes from."""
        found = await books.line(line_id, Month.of(desk.clock.now().date()))
        if found is None or not may_see(desk.subject(request), found.person):
            raise Refused("line.unknown")
        causes = [told(books, event_id) for event_id in found.causes if event_id in books.envelopes]
        return found.to_json() | {"events": causes}

    @doors.query("/v1/earnings", "pay:read:all", reply=Shown)
    async def earnings(since: Annotated[str, Query(alias="from")], to: Annotated[str, Query()]) -> dict[str, Any]:
        """Everybody's statements from one month to another, both included."""
        first, last = month_of(since), month_of(to)
        if first > last or first < last.plus(-23):
            raise Refused("period.invalid", period=f"{since}..{to}")
        found = await books.earnings(list(first.through(last)))
        return {"items": [s.to_json() for by in found.values() for s in by.values() if s.lines]}
