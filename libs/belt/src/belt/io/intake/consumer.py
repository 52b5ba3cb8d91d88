"""Reads topics as a member of a consumer group and hands what comes to an intake, a batch per partition.

The committed offset only saves work: what is new is decided in the database. So a rebalance, a crash or a second reader
repeats a few events and nothing more. Memory is bounded: a partition whose backlog is full is paused.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic, time

import structlog

from belt.io.intake.taking import Intake, Progress
from belt.io.kafka.brokers import Unreachable
from belt.io.kafka.reader import Garbled, Reader
from belt.io.kafka.records import Partition, Received
from belt.io.telemetry import CONSUMER_LAG_RECORDS, CONSUMER_LAG_SECONDS

log = structlog.get_logger()

POLL = 0.2
BACKLOG = 4  # batches that a partition may hold


@dataclass
class _Share:
    """A partition that is ours: what was read and is not taken in yet."""

    waiting: deque[Received] = field(default_factory=deque)
    batch: Sequence[Received] = ()
    progress: Progress = field(default_factory=Progress)
    work: asyncio.Task[None] | None = None

    @property
    def held(self) -> int:
        return len(self.waiting) + len(self.batch)

    @property
    def next(self) -> Received | None:
        """The first record that is not taken in."""
        return self.batch[0] if self.batch else self.waiting[0] if self.waiting else None


@dataclass(frozen=True)
class TakenIn:
    """How far this member is: per topic the records taken in, and whether that is all there is."""

    positions: dict[str, int]
    drained: bool


class Consumer:
    """One per process. `stuck` is called when a partition lags and nothing moves: it should end the process."""

    def __init__(
        self,
        reader: Callable[[], Reader],
        intake: Intake,
        stuck: Callable[[str], None],
        *,
        batch: int = 500,
        most: int = 10_000,
        commit_every: float = 0.5,
        watch_every: float = 5.0,
        stuck_after: float = 60.0,
        patience: float = 5.0,
    ) -> None:
        self._make, self._intake, self._stuck = reader, intake, stuck
        self._batch, self._most = batch, most
        self._commit_every, self._watch_every = commit_every, watch_every
        self._stuck_after, self._patience = stuck_after, patience
        self._reader: Reader | None = None
        self._shares: dict[Partition, _Share] = {}
        self._done: dict[Partition, int] = {}  # offsets to commit
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._topics: tuple[str, ...] = ()
        self._measured_at = monotonic()
        self._careful = False
        self.trouble: str | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self.run(), name="belt-consumer")

    async def stop(self, within: float = 10.0) -> None:
        """Finishes the batches in hand, commits and leaves the group; what takes longer is cut off and repeated."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=within)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(self) -> None:
        failures, now = 0, asyncio.get_running_loop().time
        while not self._stopping.is_set():
            started = now()
            try:
                await self._serve()
            except Exception as trouble:  # noqa: BLE001 (whatever it was: a new member, from the committed offsets)
                failures = failures + 1 if now() - started < self._stuck_after else 1
                self.trouble = _told(trouble)
                self._careful = isinstance(_within(trouble), Garbled)
                log.warning("consumer.left", trouble=self.trouble, failures=failures)
                self._tell_absence()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(0.1 * 2 ** min(failures, 10), self._patience)):
                        await self._stopping.wait()

    def partitions(self) -> set[Partition]:
        """What this member believes to own."""
        return self._reader.assigned() if self._reader is not None else set()

    def held(self) -> int:
        """How many records are in memory: read and not taken in."""
        return sum(share.held for share in self._shares.values())

    async def taken_in(self) -> TakenIn:
        """Asked of the broker now. Raises Unreachable."""
        reader = self._reader
        if reader is None:
            return TakenIn({}, drained=False)
        mine = reader.assigned()
        try:
            ends, read = await reader.end_offsets(mine), await reader.positions(mine)
        except Unreachable:
            if self._reader is reader:
                raise
            return TakenIn({}, drained=False)  # it left meanwhile, and will come again
        positions: dict[str, int] = {}
        drained = bool(mine)
        for partition in mine:
            share = self._shares.get(partition)
            first = share.next if share is not None else None
            position = read[partition] if first is None else first.offset
            positions[partition.topic] = positions.get(partition.topic, 0) + position
            drained = drained and position >= ends[partition]
        return TakenIn(positions, drained)

    # -- one membership ----------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        reader = self._make()
        self._topics, reader.careful = reader.topics, self._careful
        try:
            await reader.start()
            self._reader, self.trouble = reader, None
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(self._commit_now_and_then(reader)), group.create_task(self._watch(reader))]
                await self._poll(reader, group)
                await self._finish()
                for task in others:
                    task.cancel()
            await self._commit(reader)
        finally:
            self._reader = None
            self._shares.clear()
            self._done.clear()
            await reader.close()

    async def _poll(self, reader: Reader, group: asyncio.TaskGroup) -> None:
        full = self._batch * BACKLOG
        while not self._stopping.is_set():
            mine = reader.assigned()
            for partition in self._shares.keys() - mine:
                self._let_go(partition)
            busy = {partition for partition, share in self._shares.items() if share.held >= full}
            if self.held() >= self._most:
                busy = mine
            reader.pause(busy)
            reader.resume(mine - busy)
            wait = 0.01 if busy else POLL
            for partition, records in (await reader.getmany(mine - busy, wait, full)).items():
                share = self._shares.setdefault(partition, _Share())
                share.waiting.extend(records)
                if share.work is None or share.work.done():
                    share.progress.moved()
                    share.work = group.create_task(self._work(partition, share))

    async def _work(self, partition: Partition, share: _Share) -> None:
        while share.waiting and not self._stopping.is_set():
            share.batch = [share.waiting.popleft() for _ in range(min(self._batch, len(share.waiting)))]
            await self._intake.take(share.batch, share.progress)
            self._done[partition] = share.batch[-1].offset + 1
            share.batch = ()
            share.progress.moved()

    def _let_go(self, partition: Partition) -> None:
        """The partition went to another member, which begins at the committed offset; duplicates are its database's."""
        share = self._shares.pop(partition)
        self._done.pop(partition, None)
        if share.work is not None:
            share.work.cancel()

    async def _finish(self) -> None:
        works = [share.work for share in self._shares.values() if share.work is not None]
        if works:
            await asyncio.wait(works)

    async def _commit_now_and_then(self, reader: Reader) -> None:
        while True:
            await asyncio.sleep(self._commit_every)
            await self._commit(reader)

    async def _commit(self, reader: Reader) -> None:
        done, self._done = self._done, {}
        try:
            await reader.commit(done)
        except Unreachable as away:
            log.warning("consumer.not_committed", error=str(away))  # it only saves work

    # -- the watchdog ------------------------------------------------------------------------------------------

    async def _watch(self, reader: Reader) -> None:
        """Measures the lag and ends what does not move. A reader that cannot reach the broker is replaced."""
        away = 0
        while True:
            await asyncio.sleep(self._watch_every)
            try:
                mine = reader.assigned()
                ends, read = await reader.end_offsets(mine), await reader.positions(mine)
                away = 0
            except Unreachable:
                away += 1
                if away * self._watch_every >= self._stuck_after / 2:
                    raise
                continue
            self._measure({p: (ends[p], read[p]) for p in mine})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._stuck_after):
                    await self._intake.tidy()

    def _measure(self, offsets: dict[Partition, tuple[int, int]]) -> None:
        records: dict[str, int] = {}
        seconds: dict[str, float] = {}
        for partition, (end, read) in offsets.items():
            share = self._shares.setdefault(partition, _Share())
            first = share.next
            lag = end - (read if first is None else first.offset)
            still = monotonic() - share.progress.moved_at
            if lag <= 0:
                share.progress.moved()
            elif still > self._stuck_after and share.progress.waits_for is None:
                log.error("consumer.stuck", topic=partition.topic, partition=partition.number, lag=lag, seconds=still)
                self._stuck(
                    f"{partition.topic}/{partition.number}: {lag} records behind, nothing moved for {still:.0f} s"
                )
            age = (time() - first.at if first is not None else still) if lag > 0 else 0.0
            records[partition.topic] = records.get(partition.topic, 0) + max(lag, 0)
            seconds[partition.topic] = max(seconds.get(partition.topic, 0.0), age)
        for topic in self._topics:  # also one of which all partitions went to others
            CONSUMER_LAG_RECORDS.labels(topic).set(records.get(topic, 0))
            CONSUMER_LAG_SECONDS.labels(topic).set(seconds.get(topic, 0.0))
        self._measured_at = monotonic()

    def _tell_absence(self) -> None:
        """Whoever is no member takes nothing in: what waits may be as old as the last look at it."""
        for topic in self._topics:
            CONSUMER_LAG_SECONDS.labels(topic).set(monotonic() - self._measured_at)


def _within(trouble: BaseException) -> BaseException:
    """What went wrong, without the groups around it."""
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    return trouble


def _told(trouble: BaseException) -> str:
    """The same, in one line."""
    trouble = _within(trouble)
    return f"{type(trouble).__name__}: {trouble}"
