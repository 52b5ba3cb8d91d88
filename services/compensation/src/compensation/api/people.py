"""What each person did and earned, and what happened to each client."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request

from belt.core.decider import Refused
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit, decode_cursor, page
from compensation.access import Deed, Pay
from compensation.api.replies import PeopleShown
from compensation.api.shown import SUMS, Shown
from compensation.api.sight import Sight, Sights
from compensation.clerk.books import Books
from compensation.figures import Figures, figures
from compensation.known import Known
from compensation.masking import people_of
from compensation.months import Month
from conveyor_events import HOUSE


def add(doors: Doors, desk: Desk, books: Books, sights: Sights) -> None:
    @doors.query("/v1/people", *SUMS, reply=PeopleShown)
    async def people(
        request: Request,
        line: Annotated[str | None, Query(max_length=100)] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """What each person whose pay you may see did and earned, on one line or on all.

        The house holds what nobody else does.
        """
        last, sight = books.month(desk.clock.now()), await sights.of(request)
        seen = "" if cursor is None else decode_cursor(cursor, str)[0]
        shown: list[tuple[str, Figures]] = []
        async for person in books.everybody(sight.whose, seen):
            if cursor is not None and person <= seen:
                continue
            done = await done_by(person, line, last, sight)
            if done is not None:
                shown.append((person, done))
            if len(shown) > limit:
                break
        some, following = page(shown, limit, lambda one: one[:1])
        await sight.read(*(person for person, _ in some))
        return {"people": {person: done.to_json() for person, done in some}, "next": following}

    async def done_by(person: str, line: str | None, last: Month, sight: Sight) -> Figures | None:
        """One person's figures out of their own file, as far as they may be seen."""
        file = await books.file(person)
        by = await books.stated(person, await books.all_months(person, last)) if person != HOUSE else {}
        sees = None if sight.reader.everything else lambda who, at: sight.may("deed", Deed(who, at))
        if sees is not None and person == HOUSE:
            return None
        mine = {person: {month: s for month, s in by.items() if sight.may("sums", Pay(person, month))}}
        return (await books.by_clerk(figures, Known(file.history), mine, line, sees)).get(person)

    @doors.query("/v1/journeys/{client}", "events:read", "leads:read", "accounts:read", "pay:audit", reply=Shown)
    async def journey(request: Request, client: str) -> dict[str, Any]:
        """Everything that happened to one client, in the order of business time.

        Who may not follow all events sees the journeys in which they, or people they lead, took part, and in them the
        names and amounts of those alone.
        """
        sight = await sights.of(request)
        mine, _ = await books.story(client)
        took_part = any(sight.may("follow", Deed(p, e.occurred_at)) for e in mine for p in people_of(e.actor, e.data))
        if not mine or not (took_part or sight.reader.may("events:read")):
            raise Refused("journey.unknown")
        if sight.reader.audits:  # a journey is told in public events; it is nobody's pay
            await sight.read(*{p for e in mine for p in people_of(e.actor, e.data)})
        mine.sort(key=lambda e: (e.occurred_at, e.recorded_at, e.sequence))
        return {"client": client, "events": await sight.told(mine, "follow")}
