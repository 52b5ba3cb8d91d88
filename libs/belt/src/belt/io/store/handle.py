"""The way of every command: load, decide, append. Concurrent commands of a process share one commit.

No timer: when the last commit returns, the writer takes all that waits (at most `limit`), one unit per stream, key and
gate; the rest goes next. A unit that lost a race is decided again on the new state; each unit is admitted whole or not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import asyncpg
import structlog

from belt.core.decider import Refused, Step
from belt.io import tracing
from belt.io.clock import Clock
from belt.io.deadlines import Deadlines
from belt.io.ids import fresh
from belt.io.store.calls import Full, Unavailable
from belt.io.store.commit import Committer
from belt.io.store.decision import Streams
from belt.io.store.seal import Vault
from belt.io.store.unit import Entry, Gate, Guard, Meta, Outcome, Reply, Unit
from belt.io.telemetry import APPEND_RETRIES, WAITING_COMMANDS

log = structlog.get_logger()

SCAN = 4_096  # how far into a long queue one batch looks
TRIES = 64
INTERNAL = "~"  # keys of ours need to outlive a retry only, so they can be told from callers' and swept


class Busy(Exception):
    """More commands wait than the writer will hold. Nothing was done; come again later."""


def _late(unit: Unit) -> None:
    unit.fail(Unavailable("it was not done in time"))


class Writer:
    """One per process. `handle` may be called from any number of tasks."""

    def __init__(
        self,
        dsn: str,
        streams: Streams,
        vault: Vault,
        clock: Clock,
        source: str,
        *,
        limit: int = 512,
        backlog: int = 20_000,
        cached: int = 50_000,
        deadline: float = 10.0,
        database_deadline: float = 5.0,
        wake: asyncio.Event | None = None,
    ) -> None:
        self.streams, self.vault = streams, vault
        self.wake = wake or asyncio.Event()
        self._committer = Committer(dsn, streams, vault, clock, source, cached, database_deadline)
        self._limit, self._backlog = limit, backlog
        self._deadlines: Deadlines[Unit] = Deadlines(deadline, _late)
        self._queue: deque[Unit] = deque()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def commits(self) -> int:
        """Transactions so far."""
        return self._committer.commits

    # -- callers -----------------------------------------------------------------------------------------------

    async def handle(
        self,
        *steps: Step,
        key: str | None = None,
        fingerprint: bytes | None = None,
        if_match: int | None = None,
        meta: Meta | None = None,
        gate: Gate | None = None,
        reply: Callable[[Outcome], Reply] | None = None,
        fired: tuple[str, str] | None = None,
        guard: Guard | None = None,
    ) -> Outcome:
        """Does the steps as one unit and answers when they are durable. `guard` looks first, at the same states.

        Raises Refused, Conflict (If-Match), Taken (a claim), Gap and Behind (a gate), Busy, Unavailable.
        """
        if self._stopping or len(self._queue) >= self._backlog:
            raise Busy
        unit = Unit(
            steps=steps,
            key=key or INTERNAL + fresh(),
            internal=key is None,
            fingerprint=fingerprint,
            if_match=if_match,
            meta=meta or Meta(),
            gate=gate,
            reply=reply,
            fired=fired,
            future=asyncio.get_running_loop().create_future(),
            guard=guard,
        )
        with tracing.command(steps) as span:
            if span is not None:
                unit.span, unit.meta = span, replace(unit.meta, traceparent=tracing.written(span))
            return await self._done(unit)

    async def _done(self, unit: Unit) -> Outcome:
        try:
            return await self._answer(unit)
        except Refused as refused:
            tracing.refused(refused.code)
            raise

    async def _answer(self, unit: Unit) -> Outcome:
        self._queue.append(unit)
        self._work.set()
        wait = self._deadlines.begin(unit)
        try:
            return await unit.future
        finally:
            wait.end()

    async def read(self, name: str, key: str) -> Entry:
        """A stream as it stands now (version 0 and the initial state if there is none)."""
        return (await self.read_many([f"{name}-{key}"]))[f"{name}-{key}"]

    async def read_many(self, stream_ids: list[str]) -> dict[str, Entry]:
        unit = Unit((), fresh(), True, None, None, Meta(), None, None, None, asyncio.get_running_loop().create_future())
        unit.also = set(stream_ids)
        return dict((await self._answer(unit)).entries)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="belt-writer")

    async def stop(self, within: float = 10.0) -> None:
        """Finishes what waits, at most `within` seconds, then closes."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._queue:
                    self._work.set()
                    await asyncio.sleep(0.01)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for unit in self._queue:
            unit.fail(Unavailable("the service stops"))
        await self._committer.close()

    # -- the loop ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            batch = self._take()
            if not self._queue:
                self._work.clear()
            if batch:
                await self._serve(batch)

    def _take(self) -> list[Unit]:
        """The longest-waiting units of which no two share a place. A unit never overtakes one that shares its place."""
        batch: list[Unit] = []
        busy: set[Any] = set()
        later: list[Unit] = []
        for _ in range(min(len(self._queue), SCAN)):
            if len(batch) >= self._limit:
                break
            unit = self._queue.popleft()
            if unit.future.done():
                continue
            places = unit.places
            if busy.isdisjoint(places):
                batch.append(unit)
            else:
                later.append(unit)
            busy |= places
        self._queue.extendleft(reversed(later))
        WAITING_COMMANDS.set(len(self._queue))
        return batch

    async def _serve(self, batch: list[Unit]) -> None:
        try:
            spans = [unit.span for unit in batch if unit.span is not None]
            with tracing.merged("commit", spans, {"conveyor.units": len(batch)}):
                left = await self._committer.commit(batch)
            self._queue.extendleft(reversed(left.later))
            self._again(left.lost)
            if self._queue:
                self._work.set()
            if left.told:
                self.wake.set()
        except Full as full:
            log.warning("store.full", error=str(full), units=len(batch))
            for unit in batch:
                unit.fail(full)
        except Unavailable as lost:
            # What was sent may have been committed: each unit has a key, so it is safe to try again.
            log.warning("store.unavailable", error=str(lost), units=len(batch))
            self._again(batch)
            await asyncio.sleep(min(0.05 * 2 ** min(batch[0].tries, 5), 1.0))
        except asyncpg.PostgresError as wrong:
            if len(batch) == 1:
                self._lost(batch[0], wrong)
                return
            log.warning("store.batch_failed", error=str(wrong), units=len(batch))
            for unit in batch:
                await self._serve([unit])
        except Exception as wrong:  # a fault of ours in one unit must not end the writer
            if len(batch) == 1:
                log.exception("store.unit_failed", **batch[0].told())
                batch[0].fail(wrong)
                return
            for unit in batch:
                await self._serve([unit])

    def _lost(self, unit: Unit, wrong: asyncpg.PostgresError) -> None:
        if isinstance(wrong, asyncpg.UniqueViolationError) and unit.tries < TRIES:
            self._committer.forget(step.stream_id for step in unit.steps)
            self._again([unit])
        else:
            log.error("store.unit_refused_by_database", error=type(wrong).__name__, **unit.told())
            unit.fail(wrong)

    def _again(self, units: list[Unit]) -> None:
        for unit in reversed(units):
            unit.tries += 1
            APPEND_RETRIES.inc()
            unit.internal = False  # the last try may have been committed
            if unit.future.done():
                continue
            if unit.tries > TRIES:
                unit.fail(Busy())
            else:
                self._queue.appendleft(unit)
        self._work.set()
