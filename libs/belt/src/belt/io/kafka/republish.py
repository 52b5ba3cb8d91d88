"""Kafka lost records, or a topic was made anew: the public log is sent again from a position on, in its order.

Only the relay's checkpoint is set back. A relay that is at work finds that it moved and begins again from there; what
it sends twice, consumers know by its id. So this is safe at any moment, beside any number of running processes.
"""

from __future__ import annotations

import asyncpg

from belt.io.store.public_log import RELAY

DEADLINE = 10.0
BACK = """
update checkpoints set position = $2 where name = $1 and position > $2
returning (select position from log_head) - $2 as again
"""


async def republish(dsn: str, start: int) -> int:
    """Has everything from position `start` on sent again. Answers how many records; 0: they were not sent yet."""
    if start < 1:
        raise ValueError("positions begin at 1")
    connection = await asyncpg.connect(dsn, timeout=DEADLINE, command_timeout=DEADLINE)
    try:
        return int(await connection.fetchval(BACK, RELAY, start - 1) or 0)
    finally:
        await connection.close(timeout=DEADLINE)
