"""Kafka behind a few methods. Every await has a deadline, and every client is disposable: when in doubt, a new one.

aiokafka waits without end when a broker is away, and one rejected record spoils an idempotent producer for good; so a
`Sender` or `Reader` that failed once is abandoned, never repaired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from struct import unpack_from
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from belt.io.kafka.access import Access, reason

MAX_RECORD_BYTES = (
    1_000_000  # a broker refuses batches above 1 048 588 by default; the store refuses events before that
)
BATCH_BYTES = 512 * 1024

Headers = list[tuple[str, bytes]]


class Unreachable(Exception):
    """Kafka did not do what it was asked within the deadline. What was sent may have arrived."""


class Oversized(Exception):
    """A record that no broker of ours takes. It was not handed to the producer."""


@dataclass(frozen=True)
class Brokers:
    """Where Kafka is, and how to be let in."""

    servers: str
    access: Access = Access()

    def words(self) -> dict[str, Any]:
        """What every client of aiokafka is told. Raises kafka_access.Unusable."""
        return {"bootstrap_servers": self.servers, **self.access.words()}

    async def reason(self, failed: BaseException) -> str:
        """Why Kafka could not be used, in one line."""
        return await reason(self.servers, self.access, failed)


class Partition(NamedTuple):
    topic: str
    number: int


class Outgoing(NamedTuple):
    """A record on its way out. `at_most`: no fewer bytes than it takes on the wire, where that is known uncounted."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    at_most: int = MAX_RECORD_BYTES + 1


class Load(list[Any]):
    """What is to be sent, in order; `make` makes a record of each. The first `packed` of them are in batches already.

    A record lives only while it is packed: a thousand of them, each with twenty headers, would be a burden to carry.
    """

    def __init__(self, things: Iterable[Any], make: Callable[[Any], Outgoing]) -> None:
        super().__init__(things)
        self.make = make
        self.packed = 0
        self.batches: dict[tuple[str, int], list[Any]] = {}


class Received(NamedTuple):
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    at: float  # when it was sent, seconds since 1970


