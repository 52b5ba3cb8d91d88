"""The ticker fires what is due, whatever becomes of its database and of single timers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from counting import STREAMS, Remind
from sqlalchemy import event
from sqlalchemy.util import await_only
from wire import eventually

from belt.core.decider import Step
from belt.io.clock import SystemClock
from belt.io.store.engines import engine_at
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.store.timers import Ticker
from belt.io.store.unit import Outcome

SECRET = b"a secret for tests only, 32 bytes"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid()"
)


class FailsFor(Writer):
    """Commands of the clock to these streams are answered with a fault of ours."""

    bad = frozenset({"bad"})

    async def handle(self, *steps: Step, **more: Any) -> Outcome:
        if more.get("fired") and steps[0].id in self.bad:
            raise RuntimeError("a fault in the domain")
        return await super().handle(*steps, **more)


@pytest.fixture
async def writer(counters: str) -> AsyncIterator[Writer]:
    made = FailsFor(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    made.start()
    yield made
    await made.stop()


@pytest.fixture
async def database(counters: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(counters)
    yield connection
    await connection.close()


@pytest.fixture
async def ticking(counters: str, writer: Writer) -> AsyncIterator[None]:
    engine = engine_at(counters)
    task = asyncio.create_task(Ticker(writer, engine, SystemClock(), every=0.05).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await engine.dispose()


async def gone(database: asyncpg.Connection, name: str) -> bool:
    found: int = await database.fetchval("select count(*) from timers where stream_id = $1", f"counter-{name}")
    return found == 0


async def test_the_clock_outlives_its_sessions(writer: Writer, ticking: None, database: asyncpg.Connection) -> None:
    for n in range(5):
        await database.fetchval(ENDED)
        await asyncio.sleep(0.07)  # so that the ticker meets the broken connection itself
        name = f"s{n}"
        await writer.handle(Step("counter", name, Remind(LONG_AGO)))
        await eventually(partial(gone, database, name), f"the timer of {name} fires")


async def test_a_timer_that_fails_holds_up_no_other(
    writer: Writer, ticking: None, database: asyncpg.Connection
) -> None:
    await writer.handle(Step("counter", "bad", Remind(LONG_AGO)))
    await writer.handle(Step("counter", "good", Remind(LONG_AGO + timedelta(seconds=1))))
    await eventually(partial(gone, database, "good"), "the good timer fires")
    assert not await gone(database, "bad")


async def test_ever_so_many_that_fail_hold_up_none(
    counters: str, writer: Writer, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belt.io.store.timers.BATCH", 3)
    fails = FailsFor(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    engine = engine_at(counters)
    ticker = Ticker(fails, engine, SystemClock())
    fails.start()
    monkeypatch.setattr(FailsFor, "bad", {f"bad{n}" for n in range(7)})
    for n in range(7):
        await writer.handle(Step("counter", f"bad{n}", Remind(LONG_AGO)))
    await writer.handle(Step("counter", "good", Remind(LONG_AGO + timedelta(seconds=1))))
    assert await ticker.fire_due(LONG_AGO + timedelta(days=1)) == 1
    assert await gone(database, "good")
    assert await database.fetchval("select count(*) from timers") == 7
    await fails.stop()
    await engine.dispose()


async def test_the_clock_has_nothing_locked_once_it_has_its_answer(
    counters: str, writer: Writer, database: asyncpg.Connection
) -> None:
    """An append takes the timers of its streams away: it would wait for a ticker that stands still just then."""
    engine = engine_at(counters)
    late = []

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def _meanwhile(_: object, __: object, said: str, *___: object) -> None:
        if said.startswith("delete from timers"):
            late.append(await_only(database.fetchval("delete from timers returning name", timeout=2.0)))

    stray = "insert into timers (stream_id, name, due_at) values ('counter-a', 'stray', $1)"
    await database.execute(stray, LONG_AGO)
    assert await Ticker(writer, engine, SystemClock()).fire_due(LONG_AGO) == 1
    assert late == [None]
    await engine.dispose()


async def test_what_is_due_again_at_the_instant_at_which_it_went_off_goes_off_again(
    counters: str, writer: Writer, database: asyncpg.Connection
) -> None:
    engine = engine_at(counters)
    ticker = Ticker(writer, engine, SystemClock())
    for times in (1, 2):
        await writer.handle(Step("counter", "a", Remind(LONG_AGO)))
        assert await ticker.fire_due(LONG_AGO) == 1
        assert (await writer.read("counter", "a")).state.rang == times
        assert await gone(database, "a")
    await engine.dispose()
