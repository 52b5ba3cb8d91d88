"""Whether there is room for further commands: told before PostgreSQL's disk is full, not by its being full.

A database on a full disk can neither write nor tidy up. So commands are refused (503) a good deal earlier, while reads,
the relay and what is already under way go on; when there is room again they are taken again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog

from belt.io.store.public_log import Pool
from belt.io.telemetry import STORAGE_CLOSED, STORAGE_FREE_BYTES, STORAGE_ROOM_BYTES, STORAGE_USED_BYTES

log = structlog.get_logger()

EVERY = 5.0
EASE = 0.05  # so much better than the limit it must be before commands are taken again
SIZE = "select pg_database_size(current_database())"


@dataclass(frozen=True)
class Limits:
    """`used`: bytes that the database may take (0: no limit). `free`: bytes that must be left where `path` lies."""

    used: int = 0
    free: int = 0
    path: Path | None = None

    @property
    def any(self) -> bool:
        return self.used > 0 or self.path is not None


def closes(limits: Limits, used: int, free: int | None, *, closed: bool) -> bool:
    """Whether commands are to be refused. Who refuses goes on refusing until it is clearly better."""
    ease = EASE if closed else 0.0
    too_much = limits.used > 0 and used >= limits.used * (1 - ease)
    too_little = free is not None and free < limits.free * (1 + ease)
    return too_much or too_little


def room(limits: Limits, used: int, free: int | None) -> int:
    """How many bytes more there may be until commands are refused; below 0: they are."""
    left = [limits.used - used] if limits.used > 0 else []
    return min([*left, free - limits.free] if free is not None else left, default=0)


class Storage:
    """Looks every few seconds, beside the work. What cannot be asked stays as it was."""

    def __init__(
        self,
        pool: Pool,
        limits: Limits,
        *,
        every: float = EVERY,
        free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._pool, self._limits, self._every, self._free = pool, limits, every, free
        self.closed = False

    async def run(self) -> None:
        while self._limits.any:
            try:
                await self.look()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
                log.warning("storage.not_measured", error=f"{type(away).__name__}: {away}")
            await asyncio.sleep(self._every)
        await asyncio.get_running_loop().create_future()  # nothing to watch

    async def look(self) -> None:
        """Measures, and tells."""
        used: int = await self._pool.fetchval(SIZE, timeout=self._every)
        free = self._free(self._limits.path) if self._limits.path is not None else None
        closed = closes(self._limits, used, free, closed=self.closed)
        if closed != self.closed:
            log.error("storage.low" if closed else "storage.enough", used=used, free=free)
        self.closed = closed
        STORAGE_USED_BYTES.set(used)
        STORAGE_ROOM_BYTES.set(room(self._limits, used, free))
        STORAGE_CLOSED.set(closed)
        if free is not None:
            STORAGE_FREE_BYTES.set(free)
