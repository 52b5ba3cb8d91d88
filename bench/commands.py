"""Commands over HTTP: how much of what a route could do at all is left when everything is on, and what others reach.

    python -m bench.commands [--rounds 4] [--seconds 1.3] [--clients 1,16,64,256]

Registering a client (a new stream) and logging a call (an existing one), at 1, 16, 64 and 256 callers, in turns against
the contestants of contestants.py, each with a database of its own on one PostgreSQL with fsync. Callers, server and
PostgreSQL share the machine. The ceiling is a plain FastAPI route with the same models in which nothing happens. The
bulk door takes the same registrations, 500 lines a request.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import asyncpg

from belt.io.http.issuer import DevelopmentIssuer
from belt.io.store.calls import APPEND_FUNCTION
from belt.io.store.migrate import upgrade
from bench.disk import on_disk
from bench.load import KNOWN, Load, Tally, Wave, load
from bench.picture import Curves
from bench.report import Figure, Report
from bench.rounds import Measured, in_turns, middle, ratio
from bench.tracing import receiver
from conveyor_local.home import free_port
from conveyor_local.stack import Stack
from lead_gen.main import SERVICE

WITH_STORAGE = ("conveyor", "without-features", "one-transaction", "one-transaction-unordered", "eventsourcing")
NAMES = ("fastapi", "without-storage", *WITH_STORAGE)
KINDS = {"register": "a new stream", "call": "an existing one"}
AT = 64
WAIT = 30.0


@dataclass(frozen=True)
class Contestant:
    """A server that runs."""

    name: str
    port: int
    process: subprocess.Popen[str]

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(name: str, dsn: str, folder: Path, endpoint: str) -> Iterator[Contestant]:
    """The contestant, once it answers."""
    given = os.environ | {"BENCH_DSN": dsn, "BENCH_FOLDER": str(folder), "BENCH_OTLP": endpoint}
    port = free_port()
    command = [sys.executable, "-m", "bench.contestants", name, str(port)]
    with subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            _until_open(port)
            yield Contestant(name, port, process)
        finally:
            process.terminate()


def _until_open(port: int) -> None:
    ends = time.monotonic() + WAIT
    while True:
        try:
            _asked(port, "GET", "/livez")
        except OSError as wrong:
            if isinstance(wrong, URLError) and getattr(wrong, "code", None) == 404:
                return  # those that are no service of ours have no such door
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


def _asked(port: int, method: str, path: str, token: str = "", body: Any = None) -> None:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    urlopen(Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method), timeout=10).close()


def opened(port: int, token: str) -> None:
    """A line with somebody at its first station."""
    since = "2026-01-01T00:00:00Z"
    teams = {name: {"team": name, "members": ["ana"]} for name in ("lead-gen", "conversion", "account-mgmt")}
    staffed = {"variant": "hunter", "since": since, "zone": "UTC", "currency": "EUR", "teams": teams}
    _asked(port, "POST", "/v1/staff", token, {"person": "ana", "hired_on": "2026-01-01"})
    _asked(port, "POST", "/v1/staff/ana/roles", token, {"role": "hunter", "since": since})
    _asked(port, "POST", "/v1/lines/north/staffing", token, staffed)


def known(sender: Load, port: int, token: str) -> None:
    """The clients that calls are logged for."""
    sender.send(Wave(port, "register", 32, 60, token, "known", count=KNOWN))


def unordered(sql: str) -> str:
    """The append function without the lock, its gap-free order and its chain: what most would write."""
    changes = (
        ("    perform pg_advisory_xact_lock(4711);\n", ""),
        ("head.position + row_number() over (order by p.ord)", "nextval('bench_position')"),
        ("    if told > 0 then\n", "    if false then\n"),
        ("        update log_head set recorded_at = stamp where recorded_at < stamp;\n", "        null;\n"),
    )
    for old, new in changes:
        if sql.count(old) != 1:
            raise RuntimeError(f"the append function has no longer this line: {old.strip()}")
        sql = sql.replace(old, new)
    return "create sequence bench_position;\n" + sql


class Arena:
    """Everything that a measurement needs: servers by name, callers, a token."""

    def __init__(self, servers: dict[str, Contestant], sender: Load, token: str) -> None:
        self.servers, self._sender, self._token = servers, sender, token
        self._waves = itertools.count()

    def wave(self, name: str, kind: str, clients: int, seconds: float) -> Tally:
        """One wave of callers at this contestant."""
        wave = Wave(self.servers[name].port, kind, clients, seconds, self._token, f"w{next(self._waves)}")
        return self._sender.send(wave)


@contextmanager
def arena(stack: Stack, names: Sequence[str]) -> Iterator[Arena]:
    """Starts the contestants; those with storage know their line and some clients."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        endpoint, sender = ends.enter_context(receiver()), ends.enter_context(load())
        token = DevelopmentIssuer(folder).issue("ana", roles=("driver",), ttl=86_400)
        template, empty = "bench_commands", "bench_empty"
        asyncio.run(_migrated(stack, template, empty))
        with serving("conveyor", stack.dsn(template), folder, endpoint) as first:
            opened(first.port, token)
            known(sender, first.port, token)
            first.process.terminate()
            first.process.wait(30)
        servers = {}
        for name in names:
            database = f"bench_{name.replace('-', '_')}"
            asyncio.run(_copied(stack, database, empty if name == "eventsourcing" else template, name))
            servers[name] = ends.enter_context(serving(name, stack.dsn(database), folder, endpoint))
            if name == "without-storage":
                opened(servers[name].port, token)
            if name in ("without-storage", "eventsourcing"):
                known(sender, servers[name].port, token)
        yield Arena(servers, sender, token)


