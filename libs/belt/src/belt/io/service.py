"""A service put together and run: `python -m SERVICE api | worker | all | migrate | rebuild`.

`api` answers HTTP, `worker` relays, consumes and ticks, `all` is both in one process for small machines. Shutdown is
bounded and in order: not ready any more, HTTP finished, timers and consumers stopped, the log carried out, closed.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from belt.core.decider import Step
from belt.io import driving
from belt.io.auth import Verifier
from belt.io.clock import Clock, DrivenClock, SystemClock
from belt.io.decision import Streams
from belt.io.desk import Desk
from belt.io.doorbell import Doorbell
from belt.io.doors import Doors
from belt.io.handle import Writer
from belt.io.http import Readiness, create_app, server
from belt.io.kafka import Brokers
from belt.io.keyset import KeySet
from belt.io.migrate import head, upgrade
from belt.io.projection import rebuild
from belt.io.public_log import backlog
from belt.io.relay import relay
from belt.io.seal import Vault
from belt.io.settings import Settings
from belt.io.telemetry import configure_logging
from belt.io.timers import Ticker
from conveyor_events import Envelope

log = structlog.get_logger()

ROLES = ("api", "worker", "all", "migrate", "rebuild")
REVISION = text("select version_num from alembic_version")
CLOCK = text("select at from clock")


@dataclass(frozen=True)
class Service:
    """What a service is made of. It listens to `topics` with one of two ears.

    react   pure: (public event, its envelope) -> steps
    take    (asyncpg connection in a transaction, envelopes): keeps them as they are
    """

    name: str
    package: str
    port: int
    streams: Streams
    routes: Callable[[Desk], Doors]
    topics: Sequence[str] = ()
    react: Callable[[Any, Any], Sequence[Step]] | None = None
    take: Callable[[Any, Sequence[Envelope]], Coroutine[Any, Any, None]] | None = None
    codes: Mapping[str, tuple[int, str]] = field(default_factory=dict)


@dataclass
class Running:
    """A service at work in this process."""

    desk: Desk
    ticker: Ticker
    app: FastAPI | None
    readiness: Readiness


def engine_for(settings: Settings) -> AsyncEngine:
    """For lists, timers and the feed: everything but the hot path."""
    return create_async_engine(
        settings.dsn.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=settings.pool,
        max_overflow=settings.pool,
        pool_pre_ping=True,
        pool_timeout=settings.database_deadline,
        connect_args={"timeout": settings.database_deadline, "command_timeout": settings.database_deadline},
    )


async def clock_for(settings: Settings, engine: AsyncEngine) -> Clock:
    """The system's clock, or a driven one that stands where it stood."""
    if settings.clock == "system":
        return SystemClock()
    async with engine.connect() as connection:
        at: datetime | None = (await connection.execute(CLOCK)).scalar()
    return DrivenClock(at or datetime(2000, 1, 1, tzinfo=UTC))


@asynccontextmanager
async def running(service: Service, settings: Settings, role: str = "all") -> AsyncIterator[Running]:
    """The parts of a service, started in order and stopped in the opposite one; each step is bounded."""
    async with AsyncExitStack() as stack:
        engine = engine_for(settings)
        stack.push_async_callback(engine.dispose)
        clock = await clock_for(settings, engine)
        wake = asyncio.Event()
        writer = Writer(
            settings.dsn,
            service.streams,
            Vault(settings.sealing_key),
            clock,
            f"/conveyor/{service.name}",
            limit=settings.batch,
            backlog=settings.backlog,
            deadline=settings.request_deadline,
            database_deadline=settings.database_deadline,
            wake=wake,
        )
        writer.start()
        stack.push_async_callback(writer.stop, settings.shutdown_deadline / 2)
        desk, ticker = Desk(writer, engine, clock, settings), Ticker(writer, engine, clock)
        brokers = Brokers(settings.brokers)
        if role == "api":
            bell = Doorbell(settings.dsn, wake)
            bell.start()
            stack.push_async_callback(bell.stop)
        else:
            carrier = relay(settings.dsn, brokers, name=service.name, wake=wake)
            carrier.start()
            stack.push_async_callback(carrier.stop, settings.shutdown_deadline / 2)
            stack.enter_context(_task(ticker.run(), "belt-ticker"))
        readiness = Readiness({"database": _migrated(service, engine)})
        app = _app(service, settings, desk, ticker, readiness) if role != "worker" else None
        yield Running(desk, ticker, app, readiness)


def _app(service: Service, settings: Settings, desk: Desk, ticker: Ticker, readiness: Readiness) -> FastAPI:
    verifier = Verifier(KeySet(settings.jwks), settings.issuer, settings.audience)

    async def progress() -> dict[str, Any]:
        async with desk.engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            carried = await backlog(raw)
        return {"published": carried.head, "relayed": carried.position, "taken_in": {}, "drained": carried.drained}

    return create_app(
        f"Conveyor: {service.name}",
        [service.routes(desk), driving.doors(desk, ticker, progress)],
        verifier,
        codes=service.codes,
        readiness=readiness,
        request_deadline=settings.request_deadline,
        in_flight=settings.in_flight,
        rate=settings.rate,
        burst=settings.burst,
        body_bytes=settings.body_bytes,
    )


def _migrated(service: Service, engine: AsyncEngine) -> Callable[[], Coroutine[Any, Any, None]]:
    """Ready means: the database answers and has the schema of this code. Kafka may be away."""
    wanted = head(service.package)

    async def check() -> None:
        async with engine.connect() as connection:
            has = (await connection.execute(REVISION)).scalar()
        if has != wanted:
            raise RuntimeError(f"the database is at revision {has}, this code needs {wanted}")

    return check


@contextmanager
def _task(work: Coroutine[Any, Any, None], name: str) -> Iterator[None]:
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()


class _Server(uvicorn.Server):
    """Signals are the service's business: it leaves in its own order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(service: Service, settings: Settings, role: str) -> None:
    """Runs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with running(service, settings, role) as parts:
        web: asyncio.Task[None] | None = None
        http: uvicorn.Server | None = None
        if parts.app is not None:
            plain = server(parts.app, host=settings.host, port=settings.port, shutdown=settings.shutdown_deadline / 2)
            http = _Server(plain.config)
            web = asyncio.create_task(http.serve(), name="belt-http")
        log.info("service.started", service=service.name, role=role, port=settings.port if http else None)
        waits = [asyncio.create_task(ended.wait()), *([web] if web is not None else [])]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        parts.readiness.drain()
        if http is not None and web is not None:
            http.should_exit = True
            await asyncio.wait([web], timeout=settings.shutdown_deadline)
            if web.done() and not web.cancelled() and web.exception() is not None and not ended.is_set():
                raise RuntimeError("the HTTP server ended") from web.exception()
    log.info("service.stopped", service=service.name)


def run(service: Service) -> None:
    """The command line of a service."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.package}", description=f"Conveyor: {service.name}")
    parser.add_argument("role", choices=ROLES)
    role: str = parser.parse_args().role
    try:
        settings = Settings.load(service.name, service.port)
    except ValueError as wrong:
        sys.exit(f"{service.name}: {wrong}")
    configure_logging(service.name, settings.log_level)
    uvloop.run(_run(service, settings, role))


async def _run(service: Service, settings: Settings, role: str) -> None:
    if role == "migrate":
        await upgrade(settings.dsn, service.package)
    elif role == "rebuild":
        for stream in service.streams.values():
            rows = await rebuild(settings.dsn, stream, Vault(settings.sealing_key))
            log.info("rebuild.done", stream=stream.category, rows=rows)
    else:
        await serve(service, settings, role)
