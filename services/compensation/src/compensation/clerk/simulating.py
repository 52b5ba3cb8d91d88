"""The simulator: a chore of the worker. Takes up what was asked, oldest first, person by person; stops when told to."""

from __future__ import annotations

import asyncio
import json

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from belt.core.decider import Step
from belt.io.http.desk import Desk
from belt.io.intake.taking import OUT_OF_REACH
from compensation.clerk.company import Company, company
from compensation.office import ledger, simulation
from compensation.office.views import PROGRESS, SIMULATIONS
from compensation.whatif import Outcome, read_scenario, simulate

log = structlog.get_logger()

EVERY = 0.5
PATIENCE = 5.0
LOOK_EVERY = 10  # people between two looks at whether it was cancelled


async def simulator(desk: Desk) -> None:
    """Until cancelled. One at a time; what was interrupted begins anew."""
    everybody = company(desk)
    oldest = select(SIMULATIONS.c.simulation_id).where(SIMULATIONS.c.stage == "queued")
    while True:
        pause = EVERY
        try:
            rows = await desk.rows(oldest.order_by(SIMULATIONS.c.asked_at).limit(1))
            if rows:
                await _simulate(desk, everybody, rows[0]["simulation_id"])
                pause = 0
        except OUT_OF_REACH as away:
            log.warning("simulator.waits", error=f"{type(away).__name__}: {away}")
            pause = PATIENCE
        except Exception as wrong:
            log.exception("simulator.failed", error=str(wrong))
            pause = PATIENCE
        await asyncio.sleep(pause)


async def _simulate(desk: Desk, everybody: Company, name: str) -> None:
    state: simulation.Simulation = (await desk.state(simulation.CATEGORY, name)).state
    if state.asked is None or state.stage != "queued":
        return
    try:
        before = await _ledger(desk)
        basis = await everybody.basis(state.asked.at)
        steps = simulate(basis, read_scenario(json.loads(state.asked.scenario)))
        outcome: Outcome | None = None
        while outcome is None:
            step = await asyncio.to_thread(next, steps)
            if isinstance(step, Outcome):
                outcome = step
            elif step.done % LOOK_EVERY == 0:
                if (await desk.state(simulation.CATEGORY, name)).state.stage != "queued":
                    return
                await _tell(desk, name, step.done, step.of)
        done = simulation.Finish(json.dumps(outcome.to_json()), (before, await _ledger(desk)), desk.clock.now())
    except (*OUT_OF_REACH, DBAPIError):
        raise  # it stays queued
    except Exception as wrong:
        log.exception("simulator.failed", simulation=name)
        failed = simulation.Fail(f"{type(wrong).__name__}: {wrong}"[:500], desk.clock.now())
        await desk.writer.handle(Step(simulation.CATEGORY, name, failed))
    else:
        await desk.writer.handle(Step(simulation.CATEGORY, name, done))
    async with desk.engine.begin() as connection:
        await connection.execute(delete(PROGRESS).where(PROGRESS.c.simulation_id == name))


async def _ledger(desk: Desk) -> str | None:
    state: ledger.Ledger = (await desk.state(ledger.CATEGORY, ledger.COMPANY)).state
    return state.last.digest if state.last is not None else None


async def _tell(desk: Desk, name: str, done: int, people: int) -> None:
    told = insert(PROGRESS).values(simulation_id=name, done=done, people=people)
    new = {"done": told.excluded.done, "people": told.excluded.people}
    async with desk.engine.begin() as connection:
        await connection.execute(told.on_conflict_do_update(index_elements=[PROGRESS.c.simulation_id], set_=new))
