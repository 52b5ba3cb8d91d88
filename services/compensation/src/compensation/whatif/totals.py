"""A person's totals without their statements: amounts are summed as the fold gives them, and no line is kept."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from compensation.earn import Waiting, adjustments, earned
from compensation.guarantee import Term, terms, topped_up
from compensation.known import Known
from compensation.line import payable_text, total
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion
from compensation.post import posts

_ZERO = Decimal(0)
NAMES = ("fixed", "variable", "conditional", "payable")


@dataclass(frozen=True, slots=True)
class Sums:
    """What a person gets in one currency; `payable` is after what is owed from month to month."""

    fixed: Decimal = _ZERO
    variable: Decimal = _ZERO
    conditional: Decimal = _ZERO
    payable: Decimal = _ZERO

    def __add__(self, other: Self) -> "Sums":
        return Sums(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    def __sub__(self, other: Self) -> "Sums":
        return Sums(*(getattr(self, name) - getattr(other, name) for name in NAMES))

    def to_json(self, currency: str) -> dict[str, str]:
        return {name: payable_text(getattr(self, name), currency) for name in NAMES}


@dataclass(frozen=True, slots=True)
class Folded:
    """By (month, currency), and how many facts wait for something."""

    months: dict[tuple[Month, str], Sums]
    waiting: int

    def by_currency(self) -> dict[str, Sums]:
        """All months together."""
        found: defaultdict[str, Sums] = defaultdict(Sums)
        for (_, currency), sums in sorted(self.months.items()):
            found[currency] = found[currency] + sums
        return dict(found)


def sums(
    known: Known,
    plans: Iterable[PlanVersion],
    assignments: Iterable[Assignment],
    person: str,
    months: Sequence[Month],
) -> Folded:
    """The same totals as the person's statements of these months, in order and without a gap, have."""
    amounts: dict[tuple[Month, str], list[Decimal]] = {}
    waiting: set[str] = set()
    currencies = set()
    for post in posts(known, plans, assignments, person):
        currencies.add(post.versions[0].currency)
        for found in earned(post, known, months[-1]):
            if isinstance(found, Waiting):
                waiting.add(found.event_id)
                continue
            key = found.period, found.currency
            into = amounts.get(key)
            if into is None:
                into = amounts[key] = [_ZERO, _ZERO, _ZERO]
            into[2 if found.state != "earned" else 0 if found.fixed else 1] += found.amount
    for line in adjustments(person, known):
        amounts.setdefault((line.period, line.currency), [_ZERO, _ZERO, _ZERO])[1] += line.amount
    currencies |= {currency for _, currency in amounts}
    held = list(terms(known, list(plans), assignments, person, months[-1]))
    return Folded(dict(_carried(person, amounts, months, sorted(currencies), held)), len(waiting))


def _carried(
    person: str,
    amounts: dict[tuple[Month, str], list[Decimal]],
    months: Sequence[Month],
    currencies: Sequence[str],
    held: Sequence[Term],
) -> Iterable[tuple[tuple[Month, str], Sums]]:
    """What variable pay is below zero is owed in the next month; what is guaranteed is added, or comes back."""
    begins = min([month for month, _ in amounts] + [term.month for term in held] + [months[0]])
    for currency in currencies:
        owed, advances = _ZERO, dict[tuple[str, str, str], tuple[Term, Decimal]]()
        for month in begins.through(months[-1]):
            fixed, variable, conditional = amounts.get((month, currency), (_ZERO, _ZERO, _ZERO))
            left = variable + owed
            mine = [term for term in held if (term.month, term.currency) == (month, currency)]
            added, advances = topped_up(person, month, currency, max(left, _ZERO), mine, advances)
            if month >= months[0]:
                yield (month, currency), Sums(fixed, variable, conditional, fixed + max(left, _ZERO) + total(added))
            owed = min(left, _ZERO)
