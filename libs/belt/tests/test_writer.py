"""What the store promises its callers, seen on real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from counting import AT, COUNTER, STREAMS, Name, Object, Pass, Raise, Remind, Reserve, Ring

from belt.core.decider import Refused, Step
from belt.core.erasure import ERASURE, erase
from belt.io.clock import DrivenClock, SystemClock
from belt.io.ids import fresh
from belt.io.store.calls import Status
from belt.io.store.commit import Prepared
from belt.io.store.handle import Writer
from belt.io.store.projection import rebuild
from belt.io.store.seal import Vault
from belt.io.store.unit import Behind, Conflict, Gap, Gate, Reads, Taken

SECRET = b"a secret for tests only, 32 bytes"


def step(key: str, command: object) -> Step:
    return Step("counter", key, command)


@pytest.fixture
async def writer(counters: str) -> AsyncIterator[Writer]:
    writer = Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    writer.start()
    yield writer
    await writer.stop()


@pytest.fixture
async def database(counters: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(counters)
    yield connection
    await connection.close()


async def versions(database: asyncpg.Connection, stream_id: str) -> list[int]:
    rows = await database.fetch("select version from events where stream_id = $1 order by version", stream_id)
    return [row["version"] for row in rows]


async def test_fifty_commands_on_one_stream_are_each_applied_once(writer: Writer, database: asyncpg.Connection) -> None:
    await asyncio.gather(*(writer.handle(step("a", Raise(events=2)), key=f"k{n}") for n in range(50)))
    assert await versions(database, "counter-a") == list(range(1, 101))
    assert (await writer.read("counter", "a")).state.total == 100


async def test_fifty_commands_with_one_expected_version_let_exactly_one_through(writer: Writer) -> None:
    results = await asyncio.gather(
        *(writer.handle(step("a", Raise()), if_match=0) for _ in range(50)), return_exceptions=True
    )
    assert sum(not isinstance(r, BaseException) for r in results) == 1
    assert sum(isinstance(r, Conflict) for r in results) == 49


async def test_the_relay_is_rung_before_the_caller_is_answered_and_only_where_something_is_told(writer: Writer) -> None:
    await writer.handle(step("a", Name("nobody is told of it")))
    assert not writer.wake.is_set()
    first = asyncio.Queue[str]()

    async def rung() -> None:
        await writer.wake.wait()
        first.put_nowait("the relay")

    async def answered() -> None:
        await writer.handle(step("a", Raise()))
        first.put_nowait("the caller")

    await asyncio.gather(rung(), answered())
    assert [first.get_nowait(), first.get_nowait()] == ["the relay", "the caller"]


async def test_a_repeated_key_gives_the_stored_reply_and_does_nothing(
    writer: Writer, database: asyncpg.Connection
) -> None:
    first = await writer.handle(step("a", Raise()), key="k", reply=lambda o: {"total": o.state("counter-a").total})
    again = await writer.handle(step("a", Raise()), key="k", reply=lambda _: {"total": -1})
    assert first.reply == again.reply == {"total": 1}
    assert again.replayed
    assert await versions(database, "counter-a") == [1]


async def test_two_commands_with_one_key_at_once_are_done_once(writer: Writer, database: asyncpg.Connection) -> None:
    await asyncio.gather(*(writer.handle(step("a", Raise()), key="k") for _ in range(10)))
    assert await versions(database, "counter-a") == [1]


async def test_a_key_with_another_body_is_refused(writer: Writer) -> None:
    await writer.handle(step("a", Raise()), key="k", fingerprint=b"one")
    with pytest.raises(Refused, match="idempotency-key-reused"):
        await writer.handle(step("a", Raise()), key="k", fingerprint=b"two")


async def test_a_refusal_leaves_the_store_as_it_was(writer: Writer, database: asyncpg.Connection) -> None:
    with pytest.raises(Refused):
        await writer.handle(step("a", Object(keep=False)))
    assert await database.fetchval("select count(*) from events") == 0
    assert await database.fetchval("select count(*) from published") == 0


async def test_a_refusal_that_is_a_fact_is_kept_and_given_again(writer: Writer, database: asyncpg.Connection) -> None:
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await writer.handle(step("a", Object(keep=True)), key="k")
        assert (refused.value.code, refused.value.facts) == ("counter.objected", {"why": "so"})
    assert await versions(database, "counter-a") == [1]


async def test_a_conflict_touches_no_other_unit_of_its_batch(counters: str, database: asyncpg.Connection) -> None:
    stale = Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    other = Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    stale.start()
    other.start()
    await stale.handle(step("hot", Raise()))
    await other.handle(step("hot", Raise()))  # `stale` does not know of this one
    results = await asyncio.gather(
        stale.handle(step("hot", Raise(events=3)), if_match=1),
        *(stale.handle(step(f"cold{n}", Raise(events=2, who=f"cold{n}"))) for n in range(20)),
        return_exceptions=True,
    )
    assert isinstance(results[0], Conflict)
    assert not any(isinstance(r, BaseException) for r in results[1:])
    assert await versions(database, "counter-hot") == [1, 2]
    for n in range(20):
        assert await versions(database, f"counter-cold{n}") == [1, 2]
    await stale.stop()
    await other.stop()


async def test_a_unit_that_the_database_refuses_fails_alone(writer: Writer, database: asyncpg.Connection) -> None:
    """Two rows of one view in one batch is an error of PostgreSQL's: the batch falls apart, its members stand alone."""
    await database.execute("alter table events add constraint no_devil check (stream_id <> 'counter-devil')")
    results = await asyncio.gather(
        *(writer.handle(step(name, Raise(who=name))) for name in ("good", "devil", "fine")), return_exceptions=True
    )
    assert [isinstance(r, asyncpg.CheckViolationError) for r in results] == [False, True, False]


