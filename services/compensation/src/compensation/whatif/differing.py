"""Which lines differ: what a person would have got for the same reason, beside what they got."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from compensation.line import Line, payable_text, reading_order

Key = Callable[[Line], Hashable]


@dataclass(frozen=True, slots=True)
class Pair:
    """A line on both sides, or on one."""

    actual: Line | None
    simulated: Line | None

    @property
    def what(self) -> Literal["added", "removed", "changed"]:
        if self.actual is None:
            return "added"
        return "changed" if self.simulated is not None else "removed"

    def to_json(self) -> dict[str, Any]:
        line = self.simulated or self.actual
        if line is None:
            raise ValueError("a pair of no lines")
        had = self.actual.amount if self.actual else Decimal(0)
        gets = self.simulated.amount if self.simulated else Decimal(0)
        return {
            "what": self.what,
            "delta": payable_text(gets - had, line.currency),
            "currency": line.currency,
            "actual": self.actual.to_json() if self.actual else None,
            "simulated": self.simulated.to_json() if self.simulated else None,
        }


def _same_rule(line: Line) -> Hashable:
    return line.period, line.kind, line.currency, line.rule, line.sale_id, line.client_id, line.causes


def _same_cause(line: Line) -> Hashable:
    return line.period, line.kind, line.currency, line.sale_id, line.client_id, line.causes


def _same_client(line: Line) -> Hashable:
    return line.kind, line.currency, line.sale_id, line.client_id, line.rule if line.client_id is None else ""


def differing(actual: Iterable[Line], simulated: Iterable[Line]) -> list[Pair]:
    """Pairs of lines, first by rule and cause, then by cause, at last by client and sale; equal ones are left out."""
    had, gets = list(actual), list(simulated)
    pairs: list[Pair] = []
    for key in (_same_rule, _same_cause, _same_client):
        found, had, gets = _paired(had, gets, key)
        pairs += found
    pairs += [Pair(line, None) for line in had] + [Pair(None, line) for line in gets]
    return sorted((pair for pair in pairs if not _equal(pair)), key=_order)


def _paired(had: Iterable[Line], gets: Iterable[Line], key: Key) -> tuple[list[Pair], list[Line], list[Line]]:
    waiting: defaultdict[Hashable, list[Line]] = defaultdict(list)
    for line in gets:
        waiting[key(line)].append(line)
    pairs, alone = [], []
    for line in had:
        others = waiting[key(line)]
        if others:
            pairs.append(Pair(line, others.pop(0)))
        else:
            alone.append(line)
    return pairs, alone, [line for others in waiting.values() for line in others]


def _equal(pair: Pair) -> bool:
    a, b = pair.actual, pair.simulated
    return a is not None and b is not None and (a.amount, a.state, a.period) == (b.amount, b.state, b.period)


def _order(pair: Pair) -> tuple[Any, ...]:
    line = pair.simulated or pair.actual
    return (line.period, *reading_order(line)) if line is not None else ()
