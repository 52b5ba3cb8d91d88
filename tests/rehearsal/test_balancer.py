"""The balancer carries what it is given, to those on its list, and hides nothing that goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from balancer import Balancer


@dataclass
class End:
    """A small server: it answers with its name, streams, and may break off."""

    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    callers: set[str] = field(default_factory=set)
    breaks: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked[request.method] += 1
        self.callers.add(str(request.transport.get_extra_info("peername")) if request.transport else "")
        if self.breaks:
            assert request.transport is not None
            request.transport.abort()
        if request.path == "/stream":
            reply = web.StreamResponse()
            await reply.prepare(request)
            for number in range(3):
                await reply.write(f"{number};".encode())
            await reply.write_eof()
            return reply
        return web.Response(text=f"{self.port} {len(body)}", headers={"etag": '"1"'})


@asynccontextmanager
async def serving() -> AsyncIterator[End]:
    end = End()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", end.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    end.port = runner.addresses[0][1]
    try:
        yield end
    finally:
        await runner.cleanup()


@asynccontextmanager
async def balanced(*ends: End) -> AsyncIterator[tuple[Balancer, aiohttp.ClientSession]]:
    balancer = Balancer("test")
    await balancer.listen()
    balancer.switch([end.port for end in ends])
    async with aiohttp.ClientSession(f"http://127.0.0.1:{balancer.port}") as http:
        try:
            yield balancer, http
        finally:
            await balancer.close()


async def text(http: aiohttp.ClientSession, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    async with http.request(method, path, data=body) as answer:
        return answer.status, await answer.text()


async def test_each_request_goes_to_the_next_and_connections_are_used_again() -> None:
    async with serving() as one, serving() as other, balanced(one, other) as (balancer, http):
        for _ in range(10):
            assert (await text(http, "POST", "/", b"x" * 100_000))[0] == 200
        assert one.asked["POST"] == other.asked["POST"] == 5
        assert len(one.callers) == len(other.callers) == 1
        assert balancer.failures == []


async def test_bodies_headers_and_streams_pass_as_they_are() -> None:
    async with serving() as one, balanced(one) as (_, http):
        assert await text(http, "PUT", "/", b"y" * 300_000) == (200, f"{one.port} 300000")
        assert await text(http, "GET", "/stream") == (200, "0;1;2;")
        async with http.head("/") as answer:
            assert answer.headers["etag"] == '"1"'
        assert await asyncio.gather(*(text(http, "GET", "/stream") for _ in range(20))) == [(200, "0;1;2;")] * 20


async def test_who_is_off_the_list_is_asked_no_more() -> None:
    async with serving() as one, serving() as other, balanced(one, other) as (balancer, http):
        await asyncio.gather(*(text(http, "GET", "/") for _ in range(8)))
        before = one.asked.total()
        balancer.switch([other.port])
        await asyncio.gather(*(text(http, "GET", "/") for _ in range(8)))
        assert one.asked.total() == before
        balancer.switch([])
        assert (await text(http, "GET", "/"))[0] == 503


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_that_breaks_is_told_and_not_sent_again(method: str) -> None:
    async with serving() as one, serving() as other, balanced(one, other) as (balancer, http):
        one.breaks = True
        found = Counter([(await text(http, method, "/"))[0] for _ in range(4)])
        assert found == {200: 2, 502: 2}
        assert other.asked.total() == 2
        assert [pod for _, pod, _, _ in balancer.failures] == [one.port, one.port]


async def test_a_door_that_is_shut_is_told() -> None:
    async with serving() as one:
        pass
    async with balanced(one) as (balancer, http):
        assert (await text(http, "POST", "/"))[0] == 502
        assert "Refused" in balancer.failures[0][3]
