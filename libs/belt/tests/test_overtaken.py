"""Whoever is overtaken between its decision and its commit: by another process, by an erasure, by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy
from counting import AT, COUNTER, Name, Raise, Remind
from following_streams import SECRET, raised
from wire import eventually

from belt.core.decider import Refused, Step
from belt.core.erasure import erase
from belt.io.clock import SystemClock
from belt.io.intake import watermark
from belt.io.intake.taking import OUT_OF_REACH
from belt.io.parts import pool_for
from belt.io.settings import Settings
from belt.io.store import audit
from belt.io.store.engines import engine_at
from belt.io.store.handle import Writer
from belt.io.store.projection import rebuild
from belt.io.store.seal import Vault
from belt.io.store.timers import Ticker

Session = asyncpg.Connection | PoolConnectionProxy
LATER = AT + timedelta(days=30)
WAIT = (
    "select count(*) from pg_locks join pg_stat_activity using (pid) "
    "where locktype like $1 and not granted and datname = current_database()"
)


@pytest.fixture
async def database(counters: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(counters)
    yield connection
    await connection.close()


@asynccontextmanager
async def locked(dsn: str, where: str = "select pg_advisory_xact_lock(4711)") -> AsyncIterator[None]:
    """As long as the block lasts whoever comes there waits in line: usually at the log, whoever appends."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(where)
            yield
    finally:
        await connection.close()


async def in_line(database: asyncpg.Connection, many: int, at: str) -> bool:
    found: int = await database.fetchval(WAIT, at)
    return found >= many


async def waits(database: asyncpg.Connection, many: int, at: str = "advisory") -> None:
    """Until so many stand in line at locks of a kind, usually that of the log."""
    await eventually(partial(in_line, database, many, at), f"{many} wait at {at}")


async def test_what_another_process_changed_counts_though_a_batch_on_its_way_changes_it_too(
    here: Writer, there: Writer, counters: str, database: asyncpg.Connection
) -> None:
    await raised(here, "law")
    await raised(here, "a", kind="lawful")
    await there.read("counter", "law")
    async with locked(counters):
        theirs = asyncio.create_task(raised(there, "law", 100))
        await waits(database, 1)
        ours = asyncio.create_task(raised(here, "law", 1))
        await waits(database, 2)
        follows = asyncio.create_task(raised(here, "a", kind="lawful"))
        await asyncio.sleep(0.2)  # it is decided, and waits for the batch before it
        assert not follows.done()
    await asyncio.gather(theirs, ours)
    (event,) = (await follows).events
    assert event.by in (101, 102), "it follows a law that was in force when it was appended"


@pytest.mark.parametrize("by_another", [False, True])
async def test_a_timer_that_is_put_off_while_it_goes_off_waits_for_the_later_instant(
    here: Writer, there: Writer, counters: str, database: asyncpg.Connection, by_another: bool
) -> None:
    await here.handle(Step("counter", "a", Remind(AT)))
    await there.read("counter", "a")
    engine = engine_at(counters)
    ticker = Ticker(here, engine, SystemClock())
    async with locked(counters):
        put_off = asyncio.create_task((there if by_another else here).handle(Step("counter", "a", Remind(LATER))))
        await waits(database, 1)
        firing = asyncio.create_task(ticker.fire_due(AT))
        await asyncio.sleep(0.2)  # the timer was read as due
    await asyncio.gather(put_off, firing)
    assert await database.fetchval("select due_at from timers where stream_id = 'counter-a'") == LATER
    assert await ticker.fire_due(LATER) == 1
    assert (await here.read("counter", "a")).state.rang == 1
    await engine.dispose()


