"""The way of every command: decide on what is known, append. Concurrent commands of a process share one commit.

No timer: the writer takes all that waits (at most `limit`), one unit per stream, key and gate, and decides it while the
batch before is with the database; the rest goes next, and whatever shares a place with that batch. A unit that lost a
race is decided again on the new state; each unit is admitted whole or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
import structlog

from belt.core.decider import Refused, Step
from belt.core.replacing import replace
from belt.io import tracing
from belt.io.clock import Clock
from belt.io.deadlines import Deadlines
from belt.io.ids import fresh
from belt.io.store.calls import Full, Status, Unavailable
from belt.io.store.commit import Committer, Prepared
from belt.io.store.decision import Streams
from belt.io.store.seal import Vault
from belt.io.store.unit import Entry, Gate, Guard, Meta, Outcome, Reply, Unit
from belt.io.store.waiting import Waiting
from belt.io.telemetry import APPEND_RETRIES

log = structlog.get_logger()
T = TypeVar("T")

TRIES, PAUSE = 64, 0.005  # after so many tries without luck, so long before each further one
NO_META = Meta()
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
        cached: int = 10_000,
        deadline: float = 10.0,
        database_deadline: float = 5.0,
        wake: asyncio.Event | None = None,
        tick: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.streams, self.vault = streams, vault
        self.wake = wake or asyncio.Event()
        self._committer = Committer(dsn, streams, vault, clock, source, cached, database_deadline)
        self._limit, self._backlog = limit, backlog
        self._deadlines: Deadlines[Unit] = Deadlines(deadline, _late)
        self._waiting = Waiting()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._taken: dict[asyncio.Task[None], set[Any]] = {}  # batches on their way, and their places
        self._stored = asyncio.Event()  # the database has the last of them: the next may go
        self._stored.set()
        self._enough = 1  # how many must wait to be worth a batch: half of the one that is being appended
        self._deciding = self._storing = 0.0  # seconds that a unit took to prepare, and the last batch to be carried
        self._tick = tick  # the loop's own clock may stand still within a turn
        self._busy = False
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
        fired: tuple[str, str, datetime] | None = None,
        guard: Guard | None = None,
    ) -> Outcome:
        """Does the steps as one unit and answers when they are durable. `guard` looks first, at the same states.

        Raises Refused, Conflict (If-Match), Taken (a claim), Gap and Behind (a gate), Busy, Unavailable.
        """
        if self._stopping or len(self._waiting) >= self._backlog:
            raise Busy
        unit = Unit(
            steps=steps,
            key=key or INTERNAL + fresh(),
            internal=key is None,
            fingerprint=fingerprint,
            if_match=if_match,
            meta=meta or NO_META,
            gate=gate,
            reply=reply,
            fired=fired,
            future=asyncio.get_running_loop().create_future(),
            guard=guard,
        )
        if not tracing.recorded():
            return await self._answer(unit)
        with tracing.command(steps) as span:
            if span is not None:
                unit.span, unit.meta = span, replace(unit.meta, traceparent=tracing.written(span))
            try:
                return await self._answer(unit)
            except Refused as refused:
                tracing.refused(refused.code)
                raise

    async def _answer(self, unit: Unit) -> Outcome:
        self._waiting.put(unit)
        if len(self._waiting) >= self._enough:
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
                while self._waiting or self._busy or self._taken:
                    self._work.set()
                    await asyncio.sleep(0.01)
        tasks = [task for task in (self._task, *self._taken) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for unit in self._waiting:
            unit.fail(Unavailable("the service stops"))
        await self._committer.close()

    # -- the loop ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            if len(self._waiting) < self._enough:
                self._work.clear()
                await self._work.wait()
            batch = self._waiting.take(min(self._limit, self._share()), self._taken.values())
            if not batch:
                await self._settled()  # what waits shares a place with it, or nobody waits any more
                continue
            self._busy = True
            began = self._tick()
            prepared = await self._prepared(batch)
            self._deciding = (self._tick() - began) / len(batch)
            await self._stored.wait()  # batches are appended in the order in which they were decided
            if prepared is not None:
                self._send(prepared)
            self._busy = False
            await asyncio.sleep(0)  # it is with the database before the next one is decided

    def _share(self) -> int:
        """How many of those that wait to take: half, where no batch is on its way and deciding all would take a while.

        Callers who are answered together come again together. If all of them went at once every time, either the
        database or this process would always be idle. Two halves cost one commit more, which is no more than half of
        what storing takes, as a rule: where deciding takes longer than that, they are faster.
        """
        waiting = len(self._waiting)
        return (waiting + 1) // 2 if not self._taken and waiting * self._deciding > self._storing / 2 else waiting

    def _send(self, prepared: Prepared) -> None:
        self._stored.clear()
        self._enough = max(1, len(prepared.decisions) // 2)
        task = asyncio.create_task(self._carry(prepared), name="belt-append")
        task.add_done_callback(self._through)
        self._taken[task] = places = set[Any]()
        for decision in prepared.decisions:
            places |= decision.unit.places
            places.update(decision.after)

    async def _carry(self, prepared: Prepared) -> None:
        began = self._tick()
        await self._append(prepared, self._stored)
        self._storing = self._tick() - began

    def _through(self, task: asyncio.Task[None]) -> None:
        del self._taken[task]
        if not self._taken:
            self._stored.set()
            self._enough = 1
        self._work.set()

    async def _settled(self) -> None:
        """Waits until every batch that is on its way is through and its callers are answered."""
        await asyncio.gather(*self._taken, return_exceptions=True)

    async def _prepared(self, batch: list[Unit]) -> Prepared | None:
        async def prepare() -> Prepared | None:
            prepared = await self._committer.prepare(batch)
            self._waiting.back(prepared.later)
            return prepared if prepared.decisions else None

        return await self._or_alone(batch, prepare)

    async def _append(self, prepared: Prepared, stored: asyncio.Event | None = None) -> None:
        units = [decision.unit for decision in prepared.decisions]

        async def append() -> None:
            spans = [unit.span for unit in units if unit.span is not None]
            with tracing.merged("commit", spans, {"conveyor.units": len(units)}):
                statuses = await self._committer.append(prepared)
                if prepared.batch.published and Status.DONE in statuses:
                    self.wake.set()  # first of all: others do the work
                if stored is not None:
                    stored.set()
                    await asyncio.sleep(0)  # the next batch goes before the callers of this one come again
                lost = await self._committer.settle(prepared, statuses)
            self._again(lost)
            if any(unit.tries > TRIES for unit in lost):
                await asyncio.sleep(PAUSE)  # nobody else takes its places meanwhile

        await self._or_alone(units, append)

    async def _or_alone(self, units: list[Unit], work: Callable[[], Awaitable[T]]) -> T | None:
        """Does the work for the units; if one of them spoils it, each goes its own way."""
        try:
            return await work()
        except Full as full:
            log.warning("store.full", error=str(full), units=len(units))
            for unit in units:
                unit.fail(full)
        except Unavailable as lost:
            # What was sent may have been committed: each unit has a key, so it is safe to try again.
            log.warning("store.unavailable", error=str(lost), units=len(units))
            self._again(units)
            await asyncio.sleep(min(0.05 * 2 ** min(units[0].tries, 5), 1.0))
        except asyncpg.PostgresError as wrong:
            if len(units) == 1:
                self._lost(units[0], wrong)
            else:
                log.warning("store.batch_failed", error=str(wrong), units=len(units))
                await self._each_alone(units)
        except Exception as wrong:  # a fault of ours in one unit must not end the writer
            if len(units) == 1:
                log.exception("store.unit_failed", **units[0].told())
                units[0].fail(wrong)
            else:
                await self._each_alone(units)
        return None

    async def _each_alone(self, units: list[Unit]) -> None:
        for unit in units:
            if unit.future.done():
                continue  # it was told no, and must not be done all the same
            prepared = await self._prepared([unit])
            if prepared is not None:
                await self._append(prepared)

    def _lost(self, unit: Unit, wrong: asyncpg.PostgresError) -> None:
        if isinstance(wrong, asyncpg.UniqueViolationError) and unit.tries < TRIES:
            self._committer.states.forget(step.stream_id for step in unit.steps)
            self._again([unit])
        else:
            log.error("store.unit_refused_by_database", error=type(wrong).__name__, **unit.told())
            unit.fail(wrong)

    def _again(self, units: list[Unit]) -> None:
        for unit in reversed(units):
            unit.tries += 1
            APPEND_RETRIES.inc()
            unit.internal = False  # the last try may have been committed
            if not unit.future.done():  # until its deadline
                self._waiting.back([unit])
        self._work.set()
