"""Units that wait for their batch, the longest-waiting first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from belt.io.store.unit import Unit
from belt.io.telemetry import WAITING_COMMANDS

SCAN = 4_096  # how far into a long queue one batch looks


class Waiting:
    """The queue of one writer."""

    def __init__(self) -> None:
        self._units: deque[Unit] = deque()

    def __len__(self) -> int:
        return len(self._units)

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units)

    def put(self, unit: Unit) -> None:
        """At the end."""
        self._units.append(unit)

    def back(self, units: Sequence[Unit]) -> None:
        """To the front again, in their order."""
        self._units.extendleft(reversed(units))

    def take(self, most: int, busy: Iterable[set[Any]]) -> list[Unit]:
        """The longest-waiting units of which no two share a place, nor one of those that are busy.

        A unit never overtakes one that shares its place.
        """
        units, before = self._units, set[Any]()
        batch: list[Unit] = []
        later: list[Unit] = []
        for _ in range(min(len(units), SCAN)):
            if len(batch) >= most:
                break
            unit = units.popleft()
            if unit.future.done():
                continue
            places = unit.places
            if before.isdisjoint(places) and all(places.isdisjoint(some) for some in busy):
                batch.append(unit)
            else:
                later.append(unit)
            before |= places
        self.back(later)
        WAITING_COMMANDS.set(len(units))
        return batch
