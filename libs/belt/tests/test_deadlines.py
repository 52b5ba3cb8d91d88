"""Many waits, one timer."""

import asyncio

from belt.io.deadlines import Deadlines


async def test_who_is_not_ended_in_time_is_late_and_told_once() -> None:
    told: list[str] = []
    deadlines = Deadlines[str](0.05, told.append)
    first, second, third = (deadlines.begin(name) for name in ("first", "second", "third"))
    second.end()
    async with asyncio.timeout(5):
        while not third.late:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.01)
    assert told == ["first", "third"]
    assert (first.late, second.late) == (True, False)


async def test_a_wait_that_begins_after_the_timer_went_off_has_its_own() -> None:
    late: asyncio.Queue[str] = asyncio.Queue()
    deadlines = Deadlines[str](0.02, late.put_nowait)
    for name in ("one", "two"):
        deadlines.begin(name)
        assert await asyncio.wait_for(late.get(), 5) == name


async def test_what_is_ended_is_not_kept() -> None:
    deadlines = Deadlines[object](60, lambda _: None)
    for _ in range(1_000):
        deadlines.begin(object()).end()
    assert len(deadlines._waits) == 1


def test_deadlines_of_a_loop_that_is_gone_do_not_hold_up_the_next_one() -> None:
    told: list[str] = []
    deadlines = Deadlines[str](0.02, told.append)

    async def one(name: str, seconds: float) -> None:
        deadlines.begin(name)
        await asyncio.sleep(seconds)

    asyncio.run(one("before", 0))
    asyncio.run(one("after", 0.1))
    assert told == ["after"]
