"""After a backup was restored: what was forgotten since it was made is forgotten again.

A backup holds the keys of its day. Kafka keeps for ever whom to forget; it is read from its beginning, and every key
that came back is destroyed. To be run before the service starts; safe to run at any time, and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from belt.io.kafka.brokers import Brokers, Unreachable

DEADLINE = 30.0
FORGET = """
with told as (select distinct unnest($1::text[]) as holder),
     back as (select holder from keys join told using (holder) where wrapped is not null),
     done as (insert into keys (holder, wrapped) select holder, null from told
              on conflict (holder) do update set wrapped = null where keys.wrapped is not null)
select (select count(*) from told) as told, (select count(*) from back) as back
"""


@dataclass(frozen=True)
class Forgotten:
    """How many holders are to be forgotten, and how many of them had a key here again."""

    told: int
    back: int


async def forget_again(dsn: str, brokers: Brokers, topics: Collection[str], types: Collection[str]) -> Forgotten:
    """Destroys the key of everybody whom an event of these types names as its key."""
    holders = await _told(brokers, topics, types) if topics else set()
    connection = await asyncpg.connect(dsn, timeout=DEADLINE, command_timeout=DEADLINE)
    try:
        row = await connection.fetchrow(FORGET, sorted(holders))
        await connection.execute("vacuum keys")  # what was a key is no longer on its page, either
    finally:
        await connection.close(timeout=DEADLINE)
    return Forgotten(row["told"], row["back"]) if row is not None else Forgotten(0, 0)


async def _told(brokers: Brokers, topics: Collection[str], types: Collection[str]) -> set[str]:
    wanted = {wire.encode() for wire in types}
    found: set[str] = set()
    consumer: Any = AIOKafkaConsumer(*topics, auto_offset_reset="earliest", group_id=None, **brokers.words())
    try:
        async with asyncio.timeout(DEADLINE):
            await consumer.start()
            ends = await consumer.end_offsets(list(consumer.assignment()))
        for place, end in ends.items():
            while await _position(consumer, place) < end:
                for record in await _more(consumer, place):
                    if wanted & {value for name, value in record.headers if name == "ce_type"}:
                        found.add(record.key.decode())
    except (KafkaError, OSError, TimeoutError) as away:
        raise Unreachable(f"what is to be forgotten could not be read: {away!r}") from away
    finally:
        async with asyncio.timeout(DEADLINE):
            await consumer.stop()
    return found


async def _position(consumer: Any, place: Any) -> int:
    async with asyncio.timeout(DEADLINE):
        return int(await consumer.position(place))


async def _more(consumer: Any, place: Any) -> list[Any]:
    async with asyncio.timeout(DEADLINE):
        found = await consumer.getmany(place, timeout_ms=1_000)
    return [record for records in found.values() for record in records]