@lru_cache(maxsize=100_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Where a key lives: murmur2 as in Kafka's own client, said explicitly because no other choice may ever be made."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """The same as aiokafka's, in half the time: four bytes at once. Every new key costs one."""
    size, mix, low = len(key), 0x5BD1E995, 0xFFFFFFFF
    found = 0x9747B28C ^ size
    for word in unpack_from(f"<{size // 4}I", key):
        mixed = word * mix & low
        found = (found * mix & low) ^ ((mixed ^ mixed >> 24) * mix & low)
    if size % 4:
        found = (found ^ int.from_bytes(key[size & ~3 :], "little")) * mix & low
    found = (found ^ found >> 13) * mix & low
    return found ^ found >> 15


def record_bytes(record: Outgoing) -> int:
    """An upper bound of the record's size on the wire."""
    headers = sum([len(name) + len(value) + 10 for name, value in record.headers])
    return 128 + len(record.key) + len(record.value) + headers


def _as_it_is(record: Outgoing) -> Outgoing:
    return record


class Sender:
    """An idempotent producer. `send_batches` returns when every record is acknowledged by all replicas, or raises."""

    def __init__(
        self,
        brokers: Brokers,
        *,
        name: str,
        start_within: float = 10.0,
        send_within: float = 15.0,
        close_within: float = 2.0,
        largest: int = MAX_RECORD_BYTES,
    ) -> None:
        self._brokers, self._name = brokers, name
        self._start_within, self._send_within, self._close_within = start_within, send_within, close_within
        self._largest = largest
        self._producer: Any = None
        self._partitions: dict[str, int] = {}

    async def start(self) -> None:
        self._producer = AIOKafkaProducer(
            client_id=self._name,
            acks="all",
            enable_idempotence=True,
            partitioner=DefaultPartitioner(),
            max_batch_size=BATCH_BYTES,
            linger_ms=0,
            request_timeout_ms=int(self._send_within * 500),
            **self._brokers.words(),
        )
        try:
            async with asyncio.timeout(self._start_within):
                await self._producer.start()
        except (KafkaError, OSError, TimeoutError) as away:
            why = await self._brokers.reason(away)
            raise Unreachable(f"no producer within {self._start_within:g} s: {why}") from away

    def pack(self, things: Iterable[Any], make: Callable[[Any], Outgoing]) -> Load:
        """What can be done ahead of the sending, while the records before these are on their way. Waits for nothing."""
        load = Load(things, make)
        self._pack(load)
        return load

    async def send_batches(self, records: Sequence[Outgoing] | Load) -> int:
        """Sends in the given order per key. The next batch of a partition waits until the last is acknowledged.

        Stops before a record that is too large (Oversized if that is the first) and answers how many it sent.
        After any other exception this sender must be abandoned.
        """
        load = records if isinstance(records, Load) else Load(records, _as_it_is)
        try:
            async with asyncio.timeout(self._send_within):
                while (unknown := self._pack(load)) is not None:
                    self._partitions[unknown] = len(await self._producer.partitions_for(unknown))
                await self._send(load)
        except (KafkaError, OSError, TimeoutError) as failed:
            why = await self._brokers.reason(failed)
            raise Unreachable(f"not acknowledged within {self._send_within:g} s: {why}") from failed
        if load and not load.packed:
            first = load.make(load[0])
            raise Oversized(f"{first.topic} {first.key!r}: {record_bytes(first)} bytes, limit {self._largest}")
        return load.packed

    def _pack(self, load: Load) -> str | None:
        """Puts each record into the last batch of its partition. Stops before one that is too large.

        Stops, too, before one whose topic is not known yet, and answers that topic.
        """
        batches, partitions, make = load.batches, self._partitions, load.make
        for number in range(load.packed, len(load)):
            topic, key, value, headers, at_most = record = make(load[number])
            if at_most > self._largest and record_bytes(record) > self._largest:
                break
            count = partitions.get(topic)
            if count is None:
                return topic
            place = topic, partition_of(key, count)
            run = batches.get(place)
            if run is None:
                run = batches[place] = [self._producer.create_batch()]
            if run[-1].append(key=key, value=value, timestamp=None, headers=headers) is None:  # it is full
                run.append(self._producer.create_batch())
                run[-1].append(key=key, value=value, timestamp=None, headers=headers)
            load.packed = number + 1
        return None

    async def _send(self, load: Load) -> None:
        """The first batch of every partition, then the second of those that have one, and so on."""
        for wave in zip_longest(*load.batches.values()):
            acks: list[asyncio.Future[Any]] = []
            for (topic, partition), batch in zip(load.batches, wave, strict=True):
                if batch is not None:
                    batch.close()
                    # send_batch returns when the batch is queued; its future when it is acknowledged.
                    acks.append(await self._producer.send_batch(batch, topic, partition=partition))
            await asyncio.gather(*acks)

    async def abandon(self) -> None:
        """Lets go of the producer, whatever state it is in. Nothing of it goes on in the background."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        self._partitions.clear()
        parts = (producer, producer.client, producer._sender, producer._message_accumulator)
        await scrap(producer.stop(), producer.client, parts, self._close_within)


class Reader:
    """A member of a consumer group. It starts at the earliest record and commits only what it is told to."""

    def __init__(
        self,
        brokers: Brokers,
        group: str,
        topics: Sequence[str],
        *,
        start_within: float = 30.0,
        within: float = 10.0,
        close_within: float = 5.0,
        session: float = 10.0,
        poll_interval: float = 300.0,
    ) -> None:
        self._brokers, self._group, self._topics = brokers, group, tuple(topics)
        self._start_within, self._within, self._close_within = start_within, within, close_within
        self._session, self._poll_interval = session, poll_interval
        self._consumer: Any = None
        self._surveyor: Any = None

    async def start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            *self._topics,
            client_id=self._group,
            group_id=self._group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_uncommitted",
            session_timeout_ms=int(self._session * 1000),
            heartbeat_interval_ms=int(self._session * 300),
            max_poll_interval_ms=int(self._poll_interval * 1000),
            request_timeout_ms=int(max(self._within, self._session) * 1000) + 1000,
            metadata_max_age_ms=10_000,  # how long a topic that was made anew stays unnoticed
            fetch_max_wait_ms=250,  # a partition that is resumed waits behind the fetch in flight
            **self._brokers.words(),
        )
        # Questions about offsets go their own way: on the other connection they would wait behind a long poll.
        self._surveyor = AIOKafkaConsumer(
            client_id=f"{self._group}-offsets",
            request_timeout_ms=int(self._within * 1000),
            **self._brokers.words(),
        )
        await self._bounded(self._start_both(), self._start_within, "start")

    async def _start_both(self) -> None:
        await self._surveyor.start()
        await self._consumer.start()

    def assigned(self) -> set[Partition]:
        """What this member believes to own. Only a hint: the database is the fence."""
        return {Partition(p.topic, p.partition) for p in self._consumer.assignment()}

    async def getmany(
        self, partitions: Iterable[Partition], wait: float, limit: int
    ) -> dict[Partition, list[Received]]:
        """What has come for these partitions (of those that are ours), at most `limit` records in all."""
        mine = [TopicPartition(*p) for p in self.assigned() & set(partitions)]
        if not mine:
            await asyncio.sleep(wait)
            return {}
        asked = self._consumer.getmany(*mine, timeout_ms=int(wait * 1000), max_records=limit)
        found = await self._bounded(asked, wait + self._within, "fetch")
        return {
            Partition(p.topic, p.partition): [
                Received(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers), r.timestamp / 1000)
                for r in records
            ]
            for p, records in found.items()
        }

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Marks the next offsets to read. Those that are no longer ours are left out."""
        mine = {TopicPartition(*p): offset for p, offset in offsets.items() if p in self.assigned()}
        if mine:
            await self._bounded(self._consumer.commit(mine), self._within, "commit")

    async def positions(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The next offset that `getmany` will give."""
        found: dict[Partition, int] = {}
        for partition in partitions:
            asked = self._consumer.position(TopicPartition(*partition))
            found[partition] = await self._bounded(asked, self._within, "position")
        return found

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """One above the last record of each partition, asked of the broker now."""
        wanted = [TopicPartition(*p) for p in partitions]
        found = await self._bounded(self._surveyor.end_offsets(wanted), self._within, "end offsets")
        return {Partition(p.topic, p.partition): offset for p, offset in found.items()}

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Stops fetching ahead for these partitions."""
        self._consumer.pause(*(TopicPartition(*p) for p in self.assigned() & set(partitions)))

    def resume(self, partitions: Iterable[Partition]) -> None:
        self._consumer.resume(*(TopicPartition(*p) for p in self.assigned() & set(partitions)))

    async def close(self) -> None:
        """Leaves the group if that goes quickly; lets go of everything in any case."""
        clients = [client for client in (self._consumer, self._surveyor) if client is not None]
        self._consumer = self._surveyor = None
        for client in clients:
            parts = (client, client._client, client._coordinator, client._fetcher)
            await scrap(client.stop(), client._client, parts, self._close_within)

    async def _bounded(self, asked: Any, within: float, what: str) -> Any:
        try:
            async with asyncio.timeout(within):
                return await asked
        except (KafkaError, OSError, TimeoutError) as away:
            raise Unreachable(f"no {what} within {within:g} s: {await self._brokers.reason(away)}") from away


async def scrap(stop: Coroutine[Any, Any, None], client: Any, parts: Sequence[Any], within: float) -> None:
    """Stops an aiokafka client in good order if it can be done in time, else takes it apart.

    aiokafka keeps no list of its tasks, so those that run a method of one of its parts are found and cancelled.
    """
    stopping = asyncio.create_task(stop)
    await asyncio.wait([stopping], timeout=within)
    if not stopping.done():
        for connection in list(client._conns.values()):
            connection.close()
    left = [task for task in asyncio.all_tasks() if _self_of(task) in {id(part) for part in parts if part is not None}]
    for task in left:
        task.cancel()
    await asyncio.wait([stopping, *left], timeout=within)
    if stopping.done() and not stopping.cancelled():
        stopping.exception()  # how it ended no longer matters, only that it did


def _self_of(task: asyncio.Task[Any]) -> int | None:
    frame = getattr(task.get_coro(), "cr_frame", None)
    owner = frame.f_locals.get("self") if frame is not None else None
    return id(owner) if owner is not None else None
