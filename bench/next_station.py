"""The next station in a process of its own: conversion's consumer and writer, which know when each client came by.

    python -m bench.next_station DSN BROKERS

Its parts are the real ones, put together as its worker has them. What it saw is asked over a pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvloop

from belt.core.decider import Step
from belt.io.clock import SystemClock
from belt.io.intake.consumer import Consumer
from belt.io.intake.parking import Parking
from belt.io.intake.reactions import Reactions
from belt.io.intake.taking import Progress
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.reader import Reader
from belt.io.kafka.records import Received
from belt.io.store.handle import Writer
from belt.io.store.migrate import upgrade
from belt.io.store.seal import Vault
from belt.io.store.unit import Outcome
from belt.io.telemetry import configure_logging
from bench.line import KEY, LEADS, now
from conversion import offer
from conversion.main import SERVICE as NEXT
from conveyor_local import Stack


class Following(Writer):
    """The writer of the second station; knows when each client's offer was committed."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.committed: dict[str, int] = {}

    async def handle(self, *steps: Step, **named: Any) -> Outcome:
        outcome = await super().handle(*steps, **named)
        for step in steps:
            if isinstance(step.command, offer.ReceiveLead) and not outcome.replayed:
                self.committed[step.command.lead.client] = now()
        return outcome


class Noting(Reactions):
    """The real intake; knows when it was given each client's record."""

    received: dict[str, int]

    async def take(self, records: Sequence[Received], progress: Progress) -> None:
        at = now()
        for record in records:
            self.received[(record.key or b"").decode()] = at
        await super().take(records, progress)


class NextStation:
    """Asked over a pipe: what it saw since it was asked last."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def _ask(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"tell\n")
        found: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return found

    async def quiet(self, within: float = 120.0) -> None:
        """Nothing comes any more."""
        async with asyncio.timeout(within):
            calm = 0
            while calm < 5:
                calm = 0 if (await self._ask())["received"] else calm + 1
                await asyncio.sleep(0.2)

    async def saw(self, wanted: set[str], within: float = 60.0) -> tuple[dict[str, int], dict[str, int]]:
        """When it received the record of each of these clients, and when it committed what follows."""
        received, committed = dict[str, int](), dict[str, int]()
        async with asyncio.timeout(within):
            while wanted - committed.keys():
                await asyncio.sleep(0.05)
                told = await self._ask()
                received |= told["received"]
                committed |= told["committed"]
        return received, committed


@asynccontextmanager
async def next_station(stack: Stack) -> AsyncIterator[NextStation]:
    dsn = await stack.create_database("conversion")
    await upgrade(dsn, NEXT.package)
    command = (sys.executable, "-m", "bench.next_station", dsn, stack.brokers)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=64 * 1024 * 1024)
    try:
        yield NextStation(process)
    finally:
        await ended(process)


@asynccontextmanager
async def worker(package: str, environment: dict[str, str]) -> AsyncIterator[None]:
    """The real worker of a service."""
    quiet = environment | {"CONVEYOR_LOG_LEVEL": "WARNING"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", package, "worker", env=quiet)
    try:
        yield
    finally:
        await ended(process)


async def ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    await asyncio.wait_for(process.wait(), 30.0)


async def parts(dsn: str, servers: str, topics: Sequence[str], group: str) -> tuple[Following, Noting, Consumer]:
    """Writer, intake and consumer, at work."""
    writer = Following(dsn, NEXT.streams, Vault(KEY), SystemClock(), f"/conveyor/{NEXT.name}")
    writer.start()
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=8)

    async def nowhere(*_: Any) -> Any:
        raise RuntimeError("nothing is missing here")

    assert NEXT.react is not None
    intake = Noting(writer, NEXT.react, Parking(NEXT.name, pool), nowhere)
    intake.received = {}
    brokers = Brokers(servers)
    consumer = Consumer(lambda: Reader(brokers, group, topics), intake, sys.exit)
    consumer.start()
    return writer, intake, consumer


async def listen(dsn: str, servers: str) -> None:
    """The consumer of conversion with its writer, as its worker has them."""
    writer, intake, consumer = await parts(dsn, servers, [LEADS, "conveyor.staff.v1"], NEXT.name)
    asked = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    while await asked.readline():
        print(json.dumps({"received": intake.received, "committed": writer.committed}), flush=True)
        intake.received, writer.committed = {}, {}
    await consumer.stop()
    await writer.stop()


if __name__ == "__main__":
    configure_logging("bench", "ERROR", to=sys.stderr)
    uvloop.run(listen(*sys.argv[1:]))
