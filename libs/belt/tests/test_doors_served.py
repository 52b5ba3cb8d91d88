"""The same doors behind a real server: what only sockets show."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from doorways import Place

from belt.io.http.app import server
from belt.io.telemetry import PROBLEMS


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Place, str, int]]:
    place = Place(tmp_path, request_deadline=1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    http = server(place.app, host="127.0.0.1", port=port, shutdown=2)
    task = asyncio.create_task(http.serve())
    while not http.started:  # noqa: ASYNC110 - uvicorn tells in no other way
        await asyncio.sleep(0.01)
    yield place, "127.0.0.1", port
    http.should_exit = True
    await asyncio.wait_for(task, 10)


async def raw(host: str, port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(65_536), 5)
    finally:
        writer.close()


def head(place: Place, *more: str) -> bytes:
    token = place.bearer("deals:write")["authorization"]
    lines = ["POST /v1/things/t1/turn HTTP/1.1", "host: x", f"authorization: {token}", "content-type: application/json"]
    return "\r\n".join([*lines, *more, "", ""]).encode()


async def test_a_command_over_a_socket(served: tuple[Place, str, int]) -> None:
    place, host, port = served
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        answer = await client.post("/v1/things/t1/turn", json={}, headers=place.bearer("deals:write"))
    assert (answer.status_code, answer.headers["etag"]) == (201, '"4"')
    assert "server" not in answer.headers


async def test_a_declared_giant_is_refused_before_it_is_sent(served: tuple[Place, str, int]) -> None:
    place, host, port = served
    answer = await raw(host, port, head(place, "content-length: 99999999"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body-too-large"' in answer


async def test_who_sends_all_of_a_giant_still_hears_why_it_was_refused(served: tuple[Place, str, int]) -> None:
    place, host, port = served
    body = b" " * 4_000_000
    answer = await raw(host, port, head(place, f"content-length: {len(body)}"), body, pause=0.2)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body-too-large"' in answer


async def test_a_giant_in_chunks_is_refused_on_the_way(served: tuple[Place, str, int]) -> None:
    place, host, port = served
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = await raw(host, port, head(place, "transfer-encoding: chunked"), *[chunk] * 5)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_never_comes_runs_into_the_deadline(served: tuple[Place, str, int]) -> None:
    place, host, port = served
    answer = await raw(host, port, head(place, "content-length: 10"), b"{")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"deadline-exceeded"' in answer
    assert b"retry-after: 1" in answer


async def test_a_caller_who_hangs_up_is_no_fault(served: tuple[Place, str, int]) -> None:
    place, host, port = served

    def faults() -> float:
        return PROBLEMS.labels("internal")._value.get()  # type: ignore[no-any-return]

    before = faults()
    for _ in range(3):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(head(place, "content-length: 10") + b"{")
        await writer.drain()
        writer.close()
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        await asyncio.sleep(0.1)
        assert (await client.get("/livez")).status_code == 200
    assert faults() == before


@pytest.mark.parametrize("path", ["/v1/things", "/v1/things?limit=201", "/v1/stream", "/v1/nothing", "/livez"])
async def test_after_head_the_connection_goes_on_with_the_next_request(
    served: tuple[Place, str, int], path: str
) -> None:
    place, host, port = served
    token = place.bearer("deals:read")["authorization"]
    asked = "\r\n".join([f"HEAD {path} HTTP/1.1", "host: x", f"authorization: {token}", "", ""])
    last = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(asked.encode() + last.encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    first, _, rest = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 ")
    assert (b"content-length: " in first) == (path != "/v1/stream")
    assert rest.startswith(b"HTTP/1.1 200 "), "no body stands between the two answers"
    assert rest.endswith(b'{"alive":true}')
