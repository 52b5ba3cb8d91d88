"""Looking at prospects: lists, counts, the calls that are due, and one of them whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Column, ColumnElement, Select, func, literal, select, tuple_
from starlette.requests import Request
from starlette.responses import Response

from belt.io.http.body import GivenId
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import etag, json_response
from belt.io.http.paging import Cursor, Limit, decode_cursor, instant_in, page
from conveyor_events.words import Instant, instant_text
from lead_gen.api.replies import Counts, ProspectList, ProspectShown
from lead_gen.api.shown import prospect_shown
from lead_gen.api.sight import Seen
from lead_gen.api.sight import prospect as prospect_of
from lead_gen.prospect.state import CATEGORY, Prospect, Stage
from lead_gen.views import PROSPECTS_TABLE as PROSPECTS

READ = "leads:read"
HIDDEN = ("offers", "shape")
Filter = Annotated[GivenId | None, Query()]


def doors(desk: Desk, sights: Seen) -> Doors:
    doors = Doors(prefix="/v1/prospects", tags=["prospects"])
    _lists(doors, desk, sights)
    _one(doors, desk, sights)
    return doors


def _lists(doors: Doors, desk: Desk, sights: Seen) -> None:
    async def among(request: Request) -> ColumnElement[bool]:
        of = PROSPECTS.c
        return await sights.among(request, of.line, of.sourced_by, of.converted_by, of.offered_to)

    @doors.query("", READ, reply=ProspectList)
    async def prospects(
        request: Request,
        line: Filter = None,
        stage: Stage | None = None,
        sourced_by: Filter = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Prospects by id, without personal data: those of the lines you work on or manage, and your own."""
        of = PROSPECTS.c
        wanted = select(PROSPECTS).order_by(of.client_id).limit(limit + 1)
        wanted = _only(
            wanted.where(await among(request)),
            (of.line, line),
            (of.stage, stage and stage.value),
            (of.sourced_by, sourced_by),
        )
        if cursor is not None:
            wanted = wanted.where(of.client_id > decode_cursor(cursor, str)[0])
        rows, following = page(await desk.rows(wanted), limit, lambda row: [row["client_id"]])
        items = [{name: value for name, value in row.items() if name not in HIDDEN} for row in rows]
        return json_response({"items": items, "next": following})

    @doors.query("/calls", READ, reply=ProspectList)
    async def calls(
        request: Request,
        sourced_by: Filter = None,
        line: Filter = None,
        before: Annotated[
            Instant | None, Query(description="due before then; default: by the end of today, UTC")
        ] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """The call list: who is to be called next, the longest due first."""
        of, tomorrow = PROSPECTS.c, desk.clock.now() + timedelta(days=1)
        until = before or tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = select(PROSPECTS).where(of.next_call_at < until).order_by(of.next_call_at, of.client_id)
        wanted = _only(wanted.where(await among(request)), (of.sourced_by, sourced_by), (of.line, line))
        if cursor is not None:
            due, last = decode_cursor(cursor, str, str)
            wanted = wanted.where(
                tuple_(of.next_call_at, of.client_id) > tuple_(literal(instant_in(due)), literal(last))
            )
        rows, following = page(
            await desk.rows(wanted.limit(limit + 1)),
            limit,
            lambda row: [instant_text(row["next_call_at"]), row["client_id"]],
        )
        items = [{name: value for name, value in row.items() if name not in HIDDEN} for row in rows]
        return json_response({"items": items, "next": following})

    @doors.query("/counts", READ, reply=Counts)
    async def counts(request: Request, line: Filter = None, sourced_by: Filter = None) -> Response:
        """How many prospects stand in each stage; of a line, of a person."""
        of = PROSPECTS.c
        wanted = select(of.stage, func.count().label("n")).group_by(of.stage).order_by(of.stage)
        wanted = _only(wanted.where(await among(request)), (of.sourced_by, sourced_by), (of.line, line))
        found = {row["stage"]: row["n"] for row in await desk.rows(wanted)}
        return json_response({"counts": found, "total": sum(found.values())})


def _only(wanted: Select[Any], *filters: tuple[Column[Any], str | None]) -> Select[Any]:
    for column, value in filters:
        wanted = wanted.where(column == value) if value is not None else wanted
    return wanted


def _one(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.query("/{client}", READ, reply=ProspectShown, versioned=True)
    async def prospect(request: Request, client: GivenId) -> Response:
        """One prospect; with its personal part for those whose client it is."""
        sight = await sights.of(request, "see", prospect_of(client), "prospect.unknown")
        found = await desk.state(CATEGORY, client)
        state: Prospect = found.state
        knowing = sight.may("know")
        if knowing:
            await desk.tell(request, "personal", client)
        shown = prospect_shown(state, found.version, knowing=knowing)
        return json_response(shown, headers={"etag": etag(found.version)})
