"""What is found when all is still: the rows of every database, every record in Kafka, what callers were told, pay.

Read past the services, with plain clients: nothing of the product is used, so none of its mistakes is shared.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from talk import Asked

# Who hears whom: a copy made by hand of what the domain says, not of the code's table.
TOPICS = {
    "conveyor.staff.v1": "lead-gen",
    "conveyor.leads.v1": "lead-gen",
    "conveyor.deals.v1": "conversion",
    "conveyor.accounts.v1": "account-mgmt",
    "conveyor.pay.v1": "compensation",
}
PARTITIONS = {"conveyor.staff.v1": 3, "conveyor.leads.v1": 12, "conveyor.deals.v1": 12, "conveyor.accounts.v1": 12,
              "conveyor.pay.v1": 3}  # fmt: skip
HEARS = {
    "lead-gen": ("conveyor.deals.v1",),
    "conversion": ("conveyor.staff.v1", "conveyor.leads.v1", "conveyor.accounts.v1"),
    "account-mgmt": ("conveyor.staff.v1", "conveyor.leads.v1", "conveyor.deals.v1"),
    "compensation": ("conveyor.staff.v1", "conveyor.leads.v1", "conveyor.deals.v1", "conveyor.accounts.v1"),
}
STORED = "stream_id, version, type, data, meta, recorded_at"
LOGGED = (
    "position, topic, key, sequence, event_id::text, attributes, value, recorded_at, "
    "extract(epoch from recorded_at)::text as epoch"
)
READ_WITHIN = 60.0


@dataclass(frozen=True)
class Record:
    """One record as Kafka has it. `place`: its partition and offset."""

    topic: str
    key: str
    event_id: str
    sequence: int
    type: str
    value: str
    place: tuple[int, int]

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.value)
        return found


@dataclass
class Rows:
    """One service's database."""

    events: list[Any]
    published: list[Any]
    chain: list[Any]
    gates: dict[tuple[str, str], int]
    parked: int
    relayed: int
    facts: list[str] | None = None


@dataclass
class Evidence:
    rows: dict[str, Rows]
    records: list[Record]
    history: Sequence[Asked]
    statements: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)  # (person, month)
    frozen: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)  # as they were when the month closed
    verification: Mapping[str, Any] | None = None
    answered_again: list[tuple[Asked, int, Any]] = field(default_factory=list)  # request, status and body of a resend
    counts_before: dict[str, int] = field(default_factory=dict)  # before the resends
    counts_after: dict[str, int] = field(default_factory=dict)
    denied: list[tuple[str, int]] = field(default_factory=list)  # (what was asked without the right to, status)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)  # by service, summed over its processes


async def rows_of(dsn: str, *, facts: bool) -> Rows:
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            gates = await connection.fetch("select consumer, topic, key, sequence from gates")
            return Rows(
                await connection.fetch(f"select {STORED} from events order by stream_id, version"),
                await connection.fetch(f"select {LOGGED} from published order by position"),
                await connection.fetch("select position, hash from log_chain order by position"),
                {(r["topic"], r["key"]): r["sequence"] for r in gates if not r["consumer"].endswith("/seen")},
                await connection.fetchval("select count(*) from parked"),
                await connection.fetchval("select coalesce(max(position), 0) from checkpoints where name = 'relay'"),
                [str(r[0]) for r in await connection.fetch("select event_id from facts")] if facts else None,
            )
    finally:
        await connection.close()


async def counts_of(dsns: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for service, dsn in dsns.items():
        connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60)
        for table in ("events", "published"):
            found[f"{service}.{table}"] = await connection.fetchval(f"select count(*) from {table}")
        await connection.close()
    return found


async def records_of(brokers: str, **access: Any) -> list[Record]:
    """Every record of every topic, in the order of each partition. `access`: how Kafka lets the reader in."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers, enable_auto_commit=False, auto_offset_reset="earliest", **access
    )
    async with asyncio.timeout(READ_WITHIN):
        await consumer.start()
        try:
            places = [TopicPartition(topic, n) for topic, count in PARTITIONS.items() for n in range(count)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            found: list[Record] = []
            while any([await consumer.position(place) < ends[place] for place in places]):
                for some in (await consumer.getmany(timeout_ms=500)).values():
                    found += [_record(raw) for raw in some]
            return found
        finally:
            await consumer.stop()


def _record(raw: Any) -> Record:
    told = {name: value.decode() for name, value in raw.headers}
    key, value = (raw.key or b"").decode(), (raw.value or b"").decode()
    place = raw.partition, raw.offset
    return Record(raw.topic, key, told["ce_id"], int(told["ce_sequence"]), told["ce_type"], value, place)


# -- is anything still on its way? -----------------------------------------------------------------------------------

HEADS = "select topic, key, max(sequence) from published group by topic, key"
AT = """select (select coalesce(max(position), 0) from checkpoints where name = 'relay') as relayed,
               (select count(*) from parked) as parked,
               (select count(*) from timers where due_at < clock_timestamp() + interval '10 seconds') as due"""


@dataclass(frozen=True)
class Marks:
    """How long the public logs are: the last position of each service, the last sequence of each topic and key."""

    positions: dict[str, int]
    sequences: dict[str, dict[tuple[str, str], int]]


async def marks(dsns: Mapping[str, str]) -> Marks:
    found = Marks({}, {})
    for service, dsn in dsns.items():
        connection = await asyncpg.connect(dsn, timeout=20, command_timeout=30)
        try:
            found.positions[service] = await connection.fetchval("select position from log_head")
            found.sequences[service] = {(r[0], r[1]): r[2] for r in await connection.fetch(HEADS)}
        finally:
            await connection.close()
    return found


async def lag(dsns: Mapping[str, str], upto: Marks | None = None) -> dict[str, int]:
    """What is not done yet, by kind: records not sent, places not taken in, events parked, timers due or soon due.

    With `upto`: only records not sent and places not taken in, of what these marks name.
    """
    known = upto or await marks(dsns)
    found = {"unsent": 0, "behind": 0, "parked": 0, "due": 0}
    for service, dsn in dsns.items():
        connection = await asyncpg.connect(dsn, timeout=20, command_timeout=30)
        try:
            at: Any = await connection.fetchrow(AT)
            mine = await connection.fetch("select topic, key, sequence from gates where consumer = $1", service)
        finally:
            await connection.close()
        found["unsent"] += max(0, known.positions[service] - at["relayed"])
        found["parked"] += at["parked"]
        found["due"] += at["due"]
        gates = {(r[0], r[1]): r[2] for r in mine}
        for topic in HEARS[service]:
            for place, head in known.sequences.get(TOPICS[topic], {}).items():
                if place[0] == topic:
                    found["behind"] += max(0, head - gates.get(place, 0))
    return found if upto is None else {kind: found[kind] for kind in ("unsent", "behind")}


async def still(dsns: Mapping[str, str], within: float, upto: Marks | None = None) -> tuple[float, dict[str, int]]:
    """Waits until nothing (of what the marks name) is on its way, twice in a row; (seconds it took, what is left)."""
    begun, quiet = time.monotonic(), 0
    left = {"unknown": 1}
    while time.monotonic() - begun < within:
        try:
            left = await lag(dsns, upto)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError):
            left = {"unknown": 1}
        quiet = 0 if any(left.values()) else quiet + 1
        if quiet == 2:
            break
        await asyncio.sleep(0.25)
    return time.monotonic() - begun, {kind: count for kind, count in left.items() if count}
