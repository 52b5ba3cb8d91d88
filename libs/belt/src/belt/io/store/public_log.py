"""The public log of a service: gap-free, in commit order. The relay, the feed and the views all read it from here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import asyncpg
from pydantic_core import from_json

from conveyor_events.envelope import sequence_text
from conveyor_events.words import instant_text

RELAY = "relay"
BYTES_AT_ONCE = 32 * 1024 * 1024
BYTES_TO_READERS = 2 * 1024 * 1024

# At most $2 rows above position $1, and no more than about $3 bytes of them. How many that is, is found from the sizes
# alone; the rows themselves are read once.
READ = """
select position, topic, key, sequence, attributes, value, recorded_at
from published where position > $1 {filter} order by {order} limit (
    select count(*) from (
        select sum(octet_length(value)) over (order by {order}) - octet_length(value) as before
        from (select position, sequence, value from published where position > $1 {filter} order by {order} limit $2)
             as slice
    ) as sized where before < $3
)
"""
NEXT = READ.format(filter="", order="position")
# So few that their sizes need not be asked for: none is larger than a record may be.
NEXT_FEW = """
select position, topic, key, sequence, attributes, value, recorded_at
from published where position > $1 order by position limit $2
"""
FEW = 32
OF_TOPICS = READ.format(filter="and ($4::text is null or topic = $4) and topic <> all($5::text[])", order="position")
OF_KEY = READ.format(
    filter="and topic = $4 and key = $5 and sequence > $6 and topic <> all($7::text[])",
    order="sequence",  # the same order as that of positions, and the one that has an index
)

BACKLOG = """
select place.position, log_head.position as head,
       coalesce((select extract(epoch from clock_timestamp() - recorded_at)::float8 from published
                 where published.position = place.position + 1), 0) as age
from log_head, (select coalesce((select position from checkpoints where name = $1), 0) as position) as place
"""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@dataclass(frozen=True)
class Backlog:
    """How far a follower of the public log is. `age` is that of the oldest event it has not passed on, in seconds."""

    position: int
    head: int
    age: float

    @property
    def drained(self) -> bool:
        return self.position >= self.head


async def backlog(database: Any, follower: str = RELAY, within: float = 5.0) -> Backlog:
    """The follower's place now. `database` is a connection or a pool."""
    row = await database.fetchrow(BACKLOG, follower, timeout=within)
    return Backlog(row["position"], row["head"], row["age"])


@dataclass(frozen=True)
class Filter:
    """Which events somebody wants (a topic, a key of it from a sequence on), and which topics they may not see."""

    topic: str | None = None
    key: str | None = None
    after_sequence: int = 0
    hidden: Sequence[str] = ()


async def read(
    pool: Pool, after: int, limit: int, wanted: Filter, within: float = 5.0, most_bytes: int = BYTES_TO_READERS
) -> list[Any]:
    """The next rows above a position. Of one key, the order of positions is the order of sequences."""
    async with asyncio.timeout(within):
        if wanted.key is None:
            rows = await pool.fetch(OF_TOPICS, after, limit, most_bytes, wanted.topic, wanted.hidden)
        else:
            place = wanted.topic, wanted.key, wanted.after_sequence
            rows = await pool.fetch(OF_KEY, after, limit, most_bytes, *place, wanted.hidden)
    return list(rows)


class _Stamp:
    """The last time that was written: the events of one commit share it."""

    def __init__(self) -> None:
        self._at, self._text = datetime.min.replace(tzinfo=UTC), ""

    def text(self, at: datetime) -> str:
        if at != self._at:
            self._at, self._text = at, instant_text(at)
        return self._text


_stamp = _Stamp()


def attributes(row: Any) -> dict[str, str]:
    """All CloudEvents attributes of a row of the public log, as text."""
    found: dict[str, str] = from_json(row["attributes"], cache_strings="keys")
    found["sequence"] = sequence_text(row["sequence"])
    found["recordedtime"] = _stamp.text(row["recorded_at"])
    return found
