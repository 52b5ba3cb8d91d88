"""A live page hears that something moved, and only of what its viewer may see."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from board_told import Story, whole

from board import projection
from board.kept import Kept
from board.moved import EVERYTHING, NOTHING, Moved, named, read, text
from board.pulse import SETTLES, Pulse, beats, nudges
from board.sight import Seen

SEEN = Seen(frozenset({("tools", "lead-gen")}), {})


async def heard_by(moved: Moved) -> frozenset[str]:
    return SEEN.heard(moved)


async def part() -> str:
    return "<p>one</p>\n<p>two</p>"


async def until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await condition.wait()


def test_the_payload_names_lines_and_stations() -> None:
    told = text([("tools", "leads"), ("tools", "deals")], ["boris", "ana"])
    assert read(told) == Moved(frozenset({("tools", "lead-gen"), ("tools", "conversion")}), frozenset({"ana", "boris"}))


def test_too_much_to_be_told_is_everything() -> None:
    assert read(text([], [f"person-{n}" for n in range(10_000)])) == EVERYTHING


def test_everybody_who_is_named_in_an_event_is_concerned() -> None:
    sale = {"converted_by": {"person": "boris"}, "splits": [{"person": "dina", "share": "0.5"}], "net": "1.00"}
    assert set(named({"sale": sale, "to": None})) == {"boris", "dina"}


async def test_a_commit_is_heard_and_what_is_not_the_viewers_is_not(database: str) -> None:
    pulse = Pulse(database)
    listening = asyncio.create_task(pulse.run())
    await until(pulse.listens)
    heard = beats(pulse, heard_by, part, 0.0)
    assert b"hello" in await anext(heard)
    following = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0)  # it begins to wait
    assert pulse.open == 1
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        await projection.take(connection, Story("other", line="secret").registered().told)
    async with connection.transaction():
        await projection.take(connection, Story().registered().told)
    async with asyncio.timeout(5):
        first = await following
        if first.startswith(b":"):
            first = await anext(heard)
    assert first == b"event: moved\ndata: lead-gen\n\nevent: now\ndata: <p>one</p>\ndata: <p>two</p>\n\n"
    pulse.end()
    await connection.close()
    listening.cancel()


async def test_after_a_silence_everything_is_looked_at_again() -> None:
    pulse = Pulse("postgresql://nobody@127.0.0.1:1/none")
    with pulse.ear() as ear:
        pulse.tell(EVERYTHING)
        assert await ear.next(1.0) == EVERYTHING
        assert await ear.next(0.01) == NOTHING


async def test_what_moved_is_told_once_more_for_a_station_that_hears_of_it_later() -> None:
    pulse = Pulse("postgresql://nobody@127.0.0.1:1/none")
    first, second = (Moved(frozenset({("tools", station)})) for station in ("lead-gen", "conversion"))
    with pulse.ear() as ear:
        pulse.tell(first)
        assert await ear.next(1.0) == first
        pulse.tell(second)
        assert await ear.next(1.0) == second
        assert await ear.next(SETTLES * 5) == first | second
        assert await ear.next(SETTLES * 5) == second, "it was told too late for the first time"
        assert await ear.next(SETTLES * 2) == NOTHING, "and then it is quiet"


def test_who_may_know_the_numbers_hears_of_every_line_of_that_station() -> None:
    moved = Moved(frozenset({("tools", "lead-gen"), ("other", "conversion")}))
    told = {"lead-gen": "told", "conversion": "told", "account-mgmt": "closed"}
    assert Seen(frozenset(), {}, told).heard(moved) == {"lead-gen", "conversion"}
    assert Seen(frozenset(), {}, told).heard(EVERYTHING) == {"lead-gen", "conversion"}
    assert Seen(frozenset({("other", "conversion")}), {}, {}).heard(moved) == {"conversion"}
    assert Seen(frozenset(), {}, {}).heard(moved) == frozenset()


async def test_of_two_hundred_pages_only_those_wake_that_it_concerns() -> None:
    pulse = Pulse("postgresql://nobody@127.0.0.1:1/none")
    pages = [nudges(pulse, frozenset({f"person-{n}"}), 0.0, 0.0) for n in range(200)]
    for page in pages:
        assert b"hello" in await anext(page)
    waiting = [asyncio.ensure_future(anext(page)) for page in pages]
    await asyncio.sleep(0)
    assert pulse.open == 200
    pulse.tell(Moved(people=frozenset({"person-7", "person-9", "nobody"})))
    done, still = await asyncio.wait(waiting, timeout=0.2)
    assert {waiting.index(one) for one in done} == {7, 9}
    assert {one.result() for one in done} == {b"event: moved\ndata: \n\n"}
    assert len(still) == 198
    for one in still:
        one.cancel()


async def test_a_page_asks_again_once_in_a_while_however_much_moves() -> None:
    pulse = Pulse("postgresql://nobody@127.0.0.1:1/none")
    page, mine = nudges(pulse, frozenset({"ana"}), 0.3, 0.0), Moved(people=frozenset({"ana"}))
    await anext(page)
    following = asyncio.ensure_future(anext(page))
    await asyncio.sleep(0)
    pulse.tell(mine)
    await following
    loop = asyncio.get_running_loop()
    began, following = loop.time(), asyncio.ensure_future(anext(page))
    while not following.done():
        pulse.tell(mine)
        await asyncio.sleep(0.01)
    assert loop.time() - began >= 0.29


async def test_a_commit_tells_whom_it_concerns(database: str) -> None:
    pulse = Pulse(database)
    listening = asyncio.create_task(pulse.run())
    await until(pulse.listens)
    connection = await asyncpg.connect(database)
    with pulse.ear(lambda moved: bool(moved.people)) as ear:
        async with connection.transaction():
            await projection.take(connection, whole().told)
        moved = await ear.next(5.0)
    assert {"ana", "boris", "clara"} <= moved.people
    assert "dina" not in moved.people
    pulse.end()
    await connection.close()
    listening.cancel()


async def test_streams_end_when_the_process_does() -> None:
    pulse = Pulse("postgresql://nobody@127.0.0.1:1/none")
    heard = beats(pulse, heard_by, part, 0.0)
    await anext(heard)
    pulse.end()
    async with asyncio.timeout(5):
        assert [one async for one in heard] in ([], [b": still here\n\n"])


async def test_a_stream_ends_with_its_session_and_for_who_has_gone() -> None:
    pulse = Pulse("postgresql://nobody@127.0.0.1:1/none")
    async with asyncio.timeout(5):
        assert len([one async for one in beats(pulse, heard_by, part, 0.0, rest=0.1)]) <= 2
        assert len([one async for one in nudges(pulse, None, 0.0, 0.0, rest=0.1)]) <= 2

    async def gone(_moved: Moved) -> None:
        return None

    stream = beats(pulse, gone, part, 0.0)
    await anext(stream)
    following = asyncio.ensure_future(anext(stream, b"over"))
    await asyncio.sleep(0)
    pulse.tell(Moved(people=frozenset({"ana"})))
    assert await following == b"over"


async def test_what_many_ask_for_at_once_is_made_once_a_beat() -> None:
    kept, made = Kept[int](), list[int]()

    async def make() -> int:
        made.append(len(made))
        await asyncio.sleep(0)
        return made[-1]

    assert await asyncio.gather(*(kept.of("line", 1, make) for _ in range(200))) == [0] * 200
    assert await kept.of("another", 1, make) == 1
    assert await kept.of("line", 2, make) == 2
    assert made == [0, 1, 2]


async def test_what_could_not_be_made_is_tried_again() -> None:
    kept, tried = Kept[int](), list[int]()

    async def make() -> int:
        tried.append(1)
        if len(tried) == 1:
            raise OSError("away")
        return 7

    with pytest.raises(OSError, match="away"):
        await kept.of("line", 1, make)
    assert await kept.of("line", 1, make) == 7
