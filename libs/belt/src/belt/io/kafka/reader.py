"""Reading as a member of a group. Every await has a deadline; a `Reader` that failed once is closed, never repaired."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from belt.io.kafka.brokers import Brokers, Unreachable, scrap
from belt.io.kafka.records import Partition, Received


class Garbled(Exception):
    """Among the records is one that the client cannot read, and it does not say which.

    What else it had at hand is lost to this member. A new one that is `careful` finds the record and passes over it:
    its offset is all that is known of it.
    """


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
        self.careful = False
        """Reads one record at a time, until it has passed over some and none is at hand: see `Garbled`."""
        self._passed_over, self._turn = False, 0

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

    @property
    def topics(self) -> tuple[str, ...]:
        """What it asks to read, whether or not it is let in."""
        return self._topics

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
        if self.careful:
            return await self._one(sorted(mine), wait)
        return await self._read(mine, wait, limit)

    async def _read(self, mine: Sequence[Any], wait: float, limit: int) -> dict[Partition, list[Received]]:
        asked = self._consumer.getmany(*mine, timeout_ms=int(wait * 1000), max_records=limit)
        try:
            found = await self._bounded(asked, wait + self._within, "fetch")
        except UnicodeDecodeError as wrong:
            raise Garbled("the name of a header is no text") from wrong
        return {
            Partition(p.topic, p.partition): [
                Received(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers), r.timestamp / 1000)
                for r in records
            ]
            for p, records in found.items()
        }

    async def _one(self, mine: list[Any], wait: float) -> dict[Partition, list[Received]]:
        """What is read is handed out before more is read: so nothing is on its way that nobody knows of."""
        self._turn = (self._turn + 1) % len(mine)
        for place in mine[self._turn :] + mine[: self._turn]:
            try:
                if found := await self._read([place], wait / len(mine), 1):
                    return found
            except Garbled as garbled:
                partition = Partition(place.topic, place.partition)
                offset = (await self.positions([partition]))[partition]
                self._consumer.seek(place, offset + 1)
                self._passed_over = True
                about = (("garbled", str(garbled).encode()),)
                return {partition: [Received(*partition, offset, None, None, about, time())]}
        self.careful = not self._passed_over
        return {}

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Marks the next offsets to read. Those that are no longer ours are left out."""
        mine = {TopicPartition(*p): offset for p, offset in offsets.items() if p in self.assigned()}
        if mine:
            await self._bounded(self._consumer.commit(mine), self._within, "commit")

    async def positions(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The next offset that `getmany` will give."""
        found: dict[Partition, int] = {}
        for partition in partitions:
            asked = self._open(self._consumer).position(TopicPartition(*partition))
            found[partition] = await self._bounded(asked, self._within, "position")
        return found

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """One above the last record of each partition, asked of the broker now."""
        wanted = [TopicPartition(*p) for p in partitions]
        found = await self._bounded(self._open(self._surveyor).end_offsets(wanted), self._within, "end offsets")
        return {Partition(p.topic, p.partition): offset for p, offset in found.items()}

    def _open(self, client: Any) -> Any:
        if client is None:
            raise Unreachable("this member has left the group")
        return client

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
