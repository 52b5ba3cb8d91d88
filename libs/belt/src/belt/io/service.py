"""A service put together and run: `python -m SERVICE api | worker | all | migrate | rebuild | republish | verify |
retire-reads | forget-again`.

`api` answers HTTP, `worker` relays, consumes and ticks, `all` is both in one process for small machines. `rebuild`
makes the views anew, `republish --from POSITION` has the public log sent to Kafka again, `verify` walks its hash chain,
`retire-reads --days N` takes away rows of the audit log that are older,
`forget-again` is for a database that was restored: whom Kafka says to forget is forgotten once more.
Shutdown is bounded and in order: not ready any more, HTTP finished, timers and consumers stopped, the log carried out,
closed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import getpass
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import structlog
import uvicorn
import uvloop

from belt.core.decider import Step
from belt.io import tracing
from belt.io.http.app import server
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.intake.forgetting import forget_again
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.republish import republish
from belt.io.running import engine_for, running
from belt.io.settings import Settings, unfit
from belt.io.store.audit import LEAST_DAYS, Audit
from belt.io.store.chain import verify
from belt.io.store.decision import Streams
from belt.io.store.grants import KEPT_CURRENT, STORE, Misnamed, Rights, Roles, grant
from belt.io.store.migrate import upgrade
from belt.io.store.projection import rebuild
from belt.io.store.seal import Vault
from belt.io.telemetry import configure_logging
from belt.io.watching import Watched
from conveyor_events import Envelope
from conveyor_events.catalog import entry

log = structlog.get_logger()

GRACE = 8.0  # beside the deadline of shutdown, until a process that does not end is cut off
CUT_OFF = 75  # its exit code
LAST_SPANS = 2.0  # seconds to send what was traced
KEPT_DAYS = 1_095  # of the audit log, where nobody says otherwise: three years

CARRIES = ("worker", "all")  # what speaks to Kafka
ROLES = ("api", "worker", "all", "migrate", "rebuild", "republish", "verify", "retire-reads", "forget-again")


@dataclass(frozen=True)
class Service:
    """What a service is made of. It listens to `topics` with one of two ears.

    react   pure: (public event, its envelope) -> steps
    take    (asyncpg connection in a transaction, envelopes): keeps them as they are, answers how many were new

    `about` heads its OpenAPI document. `watched` is what it shows of its work.
    `forgets` names the public events (by wire type) whose key is somebody whose personal data is forgotten.
    `tables`: what the roles of the database may do with tables that are neither the store's nor a stream's view.
    `chores` run beside them in the worker until it ends: each is a loop of its own.
    """

    name: str
    package: str
    port: int
    streams: Streams
    routes: Callable[[Desk], Doors]
    topics: Sequence[str] = ()
    react: Callable[[Any, Any], Sequence[Step]] | None = None
    take: Callable[[Any, Sequence[Envelope]], Coroutine[Any, Any, int]] | None = None
    about: str = ""
    forgets: Sequence[str] = ()
    codes: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    tables: Mapping[str, Rights] = field(default_factory=dict)
    chores: Sequence[Callable[[Desk], Coroutine[Any, Any, None]]] = ()
    watched: Watched = Watched()

    def rights(self) -> dict[str, Rights]:
        """What the roles of the database may do, for every table of the service."""
        views = {stream.view.name: KEPT_CURRENT for stream in self.streams.values() if stream.view is not None}
        return STORE | views | dict(self.tables)


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
    tracing.begin(service.name, settings.trace_ratio, settings.otlp_endpoint)
    async with running(service, settings, role) as parts:
        web: asyncio.Task[None] | None = None
        http: uvicorn.Server | None = None
        if parts.app is not None:
            port = settings.port if role != "worker" else settings.worker_port or 0
            plain = server(parts.app, host=settings.host, port=port, shutdown=settings.shutdown_deadline / 2)
            http = _Server(plain.config)
            web = asyncio.create_task(http.serve(), name="belt-http")
        log.info("service.started", service=service.name, role=role, port=http.config.port if http else None)
        waits = [asyncio.create_task(ended.wait()), asyncio.create_task(parts.stuck.wait())]
        waits += [web] if web is not None else []  # type: ignore[list-item]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        _last_resort(service.name, settings.shutdown_deadline + GRACE)
        parts.readiness.drain()
        if http is not None and web is not None:
            http.should_exit = True
            await asyncio.wait([web], timeout=settings.shutdown_deadline)
            if web.done() and not web.cancelled() and web.exception() is not None and not ended.is_set():
                raise RuntimeError("the HTTP server ended") from web.exception()
        if parts.stuck.is_set():
            sys.exit(f"{service.name}: nothing moved any more; start it again")
    await tracing.end(LAST_SPANS)
    log.info("service.stopped", service=service.name)


def collect_seldom() -> None:
    """What is there now stays; what comes is looked at less often.

    By default Python looks at all that lives whenever that has grown by a quarter: for a service that remembers tens of
    thousands of states that was four tenths of its time, and pauses of a fifth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _told(stream: str, began: float, done: int, of: int) -> None:
    log.info("rebuild.progress", stream=stream, done=done, of=of, per_second=round(done / (monotonic() - began + 1e-9)))


