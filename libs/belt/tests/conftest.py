"""A fresh database with the store in it, for each test."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from counting import VIEW

from belt.io.projection import ddl
from belt.io.store import SCHEMA

ADMIN = "postgresql://conveyor@127.0.0.1:25432/postgres"


@pytest.fixture
async def counters() -> AsyncIterator[str]:
    name = f"t{uuid4().hex[:12]}"
    admin = await asyncpg.connect(ADMIN)
    await admin.execute(f"create database {name}")
    dsn = ADMIN.replace("/postgres", f"/{name}") if False else f"postgresql://conveyor@127.0.0.1:25432/{name}"
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA)
    for statement in ddl(VIEW):
        await connection.execute(statement)
    await connection.close()
    yield dsn
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()
