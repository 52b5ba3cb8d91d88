"""What the tests of the belt's Kafka side share: a public log filled by hand, a topic read to its end, and waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer

from conveyor_events.words import instant_text

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def publish(dsn: str, told: Sequence[tuple[str, str]], *, size: int = 0) -> list[str]:
    """Appends (topic, key) pairs to the public log as the store does, in one commit. Answers the event ids."""
    connection = await asyncpg.connect(dsn)
    ids: list[str] = []
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(4711)")
            position = await connection.fetchval("select position from log_head")
            have = {
                (row["topic"], row["key"]): row["last"]
                for row in await connection.fetch(
                    "select topic, key, max(sequence) as last from published group by 1, 2"
                )
            }
            rows = []
            for topic, key in told:
                position += 1
                have[topic, key] = have.get((topic, key), 0) + 1
                ids.append(str(uuid4()))
                about = {
                    "specversion": "1.0", "id": ids[-1], "type": "conveyor.leads.LeadWithdrawn",
                    "source": "/conveyor/test", "subject": key, "partitionkey": key,
                    "time": instant_text(AT), "schemaversion": "1",
                    "commandid": "c", "correlationid": "c", "clientid": key, "traceparent": "00-1-2-01",
                }  # fmt: skip
                data = json.dumps({"line": "north", "offer_id": "o", "need_id": "n", "reason": "x" * size})
                rows.append((position, topic, key, have[topic, key], UUID(ids[-1]), json.dumps(about), data, AT))
            await connection.copy_records_to_table("published", records=rows)
            await connection.execute("update log_head set position = $1, recorded_at = $2", position, AT)
    finally:
        await connection.close()
    return ids


@dataclass(frozen=True)
class Seen:
    key: str
    sequence: int
    headers: dict[str, str]
    value: bytes
    partition: int


async def read_all(servers: str, topic: str, within: float = 20.0) -> list[Seen]:
    """Every record that is in the topic now, per partition in order."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None)
    seen: list[Seen] = []
    async with asyncio.timeout(within):
        await consumer.start()
        try:
            places = list(consumer.assignment())
            ends = await consumer.end_offsets(places)
            for place in places:
                while await consumer.position(place) < ends[place]:
                    for records in (await consumer.getmany(place, timeout_ms=1000)).values():
                        for record in records:
                            headers = {name: value.decode() for name, value in record.headers}
                            sequence = int(headers["ce_sequence"])
                            seen.append(Seen(record.key.decode(), sequence, headers, record.value, place.partition))
        finally:
            await consumer.stop()
    return seen


def firsts(seen: Sequence[Seen]) -> dict[str, list[int]]:
    """Per key the sequences in the order of their first occurrence."""
    found: dict[str, list[int]] = {}
    for record in seen:
        run = found.setdefault(record.key, [])
        if record.sequence not in run:
            run.append(record.sequence)
    return found


async def eventually(check: Callable[[], bool | Awaitable[bool]], what: str, within: float = 20.0) -> None:
    """Returns as soon as the check holds; fails when it does not in time."""
    try:
        async with asyncio.timeout(within):
            while True:
                holds = check()
                if holds if isinstance(holds, bool) else await holds:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within:g} s: {what}") from None


async def fetchval(dsn: str, sql: str, *arguments: object) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()


async def drained(dsn: str) -> bool:
    """Whether the relay has passed on all of the public log."""
    behind = (
        "select (select position from log_head) - coalesce((select position from checkpoints where name = 'relay'), 0)"
    )
    return await fetchval(dsn, behind) == 0
