"""Where a request ends and the next begins, over real sockets: what one caller says is never taken for another thing.

Trailers, wishes for other protocols, bytes that are no request behind requests that are some, and who leaves early.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from doorways import Place
from sockets import SOON, Served, serving, until
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from structlog.testing import capture_logs

from belt.io.http.app import create_app
from belt.io.http.doors import Doors
from belt.io.http.wire import HEAD_BYTES

LIVE = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
WISH = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA")
BODY = b'{"amount": "1.00"}'
SIZED = f"content-length: {len(BODY)}"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(Place(tmp_path, request_deadline=2.0)) as one:
        yield one


def head(served: Served, line: str, *headers: str, bearer: bool = True, version: str = "1.1") -> bytes:
    """The first line, who asks, and more."""
    token = served.place.bearer("deals:read", "deals:write")["authorization"]
    lines = [f"{line} HTTP/{version}", "host: x", *([f"authorization: {token}"] if bearer else []), *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def turn(served: Served, *headers: str, bearer: bool = True) -> bytes:
    """The head of a command."""
    return head(served, "POST /v1/things/a/turn", "content-type: application/json", *headers, bearer=bearer)


def chunked(*trailers: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY) + b"".join(b"%b\r\n" % one for one in trailers) + b"\r\n"


def statuses(told: bytes) -> list[int]:
    """Those of all answers, each of which has a length."""
    found = []
    while told:
        first, _, rest = told.partition(b"\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 "), told[:80]
        lengths = [int(line.split(b":")[1]) for line in first.split(b"\r\n") if line.startswith(b"content-length")]
        found.append(int(first.split(b" ")[1]))
        told = rest[lengths[0] :]
    return found


# --- trailers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [False, True], ids=["in one piece", "apart"])
async def test_trailers_say_nothing_of_the_request(served: Served, *, apart: bool) -> None:
    body = chunked(b"idempotency-key: k", b'if-match: "999"', b"expect: 100-continue", b"upgrade: h2c")
    assert await asked(served, turn(served, "transfer-encoding: chunked"), body, apart=apart) == {
        "status": 201,
        "key": None,
        "if_match": None,
    }


@pytest.mark.parametrize("apart", [False, True], ids=["in one piece", "apart"])
async def test_nobody_is_let_in_by_a_trailer(served: Served, *, apart: bool) -> None:
    token = served.place.bearer("deals:write")["authorization"]
    body = chunked(b"authorization: " + token.encode())
    told = await asked(served, turn(served, "transfer-encoding: chunked", bearer=False), body, apart=apart)
    assert told["status"] == 401


async def asked(served: Served, first: bytes, body: bytes, *, apart: bool) -> dict[str, Any]:
    """Status, and what the door saw of the headers; an answer to the next request tells that the body had its end."""
    reader, writer = await served.open()
    writer.write(first if apart else first + body + LAST)
    if apart:
        await asyncio.sleep(0.05)
        writer.write(body + LAST)
    told = await asyncio.wait_for(reader.read(), SOON)
    writer.close()
    assert len(statuses(told)) == 2
    seen = json.loads(told.split(b"\r\n\r\n")[1].partition(b"HTTP/1.1")[0])
    return {"status": statuses(told)[0]} | {name: seen.get(name) for name in ("key", "if_match")}


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"2\r\n{}\r\n0\r\n", b"x-many: a\r\n" * 1_000),
        (b"2\r\n{}\r\n0\r\nx-one: ", b"a" * 10_000),
        (b"2;x=", b"a" * 10_000),
    ],
    ids=["endless trailers", "one endless trailer", "an endless extension of a chunk"],
)
async def test_what_goes_with_a_body_is_not_endless(served: Served, first: bytes, more: bytes) -> None:
    told = await flooded(served, turn(served, "transfer-encoding: chunked") + first, more)
    assert told.startswith(b"HTTP/1.1 431 ") or told == b"", "refused, or cut off while it was still talking"


async def flooded(served: Served, first: bytes, more: bytes) -> bytes:
    """What comes back until the connection ends; a few times what is allowed is said, and no more."""
    reader, writer = await served.open()
    writer.write(first)
    try:
        for _ in range(10 * HEAD_BYTES // len(more)):
            await asyncio.sleep(0)
            writer.write(more)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), SOON)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_body_of_many_small_chunks_is_a_body(served: Served) -> None:
    pieces = b"1\r\n{\r\n" + b"1\r\n \r\n" * HEAD_BYTES + b"1\r\n}\r\n0\r\n\r\n"
    assert statuses(await served.say(turn(served, "transfer-encoding: chunked") + pieces, LAST)) == [201, 200]


# --- other protocols ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", [WISH, ("connection: upgrade", "upgrade: websocket")], ids=["h2c", "websocket"])
async def test_the_wish_for_another_protocol_is_passed_over(served: Served, wish: tuple[str, ...]) -> None:
    first = turn(served, *wish, SIZED)
    reader, writer = await served.open()
    writer.write(first)
    await asyncio.sleep(0.05)
    writer.write(BODY + first + BODY + LAST)
    told = await asyncio.wait_for(reader.read(), SOON)
    writer.close()
    assert statuses(told) == [201, 201, 200]
    assert told.count(b'"amount":"1.00"') == 2


async def test_a_head_with_a_wish_may_come_byte_by_byte(served: Served) -> None:
    reader, writer = await served.open()
    for byte in turn(served, *WISH, SIZED) + BODY + LAST:
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert statuses(await asyncio.wait_for(reader.read(), SOON)) == [201, 200]
    writer.close()


async def test_a_chunked_body_behind_a_wish_is_a_body(served: Served) -> None:
    told = await served.say(turn(served, *WISH, "transfer-encoding: chunked") + chunked() + LAST)
    assert statuses(told) == [201, 200]


async def test_many_wishes_in_one_piece_are_answered_one_by_one(served: Served) -> None:
    wish = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
    assert statuses(await served.say(wish * 1_500 + LAST)) == [200] * 1_501


async def test_a_body_behind_a_wish_is_not_the_next_request(served: Served) -> None:
    inner = b"GET /v1/things HTTP/1.1\r\nhost: x\r\n\r\n"
    told = await served.say(turn(served, *WISH, f"content-length: {len(inner)}") + inner + LAST)
    assert statuses(told) == [400, 200]


@pytest.mark.parametrize("target", ["other:443", "/livez"])
async def test_nobody_is_let_through(served: Served, target: str) -> None:
    assert statuses(await served.say(f"CONNECT {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode() + LIVE)) == [400]


# --- bytes that are no request --------------------------------------------------------------------------------------

JUNK = b"\x00 junk\r\n\r\n"
LARGE = b"GET /livez HTTP/1.1\r\nx: " + b"a" * (HEAD_BYTES + 1) + b"\r\n\r\n"
NO_PATH = b"GET http://x HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(("bad", "status"), [(JUNK, 400), (LARGE, 431), (NO_PATH, 400)], ids=["junk", "large", "path"])
@pytest.mark.parametrize("pause", [0.0, 0.001])
async def test_a_refusal_waits_for_what_is_due(served: Served, bad: bytes, status: int, pause: float) -> None:
    reader, writer = await served.open()
    writer.write((turn(served, SIZED) + BODY) * 3 + (b"" if pause else bad))
    if pause:
        await asyncio.sleep(pause)
        writer.write(bad)
    assert statuses(await asyncio.wait_for(reader.read(), SOON)) == [201, 201, 201, status]
    writer.close()


async def test_a_refusal_is_not_written_into_a_stream(served: Served) -> None:
    reader, writer = await served.open()
    writer.write(head(served, "GET /v1/stream"))
    await reader.readuntil(b"2\r\n0\n\r\n")
    writer.write(JUNK)
    told = await asyncio.wait_for(reader.read(), SOON)
    writer.close()
    assert told.startswith(b"2\r\n1\n\r\n2\r\n2\n\r\n0\r\n\r\nHTTP/1.1 400 Bad Request\r\n")


async def test_a_request_whose_body_breaks_is_refused_in_its_turn(served: Served) -> None:
    broken = turn(served, "transfer-encoding: chunked") + b"5\r\nabcdeXX\r\n"
    assert statuses(await served.say((turn(served, SIZED) + BODY) * 2 + broken)) == [201, 201, 400]
    assert statuses(await served.say(broken)) == [400]


async def test_a_request_that_has_its_answer_gets_no_second_one(served: Served) -> None:
    reader, writer = await served.open()
    writer.write(turn(served, "transfer-encoding: chunked", bearer=False))
    await asyncio.sleep(0.05)
    writer.write(b"zz\r\n")
    assert statuses(await asyncio.wait_for(reader.read(), SOON)) == [401]
    writer.close()


async def test_what_comes_after_a_refusal_is_not_read(served: Served) -> None:
    told = await served.say(head(served, "GET /v1/stream"), JUNK, LIVE * 10)
    assert told.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 400 " in told


# --- those who leave, and those who say nothing more ----------------------------------------------------------------


@pytest.mark.parametrize("hard", [False, True], ids=["closed", "reset"])
async def test_who_leaves_while_another_request_waits_is_missed(tmp_path: Path, *, hard: bool) -> None:
    begun, left = asyncio.Event(), asyncio.Event()
    some = Doors()

    @some.query("/v1/endless", "deals:read", reply=None)
    async def endless() -> Response:
        async def lines() -> AsyncIterator[bytes]:
            begun.set()
            try:
                while True:
                    await asyncio.sleep(0.02)
                    yield b"x\n"
            finally:
                left.set()

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    @some.query("/v1/listening", "deals:read", reply=None)
    async def listening(request: Request) -> None:
        begun.set()
        while not await request.is_disconnected():  # noqa: ASYNC110 - Starlette tells in no other way
            await asyncio.sleep(0.02)
        left.set()

    place = Place(tmp_path)
    app = create_app("Endless", [some], place.app.state.reception.verifier)
    with capture_logs() as logs:
        async with serving(place, app) as served:
            for path in ("/v1/endless", "/v1/listening"):
                begun.clear()
                left.clear()
                _, writer = await served.open()
                writer.write(head(served, f"GET {path}") + LIVE)
                await asyncio.wait_for(begun.wait(), SOON)
                if hard:
                    its = writer.get_extra_info("socket")
                    its.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.close()
                await asyncio.wait_for(left.wait(), SOON)
            await until(lambda: not served.http.server_state.tasks)
    assert [one for one in logs if one["event"] == "http.fault"] == []


@pytest.mark.parametrize("more", [b"\r\n", b"\r\n\r\n\r\n"])
async def test_an_empty_line_keeps_no_connection_open(served: Served, more: bytes) -> None:
    reader, writer = await served.open()
    writer.write(LIVE)
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SOON)
    await asyncio.sleep(0.05)
    writer.write(more)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readuntil(b"never"), SOON)
    writer.close()


async def test_the_time_for_the_rest_of_a_body_is_that_of_an_answered_one(served: Served) -> None:
    reader, writer = await served.open()
    writer.write(turn(served, SIZED) + BODY + turn(served, SIZED))
    await asyncio.sleep(0.6)  # twice that time
    writer.write(BODY + LAST)
    assert statuses(await asyncio.wait_for(reader.read(), SOON)) == [201, 201, 200]
    writer.close()


# --- older callers --------------------------------------------------------------------------------------------------


async def test_who_does_not_know_chunks_gets_none(served: Served) -> None:
    told = await served.say(head(served, "GET /v1/stream", version="1.0"))
    first, _, body = told.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in first
    assert b"connection: close" in first
    assert body == b"0\n1\n2\n"


async def test_an_answer_with_a_length_is_the_same_for_an_older_caller(served: Served) -> None:
    assert statuses(await served.say(b"GET /livez HTTP/1.0\r\nhost: x\r\n\r\n")) == [200]
    assert b"transfer-encoding" not in await served.say(head(served, "HEAD /v1/stream", version="1.0"))
