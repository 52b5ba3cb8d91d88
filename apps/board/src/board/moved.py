"""What moved, as the projection tells it to whoever listens: where on the line, and whom it concerns. No more.

A page is woken by what concerns it, and asks the APIs again with its viewer's own token.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

STATION_OF = {"leads": "lead-gen", "deals": "conversion", "accounts": "account-mgmt"}
ROOM = 7_000  # of what can be told at once


@dataclass(frozen=True)
class Moved:
    """Pairs of line and station, and people. `everything`: nobody knows what, so all of it."""

    places: frozenset[tuple[str, str]] = frozenset()
    people: frozenset[str] = frozenset()
    everything: bool = False

    def __or__(self, other: Moved) -> Moved:
        return Moved(self.places | other.places, self.people | other.people, self.everything or other.everything)

    def __bool__(self) -> bool:
        return bool(self.places or self.people or self.everything)

    def concerns(self, people: frozenset[str] | None) -> bool:
        """Whether it concerns one of these. None: who looks at everybody."""
        return self.everything or bool(self.people if people is None else self.people & people)


NOTHING = Moved()
EVERYTHING = Moved(everything=True)


def text(places: Iterable[tuple[str, str]], people: Iterable[str]) -> str:
    """As it is told: lines with topics, and people. Too much to be told is everything."""
    told = json.dumps({"places": sorted(places), "people": sorted(people)}, separators=(",", ":"))
    return told if len(told.encode()) <= ROOM else "{}"


def read(told: str) -> Moved:
    """What was told."""
    found: Mapping[str, Any] = json.loads(told)
    if not found:
        return EVERYTHING
    places = frozenset((line, STATION_OF.get(topic, "")) for line, topic in found["places"])
    return Moved(places, frozenset(found["people"]))


def named(data: Any) -> Iterator[str]:
    """Everybody whom the data of an event name, in whatever seat."""
    if isinstance(data, Mapping):
        if isinstance(data.get("person"), str):
            yield data["person"]
        for value in data.values():
            yield from named(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from named(value)
