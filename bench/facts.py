"""Kafka into facts: how fast the real consumer of compensation keeps what the stations told, exactly once.

    python -m bench.facts [--records 100000] [--rounds 4] [--seed 1]

The records of a large company (`company.py`) stand in the real topics, with the partitions of the catalog. Each round
reads all of them twice, as a new group:

* ours: belt's Consumer with the intake that the worker of compensation runs (`intake_for`), into a new database with
  fsync: facts, gates and bookkeeping in one transaction a batch. Afterwards every fact is there once, byte for byte.
* the bare consumer: aiokafka's getmany, then what any consumer of ours does to have typed events:
  `conveyor_events.from_kafka` (CloudEvents) and `conveyor_events.open` (pydantic). It drops them and commits nothing.

Time runs from the first partition assigned to the last record done. The bare consumer is the ceiling: nobody who
decodes these records in Python keeps them faster.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer

from belt.io.clock import SystemClock
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.intake.consumer import Consumer
from belt.io.intake.parking import Parking
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.reader import Reader
from belt.io.kafka.records import Outgoing
from belt.io.kafka.sender import Sender
from belt.io.process import collect_seldom
from belt.io.running import intake_for
from belt.io.settings import Settings
from belt.io.store.handle import Writer
from belt.io.store.migrate import upgrade
from belt.io.store.seal import Vault
from bench.company import facts
from bench.disk import on_disk
from bench.picture import Bars
from bench.report import Figure, Report
from bench.rounds import in_turns, middle, ratio
from compensation.main import SERVICE
from conveyor_events import Envelope, entry, from_json, from_kafka, to_json, to_kafka
from conveyor_events import open as open_event
from conveyor_local import Stack

OURS, BARE = "facts in PostgreSQL, exactly once", "bare consumer: decodes and drops"
LEAST = 0.5
PATIENCE = 120.0
KEPT = """
select count(*) as facts, count(distinct event_id) as events,
       encode(sha256(string_agg(sha256(envelope::bytea), ''::bytea order by event_id)), 'hex') as digest
from facts
"""


@dataclass
class Bench:
    """Records in Kafka, and what must stand in the table once they were taken in."""

    stack: Stack
    folder: Path
    records: int
    digest: str
    number: int = 0

    def fresh(self) -> str:
        self.number += 1
        return f"bench_facts_{self.number}"

    async def bare(self) -> float:
        """Records a second."""
        consumer = AIOKafkaConsumer(
            *SERVICE.topics,
            bootstrap_servers=self.stack.brokers,
            group_id=self.fresh(),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=250,
        )
        await consumer.start()
        try:
            async with asyncio.timeout(PATIENCE):
                await until(lambda: bool(consumer.assignment()))
                done, began = 0, time.perf_counter()
                while done < self.records:
                    for some in (await consumer.getmany(timeout_ms=200, max_records=2_000)).values():
                        for record in some:
                            open_event(from_kafka(record.key, record.value, record.headers))
                        done += len(some)
                return done / (time.perf_counter() - began)
        finally:
            await consumer.stop()

    async def ours(self) -> float:
        """Facts a second, and whether they are all there."""
        group = self.fresh()
        dsn = await self.stack.create_database(group, "bench_facts_template")
        keys = DevelopmentIssuer(self.folder).jwks
        settings = Settings(service=SERVICE.name, port=0, dsn=dsn, brokers=self.stack.brokers, jwks=str(keys))
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=settings.pool, command_timeout=30.0)
        kept, everything = 0, asyncio.Event()

        async def take(connection: Any, envelopes: Any) -> int:
            nonlocal kept
            new = await SERVICE.take(connection, envelopes) if SERVICE.take else 0
            kept += new
            if kept >= self.records:
                everything.set()
            return new

        writer = Writer(dsn, SERVICE.streams, Vault(b"0" * 32), SystemClock(), "/conveyor/bench")
        intake = intake_for(replace(SERVICE, take=take), settings, writer, Parking(SERVICE.name, pool), pool)
        if intake is None:
            raise RuntimeError("compensation takes nothing in")
        brokers = Brokers(self.stack.brokers)
        consumer = Consumer(lambda: Reader(brokers, group, SERVICE.topics), intake, sys.exit)
        consumer.start()
        try:
            async with asyncio.timeout(PATIENCE):
                await until(lambda: bool(consumer.partitions()))
                began = time.perf_counter()
                await everything.wait()
                await until(lambda: not consumer.held())  # the last batch is committed
                took = time.perf_counter() - began
        finally:
            await consumer.stop()
            found = dict(await pool.fetchrow(KEPT) or {})
            await pool.close()
            await self.stack.drop_database(group)
        if found != {"facts": self.records, "events": self.records, "digest": self.digest}:
            raise RuntimeError(f"of {self.records} records, {found} are kept")
        return self.records / took


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 (nobody rings a bell for it)
        await asyncio.sleep(0.001)


def kept_bytes(envelope: Envelope) -> bytes:
    """As a fact is kept."""
    return json.dumps(to_json(envelope), ensure_ascii=False, separators=(",", ":")).encode()


def digest(envelopes: Iterable[Envelope]) -> str:
    """Over all facts, in the order of their ids."""
    whole = hashlib.sha256()
    for envelope in sorted(envelopes, key=lambda e: e.id):
        whole.update(hashlib.sha256(kept_bytes(envelope)).digest())
    return whole.hexdigest()


async def measure(stack: Stack, folder: Path, count: int, rounds: int, seed: int) -> int:
    envelopes = [from_json(json.loads(line)) for line in facts(seed, count)]
    await stack.create_topics()
    sender = Sender(Brokers(stack.brokers), name="bench")
    await sender.start()
    records = [
        Outgoing(entry(envelope.type, envelope.schema_version).topic, *to_kafka(envelope)) for envelope in envelopes
    ]
    for start in range(0, count, 5_000):
        await sender.send_batches(records[start : start + 5_000])
    await sender.abandon()
    await upgrade(await stack.create_database("bench_facts_template"), SERVICE.package)
    bench = Bench(stack, folder, count, digest(envelopes))
    del envelopes
    size = sum(len(r.key) + len(r.value) + sum(len(n) + len(v) for n, v in r.headers) for r in records) / count
    del records
    collect_seldom()  # as a service does when it starts
    found = await in_turns({OURS: bench.ours, BARE: bench.bare}, rounds)
    figure = Figure("facts into PostgreSQL, exactly once", ratio(found, OURS, BARE), LEAST, "a bare consumer")
    speeds = {name: middle(found, name) for name in (OURS, BARE)}
    return Report(
        name="facts",
        title=f"Kafka into facts: {count:,} records, {rounds} rounds",
        columns=("contestant", "records/s"),
        rows=[(name, f"{speed:,.0f}") for name, speed in speeds.items()],
        figures=[figure],
        chart=Bars(speeds, [OURS], "records a second"),
        details={"records": count, "rounds": rounds, "bytes_of_a_record": round(size), "each": found},
    ).publish()


def main() -> int:
    """Exit code 1 where the figure is missed, or a fact is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with on_disk("facts") as stack, tempfile.TemporaryDirectory() as folder:
        return uvloop.run(measure(stack, Path(folder), asked.records, asked.rounds, asked.seed))


if __name__ == "__main__":
    sys.exit(main())
