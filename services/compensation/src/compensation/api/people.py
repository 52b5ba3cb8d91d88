"""What each person did and earned, and what happened to each client."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from belt.core.decider import Refused
from belt.io.desk import Desk
from belt.io.doors import Doors
from compensation.api.shown import Shown
from compensation.clerk.books import Books, told
from compensation.figures import figures
from compensation.history import Known
from compensation.months import Month


def add(doors: Doors, desk: Desk, books: Books) -> None:
    @doors.query("/v1/people", "pay:read:all", reply=Shown)
    async def people(line: Annotated[str | None, Query(max_length=100)] = None) -> dict[str, Any]:
        """What each person did and earned, on one line or on all; the house holds what nobody else does."""
        await books.current()
        last = Month.of(desk.clock.now().date())
        found = await books.earnings(list(books.first_month(last).through(last)))
        return {"people": {p: f.to_json() for p, f in figures(Known(books.history), found, line).items()}}

    @doors.query("/v1/journeys/{client}", "events:read", "leads:read", "accounts:read", reply=Shown)
    async def journey(client: str) -> dict[str, Any]:
        """Everything that happened to one client, in the order of business time."""
        await books.current()
        mine = [e for e in books.envelopes.values() if e.client_id == client]
        if not mine:
            raise Refused("journey.unknown")
        mine.sort(key=lambda e: (e.occurred_at, e.recorded_at, e.sequence))
        return {"client": client, "events": [told(books, str(e.id)) for e in mine]}
