"""A small line for the tests of consumers: a publisher whose events are made by hand, a station that counts them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import asyncpg
from counting import AT, STREAMS, Object, Raise, Reserve
from wire import eventually

from belt.core.decider import Step
from belt.io.clock import SystemClock
from belt.io.intake.consumer import Consumer
from belt.io.intake.facts import Facts
from belt.io.intake.missing import Fetch, PublisherAway
from belt.io.intake.parking import Parking
from belt.io.intake.reactions import Reactions
from belt.io.intake.taking import Intake, Progress
from belt.io.kafka.brokers import Brokers, Unreachable
from belt.io.kafka.reader import Reader
from belt.io.kafka.records import Outgoing, Received
from belt.io.kafka.sender import Sender
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from conveyor_events import envelope as language
from conveyor_events.catalog import UnknownEvent
from conveyor_events.envelope import Envelope, to_kafka

SECRET = b"a secret for tests only, 32 bytes"


@dataclass
class Publisher:
    """Makes events with contiguous sequences, sends them as told, and answers for those that never came."""

    brokers: Brokers
    topic: str
    made: dict[str, list[Envelope]] = field(default_factory=dict)
    away: bool = False
    asked: int = 0

    def make(self, key: str, does: str = "count", **more: Any) -> Envelope:
        run = self.made.setdefault(key, [])
        envelope = Envelope(
            id=uuid4(),
            type="conveyor.leads.LeadWithdrawn",
            schema_version=1,
            source="/conveyor/test",
            subject=key,
            occurred_at=AT,
            recorded_at=AT,
            command_id="c",
            correlation_id="c",
            sequence=len(run) + 1,
            data={"line": "north", "offer_id": does, "need_id": "n", "reason": None},
        )
        run.append(replace(envelope, **more))
        return run[-1]

    async def send(self, *envelopes: Envelope) -> None:
        await self.send_raw(*(Outgoing(self.topic, *to_kafka(envelope)) for envelope in envelopes))

    async def send_raw(self, *records: Outgoing) -> None:
        sender = Sender(self.brokers, name="test-publisher")
        await sender.start()
        try:
            assert await sender.send_batches(records) == len(records)
        finally:
            await sender.abandon()

    async def fetch(self, topic: str, key: str, after: int, upto: int) -> list[Envelope]:
        assert topic == self.topic
        self.asked += 1
        if self.away:
            raise PublisherAway("the publisher is away")
        return [envelope for envelope in self.made.get(key, []) if after < envelope.sequence <= upto]


class Poisoned(Exception):
    """What a reaction with a fault raises."""


@dataclass
class Station:
    """A consumer called `station` that raises a counter per key. `faulty` says for which events its reaction fails."""

    dsn: str
    brokers: Brokers
    publisher: Publisher
    group: str = field(default_factory=lambda: f"g{uuid4().hex[:8]}")
    faulty: set[str] = field(default_factory=set)
    stuck: list[str] = field(default_factory=list)
    fetch: Fetch | None = None

    def react(self, event: Any, envelope: Envelope) -> Sequence[Step]:
        does = event.offer_id
        if does in self.faulty:
            raise Poisoned(does)
        match does:
            case "nothing":
                return []
            case "object":
                return [Step("counter", envelope.subject, Object(keep=False))]
            case "object-and-record":
                return [Step("counter", envelope.subject, Object(keep=True))]
            case "reserve":
                return [Step("counter", envelope.subject, Reserve("the one"))]
            case "count-elsewhere":
                return [Step("counter", event.need_id, Raise())]
            case _:
                return [Step("counter", envelope.subject, Raise(envelope.sequence, who=envelope.subject))]

    @asynccontextmanager
    async def parts(self) -> AsyncIterator[Reactions]:
        async with asyncpg.create_pool(self.dsn, min_size=0, max_size=4, command_timeout=5) as pool:
            writer = Writer(self.dsn, STREAMS, Vault(SECRET), SystemClock(), "/test")
            writer.start()
            parking = Parking("station", pool)
            fetch = self.fetch or self.publisher.fetch
            try:
                yield Reactions(writer, self.react, parking, fetch, patience=0.2)
            finally:
                await writer.stop()

    @asynccontextmanager
    async def works(self, **more: Any) -> AsyncIterator[tuple[Reactions, Consumer]]:
        """The station at work: its intake and its consumer."""
        async with self.parts() as reactions:
            consumer = self.consumer(reactions, **more)
            consumer.start()
            try:
                yield reactions, consumer
            finally:
                await consumer.stop()

    def consumer(self, intake: Intake, **more: Any) -> Consumer:
        def reader() -> Reader:
            return Reader(self.brokers, self.group, [self.publisher.topic], within=5.0, session=6.0, close_within=1.0)

        settings: dict[str, Any] = {"commit_every": 0.05, "watch_every": 0.2, "patience": 0.2}
        return Consumer(reader, intake, self.stuck.append, **settings | more)

    async def effects(self) -> dict[str, list[int]]:
        """Per key what its counter was raised by, in order: the sequences of the events that had an effect."""
        connection = await asyncpg.connect(self.dsn)
        rows = await connection.fetch(
            "select stream_id, data from events where type = 'Raised' order by stream_id, version"
        )
        await connection.close()
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row["stream_id"].removeprefix("counter-"), []).append(json.loads(row["data"])["by"])
        return found

    async def gate(self, key: str) -> int:
        connection = await asyncpg.connect(self.dsn)
        found = await connection.fetchval("select sequence from gates where consumer = 'station' and key = $1", key)
        await connection.close()
        return found or 0


async def all_taken_in(consumer: Consumer, within: float = 20.0) -> None:
    async def holds() -> bool:
        try:
            return (await consumer.taken_in()).drained
        except Unreachable:  # a broker that stands still for some seconds is no answer yet
            return False

    await eventually(holds, f"all is taken in ({consumer.trouble})", within)


class Slow:
    """An intake that waits for permission, and counts."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.taken: list[Received] = []
        self.tidied = 0

    async def take(self, records: Sequence[Received], progress: Progress) -> None:
        await self.go.wait()
        self.taken.extend(records)

    async def tidy(self) -> None:
        self.tidied += 1

    async def redrive(self, parked_id: int) -> None:
        raise AssertionError(parked_id)

    async def skip(self, parked_id: int, by: str, because: str) -> None:
        raise AssertionError(parked_id)


@asynccontextmanager
async def keeper(dsn: str, publisher: Publisher, poison: set[str]) -> AsyncIterator[tuple[Facts, Parking]]:
    """A keeper of facts: a table of event ids."""
    async with asyncpg.create_pool(dsn, min_size=0, max_size=4, command_timeout=5) as pool:
        await pool.execute("create table if not exists kept (id uuid primary key, key text, sequence bigint)")

        async def keep(connection: Any, envelopes: list[Envelope]) -> int:
            for envelope in envelopes:
                with suppress(UnknownEvent):
                    language.open(envelope)
                if envelope.data["offer_id"] in poison:
                    raise Poisoned(envelope.data["offer_id"])
            new = await connection.fetch(
                "insert into kept select * from unnest($1::uuid[], $2::text[], $3::bigint[])"
                " on conflict do nothing returning id",
                [e.id for e in envelopes],
                [e.subject for e in envelopes],
                [e.sequence for e in envelopes],
            )
            return len(new)

        parking = Parking("keeper", pool)
        yield Facts(keep, parking, pool, publisher.fetch, patience=0.2), parking
