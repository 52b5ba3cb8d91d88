"""Adjustments: amounts beside the rules, proposed by one person and approved by another."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from compensation.api.listing import Listing
from compensation.api.replies import AdjustmentList, AdjustmentReply
from compensation.api.shown import month_of, payable
from compensation.api.sight import Sights
from compensation.office import adjustment
from compensation.office.views import ADJUSTMENTS
from conveyor_events import Amount

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class AdjustmentBody(BaseBody):
    """`amount` is paid, or taken back below zero. `reason` is a code. `relates_to_period`: what it is about."""

    model_config = example(
        person="ben", amount="150.00", currency="EUR", reason="fair-bonus", relates_to_period="2026-03"
    )

    person: GivenId
    amount: Annotated[Amount, Field(ge=-(10**12), le=10**12)]
    currency: Currency
    reason: Code
    relates_to_period: str | None = None
    adjustment_id: NewId = None


class AnswerBody(BaseBody):
    """Nothing to say but yes, or no."""


def add(doors: Doors, desk: Desk, sights: Sights) -> None:
    @doors.command("/v1/adjustments", "assignments:write", reply=AdjustmentReply, status=201)
    async def propose(request: Request, body: AdjustmentBody) -> Response:
        """Proposes an adjustment; it is paid once somebody else has approved it."""
        by = desk.who(desk.subject(request), body.by)
        if body.relates_to_period is not None:
            month_of(body.relates_to_period)
        if body.amount == 0:
            raise Refused("adjustment.digits", currency=body.currency)
        payable(body.amount, body.currency)
        name = body.adjustment_id or fresh()
        about = body.person, body.amount, body.currency, body.reason, body.relates_to_period
        command = adjustment.Propose(adjustment.Asked(name, *about), by, desk.clock.now())
        return await _do(request, name, command, body, created=True)

    @doors.command("/v1/adjustments/{adjustment_id}/approve", "plans:approve", reply=AdjustmentReply)
    async def approve(request: Request, adjustment_id: str, body: AnswerBody) -> Response:
        """Approves what somebody else proposed: it is in the pay of the current month."""
        by = desk.who(desk.subject(request), body.by)
        return await _do(request, adjustment_id, adjustment.Approve(by, desk.clock.now()), body)

    @doors.command("/v1/adjustments/{adjustment_id}/reject", "plans:approve", reply=AdjustmentReply)
    async def reject(request: Request, adjustment_id: str, body: AnswerBody) -> Response:
        """Rejects a proposal."""
        by = desk.who(desk.subject(request), body.by)
        return await _do(request, adjustment_id, adjustment.Reject(by, desk.clock.now()), body)

    @doors.query(
        "/v1/adjustments", "assignments:write", "plans:approve", "pay:read:all", "pay:audit", reply=AdjustmentList
    )
    async def listed(request: Request, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """Every adjustment, the latest first."""
        a = ADJUSTMENTS.c
        listing = Listing(select(ADJUSTMENTS), (a.proposed_at, a.adjustment_id), True)
        rows, following = await listing.page(desk, limit, cursor)
        await sights.read(request, *(row["person"] for row in rows))
        return {"items": rows, "next": following}

    async def _do(
        request: Request, name: str, command: adjustment.Command, body: BaseBody, *, created: bool = False
    ) -> Response:
        step = Step(adjustment.CATEGORY, name, command)

        def reply(outcome: Any) -> dict[str, Any]:
            return {"adjustment_id": name, "stage": outcome.state(step.stream_id).stage}

        return await desk.do(request, step, body=body, reply=reply, created=created)