async def test_who_was_told_no_is_not_done_all_the_same_when_its_batch_falls_apart(
    here: Writer, there: Writer, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await raised(here, "a", 10)
    await raised(here, "b")
    reader = here._committer.states.reader
    wrapped_keys = reader.wrapped_keys

    async def meanwhile(holders: list[str]) -> dict[str, bytes | None]:
        """Another process takes away what the refusal stood on, once it has been told."""
        monkeypatch.setattr(reader, "wrapped_keys", wrapped_keys)
        await raised(there, "a", -9)
        return await wrapped_keys(holders)

    monkeypatch.setattr(reader, "wrapped_keys", meanwhile)
    told = await asyncio.gather(
        here.handle(Step("counter", "a", Raise(5, who="a", only_below=5)), key="refused"),
        here.handle(Step("counter", "b", Name("\ud800")), key="spoils it"),
        return_exceptions=True,
    )
    assert isinstance(told[0], Refused)
    await here.handle(Step("counter", "b", Raise(who="b")))
    assert (await here.read("counter", "a")).state.total == 1
    assert await database.fetchval("select count(*) from commands where key = 'refused'") == 0


async def test_who_erases_remembers_nothing_that_was_decided_before(
    here: Writer, counters: str, database: asyncpg.Connection
) -> None:
    await here.handle(Step("counter", "a", Name("Zoë Müller")))
    async with locked(counters):
        erased = asyncio.create_task(here.handle(erase("client-1", AT)))
        await waits(database, 1)
        follows = asyncio.create_task(raised(here, "a"))
        await asyncio.sleep(0.2)  # it is decided on the state with the name
    await asyncio.gather(erased, follows)
    state = (await here.read("counter", "a")).state
    assert (state.name, state.total) == ("[erased]", 1)


async def test_a_rebuild_and_a_command_never_wait_for_each_other(
    here: Writer, counters: str, database: asyncpg.Connection
) -> None:
    await asyncio.gather(*(raised(here, name) for name in "abc"))
    async with locked(counters, "select from counters where id = 'b' for update"):
        anew = asyncio.create_task(rebuild(counters, COUNTER, Vault(SECRET)))
        await waits(database, 1, at="transactionid")  # it has the row of a, and will want that of c
        command = asyncio.create_task(here.handle(*(Step("counter", name, Raise(who=name)) for name in "ca")))
        await waits(database, 2, at="%")
    assert await anew == 3
    assert (await command).state("counter-a").total == 2


async def between_questions(frozen: Session) -> None:
    """It has its answer, and stops."""


async def within_a_question(frozen: Session) -> None:
    """It has sent Parse and Describe, and stops: a session that PostgreSQL calls active."""
    await frozen.prepare("select $1::int + 41")


STOPS = pytest.mark.parametrize("stops", [between_questions, within_a_question])


@STOPS
@pytest.mark.parametrize("lock", [watermark.LOCK, audit.LOCK.text], ids=["the log", "the audit log"])
async def test_who_stands_still_in_the_midst_of_its_work_loses_its_lock(
    counters: str, lock: str, stops: Callable[[Session], Awaitable[None]]
) -> None:
    frozen, other = await asyncpg.connect(counters), await asyncpg.connect(counters)
    await frozen.execute("begin")
    await frozen.execute(lock.replace("'6s'", "'0.2s'"))
    await stops(frozen)
    await other.execute(lock, timeout=5.0)
    await other.close()
    frozen.terminate()


@STOPS
async def test_who_stands_still_while_it_takes_facts_in_holds_up_nobody_who_takes_them_in_instead(
    counters: str, database: asyncpg.Connection, stops: Callable[[Session], Awaitable[None]]
) -> None:
    settings = Settings(service="test", port=0, dsn=counters, jwks="unread.json", database_deadline=0.2)
    take = "insert into commands (key, recorded_at) values ('an event', now()) on conflict do nothing"
    async with pool_for(settings) as pool:
        frozen = await pool.acquire()
        await frozen.execute("begin")
        await frozen.execute(take)
        await stops(frozen)
        await database.execute(take, timeout=5.0)
        with pytest.raises(OUT_OF_REACH):  # it tries again later
            await frozen.execute("commit")
        await pool.release(frozen)


async def test_those_that_cannot_be_stored_hold_up_nobody_in_their_batch(here: Writer) -> None:
    await here.handle(erase("client-1", AT))
    told = await asyncio.gather(
        *(here.handle(Step("counter", f"s{n}", Name("n"))) for n in range(100)),
        *(raised(here, f"f{n}") for n in range(100)),
        return_exceptions=True,
    )
    assert [type(one) for one in told[:100]] == [Refused] * 100
    totals = await here.read_many([f"counter-f{n}" for n in range(100)])
    assert [entry.state.total for entry in totals.values()] == [1] * 100


async def test_who_loses_many_races_waits_for_its_deadline_and_not_for_a_number_of_tries(
    here: Writer, there: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belt.io.store.handle.TRIES", 0)
    monkeypatch.setattr("belt.io.store.handle.PAUSE", 0.001)
    await asyncio.gather(*(raised(writer, "hot") for _ in range(40) for writer in (here, there)))
    assert (await here.read("counter", "hot")).state.total == 80