async def test_the_public_log_has_no_gap_and_counts_per_key(writer: Writer, database: asyncpg.Connection) -> None:
    await asyncio.gather(*(writer.handle(step(f"s{n}", Raise(events=3, who=f"s{n}"))) for n in range(40)))
    rows = await database.fetch("select position, sequence, recorded_at from published order by position")
    assert [row["position"] for row in rows] == list(range(1, 121))
    assert [row["sequence"] for row in rows] == list(range(1, 121))
    times = [row["recorded_at"] for row in rows]
    assert times == sorted(times)


async def test_a_claim_has_one_holder_and_can_be_let_go(writer: Writer) -> None:
    outcomes = await asyncio.gather(
        *(writer.handle(step(f"s{n}", Reserve("only-one"))) for n in range(50)), return_exceptions=True
    )
    winners = [n for n, o in enumerate(outcomes) if not isinstance(o, BaseException)]
    assert len(winners) == 1
    assert all(
        isinstance(o, Taken) and o.holder == f"counter-s{winners[0]}"
        for n, o in enumerate(outcomes)
        if n not in winners
    )
    await writer.handle(step(f"s{winners[0]}", Reserve("another")))
    await writer.handle(step("heir", Reserve("only-one")))


async def test_steps_that_follow_are_in_the_same_unit(writer: Writer, database: asyncpg.Connection) -> None:
    outcome = await writer.handle(step("a", Pass("b")))
    assert outcome.version("counter-b") == 1
    stamps = await database.fetch("select distinct recorded_at from events")
    assert len(stamps) == 1


async def test_a_gate_moves_by_one(writer: Writer) -> None:
    def gate(n: int) -> Gate:
        return Gate("consumer", "topic", "key", n)

    await writer.handle(step("a", Raise()), key="c:1", gate=gate(1))
    assert (await writer.handle(step("a", Raise()), key="c:1", gate=gate(1))).replayed
    with pytest.raises(Gap) as gap:
        await writer.handle(step("a", Raise()), key="c:3", gate=gate(3))
    assert gap.value.have == 1
    with pytest.raises(Behind):
        await writer.handle(step("a", Raise()), key="c:unknown", gate=gate(1))
    assert (await writer.handle(step("a", Object(keep=False)), key="c:2", gate=gate(2))).refused == "counter.objected"
    await writer.handle(step("a", Raise()), key="c:3", gate=gate(3))
    assert (await writer.read("counter", "a")).state.total == 2


async def test_events_of_one_key_sent_at_once_pass_the_gate_in_order(writer: Writer) -> None:
    await asyncio.gather(
        *(
            writer.handle(step("a", Raise()), key=f"c:{n}", gate=Gate("consumer", "topic", "key", n))
            for n in range(1, 101)
        )
    )
    assert (await writer.read("counter", "a")).state.total == 100


async def test_personal_fields_are_ciphertext_and_read_erased_without_their_key(
    counters: str, writer: Writer, database: asyncpg.Connection
) -> None:
    await writer.handle(step("a", Name("Zoë Müller")))
    assert "Müller" not in await database.fetchval("select data from events where type = 'Named'")
    assert (await writer.read("counter", "a")).state.name == "Zoë Müller"
    await database.execute("update keys set wrapped = null")
    fresh_reader = Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    fresh_reader.start()
    assert (await fresh_reader.read("counter", "a")).state.name == "[erased]"
    with pytest.raises(Refused, match="personal-data-erased"):
        await fresh_reader.handle(step("a", Name("again")))
    await fresh_reader.stop()


