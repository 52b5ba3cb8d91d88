"""A wire between a client and a server: bytes pass, wait, vanish or are cut, as it is told. It also picks a server.

Each wire listens on a port of its own and carries every connection to one of its ends that answers. All wires live in
one thread with a loop of its own, so that a wire moves while its owner waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

CHUNK = 64 * 1024
LOOK = 0.05


@dataclass(eq=False)
class Wire:
    """`ends` are ports on this machine. What it does to bytes may be changed at any time."""

    name: str
    ends: list[int]
    port: int = 0
    hole: bool = False  # nothing passes, in either direction, and nobody is told
    delay: float = 0.0  # seconds that each piece waits
    cut_replies: int = 0  # so many replies are lost: the request arrives, the connection breaks before its answer
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a wire that breaks is what it is for
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await self._reach()
        if far is None:
            return
        back, forth = far
        try:
            ways = [
                asyncio.create_task(self._pass(reader, forth, reply=False)),
                asyncio.create_task(self._pass(back, writer, reply=True)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            forth.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to one of the ends, those that refuse left out."""
        while self.hole:  # noqa: ASYNC110 (told by another thread)
            await asyncio.sleep(LOOK)
        for port in random.sample(self.ends, len(self.ends)):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _pass(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, *, reply: bool) -> None:
        while piece := await source.read(CHUNK):
            while self.hole:  # noqa: ASYNC110 (told by another thread)
                await asyncio.sleep(LOOK)
            if self.delay:
                await asyncio.sleep(self.delay)
            if reply and self.cut_replies > 0:
                self.cut_replies -= 1
                return
            drain.write(piece)
            await drain.drain()

    def cut(self) -> None:
        """Every connection of this moment breaks."""
        for task in list(self._open):
            task.cancel()


class Wires:
    """The thread in which wires live. `new` may be called from anywhere."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._thread.start()
        self._all: list[Wire] = []

    def new(self, name: str, ends: Sequence[int]) -> Wire:
        wire = Wire(name, list(ends))
        asyncio.run_coroutine_threadsafe(wire.listen(), self._loop).result(10)
        self._all.append(wire)
        return wire

    def cut(self, wire: Wire) -> None:
        self._loop.call_soon_threadsafe(wire.cut)

    def close(self) -> None:
        async def end() -> None:
            for wire in self._all:
                wire.close()
            mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in mine:
                task.cancel()
            await asyncio.gather(*mine, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
