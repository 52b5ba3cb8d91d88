"""What if: asked, watched, read, cancelled. The worker does the work; the ledger is not touched."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.body import BaseBody, GivenId
from belt.io.desk import Desk
from belt.io.doors import Doors
from belt.io.ids import fresh
from compensation.api.shown import Shown
from compensation.clerk.books import Books
from compensation.clerk.simulating import sides
from compensation.documents import FaultyDocument
from compensation.line import Line
from compensation.office import simulation
from compensation.office.views import PROGRESS, SIMULATIONS
from compensation.whatif import Difference, differences, document_digest, read_scenario

ASKS = ("plans:write", "plans:approve")
READS = (*ASKS, "pay:read:all", "pay:audit")


class SimulationBody(BaseBody):
    """Which months, and what is to be otherwise: plan documents, a variant, or how long an offer waits (hours)."""

    first: Annotated[str, Field(alias="from")]
    last: Annotated[str, Field(alias="to")]
    plans: Annotated[list[dict[str, Any]], Field(max_length=20)] = []
    variant: GivenId | None = None
    accept_within_hours: Annotated[int, Field(ge=1, le=10_000)] | None = None
    simulation_id: GivenId | None = None


class CancelBody(BaseBody):
    """Nothing to say but stop."""


def add(doors: Doors, desk: Desk, books: Books) -> None:
    @doors.command("/v1/simulations", *ASKS, reply=Shown, status=201)
    async def ask(request: Request, body: SimulationBody) -> Response:
        """Replays a range of months as it would have been. The result is kept; nobody is paid by it."""
        scenario: dict[str, Any] = {
            "first": body.first,
            "last": body.last,
            "plans": body.plans,
            "variant": body.variant,
            "accept_within_hours": body.accept_within_hours,
        }
        try:
            read_scenario(**scenario)
        except FaultyDocument as faulty:
            errors = [
                {"pointer": "/" + fault.path.replace(".", "/"), "detail": fault.message} for fault in faulty.faults
            ]
            raise Refused("simulation.invalid", errors=errors) from None
        name, by = body.simulation_id or fresh(), desk.who(desk.subject(request), body.by)
        digests = tuple(document_digest(plan) for plan in body.plans)
        command = simulation.Ask(name, json.dumps(scenario), digests, by, desk.clock.now())
        step = Step(simulation.CATEGORY, name, command)

        def reply(outcome: Any) -> dict[str, Any]:
            return {"simulation_id": name, "stage": outcome.state(step.stream_id).stage}

        return await desk.do(request, step, body=body, created=True, reply=reply)

    @doors.command("/v1/simulations/{simulation_id}/cancel", *ASKS, reply=Shown)
    async def cancel(request: Request, simulation_id: str, body: CancelBody) -> Response:
        """Stops one that is not done yet."""
        by = desk.who(desk.subject(request), body.by)
        step = Step(simulation.CATEGORY, simulation_id, simulation.Cancel(by, desk.clock.now()))
        told = {"simulation_id": simulation_id, "stage": "cancelled"}
        return await desk.do(request, step, body=body, reply=lambda _: told)

    @doors.query("/v1/simulations", *READS, reply=Shown)
    async def listed() -> dict[str, Any]:
        """All of them, the latest first, without their results; at most a thousand."""
        s = SIMULATIONS.c
        wanted = select(s.simulation_id, s.stage, s.scenario, s.by, s.asked_at, s.ended_at)
        rows = await desk.rows(wanted.order_by(s.asked_at.desc(), s.simulation_id).limit(1_000))
        return {"items": [dict(row) for row in rows]}

    @doors.query("/v1/simulations/{simulation_id}", *READS, reply=Shown)
    async def one(simulation_id: str) -> dict[str, Any]:
        """One of them: how far it is, and what came out: per person as it is, as it would be, and the difference."""
        rows = await desk.rows(select(SIMULATIONS).where(SIMULATIONS.c.simulation_id == simulation_id))
        if not rows:
            raise Refused("simulation.unknown")
        shown = {k: v for k, v in rows[0].items() if k not in ("version", "shape", "documents")}
        far = await desk.rows(select(PROGRESS).where(PROGRESS.c.simulation_id == simulation_id))
        running = bool(far) and shown["stage"] == "queued"
        scenario = read_scenario(**shown["scenario"])
        progress = {"done": far[0]["done"], "people": far[0]["people"]} if running else None
        stage = "running" if running else shown["stage"]
        return shown | {"stage": stage, "progress": progress, "assumes": scenario.assumes}

    @doors.query("/v1/simulations/{simulation_id}/people/{person}", "pay:read:all", "pay:audit", reply=Shown)
    async def person(simulation_id: str, person: str) -> dict[str, Any]:
        """The lines of one person that would be otherwise, each beside the actual one."""
        state: simulation.Simulation = (await desk.state(simulation.CATEGORY, simulation_id)).state
        if state.asked is None:
            raise Refused("simulation.unknown")
        scenario, actual, simulated, _ = await sides(books, state.asked)

        def found() -> list[Difference]:
            return list(differences(actual, simulated, person, scenario))

        return {"person": person, "items": [_pair(one) for one in await books.by_clerk(found)]}


def _pair(one: Difference) -> dict[str, Any]:
    def shown(line: Line | None) -> dict[str, Any] | None:
        return line.to_json() if line is not None else None

    return {"actual": shown(one.actual), "simulated": shown(one.simulated)}
