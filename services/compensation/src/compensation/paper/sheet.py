"""A statement as CSV (RFC 4180, UTF-8): a header, then one row a line in reading order.

A spreadsheet takes a text that begins like a formula for one. Such texts get an apostrophe in front; amounts are
numbers of our own making and stay as they are, negative ones too.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO

from compensation.line import Line, payable_text
from compensation.paper.rows import base, rates
from compensation.statement import Statement
from conveyor_events.money import plain
from conveyor_events.words import instant_text

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
COLUMNS = (
    "person", "period", "relates_to_period", "kind", "state", "plan", "version", "rule", "line", "client_id",
    "sale_id", "at", "base", "rates", "amount", "currency", "line_id", "causes",
)  # fmt: skip


def sheet(statement: Statement) -> str:
    """The statement's lines."""
    out = StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    rows.writerows(_row(line) for line in statement.lines)
    return out.getvalue()


def harmless(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.lstrip(" \xa0").startswith(_BEGINS_A_FORMULA) else text


def _row(line: Line) -> list[str]:
    of = base(line)
    cells: list[str | Decimal] = [
        line.person,
        str(line.period),
        str(line.relates_to) if line.relates_to else "",
        line.kind,
        line.state,
        line.plan,
        Decimal(line.version),
        line.rule,
        line.on_line or "",
        line.client_id or "",
        line.sale_id or "",
        instant_text(line.at) if line.at else "",
        of if of is not None else "",
        rates(line),
        Decimal(payable_text(line.amount, line.currency)),
        line.currency,
        str(line.line_id),
        " ".join(line.causes),
    ]
    return [_number(cell) if isinstance(cell, Decimal) else harmless(cell) for cell in cells]


def _number(amount: Decimal) -> str:
    return plain(amount)
