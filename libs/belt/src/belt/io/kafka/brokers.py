"""Where Kafka is, how a client is let in, and how it lets go. Every client is disposable: when in doubt, a new one.

aiokafka waits without end when a broker is away, so every await on it has a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from belt.io.kafka.access import Access, reason


class Unreachable(Exception):
    """Kafka did not do what it was asked within the deadline. What was sent may have arrived."""


@dataclass(frozen=True)
class Brokers:
    """Where Kafka is, and how to be let in."""

    servers: str
    access: Access = Access()

    def words(self) -> dict[str, Any]:
        """What every client of aiokafka is told. Raises access.Unusable."""
        return {"bootstrap_servers": self.servers, **self.access.words()}

    async def reason(self, failed: BaseException) -> str:
        """Why Kafka could not be used, in one line."""
        return await reason(self.servers, self.access, failed)


async def scrap(stop: Coroutine[Any, Any, None], client: Any, parts: Sequence[Any], within: float) -> None:
    """Stops an aiokafka client in good order if it can be done in time, else takes it apart.

    aiokafka keeps no list of its tasks, so those that run a method of one of its parts are found and cancelled.
    """
    stopping = asyncio.create_task(stop)
    await asyncio.wait([stopping], timeout=within)
    if not stopping.done():
        for connection in list(client._conns.values()):
            connection.close()
    left = [task for task in asyncio.all_tasks() if _self_of(task) in {id(part) for part in parts if part is not None}]
    for task in left:
        task.cancel()
    await asyncio.wait([stopping, *left], timeout=within)
    if stopping.done() and not stopping.cancelled():
        stopping.exception()  # how it ended no longer matters, only that it did


def _self_of(task: asyncio.Task[Any]) -> int | None:
    frame = getattr(task.get_coro(), "cr_frame", None)
    owner = frame.f_locals.get("self") if frame is not None else None
    return id(owner) if owner is not None else None
