"""Carries the public log to Kafka: one leader per service, in order, at least once.

The checkpoint moves by compare-and-set after every record of a batch is acknowledged. So a crash, a restart or a second
leader that does not know yet that it lost its place can only repeat records, in their order; none is lost or overtaken.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import asyncpg
import structlog
from opentelemetry.trace import SpanKind

from belt.io import tracing
from belt.io.kafka.clients import Brokers, Outgoing, Sender
from belt.io.kafka.doorbell import CHANNEL
from belt.io.store.public_log import BYTES_AT_ONCE, NEXT, RELAY, Backlog, Connection, attributes, backlog
from belt.io.telemetry import (
    PUBLISHED_POSITION,
    RELAY_ACTIVE,
    RELAY_RESTARTS,
    RELAYED_POSITION,
    RELAYED_RECORDS,
    UNPUBLISHED_RECORDS,
    UNPUBLISHED_SECONDS,
)

log = structlog.get_logger()

T = TypeVar("T")
MEASURE_EVERY = 1.0
LEADER = 4712  # the store's own lock is 4711
JSON = ("content-type", b"application/json")
MOVE = "update checkpoints set position = $3 where name = $1 and position = $2 returning position"


class SteppedDown(Exception):
    """Another relay took over, or the public log is not what the checkpoint says: begin again."""


@dataclass(frozen=True)
class RelayStatus:
    """What this process knows of its relay. `trouble` is why it does not send, if it does not."""

    leading: bool
    position: int
    head: int
    trouble: str | None


class Told:
    """The headers of a row of the public log, made each time they are asked for.

    Hundreds of records wait to be sent at any time: that many headers would keep the garbage collector busy.
    """

    __slots__ = ("_row",)

    def __init__(self, row: Any) -> None:
        self._row = row

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for name, text in attributes(self._row).items():
            yield "ce_" + name, text.encode()
        yield JSON

    @property
    def traceparent(self) -> str | None:
        """The trace that the event belongs to, if any."""
        told = self._row["attributes"]
        return attributes(self._row).get("traceparent") if '"traceparent"' in told else None


def outgoing(row: Any) -> Outgoing:
    """A row of the public log as a Kafka record."""
    key, value = row["key"].encode(), row["value"].encode()
    # In JSON an attribute stands in quotes, with a colon and a comma; no character is four times as long on the wire.
    return Outgoing(row["topic"], key, value, Told(row), 1_024 + len(key) + len(value) + 4 * len(row["attributes"]))


def _sends(records: Sequence[Outgoing]) -> Iterator[tracing.Opening]:
    """A span for each record whose trace is recorded. The record itself stays as it is."""
    for record in records if tracing.on() else ():
        traceparent = record.headers.traceparent if isinstance(record.headers, Told) else None
        if traceparent is not None:
            told = {"messaging.system": "kafka", "messaging.destination.name": record.topic}
            told |= {"cloudevents.event_id": dict(record.headers)["ce_id"].decode()}
            yield tracing.after(traceparent, f"send {record.topic}", SpanKind.PRODUCER, told)


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
        batch: int = 1_000,
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
        self._kept = 0  # where the checkpoint stands; what was acknowledged since is kept with the next batch
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
        sender = self._sender()
        try:
            if await self._elected(connection):
                await self._measure(connection)
                await self._meanwhile(connection, sender.start())
                self._leading, self._trouble = True, None
                RELAY_ACTIVE.set(1)
                log.info("relay.elected", position=self._seen.position, head=self._seen.head)
                await self._carry(connection, sender)
        finally:
            self._leading = False
            RELAY_ACTIVE.set(0)
            await sender.abandon()
            await _close(connection, self._deadline)

    async def _connect(self) -> Connection:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=self._deadline,
            command_timeout=self._deadline,
            server_settings={
                "application_name": "belt-relay",
                "synchronous_commit": "off",  # a checkpoint that a crash of the database undoes is sent again
                "statement_timeout": f"{int(self._deadline * 1000)}",
                "idle_session_timeout": f"{int(self._silence * 1000)}",
                "tcp_keepalives_idle": "5",
                "tcp_keepalives_interval": "2",
                "tcp_keepalives_count": "3",
            },
        )
        await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
        return connection

    async def _elected(self, connection: Connection) -> bool:
        """Waits until no other relay is the leader. False: it is time to stop."""
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LEADER):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._standby):
                    await self._stopping.wait()
            if self._stopping.is_set():
                return False
            await self._measure(connection)
        await connection.execute(
            "insert into checkpoints (name, position) values ($1, 0) on conflict do nothing", RELAY
        )
        return True

    async def _measure(self, connection: Connection) -> None:
        self._tell(await backlog(connection, RELAY, self._deadline))
        self._measured = asyncio.get_running_loop().time()

    def _tell(self, seen: Backlog) -> None:
        self._seen = seen
        PUBLISHED_POSITION.set(seen.head)
        RELAYED_POSITION.set(seen.position)
        UNPUBLISHED_RECORDS.set(seen.head - seen.position)
        UNPUBLISHED_SECONDS.set(seen.age)

    async def _carry(self, connection: Connection, sender: Sender) -> None:
        self._kept = position = self._seen.position
        wait = self._busy
        while not self._stopping.is_set():
            records = await self._read(connection, sender, position)
            if not records:
                await self._idle_at(connection, position)
                await self._rest(wait)
                wait = min(wait * 1.5, self._idle)
                continue
            wait = self._busy
            while records and not self._stopping.is_set():
                position, records = await self._pass_on(connection, sender, position, records)
                if not records or self._stopping.is_set():
                    await self._keep(connection, position)
                if asyncio.get_running_loop().time() > self._measured + MEASURE_EVERY:
                    await self._measure(connection)

    async def _idle_at(self, connection: Connection, position: int) -> None:
        """Nothing is to be sent. Looks now and then whether the checkpoint was set back (see `republish`)."""
        if asyncio.get_running_loop().time() <= self._measured + MEASURE_EVERY:
            self._tell(Backlog(position, position, 0.0))
            return
        await self._measure(connection)
        if self._seen.position != position:
            raise SteppedDown(f"the checkpoint was moved to {self._seen.position}")

    async def _read(self, connection: Connection, sender: Sender, position: int) -> Sequence[Outgoing]:
        self._wake.clear()
        rows = await connection.fetch(NEXT, position, self._batch, BYTES_AT_ONCE)
        if rows and (rows[0]["position"] != position + 1 or rows[-1]["position"] != position + len(rows)):
            raise SteppedDown(f"the public log has a hole above {position}")
        return sender.pack(map(outgoing, rows))

    async def _pass_on(
        self, connection: Connection, sender: Sender, position: int, records: Sequence[Outgoing]
    ) -> tuple[int, Sequence[Outgoing]]:
        """Sends the records; meanwhile keeps the place that was reached before and reads on. Answers both."""
        ahead = asyncio.create_task(self._ahead(connection, sender, position, position + len(records)))
        try:
            with tracing.together(_sends(records)):
                sent = await self._meanwhile(connection, sender.send_batches(records), ahead)
            following = await ahead
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
        for topic, count in Counter([record.topic for record in records[:sent]]).items():
            RELAYED_RECORDS.labels(topic).inc(count)
        return position + sent, following if sent == len(records) else records[sent:]

    async def _ahead(self, connection: Connection, sender: Sender, reached: int, above: int) -> Sequence[Outgoing]:
        await self._keep(connection, reached)
        return await self._read(connection, sender, above)

    async def _keep(self, connection: Connection, reached: int) -> None:
        """Moves the checkpoint to where everything is acknowledged."""
        if reached == self._kept:
            return
        if await connection.fetchval(MOVE, RELAY, self._kept, reached) is None:
            raise SteppedDown("another relay moved the checkpoint")
        self._kept = reached
        self._seen = replace(self._seen, position=reached, head=max(self._seen.head, reached))

    async def _meanwhile(
        self, connection: Connection, work: Coroutine[Any, Any, T], ahead: asyncio.Task[Any] | None = None
    ) -> T:
        """Waits for Kafka without falling silent towards the database. `ahead` uses the connection until it is done."""
        doing = asyncio.create_task(work)
        try:
            while not (await asyncio.wait([doing], timeout=self._silence / 3))[0]:
                if ahead is None or ahead.done():
                    await connection.execute("select 1")
            return doing.result()
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)

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
