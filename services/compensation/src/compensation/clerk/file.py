"""What concerns one person: every fact of the clients they have to do with. Pay is reckoned out of that alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from compensation.facts import Fact
from compensation.history import History
from compensation.kept import traced
from compensation.line import Line
from compensation.months import Month
from compensation.statement import Statement
from conveyor_events import UnknownEvent

ANSWERS = 3
T = TypeVar("T")


@dataclass(frozen=True)
class File:
    """`traces`: the context in which each event was recorded, where there is one."""

    person: str
    clients: frozenset[str]
    history: History
    traces: dict[str, str]
    folded: dict[Hashable, dict[Month, Statement]] = field(default_factory=dict, repr=False, compare=False)

    def keep(self, asked: Hashable, found: dict[Month, Statement]) -> None:
        """What was folded out of the file: the few latest answers."""
        self.folded[asked] = found
        if len(self.folded) > ANSWERS:
            del self.folded[next(iter(self.folded))]

    def contexts(self, lines: Iterable[Line]) -> list[str | None]:
        """The contexts in which the causes of these lines were recorded, as far as they are known."""
        causes = dict.fromkeys(cause for line in lines for cause in line.causes if cause in self.traces)
        return [self.traces[cause] for cause in causes]


def read(rows: Iterable[str]) -> list[tuple[Fact, str | None]]:
    """Events as they are kept -> facts, each with the context in which it was recorded."""
    found = []
    for row in rows:
        try:
            found.append(traced(row))
        except UnknownEvent:
            continue  # a release that knows the type reads it
    return found


def filed(person: str, zone: str, facts: Iterable[tuple[Fact, str | None]], beside: Iterable[Fact]) -> File:
    """`facts`: as they were read. `beside`: of the staff and decisions."""
    history, traces = History(beside, zone=zone), dict[str, str]()
    for found, trace in facts:
        history.add(found)
        if trace is not None:
            traces[found.event_id] = trace
    clients = frozenset(fact.client_id for fact in history.facts.values() if fact.client_id is not None)
    return File(person, clients, history, traces)


class Shelf(Generic[T]):
    """What is at hand, the latest used last; bounded by weight."""

    def __init__(self, most: int) -> None:
        self._most, self._weight = most, 0
        self.held: OrderedDict[str, tuple[int, T]] = OrderedDict()

    def find(self, key: str) -> T | None:
        if key not in self.held:
            return None
        self.held.move_to_end(key)
        return self.held[key][1]

    def put(self, key: str, value: T, weight: int) -> None:
        self.drop(key)
        self.held[key] = (weight, value)
        self._weight += weight
        while self._weight > self._most and len(self.held) > 1:
            self.drop(next(iter(self.held)))

    def drop(self, key: str) -> None:
        weight, _ = self.held.pop(key, (0, None))
        self._weight -= weight

    def clear(self) -> None:
        self.held.clear()
        self._weight = 0


class Cabinet(Shelf[File]):
    """The files at hand."""

    def keep(self, file: File) -> None:
        self.put(file.person, file, 1 + len(file.history.facts))

    def outdated(self, client: str | None, people: Collection[str]) -> None:
        """Something new is known of this client, or of these people."""
        files = [(person, file) for person, (_, file) in self.held.items()]
        for person, file in files:
            if person in people or (client is not None and client in file.clients):
                self.drop(person)
