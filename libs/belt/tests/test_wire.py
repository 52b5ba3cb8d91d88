"""Callers who mean no good, over real sockets: they trickle, they flood, they do not read, they play with addresses."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from doorways import Place
from sockets import SOON, Hasty, Served, ended, serving, trickled, until
from starlette.responses import Response, StreamingResponse

from belt.io.http.app import create_app, server
from belt.io.http.doors import Doors
from belt.io.http.guard import _Answer
from belt.io.http.headers import WHOLE, Answer
from belt.io.http.wire import HEAD_BYTES


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(Place(tmp_path, request_deadline=1.0)) as one:
        yield one


async def test_a_connection_that_says_nothing_is_ended(served: Served) -> None:
    assert await ended(served, b"") == b""


async def test_a_head_that_trickles_is_ended(served: Served) -> None:
    reader, writer = await served.open()
    writer.write(b"GET /livez HTTP/1.1\r\n")
    assert await trickled(reader, writer, b"x-more: 1\r\n") == b""


async def test_a_second_request_has_the_same_time(served: Served) -> None:
    told = await ended(served, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /livez HTTP/1.1\r\n")
    assert told.count(b"HTTP/1.1 200 OK") == 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nhost: x\r\nx-one: " + b"a" * (HEAD_BYTES * 40),
        b"GET /livez HTTP/1.1\r\nhost: x\r\n" + b"x-many: a\r\n" * HEAD_BYTES,
        b"GET /livez?" + b"a=1&" * (HEAD_BYTES * 10),
        b"GET /livez HTTP/1.1\r\nhost: x\r\nx-one: " + b"a" * HEAD_BYTES + b"\r\n\r\n",
        b"GET /livez?" + b"a" * HEAD_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
    ids=["one endless header", "endless headers", "an endless query", "a large header", "a large query"],
)
async def test_a_head_of_any_size_is_not_taken_in(served: Served, head: bytes) -> None:
    told = await ended(served, head)
    assert told.startswith(b"HTTP/1.1 431 ") or told == b"", "refused, or cut off while it was still talking"
    connections = served.http.server_state.connections
    await until(lambda: not connections)


async def test_the_refusal_of_a_large_head_is_a_problem_document(served: Served) -> None:
    told = await ended(served, b"GET /livez HTTP/1.1\r\nhost: x\r\nx-one: " + b"a" * (HEAD_BYTES + 1) + b"\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["code"] == "head-too-large"


async def test_a_head_of_a_usual_size_is_fine(served: Served) -> None:
    status, _ = await served.ask("GET /v1/things", "x-large: " + "a" * (HEAD_BYTES // 2))
    assert status == 200


async def test_what_is_no_http_is_told_so(served: Served) -> None:
    told = await served.say(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["code"] == "bad-request"


async def test_a_body_with_two_lengths_is_refused(served: Served) -> None:
    head = b"POST /v1/things/t/turn HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
    assert (await served.say(head + b"0\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_body_that_goes_on_after_its_answer_is_cut_off(served: Served) -> None:
    reader, writer = await served.open()
    writer.write(b"POST /v1/things/t/turn HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n")
    assert b" 401 " in await asyncio.wait_for(reader.readline(), SOON)
    await trickled(reader, writer, b" ")


async def test_a_body_that_is_late_by_a_moment_keeps_its_connection(served: Served) -> None:
    reader, writer = await served.open()
    writer.write(b"POST /v1/things/t/turn HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n")
    assert b" 401 " in await asyncio.wait_for(reader.readline(), SOON)
    writer.write(b"{}GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"HTTP/1.1 200 OK" in await asyncio.wait_for(reader.read(), SOON)
    writer.close()


async def test_a_reader_who_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    left = asyncio.Event()
    some = Doors()

    @some.query("/v1/endless", "deals:read", reply=None)
    async def endless() -> Response:
        async def flood() -> AsyncIterator[bytes]:
            try:
                while True:
                    await asyncio.sleep(0)
                    yield b"x" * 65_536
            finally:
                left.set()

        return StreamingResponse(flood(), media_type="application/x-ndjson")

    place = Place(tmp_path)
    app = create_app("Endless", [some], place.app.state.reception.verifier)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    http = server(app, host="127.0.0.1", port=port, shutdown=1)
    http.config.http = Hasty
    task = asyncio.create_task(http.serve())
    await until(lambda: http.started)
    with socket.create_connection(("127.0.0.1", port)) as silent:
        token = place.bearer("deals:read")["authorization"]
        silent.sendall(f"GET /v1/endless HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n".encode())
        await asyncio.wait_for(left.wait(), SOON)
        await until(lambda: not http.server_state.connections)
    http.should_exit = True
    await asyncio.wait_for(task, 10)


@pytest.mark.parametrize(
    "path",
    [
        "//v1/things",
        "/v1//things",
        "/v1/things/",
        "/v1/./things",
        "/v1/x/../things",
        "/livez/../v1/things",
        "/v1/%2e%2e/v1/things",
        "/v1%2fthings",
        "/V1/things",
        "/v1/things;x=1",
        "/v1/things%20",
        "/v1/things%00",
        "/v1/things%0d%0a",
        "/v1/things%ff",
    ],
)
async def test_an_address_is_taken_as_it_stands(served: Served, path: str) -> None:
    status, problem = await served.ask(f"GET {path}")
    assert (status, problem["code"]) == (404, "not-found")


async def test_a_part_of_the_path_is_one_part(served: Served) -> None:
    status, _ = await served.ask("POST /v1/things/a%2Fturn/turn", "content-length: 0")
    assert status == 404


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PATCH", "DELETE", "PUT"])
async def test_other_methods_open_nothing(served: Served, method: str) -> None:
    status, problem = await served.ask(f"{method} /v1/things", "content-length: 0")
    assert (status, problem["code"]) == (405, "method-not-allowed")


async def test_head_is_get_without_the_body(served: Served) -> None:
    assert await served.ask("HEAD /v1/things") == (200, {})


@pytest.mark.parametrize("name", ["x-http-method-override", "x-method-override", "x-http-method"])
async def test_a_method_is_not_overridden(served: Served, name: str) -> None:
    status, _ = await served.ask("GET /v1/things/t/turn", f"{name}: POST")
    assert status == 405


async def test_many_lines_are_counted_before_they_are_split(tmp_path: Path) -> None:
    place = Place(tmp_path)
    kind = {"content-type": "application/x-ndjson"}
    answer = await place.post("/v1/turns/bulk", b"\n \n" * 1_000_000, **kind)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_large_bodies_of_one_caller_are_few_at_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    hold = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield b'{"thing": "t"}\n'
        await hold.wait()

    headers = place.bearer("deals:write") | {"content-type": "application/x-ndjson"}
    held = [
        asyncio.create_task(place.client.post("/v1/turns/bulk", content=trickle(), headers=headers)) for _ in range(4)
    ]
    await asyncio.sleep(0.05)
    fifth = await place.post("/v1/turns/bulk", b'{"thing": "t"}', **{"content-type": "application/x-ndjson"})
    assert (fifth.status_code, fifth.json()["code"]) == (429, "too-many-requests")
    other = place.bearer("deals:write", sub="clara")
    more = await place.post("/v1/turns/bulk", b'{"thing": "t"}', **{"content-type": "application/x-ndjson"} | other)
    assert more.status_code == 200
    hold.set()
    assert [answer.status_code for answer in await asyncio.gather(*held)] == [200] * 4
    again = await place.post("/v1/turns/bulk", b'{"thing": "t"}', **{"content-type": "application/x-ndjson"})
    assert again.status_code == 200, "the places were given back"


def of(told: bytes) -> tuple[bytes, set[bytes], bytes]:
    """(status line, headers without what differs each time, body) of one answer."""
    head, _, body = told.partition(b"\r\n\r\n")
    first, *rest = head.split(b"\r\n")
    return first, {one for one in rest if not one.startswith((b"date:", b"x-request-id:", b"connection:"))}, body


async def test_an_answer_that_is_written_at_once_is_the_one_that_uvicorn_writes(served: Served) -> None:
    bearer = served.place.bearer("deals:write")["authorization"]
    body = b'{"amount": "1.00"}'
    head = (
        f"POST /v1/things/a/turn HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-type: application/json\r\n"
    )
    head += f"content-length: {len(body)}\r\nidempotency-key: k\r\n"
    reader, writer = await served.open()
    writer.write(head.encode() + b"\r\n" + body)
    at_once = await asyncio.wait_for(reader.readuntil(b"}"), SOON)
    by_uvicorn = await served.say(head.encode() + b"connection: close\r\n\r\n" + body)
    assert of(at_once)[0] == b"HTTP/1.1 201 Created"
    assert of(at_once) == of(by_uvicorn)
    assert b"connection: close" in by_uvicorn
    assert b"x-request-id: " in at_once
    assert b"date: " in at_once
    writer.write((head.encode() + b"\r\n" + body) * 3)  # asked before they are answered: each in its turn
    for _ in range(3):
        assert of(await asyncio.wait_for(reader.readuntil(b"}"), SOON)) == of(at_once)
    writer.close()


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\nb", "a\rb"])
def test_a_header_that_would_end_a_line_is_not_written_at_once(value: str) -> None:
    written: list[bytes] = []

    def wire(_status: int, head: bytes, _body: bytes) -> bool:
        written.append(head)
        return True

    async def send(_message: Any) -> None: ...

    passing = _Answer({"method": "GET", WHOLE: wire}, send, "one")
    assert not passing.whole(Answer(b"{}", 200, {"etag": value}, "application/json"))
    assert written == []
    assert passing.whole(Answer(b"{}", 200, {"etag": "a"}, "application/json"))
    assert len(written) == 1


async def test_a_request_that_is_over_does_not_wait_for_the_garbage_collector(served: Served) -> None:
    bearer = served.place.bearer("deals:write")["authorization"]
    head = f"POST /v1/things/a/turn HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\n"
    request = (head + "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}").encode()
    reader, writer = await served.open()
    gc.disable()
    try:
        over: list[weakref.ref[Any]] = []
        for _ in range(3):
            writer.write(request)
            await asyncio.wait_for(reader.readuntil(b"}"), SOON)
            (connection,) = served.http.server_state.connections
            over.append(weakref.ref(connection.cycle))  # type: ignore[union-attr]
        await asyncio.sleep(0.05)
        assert [one() is None for one in over] == [True, True, False], "the last one is the connection's own"
    finally:
        gc.enable()
        writer.close()
