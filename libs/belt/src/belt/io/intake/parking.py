"""Events that could not be taken in, held back by key: the later events of the key queue behind, in order.

A parked row holds a public event, so nothing personal. A row above the key's gate blocks the key; rows at or below it,
and records without a sequence, are only kept to be looked at.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from belt.io.intake.arrival import Arrival, from_parked
from belt.io.store.public_log import Pool
from belt.io.telemetry import PARKED_KEYS

INSERT = """
insert into parked (consumer, topic, key, sequence, event_id, attributes, value, reason, parked_at)
select $1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp()
where not exists (select from commands where key = $9)
on conflict (consumer, topic, key, sequence) do nothing
"""

# The row in front is locked, so that whoever takes it away sees the one that queued behind it.
QUEUE = """
with front as (
    select 1 from parked where consumer = $1 and topic = $2 and key = $3 and sequence > $9 and sequence < $4
    order by sequence desc limit 1 for update
), queued as (
    insert into parked (consumer, topic, key, sequence, event_id, attributes, value, reason, parked_at)
    select $1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() from front
    on conflict (consumer, topic, key, sequence) do nothing
)
select exists (select from front)
"""

COLUMNS = "id, topic, key, sequence, event_id, attributes, value, reason, parked_at"
KEYS = "select topic, count(distinct key) as keys from parked where consumer = $1 group by topic"
BEHIND = "behind a parked event of its key"


@dataclass(frozen=True)
class Parked:
    """One parked event, for those who look after it."""

    id: int
    topic: str
    key: str
    sequence: int
    event_id: UUID
    reason: str
    parked_at: datetime
    arrival: Arrival


class Parking:
    """The parked events of one consumer. `pool` is the service's own database."""

    def __init__(self, consumer: str, pool: Pool, *, deadline: float = 10.0) -> None:
        self.consumer, self._pool, self._deadline = consumer, pool, deadline
        self._topics: set[str] = set()

    async def ask(self, how: str, sql: str, *arguments: Any) -> Any:
        """One question to the database, within the deadline."""
        async with asyncio.timeout(self._deadline):
            return await getattr(self._pool, how)(sql, *arguments)

    def key_of(self, arrival: Arrival) -> str:
        """The idempotency key of the event's append unit."""
        return f"{self.consumer}:{arrival.event_id}"

    async def park(self, arrival: Arrival, reason: str) -> None:
        """Holds the event back, unless it is parked or has been handled already."""
        place = self.consumer, arrival.topic, arrival.key, arrival.sequence, arrival.event_id
        await self.ask("execute", INSERT, *place, *arrival.texts, reason, self.key_of(arrival))
        await self.count()

    async def queue(self, arrival: Arrival, gate: int) -> bool:
        """Parks the event if an earlier one of its key, above the gate, is parked. Answers whether it did."""
        place = self.consumer, arrival.topic, arrival.key, arrival.sequence, arrival.event_id
        return bool(await self.ask("fetchval", QUEUE, *place, *arrival.texts, BEHIND, gate))

    async def find(self, parked_id: int) -> Parked | None:
        row = await self.ask(
            "fetchrow",
            f"select {COLUMNS} from parked where consumer = $1 and id = $2",
            self.consumer,
            parked_id,
        )
        return from_row(row) if row is not None else None

    async def first(self, topic: str, key: str, above: int) -> Parked | None:
        """The next event of a key, in order."""
        row = await self.ask(
            "fetchrow",
            f"select {COLUMNS} from parked where consumer = $1 and topic = $2 and key = $3 and sequence > $4"
            " order by sequence limit 1",
            self.consumer,
            topic,
            key,
            above,
        )
        return from_row(row) if row is not None else None

    async def listed(self, after: int, limit: int) -> list[Parked]:
        """Parked events by id."""
        rows = await self.ask(
            "fetch",
            f"select {COLUMNS} from parked where consumer = $1 and id > $2 order by id limit $3",
            self.consumer,
            after,
            limit,
        )
        return [from_row(row) for row in rows]

    async def sequences(self, topic: str, key: str, above: int, below: int) -> set[int]:
        """Which of the key's events between two sequences are parked."""
        rows = await self.ask(
            "fetch",
            "select sequence from parked where consumer = $1 and topic = $2 and key = $3 and sequence > $4"
            " and sequence < $5",
            self.consumer,
            topic,
            key,
            above,
            below,
        )
        return {row["sequence"] for row in rows}

    async def explain(self, parked: Parked, reason: str) -> None:
        """A new reason, after another try."""
        await self.ask("execute", "update parked set reason = $2 where id = $1", parked.id, reason)

    async def remove(self, parked: Parked) -> None:
        await self.ask("execute", "delete from parked where id = $1", parked.id)
        await self.count()

    async def left(self, topic: str, key: str) -> int:
        """How many events of the key are parked."""
        found: int = await self.ask(
            "fetchval",
            "select count(*) from parked where consumer = $1 and topic = $2 and key = $3",
            self.consumer,
            topic,
            key,
        )
        return found

    async def count(self) -> dict[str, int]:
        """Parked keys per topic; told to the metrics."""
        rows = await self.ask("fetch", KEYS, self.consumer)
        found = {row["topic"]: row["keys"] for row in rows}
        self._topics |= found.keys()
        for topic in self._topics:
            PARKED_KEYS.labels(topic).set(found.get(topic, 0))
        return found


def from_row(row: Any) -> Parked:
    """A row with the columns of COLUMNS."""
    place = row["id"], row["topic"], row["key"], row["sequence"], row["event_id"]
    return Parked(*place, row["reason"], row["parked_at"], from_parked(row))
