"""How long a lead is on its way to the next station: from its commit to the next one's consumer, and to its commit.

    python -m bench.latency [--rounds 4]

Lead generation appends an offered lead, at a fixed rate whatever becomes of those before (1, 100, 1,000 a second); the
consumer of conversion has the record in hand, then its offer is committed. Commit is stamped when the writer says so to
the caller, receipt when the consumer's intake is given the record; both by the one monotonic clock of this machine.

Three ways, in turns, with the same append, the same topic and the same consumer in a process of its own:
`api and worker` as services are run in a cluster (the relay sits in another process and is rung for); `one process`
(`python -m lead_gen all`, relay beside writer); and `published after commit`, the ceiling: the same process hands the
record, made ready before the commit, to an idempotent aiokafka producer the moment the commit is known. That one loses
events when it dies in between; nothing can be faster and still wait for the commit.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaProducer

from belt.io.ids import fresh
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.doorbell import Doorbell
from belt.io.kafka.relay import outgoing, relay
from belt.io.store.decision import attributes
from belt.io.store.public_log import backlog
from belt.io.store.unit import Meta, Outcome
from belt.io.telemetry import configure_logging
from bench import picture, rounds
from bench.disk import on_disk
from bench.line import LeadGen, environment, now
from bench.next_station import next_station, worker
from bench.report import Figure, Report
from conveyor_local import Stack
from lead_gen import published
from lead_gen.main import SERVICE

WANTED = 1.5
APART, TOGETHER, AFTER = "api and worker", "one process", "published after commit"
SECONDS = {1: 20, 100: 3, 1_000: 3}
FEW = 1  # events a second at which all ways are measured in one go, each at its own moments
Offer = Callable[[str], Awaitable[int]]


class Line:
    """The three ways to the next station, and who listens there."""

    def __init__(self, stack: Stack, folder: Path, rounds: int) -> None:
        self._stack, self._folder, self._rounds = stack, folder, rounds
        self.ways: dict[str, Offer] = {}
        self._ready: dict[str, list[str]] = {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Line]:
        async with AsyncExitStack() as stack:
            self._next = await stack.enter_async_context(next_station(self._stack))
            ways = APART, TOGETHER, AFTER
            sides = {way: await LeadGen.opened(self._stack, f"lead{n}") for n, way in enumerate(ways)}
            for side in sides.values():
                stack.push_async_callback(side.writer.stop)
            await self._prepare(sides)
            apart, together, after = sides.values()
            bell = Doorbell(apart.dsn, apart.wake)
            bell.start()
            stack.push_async_callback(bell.stop)
            known = environment(self._stack, apart.dsn, self._folder)
            await stack.enter_async_context(worker(SERVICE.package, known))
            carrier = relay(together.dsn, Brokers(self._stack.brokers), name=SERVICE.name, wake=together.wake)
            carrier.start()
            stack.push_async_callback(carrier.stop)
            producer = AIOKafkaProducer(bootstrap_servers=self._stack.brokers, acks="all", enable_idempotence=True)
            await producer.start()
            stack.push_async_callback(producer.stop)
            self.ways = {APART: _offer(apart), TOGETHER: _offer(together), AFTER: _offer_and_send(after, producer)}
            yield self

    async def _prepare(self, sides: dict[str, LeadGen]) -> None:
        """Enough clients for all rounds; what was told of them until now is taken in at the next station."""
        each = sum(rate * seconds for rate, seconds in SECONDS.items() if rate != FEW)
        count = 1 + SECONDS[FEW] + each * self._rounds
        for way, side in sides.items():
            carrier = relay(side.dsn, Brokers(self._stack.brokers), name=SERVICE.name, wake=side.wake)
            carrier.start()
            self._ready[way] = await side.prospects(count)
            async with asyncio.timeout(60.0):
                while not (await _carried(side.dsn)):  # noqa: ASYNC110 (only the database knows)
                    await asyncio.sleep(0.05)
            await carrier.stop()
        print(f"  {count:,} clients for each way are known to both stations", file=sys.stderr, flush=True)
        await self._next.quiet()

    async def _one(self, way: str) -> tuple[str, int]:
        client = self._ready[way].pop()
        return client, await self.ways[way](client)

    async def warm(self) -> None:
        """One lead on each way, until it has arrived."""
        offered = [(await self._one(way))[0] for way in self.ways]
        await self._next.saw(set(offered))

    async def turn(self, ways: Sequence[str], rate: int) -> dict[str, list[tuple[float, float]]]:
        """Milliseconds to the consumer, and to the next commit, of each lead offered in one turn, by way."""
        loop = asyncio.get_running_loop()
        started = loop.time() + 0.1
        offered: dict[str, list[asyncio.Task[tuple[str, int]]]] = {way: [] for way in ways}
        for number in range(rate * SECONDS[rate]):
            for place, way in enumerate(ways):
                await asyncio.sleep(max(0.0, started + (number + place / len(ways)) / rate - loop.time()))
                offered[way].append(asyncio.create_task(self._one(way)))
        committed = {way: dict(await asyncio.gather(*tasks)) for way, tasks in offered.items()}
        received, effected = await self._next.saw({client for known in committed.values() for client in known})
        return {
            way: [((received[one] - at) / 1e6, (effected[one] - at) / 1e6) for one, at in known.items()]
            for way, known in committed.items()
        }


def _offer(side: LeadGen) -> Offer:
    async def offer(client: str) -> int:
        await side.offer(client)
        return now()

    return offer


def _offer_and_send(side: LeadGen, producer: AIOKafkaProducer) -> Offer:
    async def offer(client: str) -> int:
        record: Any = None

        def ready(outcome: Outcome) -> Any:
            nonlocal record
            record = outgoing(_row(client, outcome))

        await side.offer(client, reply=ready)
        at = now()
        sent = await producer.send(record.topic, record.value, record.key, headers=record.headers)
        await sent
        return at

    return offer


def _row(client: str, outcome: Outcome) -> dict[str, Any]:
    """What the public log will hold of it: the third event of its key."""
    [entry] = outcome.entries.values()
    [told] = published.prospect(outcome.events[0], entry.state)
    topic, about = attributes(told, fresh(), Meta(), f"offer {client}", f"/conveyor/{SERVICE.name}")
    value = told.data.model_dump_json()
    return {"topic": topic, "key": client, "sequence": 3, "attributes": about, "value": value, "recorded_at": told.at}


async def _carried(dsn: str) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        return (await backlog(connection)).drained
    finally:
        await connection.close()


# -- what is said of it ----------------------------------------------------------------------------------------------

Found = dict[int, dict[str, list[list[tuple[float, float]]]]]  # by rate and way, one list a round


async def measure(stack: Stack, folder: Path, count: int) -> Found:
    found: Found = {rate: {way: [] for way in (APART, TOGETHER, AFTER)} for rate in SECONDS}
    await stack.create_topics()
    async with Line(stack, folder, count).opened() as line:
        await line.warm()  # each way has its connections before it counts

        def told(rate: int, turn: dict[str, list[tuple[float, float]]]) -> float:
            for way, each in turn.items():
                found[rate][way].append(each)
            return statistics.median(one[0] for each in turn.values() for one in each)

        told(FEW, await line.turn(list(line.ways), FEW))
        for rate in [rate for rate in SECONDS if rate != FEW]:

            def run(way: str, rate: int = rate) -> Callable[[], Awaitable[float]]:
                async def one() -> float:
                    return told(rate, await line.turn([way], rate))

                return one

            print(f"  at {rate:,} a second", file=sys.stderr, flush=True)
            await rounds.in_turns({way: run(way) for way in line.ways}, count, unit="ms")
    return found


def _at(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def publish(found: Found) -> int:
    rows, bars, figures = [], dict[str, float](), []
    for rate in sorted(found):
        half: dict[str, list[float]] = {}
        for way, turns in found[rate].items():
            each = [[one[0] for one in turn] for turn in turns]
            half[way] = [statistics.median(turn) for turn in each]
            there, done = [one for turn in each for one in turn], [one[1] for turn in turns for one in turn]
            middle, late = statistics.median(half[way]), _at(there, 0.99)
            told = (middle, late, statistics.median(done), _at(done, 0.99))
            rows.append((f"{rate:,}", way, *(f"{value:.2f}" for value in told), f"{len(there):,}"))
            bars[f"{way}, {rate:,}/s"] = middle
        for way in (APART, TOGETHER):
            ratio = rounds.ratio(half, way, AFTER)
            name = f"commit to consumer p50 at {rate:,}/s, {way}"
            figures.append(Figure(name, ratio, WANTED, "publishing after the commit", at_most=True))
    return Report(
        name="latency",
        title="From the commit of a lead to the next station, milliseconds",
        columns=("events/s", "", "to consumer p50", "p99", "to its commit p50", "p99", "events"),
        rows=rows,
        figures=figures,
        chart=picture.Bars(bars, [name for name in bars if not name.startswith(AFTER)], "ms to the consumer, p50"),
    ).publish()


def main() -> int:
    """Exit code 1 where a ratio is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    configure_logging("bench", "WARNING", to=sys.stderr)
    with on_disk("latency") as stack, tempfile.TemporaryDirectory() as folder:
        found = uvloop.run(measure(stack, Path(folder), asked.rounds))
    return publish(found)


if __name__ == "__main__":
    sys.exit(main())
