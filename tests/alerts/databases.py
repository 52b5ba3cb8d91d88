"""Databases that are held up, and limits that are reached."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp
from journey_firm import post
from people import nearly_due
from records import STAFF
from stage import Stage
from watched_line import DOORS, Process, Watched, until

from conveyor.exits import Problem

BREAKS = (aiohttp.ClientError, OSError, TimeoutError)


async def databases(stage: Stage) -> None:
    """Tables are locked or gone, a database grows, callers ask too much, and an issuer is away."""
    watched = stage.watched
    for pod in DOORS:
        await watched.beside[pod].ready()
        watched.targets[pod] = watched.beside[pod]
    assert stage.firm is not None
    offer = await stage.firm.offered(nearly_due())

    async def heard_of() -> bool:
        with suppress(Problem):
            return bool(await watched.line.get("conversion", f"/v1/offers/{offer}"))
        return False

    await until(heard_of, "conversion has heard of the offer")
    await watched.execute("lead-gen", "alter table prospects rename to prospects_away")
    async with (
        watched.locked("conversion", "commands"),
        watched.locked("account-mgmt", "accounts"),
        watched.locked("compensation", "facts"),
        _asking(watched, watched.targets["lead-gen"], "/v1/prospects", 1),
        _asking(watched, watched.targets["conversion"], "/v1/offers/none/accept", 4, {"by": "west-hunter"}),
        _asking(watched, watched.targets["account-mgmt"], "/v1/accounts", 4),
        _asking(watched, watched.targets["account-mgmt-door"], "/v1/offers", 2),
        _asking(watched, watched.targets["conversion-door"], "/v1/offers", 1),
        _growing(watched, "lead-gen"),
    ):
        body = {"person": "late", "hired_on": f"{datetime.now(UTC):%Y-%m-%d}"}
        await post(watched.line, "lead-gen", "/v1/staff", body)
        for service in ("conversion", "compensation"):
            shown = {"topic": STAFF, "app_kubernetes_io_name": service}
            await stage.shows("conveyor_consumer_lag_seconds", lambda v: v > 1, **shown)
        await stage.shows("conveyor_problems_total", lambda v: v > 4, code="deadline-exceeded", pod="conversion")
        await stage.shows("conveyor_keyset_fetches_total", lambda v: v > 0, outcome="failed", pod="conversion-door")
        await stage.shows("conveyor_deadline_seconds", lambda v: v < 0, deadline="acceptance")
        await stage.shows("conveyor_storage_closed", lambda v: v == 1, pod="account-mgmt-door")
        await stage.shows("conveyor_looks_failed_total", lambda v: v > 0, pod="lead-gen")
        await stage.seen("databases")
    await watched.execute("lead-gen", "alter table prospects_away rename to prospects")
    for pod in DOORS:
        await watched.targets.pop(pod).end(signal.SIGKILL)


@asynccontextmanager
async def _asking(
    watched: Watched, target: Process, path: str, callers: int, body: dict[str, Any] | None = None
) -> AsyncIterator[None]:
    """So many callers ask again and again, whatever they hear."""
    token = watched.line.tokens.token("caller", ("driver",))

    async def ask(http: aiohttp.ClientSession) -> None:
        while True:
            with suppress(*BREAKS):
                method = "GET" if body is None else "POST"
                async with http.request(method, f"{target.address}{path}", json=body) as answer:
                    await answer.read()
            await asyncio.sleep(0.02)

    headers = {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=15)) as http:
        tasks = [asyncio.create_task(ask(http)) for _ in range(callers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _growing(watched: Watched, service: str) -> AsyncIterator[None]:
    """Somebody fills the database."""
    filler = "insert into filler select repeat('x', 1000) from generate_series(1, 1000)"
    await watched.execute(service, "create table filler (words text)")

    async def fill() -> None:
        while True:
            await watched.execute(service, filler)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(fill())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
