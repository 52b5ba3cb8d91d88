"""What many ask for at once is made once: kept until the next beat, or for a moment at most."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
MOST, FRESH = 512, 2.0


class Kept(Generic[T]):
    """`of` answers what was made for the key since the last beat; whoever asks meanwhile waits for the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, int, asyncio.Task[T]]] = OrderedDict()

    async def of(self, key: Hashable, beat: int, make: Callable[[], Awaitable[T]]) -> T:
        made, at, task = self._kept.get(key, (0.0, -1, None))
        if task is None or at != beat or monotonic() - made > FRESH or _failed(task):
            task = asyncio.ensure_future(_awaited(make))
            self._kept[key] = monotonic(), beat, task
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return await asyncio.shield(task)


def _failed(task: asyncio.Task[T]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
