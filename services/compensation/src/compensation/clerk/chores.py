"""The clerk: what the worker of compensation does by itself. Finds conflicts, and closes months when they can be."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from belt.core.decider import Step
from belt.io.http.desk import Desk
from belt.io.intake.taking import OUT_OF_REACH
from belt.io.intake.watermark import Publishers
from compensation.clerk.books import Books, of
from compensation.clerk.cases import Cases, cases_of
from compensation.clerk.closing import close
from compensation.conflict import Case
from compensation.office import resolution

log = structlog.get_logger()

EVERY = 0.5
PATIENCE = 5.0
AT_ONCE = 100


async def clerk(desk: Desk) -> None:
    """Until cancelled. What is out of reach is tried again; what goes wrong is told and tried again, more slowly."""
    books, loop = of(desk), asyncio.get_running_loop()
    publishers = Publishers(desk.settings.publishers, desk.settings.feed_token)
    look = partial(detect, desk, books, cases_of(desk), dict[str, Case]())
    while True:
        pause, began = EVERY, loop.time()
        try:
            await look()
            await close(desk, books, publishers, look)
            pause = max(
                EVERY, loop.time() - began
            )  # a close that waits is tried again and again: half the time at most
        except OUT_OF_REACH as away:
            log.warning("clerk.waits", error=f"{type(away).__name__}: {away}")
            pause = PATIENCE
        except Exception as wrong:
            log.exception("clerk.failed", error=str(wrong))
            pause = PATIENCE
        await asyncio.sleep(pause)


async def detect(desk: Desk, books: Books, cases: Cases, known: dict[str, Case]) -> None:
    """Records the cases that are new, or have grown. `known` are those that were recorded already."""
    found = await cases.all()
    looked, fresh = cases.looked or 0, [case for case in found if known.get(case.case_id) != case]
    for start in range(0, len(fresh), AT_ONCE):
        some = fresh[start : start + AT_ONCE]
        await desk.writer.handle(*[await detected(desk, books, case) for case in some])
        known |= {case.case_id: case for case in some}
    await cases.record(looked)


async def detected(desk: Desk, books: Books, case: Case) -> Step:
    """The command that records a case."""
    since = max(envelope.recorded_at for envelope in (await books.told(case.events)).values())
    return Step(resolution.CATEGORY, case.case_id, resolution.Detect(case, since, desk.clock.now()))
