"""The stream of one payout run: the final statements of a month, handed to whoever transfers the money.

What is in the run never changes, so its file can be exported again and is the same to the byte. A statement is in one
run only: each is marked as paid in the commit that makes the run.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from belt.core.decider import Public, Refused, Step
from compensation.line import payable_text
from compensation.office import sheet
from conveyor_events.pay import Payable, PayoutExported

CATEGORY = "payout"
HEAD = ("run", "period", "person", "currency", "amount")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class PayoutRow:
    """What one statement pays in one currency."""

    person: str
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class Export:
    """`people`: everybody whose statement is in the run, with or without money in it."""

    run_id: str
    period: str
    people: tuple[str, ...]
    rows: tuple[PayoutRow, ...]
    by: str
    at: datetime


@dataclass(frozen=True)
class Exported:
    at: datetime
    run_id: str
    period: str
    people: tuple[str, ...]
    rows: tuple[PayoutRow, ...]
    by: str


EVENTS = (Exported,)


@dataclass(frozen=True)
class Payout:
    exported: Exported | None = None


def decide(command: Export, state: Payout) -> Sequence[Exported]:
    c = command
    if state.exported is not None:
        if state.exported.period != c.period:
            raise Refused("payout.id-taken", run_id=c.run_id)
        return []
    if not c.people:
        raise Refused("payout.nothing-to-pay", period=c.period)
    return [Exported(c.at, c.run_id, c.period, c.people, c.rows, c.by)]


def evolve(_state: Payout, event: Exported) -> Payout:
    return Payout(event)


def follow(event: Exported, _state: Payout) -> Iterator[Step]:
    for person in event.people:
        yield Step(sheet.CATEGORY, sheet.key(event.period, person), sheet.Pay(event.run_id, event.at))


def totals(rows: Iterable[PayoutRow]) -> dict[str, Decimal]:
    """The sum of each currency."""
    found: dict[str, Decimal] = {}
    for row in rows:
        found[row.currency] = found.get(row.currency, Decimal(0)) + row.amount
    return dict(sorted(found.items()))


def file(event: Exported) -> str:
    """The run as CSV (RFC 4180), one line a person and currency. The same run gives the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for row in event.rows:
        amount = payable_text(row.amount, row.currency)
        writer.writerow((*(harmless(cell) for cell in (event.run_id, event.period, row.person, row.currency)), amount))
    return out.getvalue()


def harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell


def digest(event: Exported) -> str:
    """SHA-256 of the file."""
    return hashlib.sha256(file(event).encode()).hexdigest()


def publish(event: Exported, _state: Payout) -> Sequence[Public]:
    told = PayoutExported(
        run=event.run_id,
        period=event.period,
        statements=len(event.people),
        totals=[Payable(currency=c, payable=amount) for c, amount in totals(event.rows).items()],
        digest=digest(event),
    )
    return [Public(told, event.at, event.run_id)]
