"""A backlog as lead generation leaves one: rows of the public log, and what Kafka holds once it is carried there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from belt.io.store.calls import SCHEMA
from bench.company import facts

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)
SIDE_BY_SIDE = 50  # events of one commit: they share the time at which they were recorded
GIVEN_BY_STORE = ("recordedtime", "sequence", "datacontenttype", "data")
Row = tuple[int, str, str, int, UUID, str, str, datetime]


def rows(count: int, topic: str, seed: int = 1) -> list[Row]:
    """So many events of leads, in the order in which a company's clients come along."""
    found: list[Row] = []
    last: dict[str, int] = {}
    for event in islice(_of_leads(seed), count):
        key, seat = event["subject"], event["data"].get("sourced_by")
        last[key] = last.get(key, 0) + 1
        about = {name: value for name, value in event.items() if name not in GIVEN_BY_STORE}
        about |= {"schemaversion": str(event["schemaversion"])}
        about |= {"actorperson": seat["person"], "actorrole": seat["role"]}
        at = FIRST + timedelta(milliseconds=10 * (len(found) // SIDE_BY_SIDE))
        value = json.dumps(event["data"], separators=(",", ":"))
        position = len(found) + 1
        found.append((position, topic, key, last[key], UUID(event["id"]), json.dumps(about), value, at))
    return found


def _of_leads(seed: int) -> Any:
    for line in facts(seed, 10_000_000):
        if b'"type":"conveyor.leads.' in line:
            yield json.loads(line)


async def lay(dsn: str, found: Sequence[Row]) -> None:
    """The public log holds these rows and nothing else; nobody has carried any of them."""
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("select to_regclass('published')") is None:
            await connection.execute(SCHEMA)
        await connection.execute("truncate published; delete from checkpoints where name = 'relay'")
        await connection.copy_records_to_table("published", records=found)
        await connection.execute("update log_head set position = $1, recorded_at = $2", len(found), found[-1][-1])
        await connection.execute("vacuum analyze published")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


Record = tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]


async def contents(brokers: str, topic: str) -> dict[bytes, list[Record]]:
    """Every record that is in the topic now: per key in order, with its partition's order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, group_id=None, max_partition_fetch_bytes=4_000_000)
    found: dict[bytes, list[Record]] = {}
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not places:
            await consumer._client._wait_on_metadata(topic)
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    found.setdefault(record.key, []).append((record.key, record.value, tuple(record.headers)))
    finally:
        await consumer.stop()
    return found
