"""Kafka and PostgreSQL are killed, frozen, away or busy; strangers come and go."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from evidence import HEARS
from scene import ENDED, Scene, end_sessions


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
        await scene.rest(1.0, 2.0)
        for member in scene.plant.members:
            member.send(signal.SIGKILL)
    finally:
        await asyncio.to_thread(scene.plant.start_kafka)


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
