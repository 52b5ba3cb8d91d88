"""Kafka and PostgreSQL are killed, frozen, away or busy; strangers come and go."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from evidence import HEARS
from scene import ENDED, Scene, end_sessions

MORE_WITHIN = 10.0


async def kafka_kill(scene: Scene) -> None:
    await asyncio.to_thread(scene.plant.stop_kafka)
    await asyncio.to_thread(scene.plant.start_kafka)


async def kafka_away(scene: Scene) -> None:
    await asyncio.to_thread(scene.plant.stop_kafka)
    try:
        await asyncio.sleep(scene.seconds * 0.85 if scene.alone else scene.rnd.uniform(4.0, 12.0))
    finally:
        await asyncio.to_thread(scene.plant.start_kafka)


async def kafka_away_kill(scene: Scene) -> None:
    """Who has records in hand that Kafka has not acknowledged dies before it comes back."""
    await asyncio.to_thread(scene.plant.stop_kafka)
    try:
        await _more_to_send(scene)
        await scene.rest(1.0, 2.0)
        for member in scene.plant.members:
            member.send(signal.SIGKILL)
    finally:
        await asyncio.to_thread(scene.plant.start_kafka)


async def _more_to_send(scene: Scene) -> None:
    """Until every station has become longer by a public event, or can no longer be waited for."""
    before: dict[str, int] = {}
    until = time.monotonic() + MORE_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(asyncpg.PostgresError, OSError, TimeoutError):  # it may still recover from a restart
            heads = {service: await _head(scene.plant.dsn(service)) for service in scene.plant.services[:2]}
            before = before or heads
            if all(heads[service] > head for service, head in before.items()):
                return
        await asyncio.sleep(0.1)


async def _head(dsn: str) -> int:
    connection = await asyncpg.connect(dsn, timeout=5, command_timeout=5)
    try:
        return int(await connection.fetchval("select coalesce(max(position), 0) from published"))
    finally:
        connection.terminate()


async def log_locked(scene: Scene) -> None:
    """Writers are held up and let go together, again and again, as by a change of the table."""
    with contextlib.suppress(asyncpg.PostgresError, OSError, TimeoutError):
        connection = await asyncpg.connect(scene.plant.dsn(scene.service()), timeout=5, command_timeout=10)
        try:
            for _ in range(8):
                async with connection.transaction():
                    await connection.execute("lock table published in share row exclusive mode")
                    await scene.rest(0.2, 0.4)
                await scene.rest(0.05, 0.1)
        finally:
            connection.terminate()


async def kafka_freeze(scene: Scene) -> None:
    scene.plant.signal_kafka(signal.SIGSTOP)
    try:
        await scene.rest(4.0, 12.0)
    finally:
        scene.plant.signal_kafka(signal.SIGCONT)


async def strangers(scene: Scene) -> None:
    """Others join a service's group and leave it again: its partitions are dealt out anew each time."""
    service = scene.service()
    for _ in range(3):
        guest = AIOKafkaConsumer(
            *HEARS[service], bootstrap_servers=scene.plant.stack.brokers, group_id=service, enable_auto_commit=False
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await guest.start()
                await scene.rest(0.1, 0.8)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await guest.stop()


async def postgres_restart(scene: Scene) -> None:
    await asyncio.to_thread(scene.plant.restart_postgres)


async def postgres_freeze(scene: Scene) -> None:
    frozen = scene.plant.postgres_processes()
    for process in frozen:
        with contextlib.suppress(Exception):
            process.suspend()
    try:
        await scene.rest(2.0, 7.0)
    finally:
        for process in frozen:
            with contextlib.suppress(Exception):
                process.resume()


async def sessions_ended(scene: Scene) -> None:
    dsn = scene.plant.dsn(scene.service())
    for _ in range(scene.rnd.randint(1, 4)):
        await end_sessions(dsn, "true")
        await scene.rest(0.1, 0.6)


async def sessions_used_up(scene: Scene) -> None:
    """Every connection that PostgreSQL has left is taken; who loses his gets none."""
    taken: list[Any] = []
    service = scene.service()
    try:
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            while len(taken) < 300:
                taken.append(await asyncpg.connect(scene.plant.dsn(service), timeout=5))
        if taken:
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                await taken[0].execute(ENDED.format("application_name like 'belt-%'"))
        await scene.rest(2.0, 4.0)
    finally:
        for one in taken:
            one.terminate()


async def long_transaction(scene: Scene) -> None:
    """Somebody writes and does not commit, here and in another database of the server."""
    open_: list[Any] = []
    try:
        for dsn in (scene.plant.dsn(scene.service()), scene.plant.stack.dsn("postgres")):
            connection = await asyncpg.connect(dsn, timeout=5)
            open_.append(connection)
            await connection.execute("begin; create table if not exists held (n int); insert into held values (1)")
        await scene.rest(3.0, 6.0)
    finally:
        for connection in open_:
            connection.terminate()
