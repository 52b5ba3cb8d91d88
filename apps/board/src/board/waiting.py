"""How much waits at each station, as the stations say it to everybody in the company: numbers and clocks, no names.

The answer is the same for all who may ask, so it is asked for once for all open pages, with the token of whoever comes
first; at most so often, and again after every beat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol

from board.apis import Answer
from conveyor_events.words import parse_instant

DOOR = "/v1/waiting"
STATIONS = ("lead-gen", "conversion", "account-mgmt")
GAP, FRESH = 0.2, 2.0  # seconds between two looks at one station, at least; how long one is good for without a beat
NEAR = timedelta(hours=2)
"""A clock that has less than this is about to run out."""


@dataclass(frozen=True)
class Clock:
    """When something of a kind falls due."""

    due_at: datetime
    kind: str
    line: str


@dataclass(frozen=True)
class Waiting:
    """What was told of the stations that this viewer may ask."""

    now: datetime
    items: Sequence[Mapping[str, Any]] = ()
    counted_to: int | None = None

    @property
    def lines(self) -> list[str]:
        return sorted({str(item["line"]) for item in self.items})

    def of(self, line: str | None) -> Waiting:
        """What waits on one line; None: on all of them."""
        return (
            self if line is None else Waiting(self.now, [i for i in self.items if i["line"] == line], self.counted_to)
        )

    def many(self, kind: str, state: str) -> int:
        return sum(item["states"].get(state, 0) for item in self.items if item["kind"] == kind)

    def total(self, *kinds: str) -> int:
        return sum(sum(item["states"].values()) for item in self.items if item["kind"] in kinds)

    def more(self, *kinds: str) -> bool:
        """Whether it is so many or more: a station counts no further."""
        figures = [figure for item in self.items if item["kind"] in kinds for figure in item["states"].values()]
        return self.counted_to is not None and max(figures, default=0) >= self.counted_to

    @property
    def clocks(self) -> list[Clock]:
        """The earliest first."""
        found = [Clock(parse_instant(due), item["kind"], item["line"]) for item in self.items for due in item["clocks"]]
        return sorted(found, key=lambda clock: clock.due_at)

    @property
    def oldest(self) -> Clock | None:
        """The clock that runs out first, or has run out longest ago."""
        return min(self.clocks, key=lambda clock: clock.due_at, default=None)

    @property
    def late(self) -> int:
        return sum(1 for clock in self.clocks if clock.due_at <= self.now)

    @property
    def near(self) -> int:
        return sum(1 for clock in self.clocks if self.now < clock.due_at <= self.now + NEAR)


def waiting(now: datetime, answers: Sequence[Answer]) -> Waiting:
    """Put together from what the stations told."""
    told = [answer.document for answer in answers if answer.ok]
    items = [item for document in told for item in document["waiting"]]
    return Waiting(now, items, min((document["counted_to"] for document in told), default=None))


class Asks(Protocol):
    """Somebody who can ask a station (apis.Asked)."""

    async def get(self, service: str, path: str, /) -> Answer: ...


class Look:
    """One station, asked for all who may ask it. An answer that is none is told to whoever asked, and not kept."""

    def __init__(self, station: str, beat: Callable[[], int]) -> None:
        self._station, self._beat = station, beat
        self._next: asyncio.Task[Answer] | None = None  # has not asked yet: it will tell whatever moved until then
        self._last: asyncio.Task[Answer] | None = None
        self._begun, self._covers = float("-inf"), -1

    async def of(self, asked: Asks) -> Answer:
        last = self._last
        if last is not None and self._covers == self._beat() and monotonic() - self._begun < FRESH and _good(last):
            return await asyncio.shield(last)
        if self._next is None:
            self._next = asyncio.create_task(self._ask(asked))
        return await asyncio.shield(self._next)

    async def _ask(self, asked: Asks) -> Answer:
        await asyncio.sleep(self._begun + GAP - monotonic())
        self._begun, self._covers = monotonic(), self._beat()
        self._last, self._next = self._next, None
        return await asked.get(self._station, DOOR)


def _good(task: asyncio.Task[Answer]) -> bool:
    return not task.done() or (not task.cancelled() and task.exception() is None and task.result().ok)


class Looks:
    """One per process."""

    def __init__(self, beat: Callable[[], int]) -> None:
        self._looks = {station: Look(station, beat) for station in STATIONS}

    async def of(self, stations: Sequence[str], asked: Asks) -> list[Answer]:
        """What these stations say waits there. Only for a viewer to whom they have said so themselves (sight.py)."""
        return await asyncio.gather(*(self._looks[station].of(asked) for station in stations))
