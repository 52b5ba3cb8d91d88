"""The pods of a Deployment, replaced one after the other by its own strategy, and the list of those that are called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from balancer import Balancer
from overlay import Told
from pods import Pod

SEEN_AFTER = 2.0
"""Seconds from a change of a pod until whoever sends requests knows of it: what preStop must outlast."""
READY_WITHIN = 120.0

Make = Callable[[Told, int, Callable[[], None]], Pod]


class Deployment:
    """`balancer`: who sends requests to these pods; nobody, for workers."""

    def __init__(self, told: Told, make: Make, balancer: Balancer | None, say: Callable[[str], None]) -> None:
        self.told, self.balancer = told, balancer
        self.pods: list[Pod] = []
        self._make, self._say = make, say
        self._made = 0
        self._moved = asyncio.Event()

    @property
    def now(self) -> list[Pod]:
        """Those that are wanted: not on their way out."""
        return [pod for pod in self.pods if not pod.leaving]

    async def up(self) -> None:
        for _ in range(self.told.replicas()):
            await self._new()
        await self._until(lambda: all(pod.ready for pod in self.now))
        if self.balancer is not None:
            self.balancer.switch(self._called())

    async def roll(self) -> None:
        """Every pod is replaced: never more of them than the strategy allows, and never fewer that are ready."""
        old, new = self.now, list[Pod]()
        wanted = self.told.replicas()
        surge, unavailable = self.told.rolling()
        endings: list[asyncio.Task[None]] = []
        while old or len(new) < wanted or any(not pod.ready for pod in new):
            self._moved.clear()
            while len(new) < wanted and len(old) + len(new) < wanted + surge:
                new.append(await self._new())
            spare = sum(pod.ready for pod in (*old, *new)) - (wanted - unavailable)
            while old and spare > 0:
                leaver = old.pop(0)
                self._say(f"{leaver.name} leaves")
                endings.append(asyncio.create_task(leaver.end()))
                spare -= 1
                await asyncio.sleep(0)
            await self._change()
        await asyncio.gather(*endings)

    async def down(self) -> None:
        await asyncio.gather(*(pod.end() for pod in self.now))

    async def _new(self) -> Pod:
        self._made += 1
        pod = self._make(self.told, self._made, self._changed)
        self.pods.append(pod)
        await pod.start()
        return pod

    def _changed(self) -> None:
        """Heard at once by the controller, and after a while by whoever sends requests."""
        self._moved.set()
        if self.balancer is not None:
            asyncio.get_running_loop().call_later(SEEN_AFTER, self.balancer.switch, self._called())

    def _called(self) -> Sequence[int]:
        return [pod.port for pod in self.now if pod.ready]

    async def _change(self) -> None:
        """Waits for one since `_moved` was cleared, before what is decided was looked at."""
        async with asyncio.timeout(READY_WITHIN):
            await self._moved.wait()

    async def _until(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + READY_WITHIN
        self._moved.clear()
        while not holds():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.told.called}: {[pod.name for pod in self.now if not pod.ready]} not ready")
            await self._change()
            self._moved.clear()
