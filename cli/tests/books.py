"""A small correct set of books, to be broken in one place by each test of a law."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from conveyor.demo.laws import Books, PayLine, Sale, Statement

HIRED, CLOSED, PAID, REFUNDED = "e-hired", "e-closed", "e-paid", "e-refunded"


def line(line_id: str, kind: str, amount: str, **more: Any) -> PayLine:
    values: dict[str, Any] = {
        "line_id": line_id, "person": "boris", "period": "2026-03", "kind": kind, "amount": Decimal(amount),
        "state": "earned", "rule": "ref-hunter/H1", "causes": (CLOSED,), "sale_id": "sale-1",
    }  # fmt: skip
    return PayLine(**(values | more))


def statement(*lines: PayLine, person: str = "boris", period: str = "2026-03") -> Statement:
    sums = {
        state: sum((one.amount for one in lines if one.state == state), Decimal(0))
        for state in ("earned", "conditional")
    }
    return Statement(person, period, lines, sums["earned"], sums["conditional"])


def good() -> Books:
    """A sale of 10 000 at 6 %, paid in two parts, a fifth of it paid back."""
    march = statement(
        line("l-1", "fixed", "500.00", sale_id=None, causes=(HIRED,)),
        line("l-2", "commission", "600.00", state="conditional", base=Decimal("10000.00")),
        line("l-3", "release", "240.00", causes=(CLOSED, PAID)),
        line("l-4", "release", "360.00", causes=(CLOSED, PAID)),
        line("l-5", "clawback", "-120.00", causes=(REFUNDED,)),
    )
    sales = {"sale-1": Sale("sale-1", Decimal("10000.00"), Decimal("10000.00"), Decimal("2000.00"))}
    return Books([march], frozenset({HIRED, CLOSED, PAID, REFUNDED}), sales, [march])


def with_line(books: Books, changed: PayLine) -> Books:
    """The books with one line replaced (by its id) or added; the sums are made right again."""
    lines = [changed if one.line_id == changed.line_id else one for one in books.lines]
    if changed not in lines:
        lines.append(changed)
    march = statement(*lines)
    return replace(books, statements=[march], asked_again=[march])
