"""Whether the public log is still what was committed: its hash chain, worked out again link by link.

A link covers the rows of one commit, so a row that was edited, removed or slipped in is found with its neighbours. The
chain cannot tell of somebody who rewrites it to the end: for that, keep the head's hash somewhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

AT_ONCE = 500
DEADLINE = 60.0

# The next links above position $1 (whose hash is $2), each with what the store's `append_batch` would give today.
LINKS = """
with links as (
    select position, hash, lag(position, 1, $1) over place as before, lag(hash, 1, $2) over place as hash_before
    from log_chain where position > $1 window place as (order by position) order by position limit $3
)
select position, before, hash, hash = sha256(hash_before || convert_to(coalesce((
    select string_agg(concat_ws(e'\\x1f', row.position, topic, key, sequence, attributes, value,
                                extract(epoch from recorded_at)), e'\\x1e' order by row.position)
    from published row where row.position > links.before and row.position <= links.position), ''), 'UTF8')) as holds
from links order by position
"""
HEAD = "select position, hash from log_head"
ABOVE = "select min(position) from published where position > $1"


@dataclass(frozen=True)
class Broken:
    """The first rows that are not what was committed: positions above `after`, up to `upto`."""

    after: int
    upto: int
    why: str

    def __str__(self) -> str:
        place = f"position {self.upto}" if self.upto == self.after + 1 else f"positions {self.after + 1} to {self.upto}"
        return f"{place}: {self.why}"


async def verify(dsn: str, progress: Callable[[int, int], None] = lambda _at, _head: None) -> Broken | None:
    """Walks the chain from its beginning, a few hundred commits a time. None: every row is as it was committed."""
    connection = await asyncpg.connect(dsn, timeout=DEADLINE, command_timeout=DEADLINE)
    try:
        head = await connection.fetchrow(HEAD)
        position, link = 0, hashlib.sha256(b"").digest()
        while head is not None and position < head["position"]:
            rows = await connection.fetch(LINKS, position, link, AT_ONCE)
            if not rows:
                return Broken(position, head["position"], "the chain has no link for them")
            for row in rows:
                if not row["holds"]:
                    return Broken(row["before"], row["position"], "not what was committed")
                if row["position"] == head["position"] and row["hash"] != head["hash"]:
                    return Broken(row["before"], row["position"], "the head of the log is another one")
            position, link = rows[-1]["position"], rows[-1]["hash"]
            progress(position, head["position"])
        stray = await connection.fetchval(ABOVE, position) if await _ends(connection, position) else None
        return Broken(position, stray, "it stands above the head of the log") if stray is not None else None
    finally:
        await connection.close(timeout=DEADLINE)


async def _ends(connection: asyncpg.Connection[asyncpg.Record], position: int) -> bool:
    """Whether the head is still there: nothing was appended meanwhile."""
    return bool(await connection.fetchval("select position = $1 from log_head", position))
