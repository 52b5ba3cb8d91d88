"""`make bench-footprint`: what the line needs of a machine for its work, as production would run it.

The same processes, settings and callers as in a rehearsal, but nothing is replaced: processor time, memory and disk are
read before and after, and what an idle line spends is taken off. Writes bench/results/footprint.json, of which
docs/capacity.md is reckoned.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import psutil
from evidence import still
from load import Load, under_load
from stood_up import SERVICES, Line, Wanted, line

RESULT = Path(__file__).parents[2] / "bench/results/footprint.json"
IDLE = 15.0
WARM = 5.0
REST_WITHIN = 60.0
PROCESSES = 2 * 2 * len(SERVICES)
MEGABYTE = 1024**2
COUNTS = "select (select count(*) from events), (select count(*) from published), pg_database_size(current_database())"


@dataclass(frozen=True)
class Spent:
    """At one moment: processor seconds by kind of process, and what is stored."""

    at: float
    doors: float
    workers: float
    database: float
    events: int
    public: int
    stored: int
    sent: int
    requests: int
    commands: int


def _seconds(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for one in processes for times in [one.cpu_times()])


async def spent(running: Line, load: Load | None) -> Spent:
    """Looks at everything."""
    events = public = stored = 0
    for dsn in running.dsns.values():
        db = await asyncpg.connect(dsn, timeout=10, command_timeout=30)
        try:
            found = await db.fetchrow(COUNTS)
        finally:
            await db.close(timeout=10)
        assert found is not None
        events, public, stored = events + found[0], public + found[1], stored + found[2]
    server = running.ground.postgres.server
    assert server is not None
    main = psutil.Process(server.pid)
    kept = main.cpu_times()
    database = kept.user + kept.system + kept.children_user + kept.children_system + _seconds(main.children())
    logs = running.ground.broker.kafka.data.glob("conveyor.*/*.log")
    history = load.caller.history if load is not None else []
    accepted = len([asked for asked in history if asked.outcome == "ok"])
    return Spent(
        at=time.monotonic(),
        doors=_seconds(of(running, "api")),
        workers=_seconds(of(running, "worker")),
        database=database,
        events=events,
        public=public,
        stored=stored,
        sent=sum(log.stat().st_size for log in logs),
        requests=len(load.caller.heard) if load else 0,
        commands=accepted,
    )


def of(running: Line, kind: str) -> list[psutil.Process]:
    """The processes of one kind."""
    pods = [pod for one in running.deployments if one.told.pod.component == kind for pod in one.now]
    return [psutil.Process(pod.pid) for pod in pods]


async def measured(wanted: Wanted, seconds: float) -> dict[str, float]:
    """Idle, then under load; what a request and an event have cost beyond being there."""
    async with line(wanted) as running:
        running.say(f"idle for {IDLE:g} s")
        before = await spent(running, None)
        await asyncio.sleep(IDLE)
        calm = await spent(running, None)
        async with under_load(running) as load:
            await asyncio.sleep(WARM)
            begun = await spent(running, load)
            await asyncio.sleep(seconds)
            await load.stop()
            await load.stories.settle(REST_WITHIN)
            await still(running.dsns, REST_WITHIN)
            ended = await spent(running, load)
            memory = {kind: median(one.memory_info().rss for one in of(running, kind)) for kind in ("api", "worker")}
    return figures(before, calm, begun, ended) | {
        "door_megabytes": round(memory["api"] / MEGABYTE, 1),
        "worker_megabytes": round(memory["worker"] / MEGABYTE, 1),
    }


def figures(before: Spent, calm: Spent, begun: Spent, ended: Spent) -> dict[str, float]:
    """`before` to `calm` nothing was done, `begun` to `ended` much."""
    idle, busy = calm.at - before.at, ended.at - begun.at

    def beyond(kind: str) -> float:
        """Milliseconds under load, less those of an idle line in the same time."""
        of_idle = (getattr(calm, kind) - getattr(before, kind)) / idle * busy
        return float((getattr(ended, kind) - getattr(begun, kind) - of_idle) * 1_000)

    requests, commands = ended.requests - begun.requests, ended.commands - begun.commands
    events, public = ended.events - begun.events, ended.public - begun.public
    there = (calm.doors - before.doors + calm.workers - before.workers) / idle / PROCESSES
    return {
        "seconds": round(busy, 1),
        "requests": requests,
        "commands": commands,
        "events": events,
        "public_events": public,
        "idle_ms_per_second": round(there * 1_000, 2),
        "door_ms_per_request": round(beyond("doors") / requests, 3),
        "worker_ms_per_public_event": round(beyond("workers") / public, 3),
        "database_ms_per_event": round(beyond("database") / events, 3),
        "events_per_command": round(events / commands, 3),
        "public_events_per_command": round(public / commands, 3),
        "database_bytes_per_event": round((ended.stored - begun.stored) / events, 1),
        "kafka_bytes_per_public_event": round((ended.sent - begun.sent) / public, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures what the line needs of a machine.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is under load")
    parser.add_argument("--lives", type=float, default=4.0, help="clients' lives begun a second")
    parser.add_argument("--looks", type=float, default=40.0, help="lists looked at a second")
    asked = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    wanted = Wanted(SERVICES, lives=asked.lives, looks=asked.looks, say=say)
    found = asyncio.run(measured(wanted, asked.seconds))
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    width = max(map(len, found))
    print(*(f"{name:<{width}}  {value:>12,}" for name, value in found.items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
