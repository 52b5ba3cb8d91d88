"""A process of ours, whatever it is made of: how it begins, sets up its database, serves, and leaves.

It leaves in order and in bounded time: not ready any more, HTTP finished, its parts stopped, closed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Protocol, TypeVar

import structlog
import uvicorn
from fastapi import FastAPI

from belt.io.http.app import server
from belt.io.settings import Settings, unfit
from belt.io.store.grants import Misnamed, Rights, Roles, grant
from belt.io.store.migrate import upgrade
from belt.io.telemetry import configure_logging

log = structlog.get_logger()

GRACE = 8.0  # beside the deadline of shutdown, until a process that does not end is cut off
CUT_OFF = 75  # its exit code

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


def begin(kind: type[Kind], name: str, port: int, *, carries: bool) -> Kind:
    """The settings, checked (for Kafka too, if it `carries`); whoever is unfit ends here and is told why."""
    try:
        settings = kind.load(name, port)
        if carries:
            settings.check_kafka()
    except ValueError as wrong:
        sys.exit(f"{name}: {unfit(wrong)}")
    configure_logging(name, settings.log_level)
    collect_seldom()
    return settings


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
    async with running as parts:
        web: asyncio.Task[None] | None = None
        http: uvicorn.Server | None = None
        if parts.app is not None:
            port = settings.port if role != "worker" else settings.worker_port or 0
            plain = server(parts.app, host=settings.host, port=port, shutdown=settings.shutdown_deadline / 2)
            http = _Server(plain.config)
            web = asyncio.create_task(http.serve(), name="belt-http")
        log.info("service.started", service=name, role=role, port=http.config.port if http else None)
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
