"""What a fault may touch: the plant, the talk, the stories, and a chance of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import asyncpg
from plant import Member, Plant
from stories import Stories
from talk import Talk


@dataclass
class Scene:
    """What a fault may touch."""

    plant: Plant
    talk: Talk
    stories: Stories
    rnd: Random
    seconds: float  # how long the whole run is disturbed
    alone: bool = False  # it is the only kind of this run
    takeovers: list[float] = field(default_factory=list)  # seconds until another led
    slow_takeovers: list[str] = field(default_factory=list)
    slow_ends: list[str] = field(default_factory=list)  # members that took too long to end, or ended badly

    def member(self, *services: str) -> Member:
        return self.rnd.choice([m for m in self.plant.members if not services or m.service in services])

    def service(self) -> str:
        return self.rnd.choice(self.plant.services)

    async def rest(self, low: float, high: float) -> None:
        await asyncio.sleep(self.rnd.uniform(low, high))


Fault = Callable[[Scene], Awaitable[None]]


ENDED = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid() and {}"
)


async def end_sessions(dsn: str, which: str) -> None:
    with contextlib.suppress(asyncpg.PostgresError, OSError, TimeoutError):
        connection = await asyncpg.connect(dsn, timeout=5, command_timeout=5)
        try:
            await connection.execute(ENDED.format(which))
        finally:
            connection.terminate()
