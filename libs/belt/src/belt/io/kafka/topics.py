"""The topics job: topics are made here and nowhere else, with a number of partitions that never changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from belt.io.kafka.brokers import Brokers, Unreachable, scrap
from conveyor_events.catalog import KEPT


class TopicDiffers(Exception):
    """A topic exists with another number of partitions; keys would move, so it is left alone."""


async def create_topics(
    brokers: Brokers, topics: Mapping[str, int], *, replication: int = 1, within: float = 30.0
) -> list[str]:
    """Makes the topics that are not there yet; they keep their records for ever. Answers the names it made."""
    admin = AIOKafkaAdminClient(**brokers.words())
    try:
        async with asyncio.timeout(within):
            await admin.start()
            there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
            for name, count in topics.items():
                if there.get(name, count) != count:
                    raise TopicDiffers(f"{name} has {there[name]} partitions, not {count}")
            new = [
                NewTopic(name, count, replication, topic_configs=dict(KEPT))
                for name, count in topics.items()
                if name not in there
            ]
            made = (await admin.create_topics(new)).topic_errors if new else []
    except (KafkaError, OSError, TimeoutError) as away:
        raise Unreachable(f"no topics within {within:g} s: {await brokers.reason(away)}") from away
    finally:
        await scrap(admin.close(), admin._client, (admin, admin._client), 2.0)
    for name, code, *why in made:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise Unreachable(f"topic {name} was not made: {why or code}")
    return [name for name, code, *_ in made if code == 0]
