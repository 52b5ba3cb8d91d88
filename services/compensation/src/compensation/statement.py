"""The statement: a pure fold of facts, plan versions and assignments into lines and totals.

Nothing is ever added to a counter: the same facts give the same statement, in any order and however often they come.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from compensation.earn import Waiting
from compensation.guarantee import Advances, Term, topped_up
from compensation.history import History
from compensation.line import Calc, Line, line_id, payable_text, reading_order, total
from compensation.months import Month
from compensation.period import Close, Posted, posted
from compensation.plan import Assignment, PlanVersion, Rate
from conveyor_events.money import plain

_ZERO = Decimal(0)
NO_CURRENCY = "XXX"


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a statement in one currency. Carry is zero or negative: what variable pay is still owed back."""

    currency: str
    fixed: Decimal
    variable: Decimal
    conditional: Decimal
    carry_in: Decimal
    carry_out: Decimal
    guarantee: Decimal = _ZERO

    @property
    def earned(self) -> Decimal:
        """Fixed and variable pay of the month, with what a guarantee adds or takes back, before carry."""
        return self.fixed + self.variable + self.guarantee

    @property
    def payable(self) -> Decimal:
        """What is paid out: the sum of all lines that are earned, carry lines included."""
        return self.fixed + max(self.variable + self.carry_in, _ZERO) + self.guarantee

    def to_json(self) -> dict[str, str]:
        names = ("fixed", "variable", "guarantee", "earned", "conditional", "carry_in", "carry_out", "payable")
        return {"currency": self.currency, **{name: self._text(getattr(self, name)) for name in names}}

    def _text(self, amount: Decimal) -> str:
        return payable_text(amount, self.currency) if self.currency != NO_CURRENCY else plain(amount)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person earns in a month, line by line, as it was known at an instant."""

    person: str
    period: Month
    known_at: datetime | None
    lines: tuple[Line, ...]
    totals: tuple[Totals, ...]
    related: tuple[Line, ...]
    waiting: tuple[Waiting, ...]

    @property
    def total(self) -> Totals:
        """The totals of a statement in a single currency; zeroes in no currency for somebody without a plan."""
        if len(self.totals) > 1:
            raise ValueError(f"{self.person} is paid in {', '.join(t.currency for t in self.totals)}: no single total")
        return self.totals[0] if self.totals else Totals(NO_CURRENCY, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO)

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "person": self.person,
            "period": str(self.period),
            "known_at": self.known_at.isoformat() if self.known_at else None,
            "totals": [totals.to_json() for totals in self.totals],
            "lines": [line.to_json() for line in self.lines],
            "related": [line.to_json() for line in self.related],
            "waiting": [{"event_id": fact.event_id, "reason": fact.reason} for fact in self.waiting],
        }


def statements(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    person: str,
    months: Iterable[Month],
    known_at: datetime | None = None,
    rates: Sequence[Rate] = (),
    closes: Sequence[Close] = (),
    frozen: Sequence[Line] | None = None,
) -> dict[Month, Statement]:
    """A person's statements of several months in one pass, as known at an instant (None: everything received).

    A closed month is as it was frozen; with `known_at`, every line that relates to it and was known by then is added.
    """
    wanted = sorted(set(months))
    if not wanted:
        return {}
    kept = posted(history, plans, assignments, person, wanted[-1], known_at, rates, closes, frozen)
    return {s.period: s for s in stated(person, kept, known_at, wanted)}


def statement(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    person: str,
    month: Month,
    known_at: datetime | None = None,
    rates: Sequence[Rate] = (),
    closes: Sequence[Close] = (),
    frozen: Sequence[Line] | None = None,
) -> Statement:
    """A person's statement of one month."""
    return statements(history, plans, assignments, person, [month], known_at, rates, closes, frozen)[month]


