"""A process of ours, whatever it is made of: how it begins, sets up its database, serves, and leaves.

It leaves in order and in bounded time: not ready any more, HTTP finished, its parts stopped, closed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, contextmanager
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import asyncpg
import structlog
import uvicorn
from fastapi import FastAPI

from belt.io.http.app import server
from belt.io.settings import CARRIES, Settings, unfit
from belt.io.store.grants import Misnamed, Rights, Roles, grant
from belt.io.store.migrate import upgrade
from belt.io.telemetry import configure_logging

log = structlog.get_logger()

GRACE = 8.0  # beside the deadline of shutdown, until a process that does not end is cut off
CUT_OFF = 75  # its exit code
OLDEST_POSTGRES = 17  # the first with a limit on whole transactions, without which who stands still keeps its locks

Kind = TypeVar("Kind", bound=Settings)


class Parts(Protocol):
    """What serves, once all of it has started. `stuck` is set when nothing moves any more."""

    app: FastAPI | None
    stuck: asyncio.Event

    def leave(self) -> None:
        """From now on nobody is to come here; who is here is let go."""


class _Server(uvicorn.Server):
    """Signals are the process's business: it leaves in its own order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def begin(kind: type[Kind], name: str, port: int, role: str) -> Kind:
    """The settings, checked for what the role needs; whoever is unfit ends here and is told why."""
    try:
        settings = kind.load(name, port)
        settings.check_for(role)
    except ValueError as wrong:
        sys.exit(f"{name}: {unfit(wrong)}")
    configure_logging(name, settings.log_level)
    collect_seldom()
    return settings


async def knock(name: str, settings: Settings, role: str) -> None:
    """Before any work: whether the database lets us in. If not, the process ends here and says why, in one line.

    Only this one attempt is answered so briefly: what goes wrong later keeps its trace.
    """
    doors = {"CONVEYOR_DSN": settings.dsn}
    if settings.relay_dsn is not None and role in CARRIES:
        doors["CONVEYOR_RELAY_DSN"] = settings.relay_dsn
    for variable, dsn in doors.items():
        try:
            async with asyncio.timeout(settings.database_deadline):
                connection = await asyncpg.connect(dsn)
                version = connection.get_server_version()
                await connection.close()
        except TimeoutError:
            why = f"no answer within {settings.database_deadline:g} s"
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as refused:
            why = str(refused)
        else:
            if version.major >= OLDEST_POSTGRES:
                continue
            why = f"it is PostgreSQL {version.major}.{version.minor}, and {OLDEST_POSTGRES} or newer is needed"
        sys.exit(f"{name}: {variable}: the database{_at(dsn)} cannot be used: {why}")


def _at(dsn: str) -> str:
    """Where it is; nothing where an address without a user might be a password that was taken for a host."""
    parts = urlsplit(dsn)
    return f" at {parts.hostname}:{parts.port or 5432}" if "@" in parts.netloc and parts.hostname else ""


async def migrate(name: str, package: str, dsn: str, tables: Mapping[str, Rights], roles: Roles) -> None:
    """The tables of this code, and the rights of the roles that are named.

    Where none is named, whoever migrates does everything.
    """
    await upgrade(dsn, package)
    try:
        if roles.named():
            await grant(dsn, tables, roles)
            log.info("migrate.granted", roles=roles.named())
    except Misnamed as wrong:
        sys.exit(f"{name}: {wrong}")


async def serve(name: str, settings: Settings, role: str, running: AbstractAsyncContextManager[Parts]) -> None:
    """Runs until SIGTERM or SIGINT, or until nothing moves any more."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    port = settings.port if role != "worker" else settings.worker_port
    async with AsyncExitStack() as stack:
        held = stack.enter_context(bound(name, settings.host, port)) if port is not None else []
        parts = await stack.enter_async_context(running)
        web: asyncio.Task[None] | None = None
        http: uvicorn.Server | None = None
        if parts.app is not None:
            plain = server(parts.app, host=settings.host, port=port or 0, shutdown=settings.shutdown_deadline / 2)
            http = _Server(plain.config)
            web = asyncio.create_task(http.serve(held), name="belt-http")
        log.info("service.started", service=name, role=role, port=held[0].getsockname()[1] if held else None)
        waits = [asyncio.create_task(ended.wait()), asyncio.create_task(parts.stuck.wait())]
        waits += [web] if web is not None else []  # type: ignore[list-item]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        _last_resort(name, settings.shutdown_deadline + GRACE)
        parts.leave()
        if http is not None and web is not None:
            http.should_exit = True
            await asyncio.wait([web], timeout=settings.shutdown_deadline)
            if web.done() and not web.cancelled() and web.exception() is not None and not ended.is_set():
                raise RuntimeError("the HTTP server ended") from web.exception()
        if parts.stuck.is_set():
            sys.exit(f"{name}: nothing moved any more; start it again")


@contextmanager
def bound(name: str, host: str, port: int) -> Iterator[list[socket.socket]]:
    """The port, taken before anything is started; nobody is listened to yet. Who cannot have it ends here."""
    with ExitStack() as stack:
        held: list[socket.socket] = []
        try:
            found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, kind, protocol, _, place in dict.fromkeys(found):
                held.append(stack.enter_context(socket.socket(family, kind, protocol)))
                held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    held[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                held[-1].bind(place)
        except OSError as taken:
            sys.exit(f"{name}: it cannot listen at port {port} of {host}: {taken.strerror}")
        yield held


def collect_seldom() -> None:
    """What is there now stays; what comes is looked at less often.

    By default Python looks at all that lives whenever that has grown by a quarter: for a service that remembers tens of
    thousands of states that was four tenths of its time, and pauses of a fifth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _last_resort(name: str, within: float) -> None:
    """Whatever hangs: after so many seconds the process is gone. What was not finished is repeated by the next one."""

    def cut() -> None:
        log.error("service.cut_off", service=name, seconds=within)
        os._exit(CUT_OFF)

    timer = threading.Timer(within, cut)
    timer.daemon = True
    timer.start()
