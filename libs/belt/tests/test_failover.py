"""The database comes back with less than it had: a standby without the last commits, or a copy that was restored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncpg
import pytest
from counting import AT, Raised
from following_streams import raised
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from belt.io.http.problems import from_database
from belt.io.parts import pool_for
from belt.io.settings import Settings
from belt.io.store.engines import engine_at
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


@asynccontextmanager
async def only_asked(database: asyncpg.Connection) -> AsyncIterator[None]:
    """As long as the block lasts, whoever connects meets a database that takes questions and no commands."""
    name = await database.fetchval("select quote_ident(current_database())")
    await database.execute(f"alter database {name} set default_transaction_read_only = on")
    await database.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where pid <> pg_backend_pid() and datname = current_database()"
    )
    try:
        yield
    finally:
        await database.execute(f"alter database {name} reset default_transaction_read_only")


@pytest.fixture
async def database(counters: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(counters)
    yield connection
    await connection.close()


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


async def test_who_met_a_standby_finds_the_leader(here: Writer, database: asyncpg.Connection) -> None:
    await raised(here, "a")
    async with only_asked(database):
        meanwhile = asyncio.create_task(raised(here, "a"))
        await asyncio.sleep(0.3)
        assert not meanwhile.done(), "it is not told that we are at fault"
    assert (await meanwhile).state("counter-a").total == 2


async def test_no_pool_keeps_what_it_has_of_a_standby(counters: str, database: asyncpg.Connection) -> None:
    settings = Settings(service="test", port=0, dsn=counters, jwks="unread.json")
    engine = engine_at(counters, pool_pre_ping=True)
    write = "insert into commands (key, recorded_at) values ('{}', now())"

    async def by_engine() -> None:
        async with engine.begin() as connection:
            await connection.execute(text(write.format("e")))

    async with AsyncExitStack() as stack:
        async with only_asked(database):
            pool = await stack.enter_async_context(pool_for(settings))
            with pytest.raises(ConnectionError):
                await pool.execute(write.format("p"))
            with pytest.raises(DBAPIError) as wrong:
                await by_engine()
            assert from_database(wrong.value).code == "unavailable"
        with suppress(ConnectionError):
            await pool.execute("select 1")  # one that the pool made meanwhile, by itself
        await pool.execute(write.format("p"))
        await by_engine()
    assert await database.fetchval("select count(*) from commands") == 2
    await engine.dispose()
