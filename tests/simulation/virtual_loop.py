"""An event loop in which time passes only when everybody waits, and then at once: a minute takes a millisecond.

There is no socket, no thread and no other source of chance: the same program on the same loop does the same.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class NothingWillHappen(RuntimeError):
    """Everybody waits, and nobody for a time."""


class _Clockwork(selectors.BaseSelector):
    """Instead of waiting for files it moves the clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingWillHappen
        self.now += max(timeout, 0.0)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        raise NotImplementedError("no files here")

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        raise NotImplementedError("no files here")

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clockwork = _Clockwork()
        super().__init__(self._clockwork)

    def time(self) -> float:
        return self._clockwork.now

    def _make_self_pipe(self) -> None:
        """Nobody wakes it from outside."""

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        pass
