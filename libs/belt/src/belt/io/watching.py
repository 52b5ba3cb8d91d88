"""What a service shows of its work: where things wait, which deadlines are near, and gauges of its own.

Read from the database now and then by the worker, never by a scrape; the longer a look takes, the rarer it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from prometheus_client import Gauge
from sqlalchemy import Column, Select, String, Table, column, func, literal, select, table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from belt.io.http.desk import Desk
from belt.io.store.public_log import Pool
from belt.io.telemetry import (
    DEADLINE_SECONDS,
    DEADLINES_NEAR,
    LOOK_SECONDS,
    LOOKS_FAILED,
    POOL_CONNECTIONS,
    POOL_WAIT_SECONDS,
    THINGS_IN_HAND,
)

log = structlog.get_logger()

SHARE = 10  # a look takes at most one part in so many of the time
NEAR = timedelta(days=1)
NEAREST = 100  # so many names at most
Sample = tuple[Gauge, tuple[str, ...], float]


@dataclass(frozen=True)
class Things:
    """Things that wait at this station, one row each in a table with the columns `line` and `stage`."""

    name: str
    table: Table
    stages: Collection[str]
    """Those in which a thing is not finished."""


@dataclass(frozen=True)
class Deadline:
    """A timer that somebody should be quicker than. The row says on which line, and who (null: a queue)."""

    name: str
    timer: str
    category: str
    key: Column[str]
    line: Column[str] | None
    person: Column[str] | None


@dataclass(frozen=True)
class Reading:
    """Gauges of a service, and how they are read. What is not answered any more is shown no more."""

    gauges: tuple[Gauge, ...]
    read: Callable[[Desk], Awaitable[Iterable[Sample]]]


@dataclass(frozen=True)
class Watched:
    """All that a service shows of its work."""

    things: Sequence[Things] = ()
    deadlines: Sequence[Deadline] = ()
    readings: Sequence[Reading] = ()

    def gauges(self) -> list[Gauge]:
        """Which gauges the service sets."""
        found = [THINGS_IN_HAND] if self.things else []
        found += [DEADLINE_SECONDS, DEADLINES_NEAR] if self.deadlines else []
        return found + [gauge for reading in self.readings for gauge in reading.gauges]


async def watch(desk: Desk, watched: Watched) -> None:
    """Until cancelled. What cannot be read stays as it was, and is counted."""
    looks = [*watched.readings]
    if watched.things:
        looks.append(Reading((THINGS_IN_HAND,), lambda desk: _in_hand(desk, watched.things)))
    if watched.deadlines:
        looks.append(Reading((DEADLINE_SECONDS, DEADLINES_NEAR), lambda desk: _near(desk, watched.deadlines)))
    while True:
        began = time.monotonic()
        for look in looks:
            try:
                _show(look.gauges, await look.read(desk))
            except Exception as wrong:  # noqa: BLE001 (whatever it was: a gauge is no reason to end a service)
                LOOKS_FAILED.inc()
                log.warning("watch.failed", error=f"{type(wrong).__name__}: {wrong}")
        took = time.monotonic() - began
        LOOK_SECONDS.set(took)
        await asyncio.sleep(max(desk.settings.watch_every, took * SHARE))


def _show(gauges: Iterable[Gauge], samples: Iterable[Sample]) -> None:
    """All at once: a scrape sees the last look or this one."""
    found = list(samples)
    for gauge in gauges:
        if gauge._labelnames:
            gauge.clear()
    for gauge, labels, value in found:
        (gauge.labels(*labels) if labels else gauge).set(value)


async def _in_hand(desk: Desk, things: Sequence[Things]) -> list[Sample]:
    found: list[Sample] = []
    for one in things:
        c = one.table.c
        counted = select(c.line, c.stage, func.count().label("things")).where(c.stage.in_(sorted(one.stages)))
        rows = await desk.rows(counted.group_by(c.line, c.stage))
        found += [(THINGS_IN_HAND, (one.name, row["line"] or "", row["stage"]), row["things"]) for row in rows]
    return found


TIMERS = table("timers", column("stream_id", String), column("name", String), column("due_at"))


def near(one: Deadline) -> Select[str, str, int, Any]:
    """Per line and person: how many are near, and when the nearest is."""
    own = one.key.table
    key = func.substr(TIMERS.c.stream_id, len(one.category) + 2)
    line = func.coalesce(one.line, "") if one.line is not None else literal("")
    person = func.coalesce(one.person, "") if one.person is not None else literal("")
    asked = select(line.label("line"), person.label("person"), func.count().label("near"), func.min(TIMERS.c.due_at))
    mine = TIMERS.c.stream_id.startswith(f"{one.category}-", autoescape=True)
    return (
        asked.select_from(TIMERS.join(own, one.key == key))
        .where(TIMERS.c.name == one.timer, mine, TIMERS.c.due_at < text(":until"))
        .group_by(text("1"), text("2"))
        .order_by(func.min(TIMERS.c.due_at))
    )


async def _near(desk: Desk, deadlines: Sequence[Deadline]) -> list[Sample]:
    now = desk.clock.now()
    counted: dict[tuple[str, ...], float] = {}
    nearest: list[tuple[float, tuple[str, ...]]] = []
    async with desk.engine.connect() as connection:
        for one in deadlines:
            for line, person, count, due_at in await connection.execute(near(one), {"until": now + NEAR}):
                counted[one.name, line] = counted.get((one.name, line), 0) + count
                nearest.append(((due_at - now).total_seconds(), (one.name, line, person)))
    shown: list[Sample] = [(DEADLINES_NEAR, labels, count) for labels, count in counted.items()]
    return shown + [(DEADLINE_SECONDS, labels, left) for left, labels in sorted(nearest)[:NEAREST]]


async def watch_pools(pool: Pool, engine: AsyncEngine, every: float, within: float) -> None:
    """Until cancelled: how many connections are in use, and how long one is waited for (by waiting for one)."""
    while True:
        for name, taken in (("feed", partial(_of_pool, pool)), ("lists", partial(_of_engine, engine))):
            began = time.monotonic()
            try:
                in_use = await taken(within)
            except Exception as wrong:  # noqa: BLE001 (a database that is away is told of elsewhere)
                log.debug("watch.pool", pool=name, error=type(wrong).__name__)
            else:
                POOL_CONNECTIONS.labels(name).set(in_use)
            POOL_WAIT_SECONDS.labels(name).observe(time.monotonic() - began)
        await asyncio.sleep(every)


async def _of_pool(pool: Pool, within: float) -> int:
    async with pool.acquire(timeout=within):
        return pool.get_size() - pool.get_idle_size() - 1


async def _of_engine(engine: AsyncEngine, within: float) -> int:
    async with asyncio.timeout(within), engine.connect():
        in_use: int = engine.pool.checkedout() - 1  # type: ignore[attr-defined]
        return in_use
