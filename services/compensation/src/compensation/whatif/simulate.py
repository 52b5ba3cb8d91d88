"""The simulation itself: person by person, with progress, so that it can be shown and stopped."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from compensation.facts import TRIGGERS
from compensation.fold import fold
from compensation.kept import types
from compensation.line import Line
from compensation.whatif.differing import Pair, differing
from compensation.whatif.scenario import Scenario
from compensation.whatif.sides import Basis, Side, Sides, named, sides
from compensation.whatif.totals import Folded, Sums, sums


@dataclass(frozen=True, slots=True)
class Progress:
    """So many people of so many are reckoned."""

    done: int
    of: int


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """One person in one currency."""

    person: str
    currency: str
    actual: Sums
    simulated: Sums

    @property
    def delta(self) -> Sums:
        return self.simulated - self.actual

    def to_json(self) -> dict[str, Any]:
        return {
            "person": self.person,
            "currency": self.currency,
            "actual": self.actual.to_json(self.currency),
            "simulated": self.simulated.to_json(self.currency),
            "delta": self.delta.to_json(self.currency),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out. `digest` is over the actual side: it stays the same whatever is simulated."""

    people: tuple[PersonOutcome, ...]
    digest: str
    assumes: tuple[str, ...]
    waiting: tuple[int, int]

    def to_json(self) -> dict[str, Any]:
        return {
            "people": [person.to_json() for person in self.people],
            "totals": [total.to_json() for total in self.totals()],
            "digest": self.digest,
            "assumes": list(self.assumes),
            "waiting": {"actual": self.waiting[0], "simulated": self.waiting[1]},
        }

    def totals(self) -> Iterator[PersonOutcome]:
        """Everybody together, per currency; `person` is empty."""
        for currency in sorted({one.currency for one in self.people}):
            mine = [one for one in self.people if one.currency == currency]
            actual, simulated = Sums(), Sums()
            for one in mine:
                actual, simulated = actual + one.actual, simulated + one.simulated
            yield PersonOutcome("", currency, actual, simulated)


def simulate(
    basis: Basis, scenario: Scenario, tick: Callable[[], None] | None = None
) -> Generator[Progress | Outcome, None, None]:
    """Progress, and at last the outcome. Who stops asking has stopped the simulation; so has a `tick` that raises."""
    yield Progress(0, 0)
    both = sides(basis, scenario, tick)
    yield from simulated(both, scenario)


def simulated(both: Sides, scenario: Scenario) -> Iterator[Progress | Outcome]:
    """The same, of sides that were read before."""
    months, found, digest, waiting = scenario.months, [], hashlib.sha256(), [0, 0]
    for number, person in enumerate(both.people):
        yield Progress(number, len(both.people))
        had = _folded(both.actual, person, scenario)
        gets = had if both.same_for(person) else _folded(both.simulated, person, scenario)
        for month in months:
            for currency in sorted({c for m, c in had.months if m == month}):
                told = had.months[month, currency].to_json(currency)
                digest.update(f"{person}|{month}|{currency}|{'|'.join(told.values())}\n".encode())
        before, after = had.by_currency(), gets.by_currency()
        found += [
            PersonOutcome(person, currency, before.get(currency, Sums()), after.get(currency, Sums()))
            for currency in sorted({*before, *after})
        ]
        waiting = [waiting[0] + had.waiting, waiting[1] + gets.waiting]
    yield Progress(len(both.people), len(both.people))
    yield Outcome(tuple(found), digest.hexdigest(), both.assumes, (waiting[0], waiting[1]))


def _folded(side: Side, person: str, scenario: Scenario) -> Folded:
    return sums(side.known, side.plans, side.of(person), person, scenario.months)


def explained(basis: Basis, scenario: Scenario, person: str) -> list[Pair]:
    """The same for one person straight from the basis: only the clients they have to do with are read."""
    everything = list(basis.facts(types(TRIGGERS)) if callable(basis.facts) else basis.facts)
    clients = {fact.client_id for fact in everything if person in named(fact)}
    facts = [fact for fact in everything if fact.client_id is None or fact.client_id in clients]
    return explain(sides(replace(basis, facts=facts), scenario), scenario, person)


def explain(both: Sides, scenario: Scenario, person: str) -> list[Pair]:
    """The person's lines that differ in these months: built only now that somebody asks."""
    return differing(_lines(both.actual, person, scenario), _lines(both.simulated, person, scenario))


def _lines(side: Side, person: str, scenario: Scenario) -> list[Line]:
    found = fold(side.known, side.plans, side.assignments, person, scenario.last).lines
    return [line for line in found if scenario.first <= line.period <= scenario.last]
