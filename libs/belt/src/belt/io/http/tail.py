"""The end of the public log, read once for all streams of a process, and the streams that follow it.

While somebody follows, one task asks the database for what is new. Its newest events lie here as they are sent, a few
megabytes of them; a stream that is further behind reads pages of its own, two streams at a time. A stream holds little
between two sends, never a connection of the database, and never a place among the requests in flight.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from belt.core.decider import Refused
from belt.io.intake.taking import OUT_OF_REACH
from belt.io.store.public_log import Filter, Pool, read
from belt.io.telemetry import FEED_READS, STREAMS_OPEN

log = structlog.get_logger()

POLL = 0.25
AGAIN = 1.0  # after the database was out of reach
KEPT_BYTES = 4 * 1024 * 1024
PAGE_BYTES = 128 * 1024
PAGE_ROWS = 200
CATCHING_UP = 2
HEAD = "select position from log_head"
EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as it is sent, and what streams choose by."""

    position: int
    topic: str
    key: str
    sequence: int
    sent: bytes

    def wanted(self, by: Filter) -> bool:
        if self.topic in by.hidden or by.topic not in (None, self.topic):
            return False
        return by.key is None or (by.key == self.key and self.sequence > by.after_sequence)


@dataclass(frozen=True)
class Limits:
    """How many streams one process serves, and how many one subject may have of them."""

    streams: int = 128
    of_subject: int = 16


class Tail:
    """One per process. `framed`: a row of the public log as it is sent to a stream."""

    def __init__(self, pool: Pool, framed: Callable[[Any], bytes], limits: Limits, *, poll: float = POLL) -> None:
        self._pool, self._framed, self._limits, self._poll = pool, framed, limits, poll
        self._by: Counter[str] = Counter()
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._floor = self._head = -1  # what lies between is in `_frames`; -1: not known yet
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pages = asyncio.Semaphore(CATCHING_UP)

    def seat(self, subject: str) -> None:
        """Takes a place for a stream, or refuses. Whoever got one gives it back with `leave`."""
        if self._by[subject] >= self._limits.of_subject:
            raise Refused("too-many-streams", most=self._limits.of_subject)
        if self._by.total() >= self._limits.streams:
            raise Refused("streams-full")
        self._by[subject] += 1
        STREAMS_OPEN.set(self._by.total())
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="belt-tail")

    def leave(self, subject: str) -> None:
        """Gives the place back. With the last one the tail rests and forgets."""
        self._by[subject] -= 1
        self._by += Counter()  # who has none left is forgotten
        STREAMS_OPEN.set(self._by.total())
        if not self._by and self._task is not None:
            self._task.cancel()
            self._task = None
            self._frames.clear()
            self._bytes, self._floor, self._head = 0, -1, -1

    async def after(self, position: int, wanted: Filter) -> tuple[Sequence[Frame], int]:
        """Some frames above a position, and the position up to which there is nothing else for this filter."""
        head = self._head
        if 0 <= self._floor <= position:
            return self._kept(position, wanted)
        FEED_READS.labels("stream").inc()
        async with self._pages:
            rows = await read(self._pool, position, PAGE_ROWS, wanted, most_bytes=PAGE_BYTES)
        frames = [self._frame(row) for row in rows]
        return frames, frames[-1].position if frames else max(position, head)

    def _kept(self, position: int, wanted: Filter) -> tuple[Sequence[Frame], int]:
        found: list[Frame] = []
        size = 0
        for frame in self._frames:
            if frame.position <= position:
                continue
            if size >= PAGE_BYTES:
                break
            position = frame.position
            if frame.wanted(wanted):
                found.append(frame)
                size += len(frame.sent)
        else:
            position = max(position, self._head)
        return found, position

    async def news(self, position: int, within: float) -> None:
        """Returns when there is something above the position, or the time is over."""
        if self._head > position:
            return
        try:
            async with asyncio.timeout(within):
                await self._news.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        """Lets all streams look around."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _watch(self) -> None:
        while True:
            try:
                if self._head < 0:
                    self._floor = self._head = await self._pool.fetchval(HEAD, timeout=5.0)
                    self.wake()
                FEED_READS.labels("tail").inc()
                rows = await read(self._pool, self._head, PAGE_ROWS, EVERYTHING)
            except OUT_OF_REACH as away:
                log.warning("feed.tail_waits", error=f"{type(away).__name__}: {away}")
                await asyncio.sleep(AGAIN)
                continue
            if rows:
                self._keep([self._frame(row) for row in rows])
            else:
                await asyncio.sleep(self._poll)

    def _keep(self, frames: Sequence[Frame]) -> None:
        self._frames.extend(frames)
        self._bytes += sum(len(frame.sent) for frame in frames)
        self._head = frames[-1].position
        while self._bytes > KEPT_BYTES:
            gone = self._frames.popleft()
            self._bytes -= len(gone.sent)
            self._floor = gone.position
        self.wake()

    def _frame(self, row: Any) -> Frame:
        return Frame(row["position"], row["topic"], row["key"], row["sequence"], self._framed(row))


class Pages:
    """Pages of the feed that are being read and sent: so many at once, and so many of one subject."""

    def __init__(self, at_once: int = 8, of_subject: int = 4, within: float = 5.0) -> None:
        self._free, self._of_subject, self._within = asyncio.Semaphore(at_once), of_subject, within
        self._by: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, subject: str) -> AsyncIterator[None]:
        """Waits for a turn, not for ever; refuses who has too many pages under way."""
        if self._by[subject] >= self._of_subject:
            raise Refused("too-many-streams", most=self._of_subject)
        self._by[subject] += 1
        try:
            try:
                async with asyncio.timeout(self._within):
                    await self._free.acquire()
            except TimeoutError:
                raise Refused("overloaded") from None
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._by[subject] -= 1
            self._by += Counter()
