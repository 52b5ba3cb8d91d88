"""What becomes of a reaction whose effect cannot be stored, and of its key after the sweep."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg
import pytest
from counting import AT, COUNTER, STREAMS, Raise
from small_line import Publisher, Station

from belt.core.decider import Public, Refused, Step
from belt.io.clock import DrivenClock
from belt.io.http.desk import _one_word
from belt.io.intake.arrival import from_envelope
from belt.io.store.calls import Batch
from belt.io.store.decision import MAX_EVENT_BYTES
from belt.io.store.engines import engine_at
from belt.io.store.handle import INTERNAL, Writer
from belt.io.store.seal import Vault
from belt.io.store.timers import KEEP_REPLIES, Ticker
from conveyor_events.leads import LeadWithdrawn

SECRET = b"a secret for tests only, 32 bytes"


async def one(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(cast("Any", None), "t")  # it makes events, and sends none


@pytest.fixture
def station(counters: str, publisher: Publisher) -> Station:
    return Station(counters, cast("Any", None), publisher)


async def swept_at(dsn: str, now: datetime) -> None:
    engine = engine_at(dsn)
    await Ticker(cast("Any", None), engine, DrivenClock(now))._sweep()
    await engine.dispose()


async def test_a_reaction_that_would_tell_too_much_is_parked(
    station: Station, publisher: Publisher, counters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belt.io.store.rows.MAX_EVENT_BYTES", 50)
    async with station.parts() as reactions:
        assert await reactions._settle(from_envelope("t", publisher.make("k"))) == "parked"
    assert await station.gate("k") == 0
    assert await one(counters, "select count(*) from parked") == 1


async def test_a_reaction_that_was_refused_is_handled_for_ever(
    station: Station, publisher: Publisher, counters: str
) -> None:
    arrival = from_envelope("t", publisher.make("k", "object-and-record"))
    async with station.parts() as reactions:
        first = await reactions._settle(arrival)
        await swept_at(counters, datetime.now(UTC) + KEEP_REPLIES + timedelta(hours=1))
        again = await reactions._settle(arrival)
    assert (first, again) == ("refused", "duplicate")
    assert await one(counters, "select count(*) from parked") == 0


def test_no_name_makes_a_caller_s_key_look_like_one_of_ours() -> None:
    assert not _one_word("~boris").startswith(INTERNAL)
    assert len({_one_word(name) for name in ("~b", "%7Eb", "%257Eb", " b", "%20b")}) == 5


async def test_the_size_of_what_is_told_is_counted_in_bytes(counters: str) -> None:
    text = "я" * (MAX_EVENT_BYTES - 1_000)
    told = Public(LeadWithdrawn(line="l", offer_id="o", need_id="n", reason=text), AT, "c")
    talks = STREAMS | {"counter": replace(COUNTER, publish=lambda *_: [told])}
    writer = Writer(counters, talks, Vault(SECRET), DrivenClock(AT), "/test")
    writer.start()
    with pytest.raises(Refused, match="event-too-large"):
        await writer.handle(Step("counter", "a", Raise()))
    await writer.stop()


def test_rows_of_a_unit_that_is_taken_back_are_gone_and_those_of_the_others_stay() -> None:
    batch = Batch()
    for n in (1, 2):
        batch.units.append((f"k{n}", None, None))
        batch.streams.append((n, f"s{n}", 0))
        batch.timers += [(n, f"s{n}", "ring", AT), (n, f"s{n}", "due", None)]
        batch.views.append((n, "v", "{}"))
    batch.take_back(2)
    assert [row[0] for row in (*batch.streams, *batch.timers, *batch.views)] == [1, 1, 1, 1]
    assert batch.units == [("k1", None, None)]
