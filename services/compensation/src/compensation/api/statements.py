"""Statements and their lines, as the fold gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request

from belt.core.decider import Refused
from belt.io import tracing
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit, decode_cursor, page
from compensation.access import Pay
from compensation.api.replies import Items, StatementShown
from compensation.api.sheets import BESIDE, kept
from compensation.api.shown import PAY, SUMS, Shown, month_of
from compensation.api.sight import Sights
from compensation.clerk.books import Books
from compensation.digest import of_statement
from compensation.statement import Statement
from conveyor_events.words import Instant

KnownAt = Annotated[Instant | None, Query(description="as it was known at this instant")]


async def seen(
    request: Request, books: Books, sights: Sights, person: str, period: str, known_at: datetime | None
) -> Statement:
    """The statement as the subject may see it; refused in the same words whether it is hidden or does not exist."""
    month = month_of(period)
    sight = await sights.of(request)
    if not sight.may("sums", Pay(person, month)):
        raise Refused("statement.unknown")
    with tracing.step("fold statement", {"conveyor.period": period}):
        found = await books.statement(person, month, known_at)
    file = await books.file(person)
    tracing.point_to(file.contexts(found.lines))
    shown = sight.statement(found, file.history)
    known = bool(found.lines) or person in file.history.people
    if shown is None or not known:
        raise Refused("statement.unknown")
    await sight.read(person)
    return shown


def add(doors: Doors, desk: Desk, books: Books, sights: Sights) -> None:
    @doors.query("/v1/statements/{person}/{period}", *SUMS, reply=StatementShown)
    async def statement(request: Request, person: str, period: str, known_at: KnownAt = None) -> dict[str, Any]:
        """A person's statement of a month, line by line with its reasons. Who may see sums alone gets no lines.

        That of a closed month is the frozen one, with its stage and its digest.
        """
        shown = (await seen(request, books, sights, person, period, known_at)).to_json() | {"stage": "open"}
        frozen = await kept(desk, person, period) if known_at is None else None
        if frozen is None:
            return shown
        beside = {name: frozen[name] for name in BESIDE} | {"totals": frozen["totals"]}
        everything = (await sights.of(request)).reader.everything
        same = of_statement(period, person, shown["lines"], frozen["totals"]) == frozen["digest"]
        return shown | beside | ({"lines": frozen["lines"]} if everything and not same else {})

    @doors.query("/v1/lines/{line_id}", *PAY, reply=Shown)
    async def line(request: Request, line_id: str) -> dict[str, Any]:
        """One line and the events it comes from; names and amounts of people who are not yours to see are taken out.

        Each event names the trace of the command that led to it, where there is one.
        """
        sight = await sights.of(request)
        stands = await books.line(line_id, books.month(desk.clock.now()), sight.whose)
        if stands is None or not sight.may("lines", Pay(stands[0].person, stands[0].period)):
            raise Refused("line.unknown")
        found, file = stands
        await sight.read(found.person)
        tracing.point_to(file.contexts([found]))
        known = await books.told(found.causes)
        causes = await sight.told([known[event_id] for event_id in found.causes if event_id in known])
        journey = f"/v1/journeys/{found.client_id}" if found.client_id is not None else None
        return sight.line(found, file.history).to_json() | {"events": causes, "journey": journey}

    @doors.query("/v1/earnings", *SUMS, reply=Items)
    async def earnings(
        request: Request,
        since: Annotated[str, Query(alias="from")],
        to: Annotated[str, Query()],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """The statements from one month to another, both included, of everybody whose pay you may see; by person."""
        first, last = month_of(since), month_of(to)
        if first > last or first < last.plus(-23):
            raise Refused("period.invalid", period=f"{since}..{to}")
        sight, months = await sights.of(request), list(first.through(last))
        seen = None if cursor is None else decode_cursor(cursor, str, str)
        shown: list[Statement] = []
        async for person in books.everybody(sight.whose, seen[0] if seen else ""):
            if any(sight.may("sums", Pay(person, month)) for month in months):
                file, by = await books.file(person), await books.stated(person, months)
                found = [s for one in by.values() if one.lines and (s := sight.statement(one, file.history))]
                shown += [s for s in found if seen is None or (s.person, str(s.period)) > seen]
            if len(shown) > limit:
                break
        items, following = page(shown, limit, lambda s: (s.person, str(s.period)))
        await sight.read(*{s.person for s in items})
        return {"items": [s.to_json() for s in items], "next": following}
