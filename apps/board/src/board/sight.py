"""Who may see what on the line page: the stations are asked, with the viewer's own token.

How much waits is told to whom the station tells it at its own door for that (waiting.py). What names a client comes of
the board's own picture, made of public events, and a station shows more to some than to others: so a line is shown at
a station to whom the station's own list shows something of it that is not the viewer's own; or where there is nothing
but the viewer's own. Who may follow the station's feed sees all of it. Nobody else sees anything of it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from belt.io.store.public_log import Pool
from board.apis import Answer, Asked
from board.moved import Moved
from board.thing import DOORS
from board.waiting import DOOR, STATIONS

REMEMBERED = 4_096
LISTS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    # a station's lists, and where their items name people
    "lead-gen": (("/v1/prospects", ("sourced_by", "converted_by", "offered_to")),),
    "conversion": (
        ("/v1/opportunities", ("sourced_by", "converted_by")),
        ("/v1/offers", ("sourced_by", "to_person", "converted_by")),
    ),
    "account-mgmt": (
        ("/v1/accounts", ("sourced_by", "converted_by", "served_by")),
        ("/v1/offers", ("to_person", "served_by")),
    ),
}
OTHERS = """
with recursive places as (
    (select line, kind from things order by line, kind limit 1)
    union all
    select next.* from places cross join lateral (
        select line, kind from things where (line, kind) > (places.line, places.kind) order by line, kind limit 1
    ) as next
)
select line, kind, coalesce((
    select true from things where things.line = places.line and things.kind = places.kind and not $1 = any(people)
    order by state, since, ref limit 1
), false) as others from places
"""


@dataclass(frozen=True)
class Seen:
    """What a viewer may see: (line, station) pairs of the picture, and how each station answered (told, closed, away).

    `numbers`: how each answered when it was asked how much waits there.
    """

    parts: frozenset[tuple[str, str]]
    answers: Mapping[str, str]
    numbers: Mapping[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> tuple[str, ...]:
        """The stations that tell this viewer how much waits there."""
        return tuple(station for station in STATIONS if self.numbers.get(station) == "told")

    def heard(self, moved: Moved) -> frozenset[str]:
        """At which stations something moved that this viewer may see."""
        if moved.everything:
            return frozenset({*self.counted, *(station for _, station in self.parts)})
        return frozenset(at for line, at in moved.places if at in self.counted or (line, at) in self.parts)

    @property
    def lines(self) -> list[str]:
        return sorted({line for line, _ in self.parts})

    def at(self, station: str) -> list[str]:
        """The lines that may be seen at a station."""
        return sorted(line for line, where in self.parts if where == station)


class Sight:
    """Asks the stations, and remembers what they said for a while."""

    def __init__(self, pool: Pool, look_again: float) -> None:
        self._pool, self._look_again = pool, look_again
        self._known: OrderedDict[bytes, tuple[float, int, asyncio.Task[Seen]]] = OrderedDict()
        self._lines: set[str] = set()

    def note(self, moved: Moved) -> None:
        """Something moved. On a line that was not heard of before: whoever looks next is asked for anew."""
        self._lines |= {line for line, _ in moved.places if line}

    async def of(self, person: str, token: str, asked: Asked) -> Seen:
        """What this viewer sees. Whoever asks while somebody asks for the same viewer gets that answer."""
        key = hashlib.sha256(token.encode()).digest()
        until, lines, task = self._known.get(key, (0.0, 0, None))
        stale = monotonic() >= until or lines != len(self._lines)
        if task is None or stale or (task.done() and task.exception() is not None):
            task = asyncio.create_task(self._ask(person, asked))
            self._known[key] = monotonic() + self._look_again, len(self._lines), task
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        seen = await asyncio.shield(task)
        if "away" in (*seen.answers.values(), *seen.numbers.values()):
            self._known.pop(key, None)
        return seen

    async def _ask(self, person: str, asked: Asked) -> Seen:
        rows = await self._pool.fetch(OTHERS, person)
        others: dict[tuple[str, str], bool] = {}
        for row in rows:
            for station in DOORS[row["kind"]]:
                place = row["line"], station
                others[place] = others.get(place, False) or row["others"]
        lines = sorted({line for line, _ in others})
        told, doors = await asyncio.gather(
            asyncio.gather(*(self._station(person, asked, station, lines, others) for station in STATIONS)),
            asyncio.gather(*(asked.get(station, DOOR) for station in STATIONS)),
        )
        parts = frozenset((line, station) for station, (_, some) in zip(STATIONS, told, strict=True) for line in some)
        answers = {station: state for station, (state, _) in zip(STATIONS, told, strict=True)}
        return Seen(parts, answers, {station: door.state for station, door in zip(STATIONS, doors, strict=True)})

    async def _station(
        self, person: str, asked: Asked, station: str, lines: list[str], others: Mapping[tuple[str, str], bool]
    ) -> tuple[str, list[str]]:
        feed = await asked.get(station, "/v1/events", limit=1)
        if feed.ok:
            return "told", lines
        door = await asked.get(station, LISTS[station][0][0], limit=1)
        if not door.ok:
            return door.state, []
        found = await asyncio.gather(*(self._line(person, asked, station, line, others) for line in lines))
        return "told", [line for line, shown in zip(lines, found, strict=True) if shown]

    async def _line(
        self, person: str, asked: Asked, station: str, line: str, others: Mapping[tuple[str, str], bool]
    ) -> bool:
        if not others.get((line, station)):
            return True
        for path, names in LISTS[station]:
            listed: Answer = await asked.listed(station, path, line=line)
            if any(_not_theirs(item, names, person) for item in listed.items):
                return True
        return False


def _not_theirs(item: Mapping[str, Any], names: tuple[str, ...], person: str) -> bool:
    return person not in {item.get(name) for name in names}
