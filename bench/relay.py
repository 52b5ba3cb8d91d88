"""How fast a backlog is carried to Kafka: the relay, against a bare producer that sends the same bytes.

    python -m bench.relay [--events 100000] [--rounds 4]

The backlog is the public log of a real PostgreSQL: events of leads as the store keeps them. The relay is the product's
own: it reads, makes records of the rows, sends, waits for every acknowledgement, and moves its checkpoint, as often as
it does in a service. Counted from its election (it is connected, as the bare producer is) to the moment at which the
checkpoint stands at the end. The ceiling is an idempotent producer of aiokafka that has all the records in memory and
fills batches by hand, each as large as the relay's largest, one behind the other on each of the twelve partitions;
counted to the last acknowledgement. Every topic is read afterwards: each must hold the same records, per key in order.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from functools import lru_cache

import asyncpg
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from belt.io.kafka.brokers import Brokers
from belt.io.kafka.records import Outgoing, partition_of
from belt.io.kafka.relay import outgoing, relay
from belt.io.kafka.sender import BATCH_BYTES
from belt.io.store.public_log import NEXT
from belt.io.telemetry import configure_logging
from bench import picture, rounds
from bench.backlog import Row, contents, lay, rows
from bench.disk import on_disk
from bench.report import Figure, Report
from conveyor_events.catalog import TOPICS
from conveyor_local import Stack

WANTED = 0.6
OURS, BARE = "relay, from PostgreSQL", "bare producer, from memory"
PARTITIONS = TOPICS["conveyor.leads.v1"].partitions
DEADLINE = 120.0


class Bench:
    """One database whose public log is laid anew for each run, and a new topic for each run."""

    def __init__(self, stack: Stack, dsn: str, events: int) -> None:
        self._stack, self._dsn, self._events = stack, dsn, events
        self._backlog = rows(events, "")
        self._made = 0
        self._wanted: dict[bytes, list[object]] = {}
        self.processor: dict[str, list[float]] = {OURS: [], BARE: []}

    async def _fresh(self) -> tuple[str, list[Row]]:
        self._made += 1
        topic = f"bench.relay.{self._made}"
        await self._stack.create_topics({topic: PARTITIONS})
        found = [(row[0], topic, *row[2:]) for row in self._backlog]
        await lay(self._dsn, found)
        return topic, found

    async def ours(self) -> float:
        topic, _ = await self._fresh()
        _forget()
        carrier = relay(self._dsn, Brokers(self._stack.brokers), name="bench")
        carrier.start()
        async with asyncio.timeout(DEADLINE):
            while not carrier.status().leading:  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0)
            began, spent = time.perf_counter(), time.process_time()
            while carrier.status().position < self._events:  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.003)
            took, spent = time.perf_counter() - began, time.process_time() - spent
        await carrier.stop()
        self.processor[OURS].append(spent)
        await self._check(topic)
        return self._events / took

    async def bare(self) -> float:
        topic, _ = await self._fresh()
        records = await self._records()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._stack.brokers, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES
        )
        await producer.start()
        _forget()
        began, spent = time.perf_counter(), time.process_time()
        async with asyncio.timeout(DEADLINE):
            await send(producer, topic, PARTITIONS, records)
        took, spent = time.perf_counter() - began, time.process_time() - spent
        await producer.stop()
        self.processor[BARE].append(spent)
        await self._check(topic)
        return self._events / took

    async def _records(self) -> list[Outgoing]:
        connection = await asyncpg.connect(self._dsn)
        found = [outgoing(row) for row in await connection.fetch(NEXT, 0, self._events, 2**40)]
        await connection.close()
        return [record._replace(headers=[*record.headers]) for record in found]

    async def _check(self, topic: str) -> None:
        """The topic holds what the log holds: as many records, of each key the same ones in the same order."""
        held = await contents(self._stack.brokers, topic)
        wanted: dict[bytes, list[object]] = {}
        for record in await self._records():
            wanted.setdefault(record.key, []).append((record.key, record.value, tuple(record.headers)))
        if held != wanted:
            raise RuntimeError(f"{topic} does not hold what was sent: {sum(map(len, held.values()))} records")
        await self._stack.delete_topics(topic)


@lru_cache(maxsize=100_000)
def _place(key: bytes) -> int:
    """As the library finds it, but only once for each key."""
    return int(murmur2(key) & 0x7FFFFFFF)


def _forget() -> None:
    """No key's partition is known yet, and what this program holds is not looked through again and again."""
    partition_of.cache_clear()
    _place.cache_clear()
    gc.collect()
    gc.freeze()


async def send(producer: AIOKafkaProducer, topic: str, partitions: int, records: list[Outgoing]) -> None:
    """As fast as it goes: batches filled by hand, the next of a partition waits behind the last."""
    runs: dict[int, list[Outgoing]] = {}
    for record in records:
        runs.setdefault(_place(record.key) % partitions, []).append(record)

    async def run(number: int, mine: list[Outgoing]) -> None:
        acks, done = [], 0
        while done < len(mine):
            batch = producer.create_batch()
            for record in mine[done:]:
                if batch.append(key=record.key, value=record.value, timestamp=None, headers=record.headers) is None:
                    break
                done += 1
            batch.close()
            acks.append(await producer.send_batch(batch, topic, partition=number))
        await asyncio.gather(*acks)

    await asyncio.gather(*(run(number, mine) for number, mine in runs.items()))


async def measure(stack: Stack, events: int, count: int) -> tuple[rounds.Measured, dict[str, list[float]]]:
    bench = Bench(stack, await stack.create_database("bench_relay"), events)
    await bench.ours()  # both know everything once
    found = await rounds.in_turns({OURS: bench.ours, BARE: bench.bare}, count, unit="events/s")
    return found, {name: spent[-count:] for name, spent in bench.processor.items()}


def main() -> int:
    """Exit code 1 where the relay is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    configure_logging("bench", "WARNING", to=sys.stderr)
    with on_disk("relay") as stack:
        found, spent = uvloop.run(measure(stack, asked.events, asked.rounds))
    speed = {name: rounds.middle(found, name) for name in found}
    each = {name: rounds.middle(spent, name) / asked.events * 1e6 for name in found}
    return Report(
        name="relay",
        title=f"A backlog of {asked.events:,} events carried to Kafka, {PARTITIONS} partitions",
        columns=("", "events/s", "CPU us/event"),
        rows=[(name, f"{speed[name]:,.0f}", f"{each[name]:.1f}") for name in found],
        figures=[Figure("relay drain", rounds.ratio(found, OURS, BARE), WANTED, "a bare aiokafka producer")],
        chart=picture.Bars(speed, (OURS,), "events/s"),
        details={"rounds": {name: [round(one) for one in values] for name, values in found.items()}},
    ).publish()


if __name__ == "__main__":
    sys.exit(main())
