"""What a second process adds, and what partitions do: events taken in by workers, commands appended by writers.

    python -m bench.processes [--rounds 3] [--events 10000] [--seconds 3]

Workers: a backlog of events of leads waits in Kafka; the consumer and writer of conversion, each pair in a process of
its own, one group, one database, take it in: each event its own append unit, gate and mark in its commit. Counted from
the moment at which the backlog is in Kafka and everybody has their partitions, to the last gate. Writers: processes
that register prospects at one store, 32 at a time each, without HTTP; the store's lock lets one commit at a time in.

This machine has as many processors as it has: where all are busy, more processes cannot be faster. So the CPU time of
each side is counted, too (workers or writers, PostgreSQL, Kafka, per event): who needs most of it is the limit, and
with processors enough a side grows until one of its single places is full - a partition's worker, the store's lock.
How often writers were seen to wait for that lock is told as well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop
from aiokafka import AIOKafkaProducer

from belt.io.kafka.relay import outgoing
from belt.io.store.migrate import upgrade
from belt.io.telemetry import configure_logging
from bench import picture
from bench.backlog import rows
from bench.disk import on_disk
from bench.line import LeadGen
from bench.next_station import parts
from bench.relay import send
from bench.report import Report
from conversion.main import SERVICE as NEXT
from conveyor_local import Stack

WORKERS = ((1, 12), (2, 12), (1, 3), (1, 1))  # workers, partitions
WRITERS = (1, 2, 3)
SIDE_BY_SIDE = 32
TICK = os.sysconf("SC_CLK_TCK")
TEMPLATE = "bench_conversion"


@dataclass
class Found:
    """Of one run: how many a second, CPU microseconds each by side, and how often a writer waited for the lock."""

    speed: float
    spent: dict[str, float]
    waited: float = 0.0


# -- who spends the processors ---------------------------------------------------------------------------------------


def _of(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / TICK


def _with_children(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _of(pid) + sum(_of(int(child)) for child in children)


class Sides:
    """CPU seconds by side, since it was made."""

    def __init__(self, stack: Stack, processes: Sequence[asyncio.subprocess.Process]) -> None:
        servers = {"PostgreSQL": stack.postgres, "Kafka": stack.kafka}
        self._servers = {name: one.server.pid for name, one in servers.items() if one is not None and one.server}
        self._mine = [process.pid for process in processes]
        self._before = self._now()

    def _now(self) -> dict[str, float]:
        return {"Python": sum(map(_of, self._mine))} | {n: _with_children(pid) for n, pid in self._servers.items()}

    def each(self, count: float) -> dict[str, float]:
        """Microseconds for each of so many."""
        return {name: (now - self._before[name]) / count * 1e6 for name, now in self._now().items()}


@asynccontextmanager
async def _started(*arguments: str, count: int) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Processes of this program, each of which says so when it is ready, and ends when it is told to."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bench.processes", *arguments)
    made = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(count)]
    try:
        await asyncio.gather(*map(_heard, made))
        yield made
    finally:
        for process in made:
            process.terminate()
        await asyncio.gather(*(asyncio.wait_for(process.wait(), 20.0) for process in made))


async def _heard(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60.0):
        return (await process.stdout.readline()).decode()


# -- workers ---------------------------------------------------------------------------------------------------------


async def workers(stack: Stack, number: int, count: int, partitions: int, events: int) -> Found:
    name = f"bench.processes.{number}"
    dsn = await stack.create_database(f"bench_workers_{number}", TEMPLATE)
    await stack.create_topics({name: partitions})
    records = [outgoing(dict(zip(COLUMNS, row, strict=True))) for row in rows(events, name)]
    producer = AIOKafkaProducer(bootstrap_servers=stack.brokers, acks="all", enable_idempotence=True)
    connection = await asyncpg.connect(dsn)
    await producer.start()
    try:
        each = str(partitions // count)
        async with _started("--work", dsn, stack.brokers, name, each, count=count) as processes:
            await send(producer, name, partitions, records)
            sides = Sides(stack, processes)
            began = time.perf_counter()
            async with asyncio.timeout(120.0):
                while await connection.fetchval(TAKEN_IN) < events:  # noqa: ASYNC110 (only the database knows)
                    await asyncio.sleep(0.02)
            took = time.perf_counter() - began
            found = Found(events / took, sides.each(events))
        if parked := await connection.fetchval("select count(*) from parked"):
            raise RuntimeError(f"{parked} events were parked")
        return found
    finally:
        await producer.stop()
        await connection.close()
        await stack.drop_database(f"bench_workers_{number}")
        await stack.delete_topics(name)


TAKEN_IN = "select coalesce(sum(sequence), 0) from gates"
COLUMNS = ("position", "topic", "key", "sequence", "event_id", "attributes", "value", "recorded_at")


async def work(dsn: str, servers: str, topic: str, wanted: int) -> None:
    """What a worker of conversion takes events in with. Ready when it has its share of the partitions."""
    _, _, consumer = await parts(dsn, servers, [topic], f"bench-{topic}")
    while len(consumer.partitions()) != wanted:  # noqa: ASYNC110 (the group decides)
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    await asyncio.Event().wait()


# -- writers ---------------------------------------------------------------------------------------------------------

WAITING = """
select count(*) filter (where wait_event_type = 'Lock' and wait_event = 'advisory') as waiting, count(*) as busy
from pg_stat_activity where application_name = 'belt-writer' and datname = current_database() and state = 'active'
"""


async def writers(stack: Stack, number: int, count: int, seconds: float) -> Found:
    side = await LeadGen.opened(stack, f"bench_writers_{number}")
    await side.writer.stop()
    connection = await asyncpg.connect(side.dsn)
    seen = []
    try:
        async with _started("--write", side.dsn, side.name, str(seconds), count=count) as processes:
            sides = Sides(stack, processes)
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                [row] = await connection.fetch(WAITING)
                seen.append((row["waiting"], row["busy"]))
                await asyncio.sleep(0.02)
            done = sum([int(await _heard(process)) for process in processes])
            found = Found(done / seconds, sides.each(done))
        found.waited = sum(waiting for waiting, _ in seen) / max(1, sum(busy for _, busy in seen))
        return found
    finally:
        await connection.close()
        await stack.drop_database(f"bench_writers_{number}")


async def write(dsn: str, name: str, seconds: float) -> None:
    """Registers prospects for so long, and says how many."""
    side = LeadGen(dsn, name)
    side.writer.start()
    await side.register()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    until, done = time.perf_counter() + seconds, 0

    async def some() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await side.register()
            done += 1

    await asyncio.gather(*(some() for _ in range(SIDE_BY_SIDE)))
    print(done, flush=True)
    await asyncio.Event().wait()


# -- what is said of it ----------------------------------------------------------------------------------------------


async def measure(stack: Stack, rounds: int, events: int, seconds: float) -> dict[str, list[Found]]:
    await upgrade(await stack.create_database(TEMPLATE), NEXT.package)
    found: dict[str, list[Found]] = {}
    number = 0
    for one in range(1, rounds + 1):
        for count, partitions in WORKERS:
            number += 1
            name = f"{_several(count, 'worker')}, {_several(partitions, 'partition')}"
            found.setdefault(name, []).append(await workers(stack, number, count, partitions, events))
            print(f"  round {one}: {name:<28} {found[name][-1].speed:>10,.0f} events/s", file=sys.stderr, flush=True)
        for count in WRITERS:
            number += 1
            name = _several(count, "writer")
            found.setdefault(name, []).append(await writers(stack, number, count, seconds))
            print(f"  round {one}: {name:<28} {found[name][-1].speed:>10,.0f} commands/s", file=sys.stderr, flush=True)
    return found


def _several(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count > 1 else "")


def main() -> int:
    """Nothing is held to a bound here: what it shows is where the limits lie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    configure_logging("bench", "ERROR", to=sys.stderr)
    if asked.work:
        dsn, servers, topic, wanted = asked.work
        uvloop.run(work(dsn, servers, topic, int(wanted)))
        return 0
    if asked.write:
        dsn, name, seconds = asked.write
        uvloop.run(write(dsn, name, float(seconds)))
        return 0
    with on_disk("processes") as stack:
        found = uvloop.run(measure(stack, asked.rounds, asked.events, asked.seconds))
    speed = {name: statistics.median(one.speed for one in several) for name, several in found.items()}
    sides = "Python", "PostgreSQL", "Kafka"
    spent = {
        name: [statistics.median(one.spent.get(side, 0.0) for one in several) for side in sides]
        for name, several in found.items()
    }
    waited = {name: statistics.median(one.waited for one in several) for name, several in found.items()}
    return Report(
        name="processes",
        title="Several processes: events taken in, and commands appended, a second",
        columns=("", "1/s", "CPU us each: Python", *sides[1:], "processors busy", "waits for the lock"),
        rows=[
            (
                name,
                f"{speed[name]:,.0f}",
                *(f"{one:.0f}" for one in spent[name]),
                f"{sum(spent[name]) * speed[name] / 1e6:.2f}",
                f"{waited[name]:.0%}" if "writer" in name else "",
            )
            for name in found
        ],
        figures=[],
        chart=picture.Bars(speed, [name for name in speed if "worker" in name], "a second"),
    ).publish()


if __name__ == "__main__":
    sys.exit(main())