def _last_resort(name: str, within: float) -> None:
    """Whatever hangs: after so many seconds the process is gone. What was not finished is repeated by the next one."""

    def cut() -> None:
        log.error("service.cut_off", service=name, seconds=within)
        os._exit(CUT_OFF)

    timer = threading.Timer(within, cut)
    timer.daemon = True
    timer.start()


def run(service: Service) -> None:
    """The command line of a service."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.package}", description=f"Conveyor: {service.name}")
    parser.add_argument("role", choices=ROLES)
    parser.add_argument(
        "--from", dest="start", type=int, metavar="POSITION", help="republish: the first position to send again"
    )
    parser.add_argument("--days", type=int, default=KEPT_DAYS, help=f"retire-reads: {LEAST_DAYS} or more")
    given = parser.parse_args()
    role: str = given.role
    if (role == "republish") != (given.start is not None) or (given.start is not None and given.start < 1):
        parser.error("republish needs --from POSITION (1 or more), and nothing else does")
    if given.days < LEAST_DAYS:
        parser.error(f"the audit log is kept for {LEAST_DAYS} days at least")
    try:
        settings = Settings.load(service.name, service.port)
        if role in CARRIES:
            settings.check_kafka()
    except ValueError as wrong:
        sys.exit(f"{service.name}: {unfit(wrong)}")
    configure_logging(service.name, settings.log_level)
    collect_seldom()
    uvloop.run(_run(service, settings, role, given.start, given.days))


async def _run(service: Service, settings: Settings, role: str, start: int | None, days: int) -> None:
    if role == "migrate":
        await upgrade(settings.dsn, service.package)
        await _grant(service, settings)
    elif role == "rebuild":
        for stream in service.streams.values():
            progress = partial(_told, stream.category, monotonic())
            rows = await rebuild(settings.dsn, stream, Vault(settings.sealing_key), told=progress)
            log.info("rebuild.done", stream=stream.category, rows=rows)
    elif role == "republish" and start is not None:
        log.info("republish.begun", start=start, records=await republish(settings.dsn, start))
    elif role == "retire-reads":
        await _retire(settings, days)
    elif role == "forget-again":
        topics = {entry(wire, 1).topic for wire in service.forgets}
        told = await forget_again(
            settings.dsn, Brokers(settings.brokers, settings.kafka_access), topics, service.forgets
        )
        log.info("forget.done", told=told.told, keys_destroyed=told.back)
    elif role == "verify":
        await _verify(service, settings)
    else:
        await serve(service, settings, role)


async def _grant(service: Service, settings: Settings) -> None:
    """The rights of the roles that are named; where none is, whoever migrates does everything."""
    roles = Roles(settings.role_service, settings.role_relay, settings.role_reader)
    try:
        if roles.named():
            await grant(settings.dsn, service.rights(), roles)
            log.info("migrate.granted", roles=roles.named())
    except Misnamed as wrong:
        sys.exit(f"{service.name}: {wrong}")


async def _retire(settings: Settings, days: int) -> None:
    engine = engine_for(settings)
    try:
        told = await Audit(engine, settings.database_deadline).retire(days, getpass.getuser())
    finally:
        await engine.dispose()
    log.info("audit.retired", told=told or "nothing is that old")


async def _verify(service: Service, settings: Settings) -> None:
    broken = await verify(settings.dsn, lambda at, head: log.info("verify.walked", position=at, head=head))
    if broken is not None:
        log.error("verify.broken", service=service.name, after=broken.after, upto=broken.upto, why=broken.why)
        sys.exit(f"{service.name}: the public log was changed at {broken}")
    log.info("verify.ok", service=service.name)
