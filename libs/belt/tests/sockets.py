"""A place behind a real server, and ways to talk to it byte by byte."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from doorways import Place
from fastapi import FastAPI

from belt.io.http.app import server
from belt.io.http.wire import Connection

SOON = 5.0


class Hasty(Connection):
    """As in production, with less patience."""

    head_seconds = 0.3
    rest_seconds = 0.3
    stall_seconds = 0.3


class Served:
    """The doors behind a real server."""

    def __init__(self, place: Place, http: uvicorn.Server, port: int) -> None:
        self.place, self.http, self.port = place, http, port

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(self, *parts: bytes) -> bytes:
        """Everything that comes back until the connection ends."""
        reader, writer = await self.open()
        try:
            for part in parts:
                writer.write(part)
            return await asyncio.wait_for(reader.read(), SOON)
        finally:
            writer.close()

    async def ask(self, line: str, *headers: str) -> tuple[int, dict[str, str]]:
        """Status and problem of one request by its first line."""
        token = self.place.bearer("deals:read", "deals:write")["authorization"]
        lines = [f"{line} HTTP/1.1", "host: x", f"authorization: {token}", *headers, "connection: close", "", ""]
        told = await self.say("\r\n".join(lines).encode())
        head, _, body = told.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(body) if body.startswith(b"{") else {}


@asynccontextmanager
async def serving(place: Place, app: FastAPI | None = None) -> AsyncIterator[Served]:
    """The place's app, or another one, behind its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    http = server(app or place.app, host="127.0.0.1", port=port, shutdown=1)
    assert http.config.http is Connection
    http.config.http = Hasty
    task = asyncio.create_task(http.serve())
    await until(lambda: http.started)
    yield Served(place, http, port)
    http.should_exit = True
    await asyncio.wait_for(task, 10)


async def until(true: Callable[[], bool]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.01)


async def trickled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, part: bytes) -> bytes:
    """Says the part again and again, until the other side cuts the connection; what it had said until then."""

    async def go_on() -> None:
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.05)

    talking = asyncio.create_task(go_on())
    try:
        return await asyncio.wait_for(reader.read(), SOON)
    except ConnectionError:
        return b""
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        writer.close()


async def ended(served: Served, said: bytes) -> bytes:
    """What came back until the other side cut the connection."""
    reader, writer = await served.open()
    writer.write(said)
    found = b""
    try:
        while part := await asyncio.wait_for(reader.read(65_536), SOON):
            found += part
    except ConnectionResetError:
        return found
    finally:
        writer.close()
    return found
