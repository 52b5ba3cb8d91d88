"""Kafka in memory: partitions of records, groups whose members come and go. It may be away, and lose replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from belt.io.kafka.brokers import Unreachable
from belt.io.kafka.records import Outgoing, Partition, Received, partition_of
from belt.io.kafka.sender import Load

if TYPE_CHECKING:
    from world import Process

PARTITIONS = 2
SEND_WITHIN, ASK_WITHIN, SESSION = 15.0, 10.0, 10.0


@dataclass
class Broker:
    logs: dict[Partition, list[Received]] = field(default_factory=dict)
    offsets: dict[tuple[str, Partition], int] = field(default_factory=dict)
    groups: dict[str, list[ReaderModel]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    away: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def copied(self) -> Broker:
        return Broker({place: list(log) for place, log in self.logs.items()}, dict(self.offsets), {}, set(self.ids))

    def append(self, record: Outgoing, at: float) -> None:
        place = Partition(record.topic, partition_of(record.key, PARTITIONS))
        log = self.logs.setdefault(place, [])
        headers = tuple(record.headers)
        log.append(Received(record.topic, place.number, len(log), record.key, record.value, headers, at))
        self.ids.add(dict(headers)["ce_id"].decode())
        came, self.came = self.came, asyncio.Event()
        came.set()

    def end(self, place: Partition) -> int:
        return len(self.logs.get(place, ()))

    def deal(self, group: str) -> None:
        """Partitions are dealt out anew to the members that are there."""
        members = self.groups.get(group, [])
        for member in members:
            member.owned = set()
        if members:
            places = [Partition(topic, n) for topic in members[0].topics for n in range(PARTITIONS)]
            for n, place in enumerate(places):
                members[n % len(members)].owned.add(place)


class SenderModel:
    """Behind the interface of belt.io.kafka.sender.Sender."""

    def __init__(self, process: Process, broker: Broker) -> None:
        self.process, self.broker = process, broker

    async def start(self) -> None:
        await self._reached(SEND_WITHIN)

    def pack(self, things: Iterable[Any], make: Callable[[Any], Outgoing]) -> Load:
        return Load(things, make)

    async def send_batches(self, records: Load) -> int:
        await self._reached(SEND_WITHIN)
        runs: dict[int, list[Outgoing]] = {}
        for record in map(records.make, records):
            runs.setdefault(partition_of(record.key, PARTITIONS), []).append(record)
        async with asyncio.TaskGroup() as group:
            for run in runs.values():
                group.create_task(self._send(run))
        return len(records)

    async def _send(self, run: list[Outgoing]) -> None:
        await self.process.step("send")
        for record in run:
            self.broker.append(record, self.process.world.time())
        await self.process.step("acked")

    async def abandon(self) -> None:
        pass

    async def _reached(self, within: float) -> None:
        await self.process.step("kafka")
        if self.broker.away:
            await asyncio.sleep(within)
            if self.broker.away:
                raise Unreachable("away")


class ReaderModel:
    """Behind the interface of belt.io.kafka.reader.Reader. `view` is what it believes to own; it learns late."""

    def __init__(self, process: Process, broker: Broker, group: str, topics: Sequence[str]) -> None:
        self.process, self.broker, self.group, self.topics = process, broker, group, tuple(topics)
        self.owned: set[Partition] = set()
        self.view: set[Partition] = set()
        self.at: dict[Partition, int] = {}

    async def start(self) -> None:
        await self._reached()
        self.broker.groups.setdefault(self.group, []).append(self)
        self.broker.deal(self.group)
        self._look()

    def assigned(self) -> set[Partition]:
        return set(self.view)

    def _look(self) -> None:
        if self not in self.broker.groups.get(self.group, ()):
            self.broker.groups.setdefault(self.group, []).append(self)  # it was thought dead, and joins again
            self.broker.deal(self.group)
        for place in self.owned - self.view:
            self.at[place] = self.broker.offsets.get((self.group, place), 0)
        self.view = set(self.owned)

    async def getmany(
        self, partitions: Iterable[Partition], wait: float, limit: int
    ) -> dict[Partition, list[Received]]:
        await self._reached()
        self._look()
        found = self._fetched(partitions, limit)
        if found:
            return found
        wanted = self.view & set(partitions)
        try:
            async with asyncio.timeout(wait):
                while not any(self.broker.end(place) > self.at[place] for place in wanted):
                    await self.broker.came.wait()
        except TimeoutError:
            return {}
        await self.process.step("fetch")
        return self._fetched(partitions, limit)

    def _fetched(self, partitions: Iterable[Partition], limit: int) -> dict[Partition, list[Received]]:
        found: dict[Partition, list[Received]] = {}
        for place in sorted(self.view & set(partitions)):
            some = self.broker.logs.get(place, [])[self.at[place] : self.at[place] + limit]
            if some:
                found[place] = some
                self.at[place] += len(some)
        return found

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        mine = {place: offset for place, offset in offsets.items() if place in self.view}
        if not mine:
            return
        await self._reached()
        if not mine.keys() <= self.owned:
            raise Unreachable("these partitions are another member's")
        for place, offset in mine.items():
            self.broker.offsets[self.group, place] = offset
        await self.process.step("offset committed")

    async def positions(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return {place: self.at.get(place, 0) for place in partitions}

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        await self._reached()
        return {place: self.broker.end(place) for place in partitions}

    def pause(self, partitions: Iterable[Partition]) -> None:
        pass

    def resume(self, partitions: Iterable[Partition]) -> None:
        pass

    async def close(self) -> None:
        self.leave()

    def leave(self) -> None:
        members = self.broker.groups.get(self.group, [])
        if self in members:
            members.remove(self)
            self.broker.deal(self.group)

    async def _reached(self) -> None:
        await self.process.step("kafka")
        if self.broker.away:
            await asyncio.sleep(ASK_WITHIN)
            if self.broker.away:
                raise Unreachable("away")


def told(record: Received) -> dict[str, Any]:
    """The headers of a record as text."""
    return {name: value.decode() for name, value in record.headers if value is not None}
