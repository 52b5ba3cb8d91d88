"""Statements out of a million facts: how many a second over the door, and how long all take from the facts alone.

    python -m bench.statements [--facts 1000000] [--rounds 4]

The facts stand in PostgreSQL (`loading.py`), of a thousand people; the real service of compensation answers in this
process. In turns: statements of people not asked for before, whose facts are read from the table; the same people
again; and as the ceiling of both a route of the same service that reads nothing (`/livez`). Then, in a process of its
own whose memory is told: the rebuild that closing a month and `verification` do, of every statement of everybody.

No figure is held here: growth.py holds that a statement costs the same in a large company.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from bench.disk import on_disk
from bench.growth import MONTH, an_office, served
from bench.memory import peak
from bench.picture import Bars
from bench.report import Report
from bench.rounds import in_turns, middle, ratio
from compensation.clerk.books import of
from compensation.clerk.company import company
from compensation.main import SERVICE
from compensation.months import Month
from conveyor_local import Stack

FIRST, AGAIN, NOTHING = "statement, facts read", "statement, asked again", "a route that reads nothing"
EACH = 60


async def measure(servers: Stack, folder: Path, count: int, rounds: int) -> int:
    async with AsyncExitStack() as stack:
        parts, client, sellers = await an_office(stack, servers, folder, count)
        random.Random(1).shuffle(sellers)

        async def asked(people: list[str], path: str) -> float:
            began = time.perf_counter()
            for person in people:
                answer = await client.get(path.format(person=person))
                if answer.status_code != 200:
                    raise RuntimeError(answer.text)
            return len(people) / (time.perf_counter() - began)

        async def first() -> float:
            sellers.extend(sellers[:EACH])
            del sellers[:EACH]
            of(parts.desk).forget()
            return await asked(sellers[-EACH:], f"/v1/statements/{{person}}/{MONTH}")

        async def again() -> float:
            some = sellers[-8:]
            await asked(some, f"/v1/statements/{{person}}/{MONTH}")
            return await asked(some * (EACH // 8), f"/v1/statements/{{person}}/{MONTH}")

        async def nothing() -> float:
            return await asked(["-"] * EACH, "/livez")

        found = await in_turns({FIRST: first, AGAIN: again, NOTHING: nothing}, rounds)
        command = [sys.executable, "-m", "bench.statements", "--only", parts.desk.settings.dsn]
        told = await asyncio.to_thread(partial(subprocess.run, command, check=True, capture_output=True, text=True))
    whole: dict[str, Any] = json.loads(told.stdout)
    names = (FIRST, AGAIN, NOTHING)
    rows = [(name, f"{middle(found, name):,.0f}", f"{ratio(found, name, NOTHING):.3f}") for name in names]
    rows += [
        ("rebuild: facts read and indexed, facts/s", f"{count / whole['read']:,.0f}", ""),
        (
            f"rebuild: all {whole['statements']:,} statements folded, statements/s",
            f"{whole['statements'] / whole['fold']:,.0f}",
            "",
        ),
        ("rebuild: together, s", f"{whole['read'] + whole['fold']:,.1f}", ""),
        ("rebuild: memory, MB", f"{whole['megabytes']:,.0f}", ""),
        ("memory a fact, bytes", f"{whole['bytes_a_fact']:,.0f}", ""),
    ]
    return Report(
        name="statements",
        title=f"Statements out of {count:,} facts",
        columns=("what", "1/s", "of the ceiling"),
        rows=rows,
        figures=[],
        chart=Bars({name: middle(found, name) for name in names}, [FIRST, AGAIN], "statements a second, one client"),
        details={"facts": count, "rounds": rounds, "each": found, "rebuild": whole},
    ).publish()


async def rebuild(dsn: str, folder: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        parts, _ = await served(stack, SERVICE, dsn, folder, ["payroll"])
        everybody = company(parts.desk)
        began, before = time.perf_counter(), peak()
        history = await everybody.history()
        read, after = time.perf_counter() - began, peak()
        began = time.perf_counter()
        found = await everybody.earnings(list(Month(2024, 1).through(Month(2025, 12))))
        fold = time.perf_counter() - began
        return {
            "read": read,
            "fold": fold,
            "statements": sum(bool(one.lines) for by in found.values() for one in by.values()),
            "lines": sum(len(one.lines) for by in found.values() for one in by.values()),
            "bytes_a_fact": (after - before) * 1e6 / len(history.facts),
            "megabytes": peak(),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.only is not None:
            print(json.dumps(uvloop.run(rebuild(asked.only, Path(folder)))))
            return 0
        with on_disk("statements") as servers:
            return uvloop.run(measure(servers, Path(folder), asked.facts, asked.rounds))


if __name__ == "__main__":
    sys.exit(main())
