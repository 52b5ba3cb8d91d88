"""Deadlines of one length for many waits at once: one timer for all, and for each no more than a place in a queue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Wait(Generic[T]):
    """One wait. `end` it when what was waited for is there; `late` says that it was not in time."""

    __slots__ = ("due", "late", "what")

    def __init__(self, what: T, due: float) -> None:
        self.what: T | None = what
        self.due, self.late = due, False

    def end(self) -> None:
        self.what = None


class Deadlines(Generic[T]):
    """`late` is called with whatever was not ended within `seconds`."""

    def __init__(self, seconds: float, late: Callable[[T], object]) -> None:
        self._seconds, self._late = seconds, late
        self._waits: deque[Wait[T]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._armed = False

    def begin(self, what: T) -> Wait[T]:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._armed = loop, False
            self._waits.clear()
        waits = self._waits
        while waits and waits[0].what is None:
            waits.popleft()
        wait = Wait(what, loop.time() + self._seconds)
        waits.append(wait)
        if not self._armed:
            self._arm(loop, wait.due)
        return wait

    def _arm(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._armed = True
        loop.call_at(due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        waits, now = self._waits, loop.time()
        while waits and (waits[0].what is None or waits[0].due <= now):
            wait = waits.popleft()
            what, wait.what = wait.what, None
            if what is not None:
                wait.late = True
                self._late(what)
        self._armed = False
        if waits:
            self._arm(loop, waits[0].due)
