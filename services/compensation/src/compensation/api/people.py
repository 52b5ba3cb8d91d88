"""What each person did and earned, and what happened to each client."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request

from belt.core.decider import Refused
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit, cut
from compensation.access import Deed, Pay
from compensation.api.replies import PeopleShown
from compensation.api.shown import SUMS, Shown
from compensation.api.sight import Sights
from compensation.clerk.books import Books
from compensation.figures import figures
from compensation.history import Known
from compensation.masking import people_of
from compensation.months import Month


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
        await books.current()
        last = Month.of(desk.clock.now().date())
        found = await books.earnings(list(books.first_month(last).through(last)))
        sight = await sights.of(request)
        if sight.reader.everything:
            shown = await books.by_clerk(figures, Known(books.history), found, line)
        else:
            mine = {
                person: {month: s for month, s in by.items() if sight.may("sums", Pay(person, month))}
                for person, by in found.items()
            }
            shown = await books.by_clerk(
                figures,
                Known(books.history),
                mine,
                line,
                lambda person, at: person in mine and sight.may("deed", Deed(person, at)),
            )
        some, following = cut(shown.items(), limit, cursor, lambda one: one[:1], str)
        await sight.read(*(person for person, _ in some))
        return {"people": {person: done.to_json() for person, done in some}, "next": following}

    @doors.query("/v1/journeys/{client}", "events:read", "leads:read", "accounts:read", "pay:audit", reply=Shown)
    async def journey(request: Request, client: str) -> dict[str, Any]:
        """Everything that happened to one client, in the order of business time.

        Who may not follow all events sees the journeys in which they, or people they lead, took part, and in them the
        names and amounts of those alone.
        """
        sight = await sights.of(request)
        mine = [e for e in list(books.envelopes.values()) if e.client_id == client]
        took_part = any(sight.may("follow", Deed(p, e.occurred_at)) for e in mine for p in people_of(e.actor, e.data))
        if not mine or not (took_part or sight.reader.may("events:read")):
            raise Refused("journey.unknown")
        if sight.reader.audits:  # a journey is told in public events; it is nobody's pay
            await sight.read(*{p for e in mine for p in people_of(e.actor, e.data)})
        mine.sort(key=lambda e: (e.occurred_at, e.recorded_at, e.sequence))
        return {"client": client, "events": [sight.told(str(e.id), "follow") for e in mine]}
