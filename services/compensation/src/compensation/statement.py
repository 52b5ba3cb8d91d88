"""The statement: a pure fold of facts, plan versions and assignments into lines and totals.

Nothing is ever added to a counter: the same facts give the same statement, in any order and however often they come.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from compensation.earn import Waiting, earned
from compensation.history import History, Known
from compensation.line import Calc, Line, line_id, reading_order, total
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate
from compensation.post import posts
from conveyor_events.money import plain

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a statement in one currency. Carry is zero or negative: what variable pay is still owed back."""

    currency: str
    fixed: Decimal
    variable: Decimal
    conditional: Decimal
    carry_in: Decimal
    carry_out: Decimal

    @property
    def earned(self) -> Decimal:
        """Fixed and variable pay of the month, before carry."""
        return self.fixed + self.variable

    @property
    def payable(self) -> Decimal:
        """What is paid out: the sum of all lines that are earned, carry lines included."""
        return self.fixed + max(self.variable + self.carry_in, _ZERO)

    def to_json(self) -> dict[str, str]:
        names = ("fixed", "variable", "earned", "conditional", "carry_in", "carry_out", "payable")
        return {"currency": self.currency, **{name: plain(getattr(self, name)) for name in names}}


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
        return self.totals[0] if self.totals else Totals("XXX", _ZERO, _ZERO, _ZERO, _ZERO, _ZERO)

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


@dataclass(frozen=True, slots=True)
class Fold:
    """All lines of a person up to a month, without carry."""

    lines: tuple[Line, ...]
    waiting: tuple[Waiting, ...]
    currencies: frozenset[str] = frozenset()


def fold(
    known: Known, plans: Iterable[PlanVersion], assignments: Iterable[Assignment], person: str, through: Month
) -> Fold:
    """Everything a person earned and is entitled to up to and including the month."""
    lines: list[Line] = []
    waiting: dict[Waiting, None] = {}
    held = posts(known, plans, assignments, person)
    for post in held:
        for found in earned(post, known, through):
            if isinstance(found, Waiting):
                waiting[found] = None
            elif found.period <= through:
                lines.append(found)
    waiting.update(dict.fromkeys(_unsold(known, person)))
    return Fold(tuple(lines), tuple(waiting), frozenset(post.versions[0].currency for post in held))


def _unsold(known: Known, person: str) -> Iterator[Waiting]:
    """Money of sales that nobody has reported yet: each such fact waits for its sale."""
    for sale_id in known.history.sales_of.get(person, ()):
        if known.sale(sale_id) is None:
            for fact in known.money(sale_id):
                yield Waiting(fact.event_id, f"sale {sale_id} is not known")


def statements(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    person: str,
    months: Iterable[Month],
    known_at: datetime | None = None,
    rates: Iterable[Rate] = (),
) -> dict[Month, Statement]:
    """A person's statements of several months in one pass, as known at an instant (None: everything received)."""
    wanted = sorted(set(months))
    if not wanted:
        return {}
    folded = fold(Known(history, known_at, rates), plans, assignments, person, wanted[-1])
    return {s.period: s for s in stated(person, folded, known_at, wanted)}


def statement(
    history: History,
    plans: Sequence[PlanVersion],
    assignments: Sequence[Assignment],
    person: str,
    month: Month,
    known_at: datetime | None = None,
    rates: Iterable[Rate] = (),
) -> Statement:
    """A person's statement of one month."""
    return statements(history, plans, assignments, person, [month], known_at, rates)[month]


def stated(person: str, folded: Fold, known_at: datetime | None, months: Sequence[Month]) -> Iterator[Statement]:
    """The statements of the months out of all lines of the person, with carry from month to month."""
    by_month: defaultdict[Month, list[Line]] = defaultdict(list)
    related: defaultdict[Month, list[Line]] = defaultdict(list)
    for line in folded.lines:
        by_month[line.period].append(line)
        if line.relates_to is not None:
            related[line.relates_to].append(line)
    wanted = set(months)
    carries: dict[str, _Carry] = {}
    for month in min([*by_month, *months]).through(months[-1]):
        lines = by_month[month]
        totals = []
        for currency in sorted({*folded.currencies, *carries, *(line.currency for line in lines)}):
            before = carries.get(currency, _NOTHING)
            result, carry = _totals(lines, currency, before)
            lines = [*lines, *_carry_lines(person, month, currency, before, carry)]
            carries[currency] = carry
            totals.append(result)
        if month in wanted:
            yield Statement(
                person=person,
                period=month,
                known_at=known_at,
                lines=tuple(sorted(lines, key=reading_order)),
                totals=tuple(totals),
                related=tuple(sorted(related[month], key=reading_order)),
                waiting=folded.waiting,
            )


@dataclass(frozen=True, slots=True)
class _Carry:
    """Variable pay below zero, and the events it comes from."""

    amount: Decimal
    causes: tuple[str, ...]


_NOTHING = _Carry(_ZERO, ())


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
) -> Mapping[str, dict[Month, Statement]]:
    """The statements of everybody for these months."""
    return {
        person: statements(history, plans, assignments, person, months, known_at, rates)
        for person in everybody(history, assignments)
    }
