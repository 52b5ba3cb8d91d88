"""A service put together and run: `python -m SERVICE api | worker | all | migrate | rebuild | republish | verify |
retire-reads | forget-again`.

`api` answers HTTP, `worker` relays, consumes and ticks, `all` is both in one process for small machines. `rebuild`
makes the views anew, `republish --from POSITION` has the public log sent to Kafka again, `verify` walks its hash chain,
`retire-reads --days N` takes away rows of the audit log that are older,
`forget-again` is for a database that was restored: whom Kafka says to forget is forgotten once more.
Its parts are in running.py; how it begins and leaves, as every process of ours, in process.py.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import structlog
import uvloop
from sqlalchemy.exc import DBAPIError

from belt.core.decider import Step
from belt.io import process, tracing
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.intake.forgetting import forget_again
from belt.io.kafka.brokers import Brokers, Unreachable
from belt.io.kafka.republish import republish
from belt.io.process import begin, knock, migrate
from belt.io.running import engine_for, running
from belt.io.settings import Settings
from belt.io.store.audit import LEAST_DAYS, Audit
from belt.io.store.chain import verify
from belt.io.store.decision import Streams
from belt.io.store.grants import KEPT_CURRENT, STORE, Rights, Roles
from belt.io.store.projection import rebuild
from belt.io.store.seal import Vault
from belt.io.watching import Watched
from conveyor_events import Envelope
from conveyor_events.catalog import entry

log = structlog.get_logger()

LAST_SPANS = 2.0  # seconds to send what was traced
NOT_ALLOWED = "42501"  # PostgreSQL's code for a right that is missing
KEPT_DAYS = 1_095  # of the audit log, where nobody says otherwise: three years

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


async def serve(service: Service, settings: Settings, role: str) -> None:
    """Runs until SIGTERM or SIGINT; what was traced is sent at the very end."""
    tracing.begin(service.name, settings.trace_ratio, settings.otlp_endpoint)
    await process.serve(service.name, settings, role, running(service, settings, role))
    await tracing.end(LAST_SPANS)
    log.info("service.stopped", service=service.name)


def _told(stream: str, began: float, done: int, of: int) -> None:
    log.info("rebuild.progress", stream=stream, done=done, of=of, per_second=round(done / (monotonic() - began + 1e-9)))


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
    settings = begin(Settings, service.name, service.port, role)
    uvloop.run(_run(service, settings, role, given.start, given.days))


async def _run(service: Service, settings: Settings, role: str, start: int | None, days: int) -> None:
    await knock(service.name, settings, role)
    if role == "migrate":
        roles = Roles(settings.role_service, settings.role_relay, settings.role_reader)
        await migrate(service.name, service.package, settings.dsn, service.rights(), roles)
    elif role == "rebuild":
        for stream in service.streams.values():
            progress = partial(_told, stream.category, monotonic())
            rows = await rebuild(settings.dsn, stream, Vault(settings.sealing_key), told=progress)
            log.info("rebuild.done", stream=stream.category, rows=rows)
    elif role == "republish" and start is not None:
        log.info("republish.begun", start=start, records=await republish(settings.dsn, start))
    elif role == "retire-reads":
        await _retire(service, settings, days)
    elif role == "forget-again":
        await _forget(service, settings)
    elif role == "verify":
        await _verify(service, settings)
    else:
        await serve(service, settings, role)


async def _forget(service: Service, settings: Settings) -> None:
    topics = {entry(wire, 1).topic for wire in service.forgets}
    brokers = Brokers(settings.brokers, settings.kafka_access)
    try:
        told = await forget_again(settings.dsn, brokers, topics, service.forgets)
    except Unreachable as away:
        sys.exit(f"{service.name}: {away}")
    log.info("forget.done", told=told.told, keys_destroyed=told.back)


async def _retire(service: Service, settings: Settings, days: int) -> None:
    engine = engine_for(settings)
    try:
        told = await Audit(engine, settings.database_deadline).retire(days, getpass.getuser())
    except DBAPIError as refused:
        if getattr(refused.orig, "sqlstate", None) != NOT_ALLOWED:
            raise
        sys.exit(f"{service.name}: only the owner of the database may retire reads: give CONVEYOR_DSN as for `migrate`")
    finally:
        await engine.dispose()
    log.info("audit.retired", told=told or "nothing is that old")


async def _verify(service: Service, settings: Settings) -> None:
    broken = await verify(settings.dsn, lambda at, head: log.info("verify.walked", position=at, head=head))
    if broken is not None:
        log.error("verify.broken", service=service.name, after=broken.after, upto=broken.upto, why=broken.why)
        sys.exit(f"{service.name}: the public log was changed at {broken}")
    log.info("verify.ok", service=service.name)
