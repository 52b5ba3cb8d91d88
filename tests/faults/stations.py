"""What these tests do to a station from outside: run it with a fault in it, take its relay's place, ask it things."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from belt.io.kafka.records import Outgoing, partition_of
from belt.io.kafka.relay import LEADER, outgoing
from belt.io.store.public_log import RELAY
from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.processes import database, package
from conveyor.running import Running, ServiceProcess
from conveyor_events.catalog import TOPICS
from conveyor_local import Stack
from conveyor_local.process import Server

SOON = 60.0
PARTITIONS = [TopicPartition(name, n) for name, topic in TOPICS.items() for n in range(topic.partitions)]
END_RELAY = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where application_name = 'belt-relay' and datname = current_database()"
)


def stack_of(running: Running) -> Stack:
    stack = Stack.find(home=running.home)
    assert stack is not None
    return stack


def dsn_of(running: Running, service: str) -> str:
    return stack_of(running).dsn(database(service))


async def eventually(
    check: Callable[[], Awaitable[Any]], what: str, within: float = SOON, *, every: float = 0.05
) -> Any:
    """Looks until the answer is something; answers it."""
    until = time.monotonic() + within
    while not (found := await check()):
        assert time.monotonic() < until, f"not within {within:.0f} s: {what}"
        await asyncio.sleep(every)
    return found


async def fetch(running: Running, service: str, sql: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(dsn_of(running, service))
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()


async def metric(address: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels; 0 where there is none."""
    async with aiohttp.ClientSession() as http, http.get(f"{address}/metrics") as answer:
        families = list(text_string_to_metric_families(await answer.text()))
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


# -- processes -------------------------------------------------------------------------------------------------------


def settings_of(running: Running, service: str) -> dict[str, str]:
    """The environment of the service's process."""
    return psutil.Process(running.services[service].pid).environ()


async def ready(address: str, server: Server, within: float = 60.0) -> None:
    async def answers() -> bool:
        assert server.alive(), f"{server.name} ended: {server.log.read_text()[-2000:]}"
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{address}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    await eventually(answers, f"{server.name} is ready", within)


def spawn(running: Running, service: str, argv: Sequence[str], settings: Mapping[str, str], log: str) -> Server:
    path = running.logs / f"{log}.log"
    return Server.spawn(service, [sys.executable, *argv], cwd=running.home, log=path, env=dict(settings), account=None)


async def end(server: Server) -> None:
    await asyncio.to_thread(server.stop, signal.SIGTERM, 25.0)


def process_of(running: Running, service: str) -> Server:
    known = running.services[service]
    return Server(service, known.pid, known.born, Path(known.log))


async def start_as(running: Running, service: str, argv: Sequence[str], **more: str) -> None:
    """Ends the service's process and starts it again, as told, in the same place."""
    settings = settings_of(running, service) | more
    await end(process_of(running, service))
    server = spawn(running, service, argv, settings, service)
    known = running.services[service]
    running.services[service] = ServiceProcess(server.pid, server.born, known.port, known.log)
    running.write()
    await ready(running.addresses[service], server)


def true_code(service: str) -> list[str]:
    return ["-m", package(service), "all"]


@asynccontextmanager
async def changed(running: Running, service: str, script: str) -> AsyncIterator[None]:
    """The service with a change made before it runs: `script` may import what it likes and runs in its process.

    It leaves `SERVICE` behind, which is then run.
    """
    whole = f"{script}\nfrom belt.io.service import run\nrun(SERVICE)\n"
    try:
        await start_as(running, service, ["-c", whole, "all"])
        yield
    finally:
        await start_as(running, service, true_code(service))


# -- the relay's place -----------------------------------------------------------------------------------------------


class StandIn:
    """Holds the relay's lock: what goes to Kafka meanwhile, and how, is said by the test."""

    def __init__(self, connection: Any, brokers: str) -> None:
        self._connection, self._brokers = connection, brokers

    async def taken(self) -> list[Outgoing]:
        """What the relay would send now. It counts as sent."""
        place = await self._connection.fetchval("select position from checkpoints where name = $1", RELAY)
        rows = await self._connection.fetch("select * from published where position > $1 order by position", place)
        if rows:
            moved = "update checkpoints set position = $2 where name = $1"
            await self._connection.execute(moved, RELAY, rows[-1]["position"])
        return [outgoing(row) for row in rows]

    async def send(self, records: Sequence[Outgoing]) -> None:
        await produce(self._brokers, records)


async def produce(brokers: str, records: Sequence[Outgoing]) -> None:
    """Sends records as they are, in this order."""
    producer = AIOKafkaProducer(bootstrap_servers=brokers)
    await producer.start()
    try:
        for one in records:
            place = partition_of(one.key, TOPICS[one.topic].partitions)
            await producer.send_and_wait(one.topic, one.value, key=one.key, headers=one.headers, partition=place)
    finally:
        await producer.stop()


@asynccontextmanager
async def standing_in(running: Running, service: str) -> AsyncIterator[StandIn]:
    connection = await asyncpg.connect(dsn_of(running, service))
    try:
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LEADER):
            await connection.execute(END_RELAY)
            await asyncio.sleep(0.01)
        stand_in = StandIn(connection, stack_of(running).brokers)
        await stand_in.send(await stand_in.taken())
        yield stand_in
    finally:
        await connection.close()


def header(record: Outgoing, name: str) -> str:
    return dict(record.headers)[f"ce_{name}"].decode()


def with_headers(record: Outgoing, **changed: str) -> Outgoing:
    """The record with other attributes."""
    wanted = {f"ce_{name}": text.encode() for name, text in changed.items()}
    return record._replace(headers=list((dict(record.headers) | wanted).items()))


# -- parked events ---------------------------------------------------------------------------------------------------


async def parked(line: Line, service: str) -> list[dict[str, Any]]:
    return [item async for item in line.items(service, "/v1/parked")]


async def redriven(line: Line, service: str) -> list[dict[str, Any]]:
    """Redrives every key with a parked event, once, by the door. Answers what is parked still."""
    seen = set()
    for item in await parked(line, service):
        if (place := (item["topic"], item["key"])) not in seen:
            seen.add(place)
            await line.post(service, f"/v1/parked/{item['id']}/redrive", {})
    return await parked(line, service)


async def command(running: Running, service: str, *arguments: str) -> tuple[int, str]:
    """What an operator does: `python -m SERVICE ARGUMENTS`, with the settings of the service."""
    done = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", package(service), *arguments),
        env=settings_of(running, service),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(done.communicate(), 60)
    assert done.returncode is not None
    return done.returncode, said.decode()


# -- what there is ---------------------------------------------------------------------------------------------------


async def kept(running: Running) -> dict[str, int]:
    """How many events and facts each service holds."""
    counts = {}
    for service in SERVICES:
        connection = await asyncpg.connect(stack_of(running).dsn(database(service)))
        for table in ("events", "published", *(["facts"] if service == "compensation" else [])):
            counts[f"{service}.{table}"] = await connection.fetchval(f"select count(*) from {table}")
        await connection.close()
    return counts


async def records(brokers: str) -> list[Any]:
    """Every record of every topic, as it stands there now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, group_id="reader", auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(PARTITIONS)
        ends = await consumer.end_offsets(PARTITIONS)
        found: list[Any] = []
        while any([await consumer.position(p) < ends[p] for p in PARTITIONS]):
            for some in (await consumer.getmany(timeout_ms=500)).values():
                found += some
        return found
    finally:
        await consumer.stop()
