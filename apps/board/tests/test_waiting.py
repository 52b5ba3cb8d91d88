"""How much waits is asked of the stations seldom, and shown as they say it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from board.apis import Answer
from board.waiting import GAP, Look, Looks, waiting
from conveyor_events.words import instant_text

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def told(*items: dict[str, Any]) -> Answer:
    return Answer(200, {"at": instant_text(NOON), "counted_to": 100, "waiting": list(items)})


def item(line: str, kind: str, states: dict[str, int], *hours: float) -> dict[str, Any]:
    clocks = [instant_text(NOON + timedelta(hours=hour)) for hour in hours]
    return {"line": line, "kind": kind, "states": states, "clocks": clocks}


def test_the_stations_are_added_up_and_the_earliest_clock_is_the_oldest() -> None:
    found = waiting(
        NOON,
        [
            told(item("tools", "prospect", {"working": 2, "rework": 1}, 5), item("other", "prospect", {"working": 4})),
            told(item("tools", "lead", {"offered": 100}, -1, 1)),
            Answer(0),
        ],
    )
    assert found.lines == ["other", "tools"]
    assert (found.total("prospect"), found.many("prospect", "working"), found.total("account")) == (7, 6, 0)
    assert (found.more("lead"), found.more("prospect")) == (True, False)
    assert (found.late, found.near) == (1, 1)
    assert found.oldest is not None
    assert (found.oldest.kind, found.oldest.due_at) == ("lead", NOON - timedelta(hours=1))
    assert (found.of("other").total("prospect"), found.of("other").oldest) == (4, None)


class Station:
    """Answers at once, and notes when it was asked."""

    def __init__(self) -> None:
        self.answer, self.asked = told(), list[float]()

    async def get(self, _service: str, _path: str, /) -> Answer:
        self.asked.append(asyncio.get_running_loop().time())
        return self.answer


async def test_two_hundred_pages_ask_once_a_beat_and_not_too_often() -> None:
    station, beat = Station(), [0]
    look = Look("lead-gen", lambda: beat[0])

    async def pages() -> None:
        await asyncio.gather(*(look.of(station) for _ in range(200)))

    await pages()
    await pages()
    assert len(station.asked) == 1, "nothing moved"
    for beat[0] in range(1, 4):
        await pages()
    assert len(station.asked) == 4
    assert min(b - a for a, b in zip(station.asked, station.asked[1:], strict=False)) >= GAP * 0.9


async def test_an_answer_that_is_none_is_asked_for_again() -> None:
    station = Station()
    station.answer = Answer(0)
    look = Look("lead-gen", lambda: 0)
    assert not (await look.of(station)).ok
    station.answer = told()
    assert (await look.of(station)).ok


async def test_what_moves_while_a_look_waits_is_in_it() -> None:
    station, beat = Station(), [1]
    look = Look("lead-gen", lambda: beat[0])
    await look.of(station)
    beat[0] = 2
    waits = asyncio.ensure_future(look.of(station))
    await asyncio.sleep(0)
    beat[0] = 3
    await asyncio.gather(waits, look.of(station))
    assert len(station.asked) == 2


async def test_only_stations_that_were_named_are_asked() -> None:
    station = Station()
    answers = await Looks(lambda: 0).of(("conversion",), station)
    assert [answer.ok for answer in answers] == [True]
    assert len(station.asked) == 1