async def test_who_is_erased_is_forgotten_by_every_process(
    counters: str, writer: Writer, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Writer(counters, STREAMS | {"erasure": ERASURE}, Vault(SECRET), SystemClock(), "/test")
    other.start()
    await writer.handle(step("a", Name("Zoë Müller")))
    assert (await other.read("counter", "a")).state.name == "Zoë Müller"
    await other.handle(erase("client-1", AT))
    await other.handle(erase("client-1", AT))
    assert await database.fetchval("select wrapped is null from keys") is True
    assert (await other.read("counter", "a")).state.name == "[erased]"
    with pytest.raises(Refused, match="personal-data-erased"):
        await other.handle(step("a", Name("again")))
    told = await other.handle(step("a", Name("as heard")), key="c:1", gate=Gate("c", "topic", "key", 1))
    assert told.refused == "personal-data-erased", "a reaction that may write nothing is handled all the same"
    assert await database.fetchval("select sequence from gates") == 1
    monkeypatch.setattr("belt.io.store.states.KEEP_SECONDS", 0.0)
    monkeypatch.setattr("belt.io.store.rows.KEEP_SECONDS", 0.0)
    assert (await writer.read("counter", "a")).state.name == "[erased]"
    with pytest.raises(Refused, match="personal-data-erased"):
        await writer.handle(step("a", Name("again")))
    await other.stop()


async def test_who_was_erased_before_anything_was_kept_is_never_kept(counters: str) -> None:
    writer = Writer(counters, STREAMS | {"erasure": ERASURE}, Vault(SECRET), SystemClock(), "/test")
    writer.start()
    await writer.handle(erase("client-1", AT))
    with pytest.raises(Refused, match="personal-data-erased"):
        await writer.handle(step("a", Name("Zoë Müller")))
    await writer.stop()


async def test_a_claim_passes_from_one_stream_to_another_in_one_unit_only(writer: Writer) -> None:
    await writer.handle(step("a", Reserve("gold")))
    with pytest.raises(Taken):
        await writer.handle(step("b", Reserve("gold")))
    await writer.handle(step("a", Reserve("silver")), step("b", Reserve("gold")))
    with pytest.raises(Taken) as taken:
        await writer.handle(step("c", Reserve("gold")))
    assert taken.value.holder == "counter-b"


async def test_two_processes_that_make_a_holders_key_at_once_agree_on_one(counters: str) -> None:
    writers = [Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test") for _ in range(3)]
    for writer in writers:
        writer.start()
    await asyncio.gather(
        *(w.handle(step(f"s{n}{i}", Name(f"n{n}{i}"))) for n, w in enumerate(writers) for i in range(5))
    )
    reader = Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    reader.start()
    for n in range(3):
        for i in range(5):
            assert (await reader.read("counter", f"s{n}{i}")).state.name == f"n{n}{i}"
    for writer in [*writers, reader]:
        await writer.stop()


async def test_a_due_is_set_moved_and_cleared_with_its_state(writer: Writer, database: asyncpg.Connection) -> None:
    await writer.handle(step("a", Remind(AT)))
    await writer.handle(step("a", Remind(AT + timedelta(days=1))))
    assert await database.fetchval("select due_at from timers") == AT + timedelta(days=1)
    await writer.handle(step("a", Ring(AT + timedelta(days=1))), fired=("counter-a", "ring", AT + timedelta(days=1)))
    assert await database.fetchval("select count(*) from timers") == 0


async def test_a_driven_clock_is_what_the_log_records(counters: str, database: asyncpg.Connection) -> None:
    clock = DrivenClock(AT)
    writer = Writer(counters, STREAMS, Vault(SECRET), clock, "/test")
    writer.start()
    await writer.handle(step("a", Raise()))
    assert await database.fetchval("select recorded_at from published") == AT
    await writer.stop()


async def test_a_read_model_rebuilt_from_the_events_is_the_same(
    counters: str, writer: Writer, database: asyncpg.Connection
) -> None:
    await asyncio.gather(*(writer.handle(step(f"s{n}", Raise(by=n, who=f"s{n}"))) for n in range(30)))
    before = await database.fetch("select * from counters order by id")
    await database.execute("update counters set total = -1")
    assert await rebuild(counters, COUNTER, Vault(SECRET)) == 30
    assert await database.fetch("select * from counters order by id") == before
    await database.execute("truncate counters")
    await rebuild(counters, COUNTER, Vault(SECRET), batch=7)
    assert await database.fetch("select * from counters order by id") == before


async def test_a_lost_connection_is_opened_anew_and_nothing_is_done_twice(
    writer: Writer, database: asyncpg.Connection
) -> None:
    async def cut() -> None:
        for _ in range(5):
            await database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'belt-writer' and datname = current_database()"
            )
            await asyncio.sleep(0.05)

    keys = [fresh() for _ in range(200)]
    await asyncio.gather(cut(), *(writer.handle(step("a", Raise()), key=key) for key in keys))
    assert await versions(database, "counter-a") == list(range(1, 201))


async def test_a_chain_runs_over_the_public_log(writer: Writer, database: asyncpg.Connection) -> None:
    await asyncio.gather(*(writer.handle(step(f"s{n}", Raise(who=f"s{n}"))) for n in range(5)))
    await writer.handle(step("s0", Raise(who="s0")))
    links = await database.fetch("select position, hash from log_chain order by position")
    assert links[-1]["position"] == 6
    assert links[-1]["hash"] == await database.fetchval("select hash from log_head")


async def test_while_a_batch_is_appended_the_next_is_decided_but_who_shares_a_stream_waits(
    writer: Writer, database: asyncpg.Connection
) -> None:
    decided: list[str] = []

    def said(name: str) -> Callable[[Reads], None]:
        return lambda _read: decided.append(name)

    async def until(name: str) -> None:
        async with asyncio.timeout(10):
            while name not in decided:  # noqa: ASYNC110 (nothing tells of it)
                await asyncio.sleep(0.01)

    async with database.transaction():
        await database.execute("select pg_advisory_xact_lock(4711)")
        tasks = [asyncio.create_task(writer.handle(step("a", Raise(who="a")), guard=said("first")))]
        await until("first")
        tasks.append(asyncio.create_task(writer.handle(step("a", Raise(who="a")), guard=said("again"))))
        tasks.append(asyncio.create_task(writer.handle(step("b", Raise(who="b")), guard=said("other"))))
        await until("other")
        assert decided == ["first", "other"]
        assert not any(task.done() for task in tasks)
    first, again, other = await asyncio.gather(*tasks)
    assert decided == ["first", "other", "again"]
    assert (first.version("counter-a"), again.version("counter-a"), other.version("counter-b")) == (1, 2, 1)


@pytest.mark.parametrize("storing", [0.0, 0.025], ids=["a-quick-database", "a-database-that-takes-a-little-longer"])
async def test_callers_who_come_together_are_parted_where_deciding_takes_longer_than_half_of_storing(
    writer: Writer, storing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds, callers = 15, 32
    append = writer._committer.append

    async def appended(prepared: Prepared) -> list[Status]:
        await asyncio.sleep(storing)
        return await append(prepared)

    monkeypatch.setattr(writer._committer, "append", appended)

    def slowly(_read: Reads) -> None:
        ends = time.perf_counter() + 0.00065
        while time.perf_counter() < ends:
            pass

    async def caller(name: str) -> None:
        for _ in range(rounds):
            await writer.handle(step(name, Raise(who=name)), guard=slowly)

    await asyncio.gather(*(caller(f"c{n}") for n in range(callers)))
    assert writer.commits > 1.5 * rounds  # else all went at once every time, and nobody decided meanwhile


async def test_a_writer_that_stops_finishes_what_is_with_the_database(
    counters: str, writer: Writer, database: asyncpg.Connection
) -> None:
    async with database.transaction():
        await database.execute("select pg_advisory_xact_lock(4711)")
        task = asyncio.create_task(writer.handle(step("a", Raise())))
        stopping = asyncio.create_task(writer.stop(10))
        await asyncio.sleep(0.2)
        assert not stopping.done()
    assert (await task).version("counter-a") == 1
    await stopping


async def test_new_holders_push_out_no_key_that_their_batch_needs(
    counters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belt.io.store.rows.KEEP_KEYS", 4)
    each_its_own = {"counter": replace(COUNTER, holder=lambda event: getattr(event, "name", None))}
    writer = Writer(counters, each_its_own, Vault(SECRET), SystemClock(), "/test")
    writer.start()
    for n in range(4):
        await writer.handle(Step("counter", f"s{n}", Name(f"holder-{n}")))
    before = writer.commits
    await asyncio.gather(
        writer.handle(Step("counter", "s0", Name("holder-0"))),
        *(writer.handle(Step("counter", f"new{n}", Name(f"new-{n}"))) for n in range(3)),
    )
    await writer.stop()
    assert writer.commits <= before + 2, "they went together"
