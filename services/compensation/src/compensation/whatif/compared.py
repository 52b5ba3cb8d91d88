"""Both sides side by side: what each person earns in the range as it is, and as it would be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from compensation.fold import fold
from compensation.history import History, Known
from compensation.line import Line
from compensation.plan import Assignment, PlanVersion, Rate
from compensation.statement import everybody
from compensation.whatif.otherwise import other_plans, otherwise
from compensation.whatif.scenario import Scenario

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Folded:
    """One side: its facts as they were known, and who is paid by which plan."""

    known: Known
    plans: Sequence[PlanVersion]
    assignments: Sequence[Assignment]

    def lines(self, person: str, scenario: Scenario) -> list[Line]:
        """What the person earned in the range."""
        found = fold(self.known, self.plans, self.assignments, person, scenario.last).lines
        return [line for line in found if line.state == "earned" and scenario.first <= line.period <= scenario.last]


@dataclass(frozen=True, slots=True)
class Compared:
    """One person in one currency."""

    person: str
    currency: str
    actual: Decimal
    simulated: Decimal

    @property
    def delta(self) -> Decimal:
        return self.simulated - self.actual


@dataclass(frozen=True, slots=True)
class Difference:
    """A line that is otherwise: None where one side does not have it."""

    actual: Line | None
    simulated: Line | None


def prepared(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    rates: Sequence[Rate],
    scenario: Scenario,
    known_at: datetime | None,
) -> tuple[Folded, Folded, list[str]]:
    """The actual side, the simulated side, and everybody who is on either."""
    known = Known(history, known_at, rates)
    versions, assigned = other_plans(plans, assignments, scenario)
    other = known
    if scenario.variant is not None or scenario.accept_within_hours is not None:
        facts = otherwise(known.of(history.facts.values()), scenario, history.zone)
        other = Known(History(facts, zone=history.zone), known_at, rates)
    people = sorted({*everybody(history, assignments), *everybody(other.history, assigned)})
    return Folded(known, plans, assignments), Folded(other, versions, assigned), people


def compared(actual: Folded, simulated: Folded, person: str, scenario: Scenario) -> list[Compared]:
    """The person's sums on both sides, by currency."""
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [_ZERO, _ZERO])
    for side, folded in enumerate((actual, simulated)):
        for line in folded.lines(person, scenario):
            sums[line.currency][side] += line.amount
    return [Compared(person, currency, *both) for currency, both in sorted(sums.items())]


def differences(actual: Folded, simulated: Folded, person: str, scenario: Scenario) -> Iterator[Difference]:
    """The lines that are otherwise, in the order of the actual ones."""
    was, would = _by_reason(actual.lines(person, scenario)), _by_reason(simulated.lines(person, scenario))
    for reason in dict.fromkeys([*was, *would]):
        before, after = was.get(reason), would.get(reason)
        if (before.amount if before else None) != (after.amount if after else None):
            yield Difference(before, after)


def _by_reason(lines: Sequence[Line]) -> dict[tuple[str, ...], Line]:
    """By what each line is paid for: the same reason under another plan is the same place."""
    found: dict[tuple[str, ...], Line] = {}
    for line in lines:
        cause = line.causes[0] if line.causes else ""
        reason = line.kind, str(line.period), line.sale_id or "", cause, line.on_line or ""
        number = 0
        while (*reason, str(number)) in found:
            number += 1
        found[*reason, str(number)] = line
    return found
