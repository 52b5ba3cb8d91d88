"""Periods: closed once, one after the other; their statements published and made final; and whether all of it holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import json_bytes
from belt.io.http.paging import Cursor, Limit, cut
from compensation.api.replies import ClosingReply, PeriodList, SheetsReply
from compensation.api.shown import SUMS, Shown, month_of
from compensation.api.sight import Sights
from compensation.clerk.company import Company
from compensation.laws import broken
from compensation.months import Month
from compensation.office import ledger, sheet
from compensation.office.views import STATEMENTS, WAITS
from compensation.verification import Kept, verify
from conveyor_events.words import Instant, instant_text

AT_ONCE = 500
SIGN_OF_LIFE = 5.0  # seconds
SEES = (*SUMS, "periods:close")


class CloseBody(BaseBody):
    """`cutoff`: what was recorded by then is in the month; default: now."""

    cutoff: Instant | None = None


class PublishBody(BaseBody):
    """How many days everybody has to object."""

    objection_days: Annotated[int, Field(ge=0, le=90)] = 14


class FinalBody(BaseBody):
    """Makes final whatever can be: acknowledged, silent until the end of the time to object, or settled."""


def add(doors: Doors, desk: Desk, company: Company, sights: Sights) -> None:
    _statements(doors, desk)
    _verification(doors, desk, company, sights)

    @doors.query("/v1/periods", *SEES, reply=PeriodList)
    async def listed(limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """The closed periods with their digests, and the one that is being closed with what it waits for."""
        state: ledger.Ledger = (await desk.state(ledger.CATEGORY, ledger.COMPANY)).state
        waits = {row["period"]: row for row in await desk.rows(select(WAITS))}
        closing = None
        if state.closing is not None:
            told = waits.get(state.closing.period)
            closing = {
                "period": state.closing.period,
                "cutoff": instant_text(state.closing.cutoff),
                "by": state.closing.by,
                "waits_for": list(told["reasons"]) if told else [],
            }
        shown, following = cut(state.closed.values(), limit, cursor, lambda month: (month.period,), str)
        return {"items": [_shown(month) for month in shown], "next": following, "closing": closing}

    @doors.command("/v1/periods/{period}/close", "periods:close", reply=ClosingReply)
    async def close(request: Request, period: str, body: CloseBody) -> Response:
        """Begins to close a period. It is closed once everything recorded by the cutoff was taken in."""
        month, now = month_of(period), desk.clock.now()
        by = desk.who(desk.subject(request), body.by)
        ends = _ends(month, desk.settings.zone)
        command = ledger.BeginClose(period, body.cutoff or now, ends, by, now)
        step = Step(ledger.CATEGORY, ledger.COMPANY, command)

        def reply(outcome: Any) -> dict[str, Any]:
            closing = outcome.state(step.stream_id).closing
            return {"period": period, "stage": "closing", "cutoff": instant_text(closing.cutoff)}

        return await desk.do(request, step, body=body, reply=reply)


def _statements(doors: Doors, desk: Desk) -> None:
    @doors.command("/v1/periods/{period}/publish", "periods:close", reply=SheetsReply)
    async def publish(request: Request, period: str, body: PublishBody) -> Response:
        """Publishes the statements of a closed period, some hundred at a time; `left` says how many remain."""
        people = await _in_stage(period, "draft")
        now, by = desk.clock.now(), desk.who(desk.subject(request), body.by)
        command = sheet.Publish(now + timedelta(days=body.objection_days), by, now)
        return await _each(request, period, people, command, body, "published")

    @doors.command("/v1/periods/{period}/finalize", "periods:close", reply=SheetsReply)
    async def finalize(request: Request, period: str, body: FinalBody) -> Response:
        """Makes final every statement of a period that can be."""
        month_of(period)
        now, by = desk.clock.now(), desk.who(desk.subject(request), body.by)
        s = STATEMENTS.c
        silent = (s.stage == "published") & (s.objection_until <= now)
        agreed = s.stage.in_(("acknowledged", "settled"))
        found = await desk.rows(select(s.person).where(s.period == period, silent | agreed).order_by(s.person))
        return await _each(request, period, [row["person"] for row in found], sheet.Finalize(by, now), body, "final")

    async def _in_stage(period: str, stage: str) -> list[str]:
        month_of(period)
        state: ledger.Ledger = (await desk.state(ledger.CATEGORY, ledger.COMPANY)).state
        if period not in state.closed:
            raise Refused("period.open", period=period)
        s = STATEMENTS.c
        found = await desk.rows(select(s.person).where(s.period == period, s.stage == stage).order_by(s.person))
        return [row["person"] for row in found]

    async def _each(
        request: Request, period: str, people: list[str], command: sheet.Command, body: BaseBody, said: str
    ) -> Response:
        now = people[:AT_ONCE]
        steps = [Step(sheet.CATEGORY, sheet.key(period, person), command) for person in now]
        told = {"period": period, said: len(now), "left": len(people) - len(now)}
        steps = steps or [Step(sheet.CATEGORY, sheet.key(period, ""), sheet.Nobody())]
        return await desk.do(request, *steps, body=body, reply=lambda _: told)


def _verification(doors: Doors, desk: Desk, company: Company, sights: Sights) -> None:
    @doors.query("/v1/verification", "pay:read:all", "pay:audit", "periods:close", reply=Shown)
    async def verification(request: Request) -> Any:
        """Walks the digest chain, replays every closed month from the facts, and names the first row that differs.

        The laws of pay are looked at, too, over everything up to this month. A long history takes its time: the answer
        then begins with white space, which says that it is being worked on.
        """
        work = asyncio.create_task(verified(request))
        try:
            soon, _ = await asyncio.wait([work], timeout=desk.settings.request_deadline / 2)
        except asyncio.CancelledError:
            work.cancel()
            raise
        return work.result() if soon else StreamingResponse(_in_the_end(work), media_type="application/json")

    async def verified(request: Request) -> dict[str, Any]:
        replayed = await company.replayed()
        state: ledger.Ledger = (await desk.state(ledger.CATEGORY, ledger.COMPANY)).state
        rows = await desk.rows(select(STATEMENTS).order_by(STATEMENTS.c.period, STATEMENTS.c.person))
        kept = [Kept(r["period"], r["person"], r["lines"], r["totals"], r["digest"]) for r in rows]
        again = {}
        for by in replayed.values():
            for one in by.values():
                if one.lines:
                    shown = one.to_json()
                    again[str(one.period), one.person] = shown["lines"], shown["totals"]
        faults = list(verify(state.closed.values(), kept, again))
        now = company.books.month(desk.clock.now())
        stated, history = await company.earnings(await company.books.months(now)), await company.history()
        laws = await company.beside(broken, history, [s for by in stated.values() for s in by.values()])
        await sights.read(request, *(fault.person for fault in faults if fault.person is not None))
        return {
            "ok": not faults and not laws,
            "periods": [_shown(month) for month in state.closed.values()],
            "statements": len(kept),
            "laws": laws[:50],
            "lines": sum(len(one.lines) for one in kept),
            "faults": [{"what": f.what, "period": f.period, "person": f.person, "line": f.line} for f in faults[:50]],
        }


async def _in_the_end(work: asyncio.Task[dict[str, Any]]) -> AsyncIterator[bytes]:
    """The answer as JSON, and until it is there now and then a sign of life."""
    try:
        while not (await asyncio.wait([work], timeout=SIGN_OF_LIFE))[0]:
            yield b"\n"
        yield json_bytes(work.result())
    finally:
        work.cancel()  # who asked has left


def _shown(month: ledger.PeriodClosed) -> dict[str, Any]:
    return {
        "period": month.period,
        "stage": "closed",
        "cutoff": instant_text(month.cutoff),
        "statements": month.statements,
        "digest": month.digest,
        "previous": month.previous,
    }


def _ends(month: Month, zone: str) -> datetime:
    """The first instant after the month in the company's zone."""
    return datetime.combine(month.plus(1).first_day, time.min, ZoneInfo(zone))
