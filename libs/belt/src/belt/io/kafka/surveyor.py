"""Questions about topics as they are in Kafka now: how many partitions, how many records."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from belt.io.kafka.brokers import Brokers, Unreachable, scrap


class Surveyor:
    """A guest of no group. Disposable like every client: after Unreachable, a new one."""

    def __init__(self, brokers: Brokers, name: str, *, within: float = 10.0, close_within: float = 2.0) -> None:
        self._brokers, self._name, self._within, self._close_within = brokers, name, within, close_within
        self._admin: Any = None
        self._consumer: Any = None

    async def start(self) -> None:
        about = {"client_id": self._name, **self._brokers.words()}
        self._admin = AIOKafkaAdminClient(**about)
        self._consumer = AIOKafkaConsumer(**about)
        await self._bounded(self._admin.start())
        await self._bounded(self._consumer.start())

    async def partitions(self, topics: Sequence[str]) -> dict[str, set[int]]:
        """The partitions of each topic; none if it does not exist."""
        found = await self._bounded(self._admin.describe_topics(list(topics)))
        return {topic["topic"]: {part["partition"] for part in topic["partitions"]} for topic in found}

    async def records(self, topic: str, partitions: Collection[int]) -> int:
        """How many records the topic holds."""
        places = [TopicPartition(topic, number) for number in partitions]
        if not places:
            return 0
        ends = await self._bounded(self._consumer.end_offsets(places))
        starts = await self._bounded(self._consumer.beginning_offsets(places))
        return int(sum(ends.values()) - sum(starts.values()))

    async def close(self) -> None:
        admin, consumer, self._admin, self._consumer = self._admin, self._consumer, None, None
        if admin is not None:
            await scrap(admin.close(), admin._client, (admin, admin._client), self._close_within)
        if consumer is not None:
            parts = (consumer, consumer._client, consumer._coordinator, consumer._fetcher)
            await scrap(consumer.stop(), consumer._client, parts, self._close_within)

    async def _bounded(self, asked: Any) -> Any:
        try:
            async with asyncio.timeout(self._within):
                return await asked
        except (KafkaError, OSError, TimeoutError) as away:
            raise Unreachable(f"no answer within {self._within:g} s: {await self._brokers.reason(away)}") from away
