"""Payouts: the final statements of a month as one file for whoever transfers the money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from compensation.api.listing import Listing
from compensation.api.replies import PayoutList, PayoutReply, PayoutShown
from compensation.api.shown import month_of
from compensation.api.sight import Sights
from compensation.line import payable_text
from compensation.office import payout
from compensation.office.views import PAYOUTS, STATEMENTS

AT_ONCE = 900
SEES = ("periods:close", "pay:read:all", "pay:audit", "pay:read:totals")
CSV = "text/csv"


class PayoutBody(BaseBody):
    model_config = example(period="2026-03")

    period: str
    run_id: NewId = None


def add(doors: Doors, desk: Desk, sights: Sights) -> None:
    @doors.command("/v1/payouts", "periods:close", reply=PayoutReply, status=201)
    async def export(request: Request, body: PayoutBody) -> Response:
        """Makes a run of every final statement of the period, which is paid with it: the same one never twice."""
        month_of(body.period)
        s, name = STATEMENTS.c, body.run_id or fresh()
        by = desk.who(desk.subject(request), body.by)
        final = select(s.person, s.totals).where(s.period == body.period, s.stage == "final").order_by(s.person)
        found = await desk.rows(final)
        rows = tuple(
            payout.PayoutRow(row["person"], total["currency"], Decimal(total["payable"]))
            for row in found[:AT_ONCE]
            for total in row["totals"]
            if Decimal(total["payable"])
        )
        people = tuple(row["person"] for row in found[:AT_ONCE])
        step = Step(payout.CATEGORY, name, payout.Export(name, body.period, people, rows, by, desk.clock.now()))
        left = len(found) - len(people)

        def reply(outcome: Any) -> dict[str, Any]:
            made = outcome.state(step.stream_id).exported
            told = {"run_id": name, "period": made.period, "statements": len(made.people), "left": left}
            return told | {"totals": _totals(made), "digest": payout.digest(made)}

        return await desk.do(request, step, body=body, created=True, reply=reply)

    @doors.query("/v1/payouts", *SEES, reply=PayoutList)
    async def listed(request: Request, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """All runs, the latest first."""
        await sights.read(request)
        p = PAYOUTS.c
        wanted = select(p.run_id, p.period, p.totals, p.digest, p.by, p.exported_at)
        rows, following = await Listing(wanted, (p.exported_at, p.run_id), True).page(desk, limit, cursor)
        return {"items": rows, "next": following}

    @doors.query("/v1/payouts/{run_id}", *SEES, reply=PayoutShown)
    async def one(request: Request, run_id: str) -> dict[str, Any]:
        """One run, row by row."""
        made = await _made(run_id)
        await sights.read(request, *made.people)
        rows = await desk.rows(select(PAYOUTS.c.rows).where(PAYOUTS.c.run_id == run_id))
        told = {"run_id": run_id, "period": made.period, "people": list(made.people), "by": made.by}
        return told | {"rows": rows[0]["rows"], "totals": _totals(made), "digest": payout.digest(made)}

    @doors.query(
        "/v1/payouts/{run_id}/file",
        *SEES,
        reply=None,
        response_class=Response,
        responses={200: {"description": "the run", "content": {CSV: {"schema": {"type": "string"}}}}},
    )
    async def file(request: Request, run_id: str) -> Response:
        """The run as CSV: the same bytes each time."""
        made = await _made(run_id)
        await sights.read(request, *made.people)
        return Response(payout.file(made), media_type=CSV)

    async def _made(run_id: str) -> payout.Exported:
        state: payout.Payout = (await desk.state(payout.CATEGORY, run_id)).state
        if state.exported is None:
            raise Refused("payout.unknown")
        return state.exported


def _totals(made: payout.Exported) -> list[dict[str, str]]:
    return [{"currency": c, "payable": payable_text(a, c)} for c, a in payout.totals(made.rows).items()]
