"""What if: asked, watched, read, cancelled. The worker does the work; the ledger is not touched."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, NewId, Strict, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit, cut
from belt.io.ids import fresh
from compensation.api.listing import Listing
from compensation.api.replies import PairList, SimulationList, SimulationReply, SimulationShown
from compensation.api.sight import Sights
from compensation.clerk.company import Company
from compensation.documents import FaultyDocument
from compensation.office import simulation
from compensation.office.views import PROGRESS, SIMULATIONS
from compensation.whatif import document_digest, explained, read_scenario
from conveyor_events.words import VARIANTS

ASKS = ("plans:write", "plans:approve")
Hours = Annotated[int, Field(ge=0, le=10_000)]
CHANGES = {"plans", "variant", "accept_within_hours", "account_accept_within_hours"}
NOT_ASKED = {"occurred_at", "by", "simulation_id"}
READS = (*ASKS, "pay:read:all", "pay:audit")


class Tried(Strict):
    """A plan document to try: `instead` of those of its id, else of its role, or `beside` them.

    It takes effect on its own date, or with `from_start` on the first day of the months that are asked for.
    """

    document: dict[str, Any]
    place: Literal["instead", "beside"] = "instead"
    from_start: bool = False


class SimulationBody(BaseBody):
    """Which months, and what is to be otherwise: plans, a variant, or how many working hours an offer waits.

    `line`: only who works there is shown, and only there variant and policy change.
    """

    model_config = example(**{"from": "2026-01", "to": "2026-03"}, variant=[*VARIANTS][-1])

    first: Annotated[str, Field(alias="from")]
    last: Annotated[str, Field(alias="to")]
    line: GivenId | None = None
    plans: Annotated[list[Tried], Field(max_length=20)] = []
    variant: GivenId | None = None
    accept_within_hours: Hours | None = None
    account_accept_within_hours: Hours | None = None
    simulation_id: NewId = None


class CancelBody(BaseBody):
    """Nothing to say but stop."""


def add(doors: Doors, desk: Desk, company: Company, sights: Sights) -> None:
    @doors.command("/v1/simulations", *ASKS, reply=SimulationReply, status=201)
    async def ask(request: Request, body: SimulationBody) -> Response:
        """Replays a range of months as it would have been. The result is kept; nobody is paid by it."""
        scenario = body.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=True, exclude=NOT_ASKED
        )
        if not CHANGES & scenario.keys():
            nothing = {"pointer": "/", "detail": "nothing is to be otherwise: give plans, a variant or hours"}
            raise Refused("simulation.invalid", errors=[nothing])
        try:
            read_scenario(scenario)
        except FaultyDocument as faulty:
            errors = [
                {"pointer": "/" + fault.path.replace(".", "/"), "detail": fault.message} for fault in faulty.faults
            ]
            raise Refused("simulation.invalid", errors=errors) from None
        name, by = body.simulation_id or fresh(), desk.who(desk.subject(request), body.by)
        digests = tuple(document_digest(plan.document) for plan in body.plans)
        command = simulation.Ask(name, json.dumps(scenario), digests, by, desk.clock.now())
        step = Step(simulation.CATEGORY, name, command)

        def reply(outcome: Any) -> dict[str, Any]:
            return {"simulation_id": name, "stage": outcome.state(step.stream_id).stage}

        return await desk.do(request, step, body=body, created=True, reply=reply)

    @doors.command("/v1/simulations/{simulation_id}/cancel", *ASKS, reply=SimulationReply)
    async def cancel(request: Request, simulation_id: str, body: CancelBody) -> Response:
        """Stops one that is not done yet."""
        by = desk.who(desk.subject(request), body.by)
        step = Step(simulation.CATEGORY, simulation_id, simulation.Cancel(by, desk.clock.now()))
        told = {"simulation_id": simulation_id, "stage": "cancelled"}
        return await desk.do(request, step, body=body, reply=lambda _: told)

    @doors.query("/v1/simulations", *READS, reply=SimulationList)
    async def listed(request: Request, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """All of them, the latest first, without their results."""
        s = SIMULATIONS.c
        wanted = select(s.simulation_id, s.stage, s.scenario, s.by, s.asked_at, s.ended_at)
        await sights.read(request)
        rows, following = await Listing(wanted, (s.asked_at, s.simulation_id), True).page(desk, limit, cursor)
        return {"items": rows, "next": following}

    @doors.query("/v1/simulations/{simulation_id}", *READS, reply=SimulationShown)
    async def one(request: Request, simulation_id: str) -> dict[str, Any]:
        """One of them: how far it is, and what came out: per person as it is, as it would be, and the difference."""
        rows = await desk.rows(select(SIMULATIONS).where(SIMULATIONS.c.simulation_id == simulation_id))
        if not rows:
            raise Refused("simulation.unknown")
        shown = {k: v for k, v in rows[0].items() if k not in ("version", "shape", "documents")}
        far = await desk.rows(select(PROGRESS).where(PROGRESS.c.simulation_id == simulation_id))
        running = bool(far) and shown["stage"] == "queued"
        await sights.read(request, *{one["person"] for one in (shown["result"] or {"people": ()})["people"]})
        progress = {"done": far[0]["done"], "people": far[0]["people"]} if running else None
        stage = "running" if running else shown["stage"]
        return shown | {"stage": stage, "progress": progress}

    @doors.query("/v1/simulations/{simulation_id}/people/{person}", "pay:read:all", "pay:audit", reply=PairList)
    async def person(
        request: Request, simulation_id: str, person: str, limit: Limit = 50, cursor: Cursor = None
    ) -> dict[str, Any]:
        """The lines of one person that would be otherwise, each beside the actual one."""
        state: simulation.Simulation = (await desk.state(simulation.CATEGORY, simulation_id)).state
        if state.asked is None:
            raise Refused("simulation.unknown")
        basis = await company.basis(state.asked.at, person)
        scenario = read_scenario(json.loads(state.asked.scenario))
        pairs = await asyncio.to_thread(explained, basis, scenario, person)
        # What was known when it was asked for does not change, and so a pair keeps its number.
        shown, following = cut(enumerate(pairs), limit, cursor, lambda one: one[:1], int)
        await sights.read(request, person)
        return {"person": person, "items": [pair.to_json() for _, pair in shown], "next": following}