async def _migrated(stack: Stack, template: str, empty: str) -> None:
    await stack.create_database(empty)
    await upgrade(await stack.create_database(template), SERVICE.package)


async def _copied(stack: Stack, database: str, template: str, name: str) -> None:
    dsn = await stack.create_database(database, template)
    if name == "one-transaction-unordered":
        connection = await asyncpg.connect(dsn, timeout=10)
        await connection.execute(unordered(APPEND_FUNCTION))
        await connection.execute("select setval('bench_position', greatest(position, 1)) from log_head")
        await connection.close(timeout=10)


@dataclass
class Found:
    """Commands a second, and milliseconds to the answer, by kind, clients and contestant, round by round."""

    rates: dict[tuple[str, int], Measured]
    p50: dict[tuple[str, int], Measured]
    p99: dict[tuple[str, int], Measured]
    cpu: dict[tuple[str, int], Measured]


async def measure(ring: Arena, levels: Sequence[int], rounds: int, seconds: float) -> Found:
    found = Found({}, {}, {}, {})
    for kind, clients in itertools.product(KINDS, levels):
        at = kind, clients
        p50, p99, cpu = ({name: [] for name in ring.servers} for _ in range(3))  # type: ignore[var-annotated]

        def contestant(name: str, kind: str = kind, clients: int = clients, more: Any = (p50, p99, cpu)) -> Any:
            async def run() -> float:
                before = ring.servers[name].cpu
                tally = ring.wave(name, kind, clients, seconds)
                more[0][name].append(tally.p50)
                more[1][name].append(tally.p99)
                more[2][name].append((ring.servers[name].cpu - before) / max(tally.commands, 1) * 1e6)
                return tally.per_second

            return run

        many = rounds if clients == AT else max(2, rounds // 2)
        print(f"{kind}, {clients} clients", file=sys.stderr)
        found.rates[at] = await in_turns({name: contestant(name) for name in ring.servers}, many)
        found.p50[at], found.p99[at], found.cpu[at] = p50, p99, cpu
    return found


async def bulk(ring: Arena, rounds: int, seconds: float) -> Measured:
    """The bulk door beside single requests of 64 callers."""

    async def many() -> float:
        return ring.wave(
            "conveyor", "bulk", 2, seconds
        ).per_second  # of one subject at most 4, and one may still be leaving

    async def single() -> float:
        return ring.wave("conveyor", "register", AT, seconds).per_second

    print("bulk", file=sys.stderr)
    return await in_turns({"bulk": many, "single": single}, rounds)


def figures(found: Found, lines: Measured) -> list[Figure]:
    told = []
    for kind, stream in KINDS.items():
        rates = found.rates[kind, AT]

        def held(to: str, bound: float, ceiling: str, rates: Measured = rates, stream: str = stream) -> Figure:
            return Figure(f"commands at {AT} clients, {stream}", ratio(rates, "conveyor", to), bound, ceiling)

        one = max(("one-transaction", "one-transaction-unordered"), key=lambda name: middle(rates, name))
        told += [
            held("fastapi", 0.8, "a plain FastAPI route in which nothing happens"),
            held("without-features", 0.8, "the same path without token, key, metrics and traces"),
            held(one, 2.2, "one transaction a request"),
            held("eventsourcing", 12, "the library eventsourcing behind FastAPI"),
        ]
        p50 = found.p50[kind, 1]
        alone = min(("one-transaction", "one-transaction-unordered"), key=lambda name: middle(p50, name))
        wait = ratio(p50, "conveyor", alone)
        told.append(Figure(f"p50 at one client, {stream}", wait, 1.1, "one transaction a request", at_most=True))
    told.append(Figure("bulk door", ratio(lines, "bulk", "single"), 2, f"single requests of {AT} clients"))
    return told


def report(found: Found, lines: Measured, levels: Sequence[int]) -> Report:
    columns = ["command", "server", *(f"{n}: 1/s (p50, p99 ms)" for n in levels), f"CPU us at {AT}"]
    rows = []
    for kind, name in itertools.product(KINDS, NAMES):
        cells = []
        for n in levels:
            at = kind, n
            p50, p99 = middle(found.p50[at], name), middle(found.p99[at], name)
            cells.append(f"{middle(found.rates[at], name):,.0f} ({p50:.1f}, {p99:.1f})")
        rows.append([kind, name, *cells, f"{middle(found.cpu[kind, AT], name):,.0f}"])
    rows.append(["bulk", "conveyor", *["" for _ in levels[1:]], f"{middle(lines, 'bulk'):,.0f}", ""])
    curves = {name: [middle(found.rates["call", n], name) for n in levels] for name in NAMES}
    chart = Curves(levels, curves, "clients", "commands a second, existing streams")
    rates = {
        f"{kind} at {n}": {k: [round(v) for v in vs] for k, vs in m.items()} for (kind, n), m in found.rates.items()
    }
    details = {"rounds": rates | {"bulk": {k: [round(v) for v in vs] for k, vs in lines.items()}}}
    return Report("commands", "Commands over HTTP", columns, rows, figures(found, lines), chart, details)


def main() -> int:
    """Exit code 1 where a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.3)
    parser.add_argument("--clients", default="1,16,64,256")
    asked = parser.parse_args()
    levels = [int(n) for n in asked.clients.split(",")]
    with on_disk("commands") as stack, arena(stack, NAMES) as ring:
        found = asyncio.run(measure(ring, levels, asked.rounds, asked.seconds))
        lines = asyncio.run(bulk(ring, asked.rounds, asked.seconds * 2))
    return report(found, lines, levels).publish()


if __name__ == "__main__":
    sys.exit(main())
