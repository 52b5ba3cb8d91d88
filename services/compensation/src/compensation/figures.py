"""What each person did and earned on a line: counts and values from the facts, pay from the statements. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from compensation.facts import Fact, Milestone, Paid, Refunded, Sale, Sold
from compensation.known import Known
from compensation.months import Month
from compensation.statement import Statement
from conveyor_events.money import plain, split

Sees = Callable[[str, datetime], bool]


@dataclass
class Figures:
    """One person's work. First sales count where they have a value; repeats where they were not refunded in full."""

    prospects: int = 0
    leads_accepted: int = 0
    deals_closed: int = 0
    first_sales: int = 0
    first_value: Decimal = Decimal(0)
    repeats: int = 0
    repeat_value: Decimal = Decimal(0)
    voids: int = 0
    earned: dict[str, Decimal] = field(default_factory=dict)

    def add(self, more: Figures) -> None:
        """Counts and values together; what was earned is not counted by facts."""
        self.prospects += more.prospects
        self.leads_accepted += more.leads_accepted
        self.deals_closed += more.deals_closed
        self.first_sales += more.first_sales
        self.first_value += more.first_value
        self.repeats += more.repeats
        self.repeat_value += more.repeat_value
        self.voids += more.voids

    def to_json(self) -> dict[str, Any]:
        return {
            "prospects": self.prospects,
            "leads_accepted": self.leads_accepted,
            "deals_closed": self.deals_closed,
            "first_sales": self.first_sales,
            "first_value": money(self.first_value),
            "repeats": self.repeats,
            "repeat_value": money(self.repeat_value),
            "voids": self.voids,
            "earned": {month: money(amount) for month, amount in sorted(self.earned.items()) if amount},
        }


def money(amount: Decimal) -> str:
    """At least two decimals, so that a column of amounts reads well."""
    return plain(amount if amount.as_tuple().exponent <= -2 else amount.quantize(Decimal("0.01")))  # type: ignore[operator]


def figures(
    known: Known,
    statements: Mapping[str, Mapping[Month, Statement]],
    line: str | None = None,
    sees: Sees | None = None,
) -> dict[str, Figures]:
    """By person, the house included: what is on the line (None: on all lines).

    `sees`: whose work of an instant counts for the reader; None is everybody's. Of a shared sale the own part alone
    counts, if others in it do not. Statements come as they may be seen.
    """
    found: defaultdict[str, Figures] = defaultdict(Figures)
    for fact in known.of(known.history.facts.values()):
        counted: defaultdict[str, Figures] = found if sees is None else defaultdict(Figures)
        _count(fact, known, line, counted, sees)
        if sees is not None:
            for person, done in counted.items():
                if sees(person, fact.occurred_at):
                    found[person].add(done)
    for person, months in statements.items():
        for month, statement in months.items():
            for entry in statement.lines:
                if entry.state == "earned" and entry.kind != "carry" and line in (None, entry.on_line):
                    mine = found[person].earned
                    mine[str(month)] = mine.get(str(month), Decimal(0)) + entry.amount
    return dict(sorted(found.items()))


def _worth(fact: Fact, sale: Sale, known: Known, person: str, sees: Sees | None) -> Decimal:
    """What a sale is worth; the whole of one that is shared would give away the others' parts."""
    parts = list(known.parts(fact))
    if sees is None or all(sees(earner, fact.occurred_at) for earner, _ in parts):
        return sale.net
    mine = [credit for earner, credit in parts if earner == person and credit.kind != "legacy"]
    return sum((split(sale.net, credit.weights, sale.currency)[credit.index] for credit in mine), Decimal(0))


def _count(fact: Fact, known: Known, line: str | None, found: defaultdict[str, Figures], sees: Sees | None) -> None:
    match fact.data:
        case Milestone(line=on, seats=seats) if line in (None, on):
            if fact.name == "ProspectRegistered":
                found[seats["sourced_by"].person].prospects += 1
            elif fact.name == "LeadAccepted":
                found[seats["sourced_by"].person].leads_accepted += 1
        case Sold(sale) if line in (None, sale.line):
            if sale.first:
                mine = found[sale.converted_by.person]
                mine.deals_closed += 1
                if sale.net:
                    mine.first_sales += 1
                    mine.first_value += _worth(fact, sale, known, sale.converted_by.person, sees)
                return
            seat = known.holder(fact.client_id or "", "served_by", sale.sold_at) or sale.served_by
            person = seat.person if seat is not None else "house"
            mine = found[person]
            if sale.net and _kept(known.money(sale.key)) <= 0 and _refunded(known.money(sale.key)):
                mine.voids += 1
            else:
                mine.repeats += 1
                mine.repeat_value += _worth(fact, sale, known, person, sees)
        case _:
            pass


def _kept(moved: Iterable[Fact]) -> Decimal:
    return sum(
        (fact.data.net if isinstance(fact.data, Paid) else -fact.data.net)
        for fact in moved
        if isinstance(fact.data, Paid | Refunded)
    ) or Decimal(0)


def _refunded(moved: Iterable[Fact]) -> bool:
    return any(isinstance(fact.data, Refunded) for fact in moved)
