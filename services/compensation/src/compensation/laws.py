"""What holds for any history. Every broken law is named, with the line or sale it is broken by."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from compensation.facts import Cancelled, Left, Paid, Refunded, Sold, sale_key
from compensation.history import History
from compensation.known import Known
from compensation.line import Line, total
from compensation.statement import Statement

_ZERO = Decimal(0)


def broken(history: History, statements: Iterable[Statement]) -> list[str]:
    """The laws that all statements of all people and months, taken together, break."""
    known = list(statements)
    lines = [line for statement in known for line in statement.lines]
    return [
        *(law for statement in known for law in _sums(statement)),
        *_causes(history, lines),
        *_no_id_twice(lines),
        *_clawbacks(history, lines),
        *_releases(history, lines),
        *_bases(history, lines),
        *_parts(history, lines),
    ]


def _sums(statement: Statement) -> Iterator[str]:
    for totals in statement.totals:
        mine = [line for line in statement.lines if line.currency == totals.currency]
        for state, expected in (("earned", totals.payable), ("conditional", totals.conditional)):
            found = total(line for line in mine if line.state == state)
            if found != expected:
                yield f"{statement.person} {statement.period}: {state} lines sum to {found}, the total says {expected}"


def _causes(history: History, lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        for event in line.causes:
            if event not in history.facts:
                yield f"line {line.line_id}: its cause {event} was never received"


def _no_id_twice(lines: Iterable[Line]) -> Iterator[str]:
    seen = set()
    for line in lines:
        if line.line_id in seen:
            yield f"line {line.line_id} of {line.person} in {line.period} exists twice"
        seen.add(line.line_id)


def _sale(history: History, line: Line) -> str:
    """What the line's sale is filed under. Where a first and a repeat sale have one id, the causes say which it is."""
    for cause in line.causes:
        data = history.facts[cause].data if cause in history.facts else None
        if isinstance(data, Sold | Paid | Refunded | Cancelled) and data.sale.sale_id == line.sale_id:
            return data.sale.key
    keys = [sale_key(line.sale_id or "", first=first) for first in (True, False)]
    return next((key for key in keys if key in history.sales), keys[0])


def _by_sale(history: History, lines: Iterable[Line]) -> dict[tuple[str, str, str, str], list[Line]]:
    found: defaultdict[tuple[str, str, str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.sale_id is not None:
            found[_sale(history, line), line.plan, line.rule, line.person].append(line)
    return found


def _clawbacks(history: History, lines: Iterable[Line]) -> Iterator[str]:
    for key, mine in _by_sale(history, lines).items():
        taken = -total(line for line in mine if line.kind == "clawback")
        given = total(line for line in mine if line.kind != "clawback" and line.state == "earned")
        if taken > given:
            yield f"{' '.join(key)}: {taken} was taken back of {given} earned"


def _releases(history: History, lines: Iterable[Line]) -> Iterator[str]:
    """Releases never exceed the commission, and reach it exactly when a sale without refunds is fully paid.

    While a conflict over the sale is open nothing is released, and what a closed month had released is taken back.
    """
    now = Known(history)
    for key, mine in _by_sale(history, lines).items():
        entitled = [line for line in mine if line.state == "conditional"]
        at_sale = any(line.state == "earned" and "commission" in (line.kind, line.calc.note) for line in mine)
        if not entitled or at_sale:
            continue
        kept = total(line for line in mine if line.state == "earned")
        if kept > total(entitled):
            yield f"{' '.join(key)}: {kept} was released of a commission of {total(entitled)}"
        # What is forfeited in a month that was closed before leaves no line: there is nothing to correct.
        left = any(isinstance(fact.data, Left) for fact in history.staff.get(key[3], ()))
        forfeited = left or any(line.calc.note == "forfeited" for line in mine)
        waits = forfeited or now.contested(key[0]) is not None
        if _fully_paid(history, key[0]) and not waits and kept != total(entitled):
            yield f"{' '.join(key)}: fully paid, but {kept} was released of {total(entitled)}"


def _fully_paid(history: History, key: str) -> bool:
    file = history.sales[key]
    if any(isinstance(fact.data, Refunded) for fact in file.money):
        return False
    made = file.made[0].data if file.made else None
    paid = sum((fact.data.net for fact in file.money if isinstance(fact.data, Paid)), _ZERO)
    return isinstance(made, Sold) and paid >= made.sale.net > 0


def _bases(history: History, lines: Iterable[Line]) -> Iterator[str]:
    """The parts of a sale never sum to more than the sale. What a legacy pays is beside them."""
    credited: defaultdict[tuple[str, str], dict[tuple[str, Decimal | None], Decimal]] = defaultdict(dict)
    whole: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        if line.calc.note == "legacy":
            continue
        if line.kind == "commission" and line.sale_id and line.calc.base is not None and line.calc.of_base is not None:
            key = _sale(history, line), line.currency
            credited[key][line.person, line.calc.weight] = line.calc.base
            whole[key] = line.calc.of_base
    for key, parts in credited.items():
        if sum(parts.values(), _ZERO) > whole[key]:
            yield f"sale {key[0]}: parts of {sum(parts.values(), _ZERO)} are credited of a base of {whole[key]}"


def _parts(history: History, lines: Iterable[Line]) -> Iterator[str]:
    """A person's part of a sale is credited once: not by two plans, nor by two assignments to one.

    The rules of one plan may all look at the same part, and a legacy is paid beside it.
    """
    credited: defaultdict[tuple[str, str, Decimal | None], Counter[tuple[str, str]]] = defaultdict(Counter)
    for line in lines:
        if line.kind == "commission" and line.sale_id and line.calc.base is not None and line.calc.note != "legacy":
            credited[_sale(history, line), line.person, line.calc.weight][line.plan, line.rule] += 1
    for (sale, person, _), by_rule in credited.items():
        plans = {plan: max(n for (of, _), n in by_rule.items() if of == plan) for plan, _ in by_rule}
        if sum(plans.values()) > 1:
            told = ", ".join(f"{plan} ({times})" for plan, times in sorted(plans.items()))
            yield f"sale {sale}: the part of {person} is credited more than once, by {told}"
