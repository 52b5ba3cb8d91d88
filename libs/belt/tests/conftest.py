"""A fresh database with the store in it, for each test."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from conveyor_local.fixtures import NewDatabase

sys.path.insert(0, str(Path(__file__).parent))

from counting import VIEW
from following_streams import at_work

from belt.io import tracing
from belt.io.store.calls import SCHEMA
from belt.io.store.handle import Writer
from belt.io.store.projection import ddl


@pytest.fixture
async def counters(new_database: NewDatabase) -> str:
    """The DSN of a database that holds a store of counters."""
    dsn = await new_database(None)
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA)
    for statement in ddl(VIEW):
        await connection.execute(statement)
    await connection.close()
    return dsn


@pytest.fixture
async def here(counters: str) -> AsyncIterator[Writer]:
    """One process that works on the streams of following_streams.py."""
    async with at_work(counters) as writer:
        yield writer


@pytest.fixture
async def there(counters: str) -> AsyncIterator[Writer]:
    """Another one, at the same store."""
    async with at_work(counters) as writer:
        yield writer


@pytest.fixture
async def spans() -> AsyncIterator[InMemorySpanExporter]:
    """This process traces what a caller asks for; the spans are kept here."""
    kept = InMemorySpanExporter()
    tracing.begin("test", 0.0, processor=SimpleSpanProcessor(kept))
    yield kept
    await tracing.end(1.0)
