"""The composition root: `python -m board api | worker | all | migrate | rebuild | redrive`.

`api` shows pages, `worker` reads the topics into the board's own database, `all` is both. `rebuild` makes the picture
anew from the events kept; `redrive` tries again what could not be taken in. It is no service: it has no streams and
tells nobody anything, so of the belt it uses the intake and the frame of a process, and no writer and no relay.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import structlog
import uvicorn
import uvloop

from belt.io.http.app import server
from belt.io.settings import unfit
from belt.io.store.grants import APPEND_ONLY, PASSING, STORE, Misnamed, Roles, grant
from belt.io.store.migrate import upgrade
from belt.io.telemetry import configure_logging
from board import projection
from board.running import CARRIES, NAME, running
from board.settings import BoardSettings

log = structlog.get_logger()

PORT = 8080
ROLES = ("api", "worker", "all", "migrate", "rebuild", "redrive")
TABLES = STORE | {"happened": APPEND_ONLY, "things": PASSING, "sessions": PASSING}
REDRIVEN_AT_ONCE = 200


class _Server(uvicorn.Server):
    """Signals are the board's business: it leaves in its own order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run() -> None:
    """The command line of the board."""
    parser = argparse.ArgumentParser(prog="python -m board", description="Conveyor: the board")
    parser.add_argument("role", choices=ROLES)
    role: str = parser.parse_args().role
    try:
        settings = BoardSettings.load(NAME, PORT)
        if role in CARRIES:
            settings.check_kafka()
    except ValueError as wrong:
        sys.exit(f"{NAME}: {unfit(wrong)}")
    configure_logging(NAME, settings.log_level)
    uvloop.run(_run(settings, role))


async def _run(settings: BoardSettings, role: str) -> None:
    match role:
        case "migrate":
            await migrate(settings)
        case "rebuild":
            connection = await asyncpg.connect(settings.dsn, timeout=settings.database_deadline)
            try:
                log.info("rebuild.done", clients=await projection.rebuild(connection))
            finally:
                await connection.close(timeout=settings.database_deadline)
        case "redrive":
            await redrive(settings)
        case _:
            await serve(settings, role)


async def migrate(settings: BoardSettings) -> None:
    """The tables of this code, and the rights of the roles that are named."""
    await upgrade(settings.dsn, NAME)
    roles = Roles(settings.role_service, None, settings.role_reader)
    try:
        if roles.named():
            await grant(settings.dsn, TABLES, roles)
            log.info("migrate.granted", roles=roles.named())
    except Misnamed as wrong:
        sys.exit(f"{NAME}: {wrong}")


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


async def serve(settings: BoardSettings, role: str) -> None:
    """Runs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with running(settings, role) as parts:
        web: asyncio.Task[None] | None = None
        http: uvicorn.Server | None = None
        if parts.app is not None:
            port = settings.port if role != "worker" else settings.worker_port or 0
            plain = server(parts.app, host=settings.host, port=port, shutdown=settings.shutdown_deadline / 2)
            http = _Server(plain.config)
            web = asyncio.create_task(http.serve(), name="board-http")
        log.info("board.started", role=role, port=http.config.port if http else None)
        waits = [asyncio.create_task(ended.wait()), asyncio.create_task(parts.stuck.wait())]
        waits += [web] if web is not None else []  # type: ignore[list-item]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        parts.leave()
        if http is not None and web is not None:
            http.should_exit = True
            await asyncio.wait([web], timeout=settings.shutdown_deadline)
        if parts.stuck.is_set():
            sys.exit(f"{NAME}: nothing moved any more; start it again")
    log.info("board.stopped")
