"""The two sides of a what-if: history as it is under what is in force, and as it would be under the scenario."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from belt.core.calendar import Calendar
from compensation.facts import Cancelled, Fact, Milestone, Noted, Offered, Paid, Refunded, Sale, Sold
from compensation.history import History
from compensation.kept import types
from compensation.known import Known
from compensation.plan import Assignment, PlanVersion, Rate, known_assignments
from compensation.rules import Bounty, Growth
from compensation.whatif import answering, reseating
from compensation.whatif.answering import answered
from compensation.whatif.drafting import tried
from compensation.whatif.reseating import Reseating, line_of, paid_by
from compensation.whatif.scenario import Policy, Scenario

ASSUMES = (
    "both sides are reckoned from everything known by now, as if no month had been closed",
    "people do the same work whatever they are paid for it",
)


Source = Callable[[frozenset[str]], Iterable[Fact]]
"""Reads the facts of these types, on the wire. Others may come, too."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What is known and agreed; the facts are read once. `calendars`: the working hours of each line."""

    facts: Iterable[Fact] | Source
    zone: str
    plans: Sequence[PlanVersion]
    assignments: Sequence[Assignment]
    rates: Sequence[Rate] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Side:
    """Everything a fold needs."""

    known: Known
    plans: Sequence[PlanVersion]
    assignments: Sequence[Assignment]
    _of: dict[str, list[Assignment]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, person: str) -> Sequence[Assignment]:
        """The person's assignments."""
        if not self._of:
            for one in self.assignments:
                self._of.setdefault(one.person, []).append(one)
        return self._of.get(person, ())


@dataclass(frozen=True, slots=True)
class Sides:
    """Both, whom they are about, and what the second one supposes."""

    actual: Side
    simulated: Side
    people: tuple[str, ...]
    assumes: tuple[str, ...]

    def same_for(self, person: str) -> bool:
        """Whether nothing that the person is paid by is otherwise: then neither is anything they get."""
        if self.actual.known.history is not self.simulated.known.history:
            return False
        had = known_assignments(self.actual.of(person), None)
        plans = {one.plan for one in had}
        return had == known_assignments(self.simulated.of(person), None) and (
            [one for one in self.actual.plans if one.plan.plan in plans]
            == [one for one in self.simulated.plans if one.plan.plan in plans]
        )


def sides(basis: Basis, scenario: Scenario, tick: Callable[[], None] | None = None) -> Sides:
    """Reads the history once, twice only where seats or answers change. `tick` is called for each fact read."""
    plans, assignments = tried(basis.plans, basis.assignments, scenario.drafts, scenario.first)
    needed = _paying([*basis.plans, *plans])
    replayed = scenario.variant is not None or scenario.policy != Policy()
    if replayed:
        needed |= {"LeadQualified", "LeadAccepted", "LeadOfferExpired", "AccountAccepted"}
    facts = basis.facts(types(needed)) if callable(basis.facts) else basis.facts
    kept = list(kept_facts(facts, needed, tick))
    before = Side(Known(History(kept, zone=basis.zone), rates=basis.rates), basis.plans, basis.assignments)
    assumes: tuple[str, ...] = ASSUMES
    facts = kept
    if scenario.policy != Policy():
        facts = list(answered(facts, scenario.policy, basis.calendars, basis.zone, scenario.line))
        assumes += answering.ASSUMES
    if scenario.variant is not None:
        facts = list(facts)
        seats = Reseating(facts, scenario.variant, scenario.line)
        facts = [seats.fact(fact) for fact in facts]
        plans, assignments = paid_by(plans, assignments, seats)
        assumes += reseating.ASSUMES
    history = History(facts, zone=basis.zone) if replayed else before.known.history
    after = Side(Known(history, rates=basis.rates), plans, assignments)
    return Sides(before, after, tuple(_people(before, after, scenario.line)), assumes)


def kept_facts(
    facts: Iterable[Fact], needed: Collection[str], tick: Callable[[], None] | None = None
) -> Iterator[Fact]:
    """The facts that some rule may look at: notes and milestones that nobody is paid for say nothing about pay.

    The sale that each payment repeats is held once.
    """
    sales: dict[str, Sale] = {}
    for fact in facts:
        if tick is not None:
            tick()
        data = fact.data
        if isinstance(data, Noted) or (isinstance(data, Milestone) and fact.name not in needed):
            continue
        if isinstance(data, Offered) and "AccountAccepted" not in needed:
            continue
        if isinstance(data, Sold | Paid | Refunded | Cancelled):
            known = sales.setdefault(data.sale.sale_id, data.sale)
            if known is not data.sale and known == data.sale:
                yield replace(fact, data=replace(data, sale=known))
                continue
        yield fact


def _paying(plans: Iterable[PlanVersion]) -> set[str]:
    """The milestones that a rule of these plans looks at."""
    found: set[str] = set()
    for version in plans:
        for rule in version.plan.rules:
            if isinstance(rule, Bounty):
                found.update(rule.on)
            elif isinstance(rule, Growth):
                found.add("ProspectVerified")
    return found


def _people(before: Side, after: Side, line: str | None) -> list[str]:
    """Everybody who has pay on one side; of a line: who is assigned to it, or named in a fact of it."""
    assigned = [*before.assignments, *after.assignments]
    everybody = {a.person for a in assigned}
    if line is None:
        return sorted(everybody)
    there = {a.person for a in assigned if a.line == line}
    for side in (before, after):
        for fact in side.known.history.facts.values():
            if line_of(fact) == line:
                there.update(named(fact))
    return sorted(there & everybody)


def named(fact: Fact) -> Iterator[str]:
    """Everybody the fact names."""
    data = fact.data
    sale = getattr(data, "sale", None)
    if isinstance(sale, Sale):
        yield from sale.people
        if isinstance(data, Sold) and data.legacy is not None:
            yield data.legacy
    if isinstance(data, Milestone):
        yield from (seat.person for seat in data.seats.values())
    for name in ("holder", "sourced_by"):
        seat = getattr(data, name, None)
        if seat is not None:
            yield seat.person
