"""Closed months: their lines are frozen, and what becomes known later is corrected in the next open month.

correction = recomputed − frozen − already corrected, one line for each frozen line and posting month.
A line that moved to another closed month is corrected in both: taken out of the one, put into the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from compensation.earn import Waiting
from compensation.fold import fold
from compensation.guarantee import Term, guarantees, terms
from compensation.history import History
from compensation.known import Known
from compensation.line import Calc, Line, State, line_id
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate

Key = tuple[Month, UUID, State]


@dataclass(frozen=True, slots=True)
class Close:
    """A month, and every earlier one, is closed with what was recorded by `at`. It is never opened again."""

    month: Month
    at: datetime


@dataclass(frozen=True, slots=True)
class Posted:
    """All lines of a person as they stand: frozen ones in closed months, computed ones and corrections in open ones."""

    lines: tuple[Line, ...]
    waiting: tuple[Waiting, ...]
    currencies: frozenset[str]
    closed_through: Month | None
    terms: tuple[Term, ...] = ()

    def closed(self, month: Month) -> bool:
        return self.closed_through is not None and month <= self.closed_through


def frozen_lines(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    person: str,
    rates: Sequence[Rate],
    closes: Sequence[Close],
) -> tuple[Line, ...]:
    """The person's lines in closed months. They follow from what was recorded by each cutoff, so they never change."""
    frozen: list[Line] = []
    cutoffs: dict[Month, datetime] = {}
    for close in sorted(closes, key=lambda c: (c.month, c.at)):
        known = Known(history, close.at, rates)
        natural = fold(known, plans, assignments, person, close.month).lines
        frozen += [line for line in _open(natural, frozen, cutoffs, known) if line.period <= close.month]
        cutoffs.setdefault(close.month, close.at)
    return tuple(frozen)


def posted(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    person: str,
    through: Month,
    known_at: datetime | None = None,
    rates: Sequence[Rate] = (),
    closes: Sequence[Close] = (),
    frozen: Sequence[Line] | None = None,
) -> Posted:
    """The person's lines after these closes, as known at an instant. `frozen`: their frozen lines, if at hand."""
    if known_at is not None:
        frozen, closes = None, [close for close in closes if close.at <= known_at]
    if frozen is None:
        frozen = frozen_lines(history, plans, assignments, person, rates, closes)
    cutoffs: dict[Month, datetime] = {}
    for close in sorted(closes, key=lambda c: (c.month, c.at)):
        cutoffs.setdefault(close.month, close.at)
    known = Known(history, known_at, rates)
    folded = fold(known, plans, assignments, person, through)
    lines = (*frozen, *_open(folded.lines, frozen, cutoffs, known))
    last = max(cutoffs, default=None)
    held = tuple(_terms(history, plans, assignments, person, through, known, rates, cutoffs))
    return Posted(lines, folded.waiting, folded.currencies, last, held)


def _terms(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    person: str,
    through: Month,
    known: Known,
    rates: Sequence[Rate],
    cutoffs: Mapping[Month, datetime],
) -> Iterator[Term]:
    """What was guaranteed: in closed months as it was known at their close."""
    if not guarantees(plans):
        return
    done: Month | None = None
    for month, at in sorted(cutoffs.items()):
        then = terms(Known(history, at, rates), plans, assignments, person, min(month, through))
        yield from (term for term in then if done is None or term.month > done)
        done = month
    now = terms(known, plans, assignments, person, through)
    yield from (term for term in now if done is None or term.month > done)


def _open(
    natural: Iterable[Line], frozen: Sequence[Line], cutoffs: Mapping[Month, datetime], known: Known
) -> Iterator[Line]:
    """The lines of open months, and the corrections of closed ones, which post into the first open month."""
    last = max(cutoffs, default=None)
    past = []
    for line in natural:
        if last is None or line.period > last:
            yield line
        else:
            past.append(line)
    if last is not None:
        yield from corrections(past, frozen, last.plus(1), cutoffs, known)


def corrections(
    recomputed: Iterable[Line], frozen: Iterable[Line], into: Month, cutoffs: Mapping[Month, datetime], known: Known
) -> Iterator[Line]:
    """What is missing or too much in closed months, compared with what would be paid today."""
    new: dict[Key, Line] = {(line.period, line.line_id, line.state): line for line in recomputed}
    old: dict[Key, Line] = {}
    corrected: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for line in frozen:
        if line.corrects is not None and line.relates_to is not None:
            key = line.relates_to, line.corrects, line.state
            corrected[key] += line.amount
            old.setdefault(key, replace(line, amount=Decimal(0)))
        else:
            old[line.period, line.line_id, line.state] = line
    wanted = {key: line.amount for key, line in new.items()}
    had = {key: line.amount for key, line in old.items() if line.corrects is None}
    zero = Decimal(0)
    missing = {key: wanted.get(key, zero) - had.get(key, zero) - corrected[key] for key in dict.fromkeys([*new, *old])}
    posting = {key: amount for key, amount in missing.items() if amount}
    legs = _legs(sorted(posting, key=lambda key: (key in new, key[0])), into)
    for key, amount in posting.items():
        line = new.get(key) or old[key]
        cutoff = min(at for month, at in cutoffs.items() if month >= key[0])
        yield replace(
            line,
            line_id=line_id(str(key[1]), line.rule, line.plan, line.version, line.person, legs[key]),
            period=into,
            kind="correction",
            amount=amount,
            causes=_late(line, new.values(), cutoff, known),
            calc=Calc(
                exact=amount,
                recomputed=wanted.get(key, zero),
                frozen=had.get(key, zero),
                corrected=corrected[key] or None,
                note=_kind(line),
            ),
            relates_to=key[0],
            corrects=key[1],
        )


def _legs(keys: Iterable[Key], into: Month) -> dict[Key, str]:
    """What tells the corrections of one line apart in their ids. The months that it left come before where it is now.

    A line that moved from one closed month to another is corrected in both. The first of them has the id that it would
    have alone; the other also says which month it relates to.
    """
    legs: dict[Key, str] = {}
    taken: set[tuple[UUID, State]] = set()
    for key in keys:
        month, corrects, state = key
        leg = f"correction {into}" if state == "earned" else f"correction {into} conditional"
        legs[key] = f"{leg} of {month}" if (corrects, state) in taken else leg
        taken.add((corrects, state))
    return legs


def _kind(line: Line) -> str:
    """What kind of line is corrected."""
    return line.calc.note or line.kind if line.kind == "correction" else line.kind


def _late(line: Line, recomputed: Iterable[Line], cutoff: datetime, known: Known) -> tuple[str, ...]:
    """The facts that became known after the close and make the difference.

    Those of the line itself, else those of its client, else those that moved other lines of the rule (tiers, caps).
    Without any, a plan, an assignment or a rate became known later.
    """
    facts = known.history.facts

    def after(events: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(e for e in events if e in facts and facts[e].recorded_at > cutoff))

    if own := after(line.causes):
        return own
    if line.client_id is not None:
        journey = known.of(known.history.journeys.get(line.client_id, ()))
        if found := after(fact.event_id for fact in journey):
            return found
    return after(e for other in recomputed if other.rule == line.rule for e in other.causes)
