"""Sending, in order and acknowledged. Every await has a deadline.

One rejected record spoils an idempotent producer for good; so a `Sender` that failed once is abandoned, never repaired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from belt.io.kafka.brokers import Brokers, Unreachable, scrap
from belt.io.kafka.records import MAX_RECORD_BYTES, Outgoing, partition_of, record_bytes

BATCH_BYTES = 512 * 1024


class Oversized(Exception):
    """A record that no broker of ours takes. It was not handed to the producer."""


class Load(list[Any]):
    """What is to be sent, in order; `make` makes a record of each. The first `packed` of them are in batches already.

    A record lives only while it is packed: a thousand of them, each with twenty headers, would be a burden to carry.
    """

    def __init__(self, things: Iterable[Any], make: Callable[[Any], Outgoing]) -> None:
        super().__init__(things)
        self.make = make
        self.packed = 0
        self.batches: dict[tuple[str, int], list[Any]] = {}


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
