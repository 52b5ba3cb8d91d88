"""Fifty readers of a feed that read nothing: the service works on, holds little for them, and lets them go."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from journey_firm import Firm, plans

from belt.io.http.issuer import DevelopmentIssuer
from belt.io.http.wire import Connection
from conveyor.line import Line
from conveyor.running import Running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(150)]

READERS, EACH = 50, 13  # so many streams, and so many of one subject
MEGABYTE = 1024 * 1024
MAY_GROW = 40 * MEGABYTE


def resident(pid: int) -> int:
    """Bytes of memory of a process, as the system counts them."""
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


async def metric(address: str, name: str) -> float:
    async with httpx.AsyncClient(base_url=address) as http:
        text = (await http.get("/metrics")).text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


async def until(address: str, name: str, holds: float, within: float) -> None:
    async with asyncio.timeout(within):
        while await metric(address, name) != holds:  # noqa: ASYNC110 (another process tells in no other way)
            await asyncio.sleep(0.1)


def stalled(port: int, token: str, accept: str) -> socket.socket:
    """Asks, and then reads nothing."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    asking.connect(("127.0.0.1", port))
    lines = [
        "GET /v1/events?limit=1000 HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        f"accept: {accept}",
        f"authorization: Bearer {token}",
    ]
    asking.sendall("\r\n".join([*lines, "", ""]).encode())
    return asking


async def test_readers_that_do_not_read_cost_little_hinder_nobody_and_are_let_go(running: Running) -> None:
    process = running.services["lead-gen"]
    address = running.addresses["lead-gen"]
    issuer = DevelopmentIssuer(running.issuer)
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, f"slow-{uuid4().hex[:6]}", "scout-hunter-farmer")
        await firm.open()
        await _many(firm, 400)
        cut = await metric(address, "conveyor_connections_stalled_total")
        before = resident(process.pid)
        tokens = [issuer.issue(f"reader-{n // EACH}", scopes=("events:read",)) for n in range(READERS)]
        readers = [stalled(process.port, token, "text/event-stream") for token in tokens]
        readers += [stalled(process.port, token, "application/x-ndjson") for token in tokens[::EACH]]
        try:
            await until(address, "conveyor_feed_streams", READERS, 20)
            loop = asyncio.get_running_loop()
            begun = loop.time()
            repeated = line.repeated
            await _many(firm, 200)
            await asyncio.gather(*(firm.prospect("2026-03-02T10:00:00+01:00") for _ in range(50)))
            assert line.repeated == repeated, "no 429 and no 5xx"
            grown = resident(process.pid) - before
            assert grown < MAY_GROW, f"{grown / MEGABYTE:.0f} MB for {READERS} readers"
            assert await metric(address, "conveyor_http_in_flight") <= len(tokens[::EACH]) + 1
            await until(address, "conveyor_feed_streams", 0, Connection.stall_seconds + 20)
            assert loop.time() - begun < Connection.stall_seconds + 20
            assert await metric(address, "conveyor_connections_stalled_total") >= cut + READERS
        finally:
            for reader in readers:
                reader.close()


async def _many(firm: Firm, number: int) -> None:
    """So many prospects, whose events are some hundred kilobytes of the log."""
    rows = []
    for _ in range(number):
        firm.clients += 1
        rows.append({"client_id": f"{firm.name}-{firm.clients}", "line": firm.name, "name": "Client", "source": "fair"})
    lines = "".join(json.dumps(row | {"by": firm.scout}) + "\n" for row in rows).encode()
    token = firm.line.tokens.token("office", ("driver",), ())
    headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
    async with httpx.AsyncClient(base_url=firm.line.addresses["lead-gen"], timeout=60) as http:
        answer = await http.post("/v1/prospects/bulk", content=lines, headers=headers)
    assert answer.status_code == 200, answer.text
    assert {json.loads(one)["status"] for one in answer.text.splitlines()} == {201}
