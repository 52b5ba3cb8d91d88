"""One call of the system for an answer instead of two: its head waits for its body, one turn of the loop at most."""

from __future__ import annotations

import asyncio
from typing import Any


class Gathering:
    """A transport like the one it stands before, but that what is written in one turn of the loop goes out together."""

    __slots__ = ("_call_soon", "_held", "_its", "is_closing", "pause_reading", "resume_reading")

    def __init__(self, its: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._its, self._call_soon = its, loop.call_soon
        self._held: bytes | None = None
        self.is_closing, self.pause_reading, self.resume_reading = its.is_closing, its.pause_reading, its.resume_reading

    def write(self, data: bytes) -> None:
        """The first of a turn waits; the second takes it along."""
        if self._held is None:
            self._held = data
            self._call_soon(self.flush)
        else:
            held, self._held = self._held, None
            self._its.writelines((held, data))

    def write_now(self, data: bytes) -> None:
        """What is whole waits for nothing."""
        if self._held is None:
            self._its.write(data)
        else:
            self.write(data)

    def flush(self) -> None:
        """What waits goes out now."""
        if self._held is not None:
            held, self._held = self._held, None
            if not self._its.is_closing():
                self._its.write(held)

    def close(self) -> None:
        self.flush()
        self._its.close()

    def abort(self) -> None:
        self._held = None
        self._its.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._its, name)
