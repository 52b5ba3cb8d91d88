"""The samples of some topics, told as one history: put into a public log and carried to Kafka by our own relay."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg

from belt.io.kafka.brokers import Brokers
from belt.io.kafka.relay import Relay
from belt.io.kafka.sender import Sender
from belt.io.kafka.topics import create_topics
from belt.io.store.calls import SCHEMA
from belt.io.store.public_log import backlog
from conveyor_events import TOPICS, Envelope, golden, to_kafka
from conveyor_local import Stack

FROM_THE_STORE = ("sequence", "recordedtime")


def history(topics: Sequence[str]) -> list[tuple[str, Envelope]]:
    """(topic, event) in business order, each subject counted from 1 on its topic as the store counts."""
    told = sorted(((one.topic, one.envelope) for one in golden.records()), key=lambda one: one[1].occurred_at)
    found, last = [], dict[tuple[str, str], int]()
    for topic, envelope in told:
        if topic in topics:
            place = topic, envelope.subject
            last[place] = last.get(place, 0) + 1
            found.append((topic, replace(envelope, sequence=last[place])))
    return found


async def tell(stack: Stack, dsn: str, told: Sequence[tuple[str, Envelope]], prefix: str) -> None:
    """Into a log of its own, and from there to Kafka, on topics with the prefix."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA)
    rows = [_row(position, prefix + topic, envelope) for position, (topic, envelope) in enumerate(told, 1)]
    await connection.copy_records_to_table("published", records=rows)
    await connection.execute("update log_head set position = $1, recorded_at = now()", len(rows))
    brokers = Brokers(stack.brokers)
    await create_topics(brokers, {prefix + topic: TOPICS[topic].partitions for topic, _ in told})
    await carry(dsn, brokers)
    await connection.close()


async def tell_again(stack: Stack, dsn: str) -> None:
    """The relay begins again from the first record, as after a crash before it noted how far it was."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("update checkpoints set position = 0 where name = 'relay'")
    await carry(dsn, Brokers(stack.brokers))
    await connection.close()


async def carry(dsn: str, brokers: Brokers) -> None:
    """Runs our relay until the log is on Kafka."""
    relay = Relay(dsn, lambda: Sender(brokers, name="contract"))
    relay.start()
    connection = await asyncpg.connect(dsn)
    async with asyncio.timeout(30):
        while True:
            if (await backlog(connection)).drained:
                break
            await asyncio.sleep(0.02)
    await connection.close()
    await relay.stop()


def _row(position: int, topic: str, envelope: Envelope) -> tuple[object, ...]:
    key, value, headers = to_kafka(envelope)
    about = {name[3:]: text.decode() for name, text in headers if name.startswith("ce_")}
    kept = {name: text for name, text in about.items() if name not in FROM_THE_STORE}
    event_id, at = UUID(about["id"]), envelope.recorded_at
    return position, topic, key.decode(), envelope.sequence, event_id, json.dumps(kept), value.decode(), at
