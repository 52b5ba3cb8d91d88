"""Ten minutes under load: memory stays small and flat, and nothing is wrong afterwards.

    python -m bench.soak [--seconds 600] [--rate 20]

First 256 callers send registrations and calls in turns to one process of lead generation, whose memory is looked at
every second. Then its store is held against what was acknowledged: every command once, versions without holes, the hash
chain whole. After that the whole line (four services, relay, consumers) lives under load without faults, and the fault
suite's own checker judges it; it says what each service held.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from belt.io.store.chain import verify
from bench.commands import arena
from bench.disk import on_disk
from bench.load import KNOWN
from bench.picture import Curves
from bench.report import Figure, Report

CLIENTS, WAVE = 256, 10.0
MEGABYTES, FLAT = 250.0, 1.05
FAULTS = Path(__file__).parent.parent / "tests" / "faults" / "run_faults.py"
WRONG = """
select (select count(*) from events where type = 'ProspectRegistered') as registered,
       (select count(*) from events where type = 'CallLogged') as calls,
       (select count(*) from (select stream_id from events group by stream_id
                              having max(version) <> count(*)) x) as streams_with_holes,
       (select max(position) - count(*) from published) as positions_missing,
       (select count(*) from (select topic, key from published group by topic, key
                              having max(sequence) <> count(*)) x) as keys_with_holes
"""


class Weighing(threading.Thread):
    """What a process holds, every second, in megabytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process, self._over = psutil.Process(pid), threading.Event()
        self.held: list[float] = []

    def run(self) -> None:
        while not self._over.wait(1.0):
            self.held.append(self._process.memory_info().rss / 1e6)

    def stop(self) -> list[float]:
        self._over.set()
        self.join()
        return self.held


async def judged(dsn: str) -> dict[str, int]:
    """Counts of what is there, and of what should not be."""
    connection = await asyncpg.connect(dsn, timeout=10)
    found = dict(await connection.fetchrow(WRONG) or {})
    await connection.close(timeout=10)
    broken = await verify(dsn, lambda at, head: None)
    return found | {"links_broken": 0 if broken is None else 1}


def station(seconds: float) -> tuple[list[float], dict[str, int], dict[str, int]]:
    """(megabytes by second, what was acknowledged, what the store says)."""
    done = {"register": KNOWN, "call": 0}
    with on_disk("soak") as stack, arena(stack, ["conveyor"]) as ring:
        weighing = Weighing(ring.servers["conveyor"].process.pid)
        weighing.start()
        ends, turn = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            kind = ("register", "call")[turn % 2]
            tally = ring.wave("conveyor", kind, CLIENTS, min(WAVE, seconds / 4))
            done[kind] += tally.commands
            turn += 1
            left = max(0.0, ends - time.monotonic())
            print(
                f"  {left:5.0f} s left: {kind:<9} {tally.per_second:7,.0f}/s  p99 {tally.p99:6.1f} ms", file=sys.stderr
            )
        held = weighing.stop()
        found = asyncio.run(judged(stack.dsn("bench_conveyor")))
    return held, done, found


def line(seconds: float, rate: float) -> dict[str, Any]:
    """What the fault suite says of the whole line under load alone. Raises where its checker found something."""
    command = [sys.executable, str(FAULTS), "--calm", "--seconds", str(seconds), "--rate", str(rate), "--seed", "8"]
    told = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True).stdout.strip()
    last = told.splitlines()[-1] if told else ""
    if not last.startswith("faults: ok "):
        raise RuntimeError(f"the checker is not content:\n{told}")
    figures: dict[str, Any] = json.loads(last.removeprefix("faults: ok "))
    return figures


def main() -> int:
    """Exit code 1 where a figure is missed or something is wrong in the store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=20, help="clients' lives begun a second on the whole line")
    asked = parser.parse_args()
    curve, done, found = station(asked.seconds)
    wrong = {
        "registrations": abs(found.pop("registered") - done["register"]),
        "calls": abs(found.pop("calls") - done["call"]),
        **found,
    }
    judged_line = line(asked.seconds / 4, asked.rate)
    part = len(curve) // 5  # the first two fifths fill what is remembered
    flat = max(curve[-part:]) / max(curve[2 * part : 3 * part])
    most = {"lead-gen, 256 callers": max(curve)} | judged_line["megabytes"]
    figures = [
        Figure(f"megabytes, {name}", value, MEGABYTES, "what a pod is given", at_most=True)
        for name, value in most.items()
    ]
    figures.append(Figure("memory at the end", flat, FLAT, "memory in the middle", at_most=True))
    figures.append(Figure("commands lost, doubled or out of order", sum(wrong.values()), 0, "none", at_most=True))
    rows = [[name, f"{value:,.0f}"] for name, value in most.items()]
    rows += [[f"wrong: {name}", f"{value:,}"] for name, value in wrong.items()]
    rows += [[f"the line: {name}", f"{judged_line[name]:,}"] for name in ("lives", "requests", "events", "records")]
    chart = Curves(list(range(len(curve))), {"lead generation": curve}, "seconds", "megabytes", logarithmic=False)
    details = {"acknowledged": done, "line": judged_line}
    title = f"{CLIENTS} callers for {asked.seconds:,.0f} s"
    return Report("soak", title, ["what", "found"], rows, figures, chart, details).publish()


if __name__ == "__main__":
    sys.exit(main())
