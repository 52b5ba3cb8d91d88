"""The composition root: `python -m board api | worker | all | migrate | rebuild | redrive`.

`api` shows pages, `worker` reads the topics into the board's own database, `all` is both. `rebuild` makes the picture
anew from the events kept; `redrive` tries again what could not be taken in. It is no service: it has no streams and
tells nobody anything, so of the belt it uses the intake and the frame of a process, and no writer and no relay.
"""

from __future__ import annotations

import argparse

import asyncpg
import structlog
import uvloop

from belt.io.process import begin, knock, migrate, serve
from belt.io.store.grants import APPEND_ONLY, PASSING, STORE, Roles
from board import projection
from board.running import NAME, running
from board.settings import BoardSettings

log = structlog.get_logger()

PORT = 8080
ROLES = ("api", "worker", "all", "migrate", "rebuild", "redrive")
TABLES = STORE | {"happened": APPEND_ONLY, "things": PASSING, "sessions": PASSING}
REDRIVEN_AT_ONCE = 200


def run() -> None:
    """The command line of the board."""
    parser = argparse.ArgumentParser(prog="python -m board", description="Conveyor: the board")
    parser.add_argument("role", choices=ROLES)
    role: str = parser.parse_args().role
    settings = begin(BoardSettings, NAME, PORT, role)
    uvloop.run(_run(settings, role))


async def _run(settings: BoardSettings, role: str) -> None:
    await knock(NAME, settings, role)
    match role:
        case "migrate":
            await migrate(NAME, NAME, settings.dsn, TABLES, Roles(settings.role_service, None, settings.role_reader))
        case "rebuild":
            connection = await asyncpg.connect(settings.dsn, timeout=settings.database_deadline)
            try:
                log.info("rebuild.done", clients=await projection.rebuild(connection))
            finally:
                await connection.close(timeout=settings.database_deadline)
        case "redrive":
            await redrive(settings)
        case _:
            await serve(NAME, settings, role, running(settings, role))
            log.info("service.stopped", service=NAME)


async def redrive(settings: BoardSettings) -> None:
    """Tries every parked event again, some hundred at a time."""
    async with running(settings, "redrive") as parts:
        last, handled = 0, 0
        while parked := await parts.parking.listed(last, REDRIVEN_AT_ONCE):
            for one in parked:
                done = await parts.facts.redrive(one.id)
                handled += done.handled if done is not None else 0
            last = parked[-1].id
        log.info("redrive.done", handled=handled, still_parked=await parts.parking.count())
