"""What becomes of a closed statement: its person acknowledges it, the office makes it final."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from compensation.access import Pay
from compensation.api.listing import Listing
from compensation.api.replies import SheetList, SheetReply
from compensation.api.shown import SUMS, month_of
from compensation.api.sight import Sights
from compensation.office import sheet
from compensation.office.views import STATEMENTS

STAGES = "draft|published|acknowledged|disputed|settled|final|paid"
BESIDE = ("stage", "digest", "objection_until", "disputes", "run_id", "frozen_at")


class AcknowledgeBody(BaseBody):
    """Nothing to say but yes."""


class FinalizeBody(BaseBody):
    """Nothing to say but yes."""


def add(doors: Doors, desk: Desk, sights: Sights) -> None:
    @doors.command("/v1/statements/{person}/{period}/acknowledge", "pay:read:own", "act_for", reply=SheetReply)
    async def acknowledge(request: Request, person: str, period: str, body: AcknowledgeBody) -> Response:
        """The person agrees with their published statement."""
        month = month_of(period)
        by = desk.who(desk.subject(request), body.by)
        if not (await sights.of(request)).may("answer", Pay(person, month)) or by != person:
            raise Refused("statement.unknown")
        return await _do(request, person, period, sheet.Acknowledge(by, desk.clock.now()), body)

    @doors.command("/v1/statements/{person}/{period}/finalize", "periods:close", reply=SheetReply)
    async def finalize(request: Request, person: str, period: str, body: FinalizeBody) -> Response:
        """Makes one statement final: acknowledged, not objected to in time, or with every dispute decided."""
        month_of(period)
        by = desk.who(desk.subject(request), body.by)
        return await _do(request, person, period, sheet.Finalize(by, desk.clock.now()), body)

    @doors.query("/v1/statements", *SUMS, reply=SheetList)
    async def listed(
        request: Request,
        period: Annotated[str | None, Query(max_length=7)] = None,
        stage: Annotated[str | None, Query(pattern=f"^({STAGES})$")] = None,
        person: Annotated[str | None, Query(max_length=100)] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """Statements of closed months, without their lines: those of everybody whose pay you may see."""
        sight, s = await sights.of(request), STATEMENTS.c
        wanted = select(s.statement, s.period, s.person, s.totals, *(s[name] for name in BESIDE))
        for column, value in ((s.period, period), (s.stage, stage), (s.person, person)):
            wanted = wanted if value is None else wanted.where(column == value)
        shown, following = await Listing(wanted, (s.statement,)).page(
            desk, limit, cursor, lambda row: sight.may("sums", Pay(row["person"], month_of(row["period"])))
        )
        await sight.read(*(row["person"] for row in shown))
        return {"items": [{k: v for k, v in row.items() if k != "statement"} for row in shown], "next": following}

    async def _do(request: Request, person: str, period: str, command: sheet.Command, body: BaseBody) -> Response:
        step = Step(sheet.CATEGORY, sheet.key(period, person), command)

        def reply(outcome: Any) -> dict[str, Any]:
            return {"person": person, "period": period, "stage": outcome.state(step.stream_id).stage}

        return await desk.do(request, step, body=body, reply=reply)


async def kept(desk: Desk, person: str, period: str) -> dict[str, Any] | None:
    """The frozen statement, as it stands in the table; None while the month is open."""
    s = STATEMENTS.c
    rows = await desk.rows(
        select(s.lines, s.totals, *(s[n] for n in BESIDE)).where(s.statement == sheet.key(period, person))
    )
    return dict(rows[0]) if rows else None
