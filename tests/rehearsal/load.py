"""Everybody who is on the line while it is rolled, let loose and held back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lag import Lag
from stood_up import Line
from stories import Stories
from traffic import Caller, Follower


@dataclass
class Load:
    """The callers of one line."""

    caller: Caller
    stories: Stories
    followers: list[Follower]
    lag: Lag
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def stop(self) -> None:
        """Nothing is begun any more. A task that broke is a fault of the rehearsal, not to be mistaken for silence."""
        for task in self.tasks:
            task.cancel()
        for found in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(found, Exception):
                raise found

    def errors(self, since: float = 0.0) -> list[str]:
        wrong = [one for one in self.caller.heard if one.wrong and one.at >= since]
        return [f"{one.at:.1f} s: {one.told} after {one.took:.2f} s: {one.what}" for one in wrong]


@asynccontextmanager
async def under_load(running: Line, *, again: int = 0) -> AsyncIterator[Load]:
    """Callers at work, until they are stopped or this ends; readers of the feeds stay.

    `again`: how often there were callers before; people and plans are there then, and clients are others.
    """
    wanted, seed = running.wanted, running.wanted.seed + again
    addresses = {name: f"http://127.0.0.1:{one.port}" for name, one in running.balancers.items()}
    async with Caller(addresses, running.ground.issuer, seed) as caller:
        caller.begun = running.begun
        stations = len([service for service in wanted.services if service != "compensation"])
        stories = Stories(caller, seed, stations)
        if not again:
            await stories.open()
        followers = [Follower(service, caller) for service in wanted.services]
        load = Load(caller, stories, followers, Lag(running.dsns))
        looking = caller.look(tuple(wanted.services), wanted.looks)
        work = (_lives(stories, wanted.lives), looking, load.lag.measure(), _reported(running, load))
        load.tasks = [asyncio.create_task(one) for one in work]
        streams = [asyncio.create_task(follower.follow()) for follower in followers]
        try:
            yield load
        finally:
            for task in (*load.tasks, *streams):
                task.cancel()
            await asyncio.gather(*load.tasks, *streams, return_exceptions=True)


async def _lives(stories: Stories, rate: float) -> None:
    while True:
        stories.begin()
        await asyncio.sleep(1 / rate)


async def _reported(running: Line, load: Load) -> None:
    while True:
        await asyncio.sleep(5)
        running.say(
            f"requests {len(load.caller.heard)}, lives {load.stories.ended}/{load.stories.begun}, "
            f"errors {len(load.errors())}, lag {load.lag.most:.1f} s at most"
        )
