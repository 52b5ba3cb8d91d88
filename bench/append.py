"""Appends inside one process, without HTTP: load, decide, append, check of the stream's head, public event.

    python -m bench.append [--rounds 4] [--seconds 2]

64 tasks log calls on existing streams (ten events each to begin with) through the writer, once with the states of its
streams in memory as in a service, once with a memory of one stream so that every command loads and folds its stream.
Against them the Python library `eventsourcing`, whose application loads, decides and saves in 64 threads on the same
PostgreSQL; it keeps no public log, so it has less to do.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import uvloop

from belt.core.decider import Step
from belt.io.clock import SystemClock
from belt.io.ids import fresh
from belt.io.process import collect_seldom
from belt.io.store.handle import Writer
from belt.io.store.migrate import upgrade
from belt.io.store.seal import Vault
from bench.disk import on_disk
from bench.peer_eventsourcing import Prospects
from bench.picture import Bars
from bench.report import Figure, Report
from bench.rounds import in_turns, middle, ratio
from conveyor_events.staff import Policy, StationTeam
from conveyor_local.stack import Stack
from lead_gen.main import SERVICE
from lead_gen.prospect.commands import LogCall, RegisterProspect
from lead_gen.prospect.state import CATEGORY
from lead_gen.staffing import COMPANY, GrantRole, Hire, StaffLine

STREAMS, BEFORE, AT_ONCE = 5_000, 9, 64
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
WANTED = 20.0
Append = Callable[[int], Awaitable[Any]]


async def opened(writer: Writer) -> None:
    """A line with somebody at its first station."""
    stations = ("lead-gen", "conversion", "account-mgmt")
    teams = {station: StationTeam(team=station, members=["ana"]) for station in stations}
    for command in (
        Hire("ana", None, date(2026, 1, 1), "office", SINCE),
        GrantRole("ana", "hunter", SINCE, None, "office", SINCE),
        StaffLine("north", "hunter", SINCE, "UTC", "EUR", teams, (), Policy(), "office", SINCE),
    ):
        await writer.handle(Step("staffing", COMPANY, command))


def call(number: int) -> LogCall:
    """A call that no client had before."""
    at = SINCE + timedelta(seconds=number)
    return LogCall("no_answer", at, 10, None, None, "ana", at)


async def filled(writer: Writer) -> None:
    """Streams of ten events."""
    keys = iter(range(STREAMS))

    async def some() -> None:
        for n in keys:
            registered = RegisterProspect(
                f"s{n}", "north", "Drillworks Ltd", "DE", (), "trade-fair", None, "ana", SINCE
            )
            await writer.handle(Step(CATEGORY, f"s{n}", registered))
            for number in range(BEFORE):
                await writer.handle(Step(CATEGORY, f"s{n}", call(number)))

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def together(append: Append, seconds: float, numbers: itertools.count[int]) -> float:
    """So many tasks for so long: appends a second."""
    began, done = time.perf_counter(), 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < began + seconds:
            await append(next(numbers))
            done += 1

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - began)


async def measure(stack: Stack, rounds: int, seconds: float) -> dict[str, list[float]]:
    numbers = itertools.count(BEFORE)
    writers: dict[str, Writer] = {}
    for name, size in (("conveyor, states in memory", 20_000), ("conveyor, every stream loaded", 1)):
        dsn = await stack.create_database(f"bench_append_{size}")  # each its own: none changes another's streams
        await upgrade(dsn, SERVICE.package)
        vault = Vault(b"0123456789abcdef" * 2)
        writers[name] = Writer(dsn, SERVICE.streams, vault, SystemClock(), "/conveyor/lead-gen", cached=size)
        writers[name].start()
        await opened(writers[name])
        await filled(writers[name])
    peer = Prospects.on(await stack.create_database("bench_append_peer"))
    ids = [uuid5(NAMESPACE_URL, f"s{n}") for n in range(STREAMS)]
    for one in ids:
        peer.register(one, str(one), "north", "Drillworks", "DE", "trade-fair", [])
        peer.calls(one, BEFORE)
    collect_seldom()
    pool = ThreadPoolExecutor(AT_ONCE)
    loop = asyncio.get_running_loop()

    def ours(writer: Writer) -> Append:
        return lambda n: writer.handle(Step(CATEGORY, f"s{n % STREAMS}", call(n)), key=fresh())

    async def theirs(n: int) -> None:
        await loop.run_in_executor(pool, peer.call, ids[n % STREAMS], "no_answer", n)

    ways: dict[str, Append] = {name: ours(writer) for name, writer in writers.items()} | {"eventsourcing": theirs}
    runs = {name: (lambda way=way: together(way, seconds, numbers)) for name, way in ways.items()}
    found = await in_turns(runs, rounds)
    for writer in writers.values():
        await writer.stop()
    pool.shutdown()
    peer.close()
    return found


def main() -> int:
    """Exit code 1 where the figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2)
    asked = parser.parse_args()
    with on_disk("append") as stack:
        found = uvloop.run(measure(stack, asked.rounds, asked.seconds))
    loaded, kept = "conveyor, every stream loaded", "conveyor, states in memory"
    figures = [
        Figure(
            "appends to existing streams, each loaded", ratio(found, loaded, "eventsourcing"), WANTED, "eventsourcing"
        ),
        Figure(
            "appends to existing streams, as a service does",
            ratio(found, kept, "eventsourcing"),
            WANTED,
            "eventsourcing",
        ),
    ]
    rows = [[name, f"{middle(found, name):,.0f}", f"{ratio(found, name, 'eventsourcing'):.1f}"] for name in found]
    values = {name: middle(found, name) for name in found}
    title = f"Appends in one process, {AT_ONCE} at once, existing streams"
    chart = Bars(values, (loaded, kept), "appends a second")
    details = {"rounds": {name: [round(v) for v in vs] for name, vs in found.items()}}
    return Report("append", title, ["way", "1/s", "ratio"], rows, figures, chart, details).publish()


if __name__ == "__main__":
    sys.exit(main())
