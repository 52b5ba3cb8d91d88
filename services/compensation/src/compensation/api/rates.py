"""Rates of exchange, as the company uses them: entered one by one or by the thousand, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Step
from belt.io.http.body import BaseBody, NewId, example
from belt.io.http.bulk import bulk
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit, cut
from compensation.api.replies import Items, RateReply
from compensation.exchange import Pair, RecordRate, pair
from compensation.views import RATES
from conveyor_events import Amount
from conveyor_events.money import plain

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class RateBody(BaseBody):
    """One unit of `from` in `to` on a business date. Another value for the same date is a correction."""

    model_config = example(**{"from": "USD", "to": "EUR"}, on="2026-03-02", rate="0.92")

    source: Annotated[Code, Field(alias="from")]
    target: Annotated[Code, Field(alias="to")]
    on: date
    rate: Annotated[Amount, Field(gt=0, le=10**9)]
    rate_id: NewId = None


def add(doors: Doors, desk: Desk) -> None:
    @doors.command("/v1/fx-rates", "plans:write", reply=RateReply, status=201)
    async def record(request: Request, body: RateBody) -> Response:
        """The rate of a business date. What was stated before keeps the rate it was stated with."""
        by = desk.who(desk.subject(request), body.by)
        name, at = pair(body.source, body.target), desk.clock.now()
        command = RecordRate(body.source, body.target, body.on, body.rate, by, at, body.rate_id)

        def reply(outcome: Any) -> dict[str, Any]:
            state: Pair = outcome.state(f"exchange-{name}")
            known = state.days[body.on]
            told = {"rate_id": known.rate_id, "from": known.source, "to": known.target}
            return told | {"on": known.day.isoformat(), "rate": plain(known.rate)}

        return await desk.do(request, Step("exchange", name, command), body=body, created=True, reply=reply)

    bulk(doors, "/v1/fx-rates/bulk", of=record)

    @doors.query("/v1/fx-rates", "plans:write", "plans:approve", "pay:read:all", "pay:audit", reply=Items)
    async def listed(limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """Every rate that was ever recorded, by pair and date; of one date the last one counts."""
        rows = await desk.rows(select(RATES.c.entries))
        entries = [entry for row in rows for entry in enumerate(row["entries"])]  # a pair's rates are only added to
        shown, following = cut(entries, limit, cursor, _place, str, str, str, int)
        return {"items": [entry for _, entry in shown], "next": following}


def _place(numbered: tuple[int, Mapping[str, Any]]) -> tuple[str, str, str, int]:
    """By pair and date, and of one date in the order in which they were recorded."""
    number, entry = numbered
    return entry["from"], entry["to"], entry["on"], number
