"""What is decided without a look at the store is appended only if all of it is so; who is refused was looked up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from counting import AT, COUNTER, STREAMS, Counter, Object, Pass, Raise, Raised, Remind, Ring

from belt.core.decider import Refused, Step, Stream
from belt.io.clock import SystemClock
from belt.io.store.believed import LOOK_TIMES, Trust
from belt.io.store.calls import Loaded
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.store.unit import Conflict, Gap, Gate, Reads

SECRET = b"a secret for tests only, 32 bytes"


def by_the_law(command: Any, _state: Counter, law: Counter) -> list[Raised]:
    """As much as the law says; nothing where it says nothing."""
    return [Raised(AT, law.total)] if law.total else []


LAWFUL: Stream[Any, Any, Counter] = replace(
    COUNTER, category="lawful", view=None, reads=lambda *_: [("counter", "law")], decide=by_the_law
)
BOTH = STREAMS | {"lawful": LAWFUL}


class Process:
    """A writer, and how often it looked at the store."""

    def __init__(self, dsn: str) -> None:
        self.writer = Writer(dsn, BOTH, Vault(SECRET), SystemClock(), "/test")
        self.looks = 0
        reader = self.writer._committer.states.reader
        load = reader.load

        async def counted(*asked: Any) -> Loaded:
            self.looks += 1
            return await load(*asked)

        reader.load = counted  # type: ignore[assignment, method-assign]

    async def raised(self, name: str, command: Any = None, stream: str = "counter", **rest: Any) -> Any:
        return await self.writer.handle(Step(stream, name, command or Raise()), **rest)

    async def total(self, name: str, stream: str = "counter") -> int:
        total: int = (await self.writer.read(stream, name)).state.total
        return total


@asynccontextmanager
async def at_work(dsn: str) -> AsyncIterator[Process]:
    process = Process(dsn)
    process.writer.start()
    yield process
    await process.writer.stop()


@pytest.fixture
async def here(counters: str) -> AsyncIterator[Process]:
    async with at_work(counters) as process:
        yield process


@pytest.fixture
async def there(counters: str) -> AsyncIterator[Process]:
    async with at_work(counters) as process:
        yield process


async def test_what_a_process_knows_it_need_not_look_up(here: Process) -> None:
    await here.raised("law", Raise(3))
    await here.raised("a", stream="lawful", key="one")
    looked = here.looks
    for n in range(5):
        await here.raised("a", stream="lawful", key=f"more {n}")
        await here.raised(f"new {n}", stream="lawful")
    assert here.looks == looked
    assert await here.total("a", "lawful") == 18


async def test_what_another_process_changed_is_decided_again(here: Process, there: Process) -> None:
    await here.raised("a")
    await there.raised("a", Raise(10))
    assert (await here.raised("a")).state("counter-a").total == 12


async def test_what_another_process_began_is_not_begun_again(here: Process, there: Process) -> None:
    await there.raised("a", Raise(10))
    assert (await here.raised("a")).version("counter-a") == 2


async def test_what_was_only_read_must_still_be_so(here: Process, there: Process) -> None:
    await here.raised("law", Raise(1))
    await here.raised("a", stream="lawful")
    await there.raised("law", Raise(100))
    others = [here.raised(f"b{n}") for n in range(3)]
    told, *_ = await asyncio.gather(here.raised("a", stream="lawful"), *others)
    assert told.events == (Raised(AT, 101),)
    assert [await here.total(f"b{n}") for n in range(3)] == [1, 1, 1], "whoever shared its batch is done once"


async def test_what_changes_nothing_must_still_change_nothing(here: Process, there: Process) -> None:
    """A reaction without an effect is marked as handled only if what it looked at is still so."""
    await here.raised("a", stream="lawful", key="c:1", gate=Gate("c", "t", "a", 1))
    assert await here.total("law") == 0
    await there.raised("law", Raise(7))
    await here.raised("a", stream="lawful", key="c:2", gate=Gate("c", "t", "a", 2))
    assert await here.total("a", "lawful") == 7


async def test_a_stream_that_is_left_as_it_is_must_still_be_so(here: Process, there: Process) -> None:
    await here.raised("a")
    await there.raised("a", Remind(AT))
    await here.raised("a", Ring(AT), key="c:1", gate=Gate("c", "t", "a", 1))
    assert (await here.writer.read("counter", "a")).state.rang == 1


async def test_who_is_refused_is_refused_for_what_is_so(here: Process, there: Process) -> None:
    await here.raised("a", Raise(10))
    with pytest.raises(Refused) as refused:
        await here.raised("a", Raise(only_below=5))
    await there.raised("a", Raise(-8))
    await here.raised("a", Raise(only_below=5))
    assert refused.value.facts == {"total": 10}
    assert await here.total("a") == 3


async def test_a_recorded_refusal_stands_on_what_is_so(here: Process, there: Process) -> None:
    await here.raised("a")
    await there.raised("a")
    with pytest.raises(Refused):
        await here.raised("a", Object(keep=True), key="k")
    assert (await here.writer.read("counter", "a")).version == 3


async def test_a_version_is_compared_with_the_one_that_is_so(here: Process, there: Process) -> None:
    await here.raised("a")
    await there.raised("a")
    with pytest.raises(Conflict) as conflict:
        await here.raised("a", if_match=1)
    assert conflict.value.has == 2
    assert (await here.raised("a", if_match=2)).version("counter-a") == 3


async def test_a_guard_looks_at_what_is_so(here: Process, there: Process) -> None:
    def closed(read: Reads) -> None:
        if read("counter", "door").total > 1:
            raise Refused("closed")

    await here.raised("door")
    await here.raised("a", guard=closed)
    await there.raised("door")
    with pytest.raises(Refused, match="closed"):
        await here.raised("a", guard=closed)
    await there.raised("door", Raise(-1))
    await here.raised("a", guard=closed)
    assert await here.total("a") == 2


async def test_a_known_key_is_answered_with_its_reply_though_the_stream_went_on(here: Process, there: Process) -> None:
    def told(outcome: Any) -> dict[str, int]:
        return {"total": outcome.state("counter-a").total}

    first = await here.raised("a", key="k", reply=told)
    for process in (here, there):
        again = await process.raised("a", key="k", reply=told)
        assert (again.reply, again.replayed) == (first.reply, True)
    await here.raised("a", key="k2", fingerprint=b"one")
    with pytest.raises(Refused, match="idempotency-key-reused"):
        await here.raised("a", key="k2", fingerprint=b"two")
    assert await here.total("a") == 2


async def test_a_gate_says_what_is_missing_and_what_was_handled(here: Process, there: Process) -> None:
    await here.raised("a", key="c:1", gate=Gate("c", "t", "a", 1))
    with pytest.raises(Gap) as gap:
        await here.raised("a", key="c:3", gate=Gate("c", "t", "a", 3))
    assert gap.value.have == 1
    await there.raised("a", key="c:2", gate=Gate("c", "t", "a", 2))
    assert (await here.raised("a", key="c:2", gate=Gate("c", "t", "a", 2))).replayed
    assert await here.total("a") == 2


async def test_steps_that_follow_are_judged_as_well(here: Process, there: Process) -> None:
    await here.raised("a", Raise(who="a"))
    await here.raised("b")
    await there.raised("b", Raise(5))
    await here.raised("a", Pass("b"))
    assert await here.total("b") == 106


async def test_two_processes_on_one_stream_lose_nothing(here: Process, there: Process, counters: str) -> None:
    await asyncio.gather(*(p.raised("hot", key=f"{n} {id(p)}") for n in range(40) for p in (here, there)))
    assert await here.total("hot") == 80
    database = await asyncpg.connect(counters)
    versions = await database.fetch("select version from events where stream_id = 'counter-hot' order by version")
    await database.close()
    assert [row["version"] for row in versions] == [*range(1, 81)]


async def test_who_is_wrong_too_often_looks_first(here: Process, there: Process) -> None:
    for n in range(40):
        await here.raised("a", key=f"h{n}")
        await there.raised("a", key=f"t{n}")
    assert here.looks > 30
    assert await here.total("a") == 80


def test_trust_is_lost_quickly_tried_again_now_and_then_and_won_back() -> None:
    trust = Trust()
    assert all(trust.worth_it() for _ in range(100))
    for _ in range(8):
        trust.learn(wrong=True)
    tried = [trust.worth_it() for _ in range(2 * (LOOK_TIMES + 1))]
    assert tried.count(True) == 2
    for _ in range(200):
        trust.learn(wrong=False)
    assert all(trust.worth_it() for _ in range(100))
