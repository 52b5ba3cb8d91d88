"""The laws of pay, as pure functions over what the services answered. Each names what breaks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

ZERO = Decimal(0)


@dataclass(frozen=True)
class PayLine:
    """One line of a statement, as far as the laws speak of it."""

    line_id: str
    person: str
    period: str
    kind: str
    amount: Decimal
    state: str
    rule: str
    causes: tuple[str, ...]
    sale_id: str | None = None
    base: Decimal | None = None
    line: str | None = None
    relates_to: str | None = None

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Self:
        calc = shown["calc"]
        return cls(
            line_id=shown["line_id"],
            person=shown["person"],
            period=shown["period"],
            kind=shown["kind"],
            amount=Decimal(shown["amount"]),
            state=shown["state"],
            rule=f"{shown['plan']}/{shown['rule']}",
            causes=tuple(shown["causes"]),
            sale_id=shown.get("sale_id"),
            base=Decimal(calc["base"]) if "base" in calc and calc.get("note") != "legacy" else None,
            line=shown.get("line"),
            relates_to=shown.get("relates_to_period"),
        )


@dataclass(frozen=True)
class Statement:
    """One person's month: its lines and the sums the service states."""

    person: str
    period: str
    lines: tuple[PayLine, ...]
    payable: Decimal
    conditional: Decimal

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Self:
        return cls(
            person=shown["person"],
            period=shown["period"],
            lines=tuple(PayLine.of(line) for line in shown["lines"]),
            payable=sum((Decimal(totals["payable"]) for totals in shown["totals"]), ZERO),
            conditional=sum((Decimal(totals["conditional"]) for totals in shown["totals"]), ZERO),
        )


@dataclass(frozen=True)
class Sale:
    """A sale as the public events tell it."""

    sale_id: str
    net: Decimal
    paid: Decimal = ZERO
    refunded: Decimal = ZERO


@dataclass(frozen=True)
class Books:
    """Everything the laws look at."""

    statements: Sequence[Statement]
    events: frozenset[str]
    sales: Mapping[str, Sale]
    asked_again: Sequence[Statement] = field(default_factory=tuple)

    @property
    def lines(self) -> list[PayLine]:
        return [line for statement in self.statements for line in statement.lines]


def sales_of(events: Iterable[Mapping[str, Any]]) -> dict[str, Sale]:
    """Every sale with its money, summed from DealClosed, RepeatSale, PaymentReceived and PaymentRefunded."""
    net: dict[str, Decimal] = {}
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    refunded: defaultdict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        data = event.get("data") or {}
        match event["type"].rpartition(".")[2]:
            case "DealClosed" | "RepeatSale":
                net[data["sale"]["sale_id"]] = Decimal(data["sale"]["net"])
            case "PaymentReceived":
                paid[data["sale"]["sale_id"]] += Decimal(data["net"])
            case "PaymentRefunded":
                refunded[data["sale"]["sale_id"]] += Decimal(data["net"])
            case _:
                pass
    return {sale: Sale(sale, amount, paid[sale], refunded[sale]) for sale, amount in net.items()}


def lines_sum_to_the_total(books: Books) -> list[str]:
    """Σ lines = statement total: what is earned makes what is paid out, and what is conditional its own sum."""
    broken = []
    for statement in books.statements:
        for state, stated in (("earned", statement.payable), ("conditional", statement.conditional)):
            summed = sum((line.amount for line in statement.lines if line.state == state), ZERO)
            if summed != stated:
                broken.append(f"{statement.person} {statement.period}: {state} lines sum to {summed}, not {stated}")
    return broken


def every_cause_was_published(books: Books) -> list[str]:
    """A line names the events it comes from, and each of them stands in a service's feed.

    Fixed pay comes from no event but from the plan, which it must name.
    """
    broken = [
        f"line {line.line_id} of {line.person}: its cause {cause} was never published"
        for line in books.lines
        for cause in line.causes
        if cause not in books.events
    ]
    broken += [
        f"line {line.line_id} of {line.person} has no cause"
        for line in books.lines
        if not line.causes and not (line.kind == "fixed" and not line.rule.startswith("/"))
    ]
    return broken


def no_more_is_taken_back_than_was_earned(books: Books) -> list[str]:
    """Σ |clawback| ≤ Σ earned, for each sale, rule and payee."""
    earned: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    taken: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in books.lines:
        if line.sale_id is None or line.state != "earned":
            continue
        place = (line.sale_id, line.rule, line.person)
        if line.kind == "clawback":
            taken[place] -= line.amount
        else:
            earned[place] += line.amount
    return [
        f"sale {sale}, {rule}, {person}: {amount} taken back of {earned[sale, rule, person]}"
        for (sale, rule, person), amount in taken.items()
        if amount > earned[sale, rule, person]
    ]


def releases_of_a_paid_sale_make_its_commission(books: Books) -> list[str]:
    """Once a sale is paid in full, what was released for it is its commission to the cent."""
    granted: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    released: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in books.lines:
        if line.sale_id is None:
            continue
        place = (line.sale_id, line.rule, line.person)
        if line.kind == "commission" and line.state == "conditional":
            granted[place] += line.amount
        elif line.kind == "release":
            released[place] += line.amount
    broken = []
    for (sale, rule, person), commission in granted.items():
        known = books.sales.get(sale)
        if known is not None and known.paid == known.net and released[sale, rule, person] != commission:
            broken.append(f"sale {sale}, {rule}, {person}: {released[sale, rule, person]} released of {commission}")
    return broken


def credited_bases_make_the_sale(books: Books) -> list[str]:
    """The bases credited to all who share a sale add up to the sale's net."""
    credited: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in books.lines:
        if line.kind == "commission" and line.sale_id is not None and line.base is not None:
            credited[line.sale_id] += line.base
    return [
        f"sale {sale}: {base} credited of {books.sales[sale].net}"
        for sale, base in credited.items()
        if sale in books.sales and base != books.sales[sale].net
    ] + [f"sale {sale} was credited and never sold" for sale in credited if sale not in books.sales]


def asking_twice_gives_the_same(books: Books) -> list[str]:
    """A statement is a function of the facts: asked again, nothing has changed."""
    before = {(one.person, one.period): one for one in books.statements}
    after = {(one.person, one.period): one for one in books.asked_again}
    changed = [place for place, one in before.items() if after.get(place) != one]
    return [f"the statement of {person} for {period} changed" for person, period in changed]


def no_line_stands_twice(books: Books) -> list[str]:
    """A line's id follows from its cause, rule and payee, so no reason pays twice."""
    seen: set[str] = set()
    broken = []
    for line in books.lines:
        if line.line_id in seen:
            broken.append(f"line {line.line_id} of {line.person} stands twice")
        seen.add(line.line_id)
    return broken


LAWS = {
    "lines sum to the statement": lines_sum_to_the_total,
    "every cause was published": every_cause_was_published,
    "clawbacks stay within what was earned": no_more_is_taken_back_than_was_earned,
    "releases of a paid sale make its commission": releases_of_a_paid_sale_make_its_commission,
    "credited bases make the sale": credited_bases_make_the_sale,
    "asking twice gives the same": asking_twice_gives_the_same,
    "no line stands twice": no_line_stands_twice,
}


def check(books: Books) -> dict[str, list[str]]:
    """Every law by its name, with what breaks it."""
    return {name: law(books) for name, law in LAWS.items()}
