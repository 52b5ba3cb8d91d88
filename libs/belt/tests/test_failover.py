"""The database comes back with less than it had: a standby without the last commits, or a copy that was restored."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from counting import AT, Raised
from following_streams import raised

from belt.io.store.handle import Writer

TABLES = ("events", "published", "log_head", "log_chain", "claims", "commands", "gates", "timers", "keys", "counters")


class Standby:
    """A copy of everything; whoever fails over to it loses its connections and what was committed since."""

    def __init__(self, database: asyncpg.Connection) -> None:
        self._database = database

    async def copy(self) -> None:
        for table in TABLES:
            await self._database.execute(f"create table standby_{table} as table {table}")

    async def takes_over(self) -> None:
        async with self._database.transaction():
            for table in TABLES:
                await self._database.execute(f"delete from {table}; insert into {table} select * from standby_{table}")
        await self._database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'belt-writer' and datname = current_database()"
        )


@pytest.fixture
async def standby(counters: str) -> AsyncIterator[Standby]:
    connection = await asyncpg.connect(counters)
    yield Standby(connection)
    await connection.close()


async def test_no_decision_stands_on_what_the_database_lost(here: Writer, standby: Standby) -> None:
    await raised(here, "law")
    await raised(here, "a", kind="lawful")
    await standby.copy()
    await raised(here, "law", 100)
    await standby.takes_over()
    assert (await raised(here, "a", kind="lawful")).events == (Raised(AT, 1),)


async def test_another_history_under_the_same_versions_is_seen(here: Writer, there: Writer, standby: Standby) -> None:
    await raised(here, "x")
    await standby.copy()
    await raised(here, "x", 100)
    await standby.takes_over()
    await raised(there, "x", 5)
    assert (await raised(here, "x")).state("counter-x").total == 7
    assert (await there.read("counter", "x")).state.total == 7


async def test_the_read_model_follows_the_history_that_is_there(
    here: Writer, there: Writer, standby: Standby, counters: str
) -> None:
    await raised(here, "x")
    await standby.copy()
    await raised(here, "x", 100)
    await standby.takes_over()
    await raised(there, "x", 5)
    await raised(here, "x", 1)
    connection = await asyncpg.connect(counters)
    assert await connection.fetchval("select total from counters where id = 'x'") == 7
    await connection.close()
