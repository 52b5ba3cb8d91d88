"""PostgreSQL on a volume that fills up: commands are refused at once and cleanly, looking goes on, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from conveyor.running import Running
from conveyor.tokens import Tokens
from conveyor_local import admin
from conveyor_local.home import free_port, root
from conveyor_local.postgres import Postgres

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
ROOM = "160m"
READY_WITHIN = 40.0
AT_ONCE = 0.5 + 10  # seconds: what waits for the answer of a database that is full would take longer


@dataclass
class Small:
    """A service on a small volume."""

    folder: Path
    address: str
    token: str

    def fill(self) -> None:
        with (self.folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4_096))

    def empty(self) -> None:
        (self.folder / "filler").unlink()


@pytest.fixture
def volume() -> Iterator[Path]:
    """A small file system of its own."""
    folder = root() / f"small-{os.getpid()}"
    folder.mkdir(mode=0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, timeout=10, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("mounting is not permitted: a small volume needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], timeout=10, check=True)
        folder.rmdir()


@pytest.fixture
async def small(volume: Path, running: Running) -> AsyncIterator[Small]:
    postgres = Postgres.new(volume / "postgres", fast=True)
    postgres.launch()
    postgres.wait()
    port = free_port()
    await admin.create_database(postgres.dsn("postgres"), "small", None)
    settings = psutil.Process(running.services["lead-gen"].pid).environ()
    settings |= {"CONVEYOR_DSN": postgres.dsn("small"), "CONVEYOR_PORT": str(port), "CONVEYOR_BROKERS": "127.0.0.1:9"}
    command = [sys.executable, "-m", "lead_gen"]
    migrated = await asyncio.create_subprocess_exec(*command, "migrate", env=settings)
    assert await asyncio.wait_for(migrated.wait(), 60) == 0
    service = await asyncio.create_subprocess_exec(*command, "all", env=settings, stdout=asyncio.subprocess.DEVNULL)
    try:
        made = Small(volume, f"http://127.0.0.1:{port}", Tokens(running.issuer).token("office", ("driver",)))
        await _ready(made)
        yield made
    finally:
        service.kill()
        await service.wait()
        postgres.stop()


async def _ready(small: Small) -> None:
    until = time.monotonic() + READY_WITHIN
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < until:
            with suppress(aiohttp.ClientError):
                async with http.get(f"{small.address}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise AssertionError("the service is not ready")


async def posted(http: aiohttp.ClientSession, small: Small, path: str, body: Any, key: str) -> tuple[int, Any, float]:
    begun = time.monotonic()
    headers = {"authorization": f"Bearer {small.token}", "idempotency-key": key}
    async with http.post(small.address + path, json=body, headers=headers) as answer:
        told = await answer.json()
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) > 0
        return answer.status, told, time.monotonic() - begun


async def test_a_full_disk_refuses_commands_and_loses_none(small: Small) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:

        async def hired(number: int) -> tuple[int, Any, float]:
            body = {"person": f"p{number}", "hired_on": "2026-01-01", "name": "x" * 150}
            return await posted(http, small, "/v1/staff", body, f"hire-{number}")

        assert {(await hired(n))[0] for n in range(5)} == {201}
        small.fill()
        refused: list[int] = []
        for number in range(5, 4_000):
            status, told, took = await hired(number)
            if status != 201:
                assert (status, told["code"]) == (503, "storage-low"), told
                assert took < AT_ONCE
                refused.append(number)
            if len(refused) == 5:
                break
        assert len(refused) == 5, "the disk never became full"
        known = {"authorization": f"Bearer {small.token}"}
        async with http.get(f"{small.address}/v1/lines", headers=known) as answer:
            assert answer.status == 200, "looking goes on"
        async with http.get(f"{small.address}/v1/staff", headers=known) as answer:
            told = await answer.json()
            assert (answer.status, told["code"]) == (503, "audit-unavailable"), "no name unseen"
        small.empty()
        last = refused[-1]
        for number in refused:
            assert (await hired(number))[0] == 201
        again = {(await hired(number))[0] for number in range(last + 1)}
        assert again == {201}
        people = await _people(http, small)
    assert sorted(people) == sorted(f"p{number}" for number in range(last + 1))


async def _people(http: aiohttp.ClientSession, small: Small) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        path = f"{small.address}/v1/staff?limit=200{cursor}"
        async with http.get(path, headers={"authorization": f"Bearer {small.token}"}) as answer:
            told = await answer.json()
        found += [item["person"] for item in told["items"]]
        if told["next"] is None:
            return found
        cursor = f"&cursor={told['next']}"
