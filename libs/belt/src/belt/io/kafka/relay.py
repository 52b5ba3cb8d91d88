"""Carries the public log to Kafka: one leader per service, in order, at least once.

The checkpoint moves by compare-and-set after every record of a batch is acknowledged. So a crash, a restart or a second
leader that does not know yet that it lost its place can only repeat records, in their order; none is lost or overtaken.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
import structlog
from opentelemetry.trace import SpanKind

from belt.core.replacing import replace
from belt.io import tracing
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.course import Course, SteppedDown
from belt.io.kafka.doorbell import CHANNEL
from belt.io.kafka.records import Outgoing
from belt.io.kafka.sender import Load, Sender
from belt.io.store.calls import PLANS
from belt.io.store.engines import KEEPALIVES
from belt.io.store.public_log import RELAY, Backlog, Connection, attributes
from belt.io.telemetry import (
    PUBLISHED_POSITION,
    RELAY_ACTIVE,
    RELAY_RESTARTS,
    RELAYED_POSITION,
    RELAYED_RECORDS,
    UNPUBLISHED_RECORDS,
    UNPUBLISHED_SECONDS,
)
from conveyor_events.envelope import ATTRIBUTES

log = structlog.get_logger()

T = TypeVar("T")
MEASURE_EVERY = 1.0
YIELDS = 8  # steps in which a producer sends what it is given
LEADER = 4712  # the store's own lock is 4711
JSON = ("content-type", b"application/json")


@dataclass(frozen=True)
class RelayStatus:
    """What this process knows of its relay. `trouble` is why it does not send, if it does not."""

    leading: bool
    position: int
    head: int
    trouble: str | None


class _Names(dict[str, str]):
    """Attribute to header."""

    def __missing__(self, name: str) -> str:
        return "ce_" + name


HEADERS = _Names({name: "ce_" + name for name in ATTRIBUTES})


def outgoing(row: Any) -> Outgoing:
    """A row of the public log as a Kafka record."""
    key, value, told = row["key"].encode(), row["value"].encode(), row["attributes"]
    about = attributes(row)
    headers = [*zip(map(HEADERS.__getitem__, about), map(str.encode, about.values()), strict=True), JSON]
    # In JSON an attribute stands in quotes, with a colon and a comma; no character is four times as long on the wire.
    return Outgoing(row["topic"], key, value, headers, 1_024 + len(key) + len(value) + 4 * len(told))


def _sends(rows: Iterable[Any]) -> Iterator[tracing.Opening]:
    """A span for each event whose trace is recorded. Its record stays as it is."""
    for row in rows if tracing.on() else ():
        if '"traceparent"' in row["attributes"]:
            told = attributes(row)
            about = {"messaging.system": "kafka", "messaging.destination.name": row["topic"]}
            about |= {"cloudevents.event_id": told["id"]}
            yield tracing.after(told.get("traceparent"), f"send {row['topic']}", SpanKind.PRODUCER, about)


class Relay:
    """One per process; the processes of a service elect one of theirs by a lock that dies with its connection.

    `wake` is set by the writer of the same process after a commit; other processes ring (see `doorbell`); and if nobody
    does, the log is looked at every `idle` seconds. The database ends the session of a leader that is silent for
    `silence` seconds, so a frozen one is soon followed; while it waits for Kafka, it says a word now and then.
    """

    def __init__(
        self,
        dsn: str,
        sender: Callable[[], Sender],
        *,
        wake: asyncio.Event | None = None,
        batch: int = 500,
        busy: float = 0.05,
        idle: float = 0.25,
        standby: float = 1.0,
        deadline: float = 5.0,
        silence: float = 6.0,
        patience: float = 5.0,
    ) -> None:
        self._dsn, self._sender, self._batch = dsn, sender, batch
        self._wake = wake or asyncio.Event()
        self._busy, self._idle, self._standby = busy, idle, standby
        self._deadline, self._silence, self._patience = deadline, silence, patience
        self._leading = False
        self._seen = Backlog(0, 0, 0.0)
        self._measured = 0.0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    def status(self) -> RelayStatus:
        return RelayStatus(self._leading, self._seen.position, self._seen.head, self._trouble)

    def start(self) -> None:
        self._task = asyncio.create_task(self.run(), name="belt-relay")

    async def stop(self, within: float = 10.0) -> None:
        """Finishes the batch in hand, at most `within` seconds."""
        self._stopping.set()
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=within)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            before = self._seen.position
            try:
                await self._serve()
            except Exception as trouble:  # noqa: BLE001 (whatever it was: begin again from the checkpoint)
                failures = 1 if self._seen.position > before else failures + 1
                self._trouble = f"{type(trouble).__name__}: {trouble}"
                RELAY_RESTARTS.inc()
                log.warning("relay.stepped_down", trouble=self._trouble, failures=failures)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(0.1 * 2 ** min(failures, 10), self._patience)):
                        await self._stopping.wait()

    async def _serve(self) -> None:
        """One term: from the connection to the first trouble, or to the end."""
        connection = await self._connect()
        course, sender = Course(connection, self._batch, self._deadline, self._wake), self._sender()
        try:
            if await self._elected(connection, course):
                await self._measure(course)
                starting = asyncio.create_task(sender.start())
                try:
                    await self._done(course, starting)
                finally:
                    starting.cancel()
                    await asyncio.gather(starting, return_exceptions=True)
                self._leading, self._trouble = True, None
                RELAY_ACTIVE.set(1)
                log.info("relay.elected", position=self._seen.position, head=self._seen.head)
                await self._carry(course, sender)
        finally:
            self._leading = False
            RELAY_ACTIVE.set(0)
            await course.end()
            await sender.abandon()
            await _close(connection, self._deadline)

    async def _connect(self) -> Connection:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=self._deadline,
            command_timeout=self._deadline,
            server_settings=PLANS
            | KEEPALIVES
            | {
                "application_name": "belt-relay",
                "synchronous_commit": "off",  # a checkpoint that a crash of the database undoes is sent again
                "statement_timeout": f"{int(self._deadline * 1000)}",
                "idle_session_timeout": f"{int(self._silence * 1000)}",
                "transaction_timeout": f"{int(self._silence * 1000)}",  # who stops within a question is not idle
            },
        )
        await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
        return connection

    async def _elected(self, connection: Connection, course: Course) -> bool:
        """Waits until no other relay is the leader. False: it is time to stop."""
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LEADER):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._standby):
                    await self._stopping.wait()
            if self._stopping.is_set():
                return False
            await self._measure(course)
        await connection.execute(
            "insert into checkpoints (name, position) values ($1, 0) on conflict do nothing", RELAY
        )
        return True

    async def _measure(self, course: Course) -> None:
        self._tell(await course.look())
        self._measured = asyncio.get_running_loop().time()

    def _tell(self, seen: Backlog) -> None:
        self._seen = seen
        PUBLISHED_POSITION.set(seen.head)
        RELAYED_POSITION.set(seen.position)
        UNPUBLISHED_RECORDS.set(seen.head - seen.position)
        UNPUBLISHED_SECONDS.set(seen.age)

    async def _carry(self, course: Course, sender: Sender) -> None:
        course.kept = position = self._seen.position
        wait = self._busy
        while not self._stopping.is_set():
            records = sender.pack(() if course.quiet else await course.next(position), outgoing)
            if not records:
                await course.keep(position, now=True)
                await self._idle_at(course, position)
                await self._rest(wait)
                course.look_again()
                wait = min(wait * 1.5, self._idle)
                continue
            wait = self._busy
            while records and not self._stopping.is_set():
                position, records = await self._pass_on(course, sender, position, records)
                await course.keep(position, now=self._stopping.is_set())
                self._seen = replace(self._seen, position=course.kept, head=max(self._seen.head, position))
                if asyncio.get_running_loop().time() > self._measured + MEASURE_EVERY:
                    await self._measure(course)

    async def _idle_at(self, course: Course, position: int) -> None:
        """Nothing is to be sent. Looks now and then whether the checkpoint was set back (see `republish`)."""
        if asyncio.get_running_loop().time() <= self._measured + MEASURE_EVERY:
            self._tell(Backlog(position, position, 0.0))
            return
        await self._measure(course)
        if self._seen.position != position:
            raise SteppedDown(f"the checkpoint was moved to {self._seen.position}")

    async def _pass_on(self, course: Course, sender: Sender, position: int, records: Load) -> tuple[int, Load]:
        """Sends the records. Where more is known to be there, it is made ready meanwhile. Answers place and that."""
        with tracing.together(_sends(records)):
            sending = asyncio.create_task(sender.send_batches(records))
            # Where the log was read to its end, what comes now is read in one go when these are sent.
            ahead = asyncio.create_task(self._ready(course, sender, position + len(records))) if course.more else None
            try:
                sent = await self._done(course, sending)
                following = await ahead if ahead is not None else sender.pack((), outgoing)
            except BaseException:
                begun = [task for task in (sending, ahead) if task is not None]
                for task in begun:
                    task.cancel()
                await asyncio.gather(*begun, return_exceptions=True)
                raise
        for (topic, _), batches in records.batches.items():
            RELAYED_RECORDS.labels(topic).inc(sum(batch.record_count() for batch in batches))
        return position + sent, following if sent == len(records) else sender.pack(records[sent:], outgoing)

    async def _ready(self, course: Course, sender: Sender, position: int) -> Load:
        rows = await course.next(position)
        for _ in range(YIELDS):  # first the records before these go out, step by step
            await asyncio.sleep(0)
        return sender.pack(rows, outgoing)

    async def _done(self, course: Course, work: asyncio.Task[T]) -> T:
        """Waits for Kafka without falling silent towards the database."""
        while not (await asyncio.wait([work], timeout=self._silence / 3))[0]:
            await course.say_something()
        return work.result()

    async def _rest(self, wait: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()


async def _close(connection: Connection, within: float) -> None:
    try:
        await connection.close(timeout=within)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()


def relay(dsn: str, brokers: Brokers, *, name: str, wake: asyncio.Event | None = None) -> Relay:
    """A relay as a service runs it."""
    return Relay(dsn, lambda: Sender(brokers, name=f"{name}-relay"), wake=wake)
