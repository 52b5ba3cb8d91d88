"""Wakes the relay in another process. Rung after a commit, never inside it, and not more often than it is worth.

A NOTIFY inside each small transaction would cut the store's throughput to a fifth; here one connection of its own says
once per interval that there is something new. If it is lost, the relay's own polling finds the event a little later.
"""

from __future__ import annotations

import asyncio

import asyncpg
import structlog

CHANNEL = "published"
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

log = structlog.get_logger()


class Doorbell:
    """Rings whenever `wake` is set. For processes that write but do not relay."""

    def __init__(self, dsn: str, wake: asyncio.Event, *, interval: float = 0.002, deadline: float = 5.0) -> None:
        self._dsn, self._wake, self._interval, self._deadline = dsn, wake, interval, deadline
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self.run(), name="belt-doorbell")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(self) -> None:
        while True:
            try:
                await self._ring()
            except AWAY as away:
                log.warning("doorbell.lost", error=repr(away))
                await asyncio.sleep(1.0)

    async def _ring(self) -> None:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=self._deadline,
            command_timeout=self._deadline,
            server_settings={"synchronous_commit": "off"},  # nothing is written that a crash could lose
        )
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await connection.execute(f"notify {CHANNEL}")
                await asyncio.sleep(self._interval)
        finally:
            connection.terminate()
