"""The relay's way along the public log: what comes next, read ahead of need, and the checkpoint that follows behind.

One connection, one question at a time. Where there is more to carry than one batch, the batch after the next is on its
way from the database while the next one is packed, and the checkpoint moves while the next one is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from belt.io.store.public_log import BYTES_AT_ONCE, FEW, NEXT, NEXT_FEW, RELAY, Backlog, Connection, backlog

MOVE = "update checkpoints set position = $3 where name = $1 and position = $2 returning position"


class SteppedDown(Exception):
    """Another relay took over, or the public log is not what the checkpoint says: begin again."""


class Course:
    """One term of a leader. `kept` is where the checkpoint stands."""

    def __init__(self, connection: Connection, batch: int, deadline: float, wake: asyncio.Event) -> None:
        self._connection, self._batch, self._deadline, self._wake = connection, batch, deadline, wake
        self._free = asyncio.Lock()
        self._ahead: tuple[int, asyncio.Task[Sequence[Any]]] | None = None
        self._moving: asyncio.Task[None] | None = None
        self._at_end = False
        self._little = False
        self.kept = 0

    @property
    def quiet(self) -> bool:
        """The last read came to the end of the log, and nobody has rung since."""
        return not self.more and not self._wake.is_set()

    @property
    def more(self) -> bool:
        """The last read did not come to the end of the log, or what it found was not asked for yet."""
        return self._ahead is not None or not self._at_end

    def look_again(self) -> None:
        """There may be more, though nobody has rung."""
        self._at_end = False

    async def look(self) -> Backlog:
        """Where the checkpoint and the head stand now."""
        async with self._free:
            return await backlog(self._connection, RELAY, self._deadline)

    async def say_something(self) -> None:
        """The database ends a session that is silent for long."""
        if not self._free.locked():
            async with self._free:
                await self._connection.execute("select 1")

    async def next(self, position: int) -> Sequence[Any]:
        """The rows above a position, a batch at most. If there are more of them, those are asked for at once."""
        ahead, self._ahead = self._ahead, None
        rows = await ahead[1] if ahead is not None else None
        if rows is None or ahead is None or ahead[0] != position:
            rows = await self._read(position)
        if len(rows) == self._batch:
            self._ahead = position + len(rows), asyncio.create_task(self._read(position + len(rows)))
            await asyncio.sleep(0)  # the question is on its way before anybody goes to work on these
        return rows

    async def _read(self, position: int) -> Sequence[Any]:
        self._wake.clear()
        async with self._free:
            if self._little:
                most = min(FEW, self._batch)
                rows = await self._connection.fetch(NEXT_FEW, position, most)
            else:
                most = self._batch
                rows = await self._connection.fetch(NEXT, position, most, BYTES_AT_ONCE)
        if rows and (rows[0]["position"] != position + 1 or rows[-1]["position"] != position + len(rows)):
            raise SteppedDown(f"the public log has a hole above {position}")
        # What a limit of bytes has cut off may be few rows, but never little.
        self._at_end = len(rows) < most and sum(len(row["value"]) for row in rows) < BYTES_AT_ONCE // 4
        self._little = self._at_end  # what has come by the next look is little as well, most likely
        return rows

    async def keep(self, reached: int, *, now: bool) -> None:
        """Moves the checkpoint to where everything is acknowledged; `now`, or beside what follows.

        Raises SteppedDown, at the latest when it is called again: another relay moved it.
        """
        moving, self._moving = self._moving, None
        if moving is not None:
            await moving
        if reached != self.kept:
            self._moving = asyncio.create_task(self._move(reached))
        if now and self._moving is not None:
            await self._moving

    async def _move(self, reached: int) -> None:
        async with self._free:
            if await self._connection.fetchval(MOVE, RELAY, self.kept, reached) is None:
                raise SteppedDown("another relay moved the checkpoint")
        self.kept = reached

    async def end(self) -> None:
        """Nothing of it goes on."""
        left = [task for task in (self._ahead and self._ahead[1], self._moving) if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