def stated(person: str, kept: Posted, known_at: datetime | None, months: Sequence[Month]) -> Iterator[Statement]:
    """The statements of the months out of all lines of the person, with carry from month to month."""
    by_month: defaultdict[Month, list[Line]] = defaultdict(list)
    related: defaultdict[Month, list[Line]] = defaultdict(list)
    for line in kept.lines:
        by_month[line.period].append(line)
        if line.relates_to is not None:
            related[line.relates_to].append(line)
    wanted = set(months)
    carries: dict[str, _Carry] = {}
    for month in min([*by_month, *months]).through(months[-1]):
        lines = by_month[month]
        before = carries
        currencies = sorted({*kept.currencies, *carries, *(line.currency for line in lines)})
        held = [term for term in kept.terms if term.month == month]
        lines, totals, carries = _summed(person, month, lines, currencies, carries, held)
        if known_at is not None and kept.closed(month) and related[month]:
            all_known = [*by_month[month], *related[month]]
            frozen = [line for line in lines if line.kind == "guarantee"]
            lines, totals, _ = _summed(person, month, all_known, currencies, before, held, frozen)
        if month in wanted:
            yield Statement(
                person=person,
                period=month,
                known_at=known_at,
                lines=tuple(sorted(lines, key=reading_order)),
                totals=tuple(totals),
                related=tuple(sorted(related[month], key=reading_order)),
                waiting=kept.waiting,
            )


@dataclass(frozen=True, slots=True)
class _Carry:
    """Variable pay below zero, and the events it comes from."""

    amount: Decimal
    causes: tuple[str, ...]
    advances: Advances = field(default_factory=dict)


_NOTHING = _Carry(_ZERO, ())


def _summed(
    person: str,
    month: Month,
    lines: Sequence[Line],
    currencies: Sequence[str],
    carries: Mapping[str, _Carry],
    held: Sequence[Term],
    frozen: Sequence[Line] | None = None,
) -> tuple[list[Line], list[Totals], dict[str, _Carry]]:
    """The month's lines with their carry lines, the totals, and what is carried on.

    `frozen`: what was added by guarantees when the month was closed. It stays, whatever became known since.
    """
    all_lines, totals, after = list(lines), [], dict(carries)
    for currency in currencies:
        before = carries.get(currency, _NOTHING)
        result, after[currency] = _totals(lines, currency, before)
        all_lines += _carry_lines(person, month, currency, before, after[currency])
        mine = [term for term in held if term.currency == currency]
        left = max(result.variable + before.amount, _ZERO)
        added, advances = topped_up(person, month, currency, left, mine, before.advances)
        if frozen is not None:
            added = [line for line in frozen if line.currency == currency]
        after[currency] = replace(after[currency], advances=advances)
        all_lines += added
        totals.append(replace(result, guarantee=total(added)))
    return all_lines, totals, after


def _totals(lines: Sequence[Line], currency: str, before: _Carry) -> tuple[Totals, _Carry]:
    mine = [line for line in lines if line.currency == currency]
    sure = [line for line in mine if line.state == "earned"]
    variable = total(line for line in sure if not line.fixed)
    owed = min(variable + before.amount, _ZERO)
    result = Totals(
        currency=currency,
        fixed=total(line for line in sure if line.fixed),
        variable=variable,
        conditional=total(line for line in mine if line.state == "conditional"),
        carry_in=before.amount,
        carry_out=owed,
    )
    lowering = (event for line in sure if line.amount < 0 for event in line.causes)
    causes = tuple(dict.fromkeys([*before.causes, *lowering])) if owed else ()
    return result, _Carry(owed, causes)


def _carry_lines(person: str, month: Month, currency: str, before: _Carry, after: _Carry) -> Iterator[Line]:
    """What was owed comes in, what is still owed goes out: −x this month, +x the next."""
    for leg, amount, causes in (("in", before.amount, before.causes), ("out", -after.amount, after.causes)):
        if amount:
            yield Line(
                line_id=line_id(str(month), "carry", currency, 0, person, leg),
                person=person,
                period=month,
                kind="carry",
                amount=amount,
                currency=currency,
                state="earned",
                plan="",
                version=0,
                rule="carry",
                causes=causes,
                calc=Calc(exact=amount, note=f"carry {leg}"),
            )


def everybody(history: History, assignments: Iterable[Assignment]) -> list[str]:
    """Everybody who has a statement: who is named in a fact or assigned to a plan."""
    return sorted(history.people | {assignment.person for assignment in assignments})


def earnings(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    months: Sequence[Month],
    known_at: datetime | None = None,
    rates: Sequence[Rate] = (),
    closes: Sequence[Close] = (),
    frozen: Mapping[str, Sequence[Line]] | None = None,
) -> Mapping[str, dict[Month, Statement]]:
    """The statements of everybody for these months."""
    kept, of = frozen or {}, defaultdict[str, list[Assignment]](list)
    for one in assignments:
        of[one.person].append(one)
    return {
        person: statements(history, plans, of[person], person, months, known_at, rates, closes, kept.get(person))
        for person in everybody(history, assignments)
    }
