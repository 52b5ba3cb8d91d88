"""A real PostgreSQL and a real Kafka; for each test a database of its own and topics nobody else knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from counting import VIEW

from belt.io.kafka.brokers import Brokers
from belt.io.kafka.topics import create_topics
from belt.io.store.calls import SCHEMA
from belt.io.store.projection import ddl
from conveyor_local import Stack
from conveyor_local.kafka import Kafka


@pytest.fixture(scope="session")
def template(stack: Stack) -> str:
    """A database with an empty store and the counters' view in it."""
    name = f"belt_kafka_{uuid4().hex[:8]}"

    async def make() -> None:
        connection = await asyncpg.connect(await stack.create_database(name))
        await connection.execute(SCHEMA)
        for statement in ddl(VIEW):
            await connection.execute(statement)
        await connection.close()

    asyncio.run(make())
    return name


@pytest.fixture(scope="session")
def brokers(stack: Stack) -> Brokers:
    return Brokers(stack.brokers)


@pytest.fixture
async def topic(brokers: Brokers) -> str:
    """A fresh topic with three partitions."""
    name = f"conveyor.leads.{uuid4().hex[:8]}"
    await create_topics(brokers, {name: 3})
    return name


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Kafka]:
    """A broker of this test alone, which it may freeze and kill."""
    kafka = Kafka.new(tmp_path, fast=True)
    kafka.launch()
    kafka.wait()
    yield kafka
    kafka.stop()
