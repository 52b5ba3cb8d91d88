"""What is agreed with the client: priced lines, amounts, instalments, parts of the sale. Values and pure checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext

from belt.core.decider import Refused
from conveyor_events.money import MINOR_UNITS, fits, plain, round_half_up

NOTHING = Decimal(0)
HUNDRED = Decimal(100)
MOST = Decimal(10) ** 15
"""No sale is larger: an amount above it is a slip of the finger, and sums below it are exact."""

_EXACT = Context(prec=200)


@dataclass(frozen=True)
class Line:
    """One position of a proposal or a deal. The discount is in per cent."""

    sku: str
    qty: Decimal
    unit_price: Decimal
    discount_pct: Decimal = NOTHING

    def net(self, currency: str) -> Decimal:
        """Computed exactly, rounded once, half up."""
        with localcontext(_EXACT):
            return round_half_up(self.qty * self.unit_price * (HUNDRED - self.discount_pct) / HUNDRED, currency)


@dataclass(frozen=True)
class Instalment:
    """A part of the price, tax included, and the day it falls due."""

    due_on: date
    amount: Decimal


@dataclass(frozen=True)
class Part:
    """One person's part of the sale."""

    person: str
    role: str
    weight: Decimal


def amount(name: str, value: Decimal, currency: str, *, positive: bool = False) -> Decimal:
    """The amount to the last minor unit, if it can be paid in the currency and is not negative."""
    if currency not in MINOR_UNITS:
        raise Refused("money.unknown-currency", currency=currency)
    if not fits(value, currency):
        raise Refused("money.minor-units", field=name, amount=plain(value), digits=MINOR_UNITS[currency])
    if value < 0 or (positive and value == 0):
        raise Refused("money.not-positive" if positive else "money.negative", field=name, amount=plain(value))
    if value > MOST:
        raise Refused("money.too-large", field=name, amount=plain(value), most=plain(MOST))
    return round_half_up(value, currency)


def priced(lines: Sequence[Line], net: Decimal | None, currency: str) -> Decimal:
    """The net of what is offered: the sum of the lines, and the net as given where both are."""
    if net is None and not lines:
        raise Refused("terms.no-price")
    given = None if net is None else amount("net", net, currency)
    total = sum((_position(line, currency) for line in lines), NOTHING)
    if given is None:
        return amount("net", total, currency)
    if lines and total != given:
        raise Refused("terms.lines-do-not-add-up", net=plain(given), lines=plain(total))
    return given


def _position(line: Line, currency: str) -> Decimal:
    amount("unit_price", round_half_up(line.unit_price, currency) if currency in MINOR_UNITS else NOTHING, currency)
    if not 0 < line.qty <= MOST or not 0 <= line.discount_pct <= HUNDRED:
        raise Refused("terms.impossible-line", sku=line.sku)
    return amount("lines", line.net(currency), currency)


def largest_discount(lines: Sequence[Line]) -> Decimal:
    return max((line.discount_pct for line in lines), default=NOTHING)


def scheduled(schedule: Sequence[Instalment], net: Decimal, tax: Decimal, currency: str) -> tuple[Instalment, ...]:
    """A schedule, where one is agreed, pays the whole price: net and tax."""
    parts = tuple(
        Instalment(part.due_on, amount("payment_schedule", part.amount, currency, positive=True)) for part in schedule
    )
    total = sum((part.amount for part in parts), NOTHING)
    if parts and total != net + tax:
        raise Refused("terms.schedule-does-not-add-up", price=plain(net + tax), schedule=plain(total))
    return parts


def shared(parts: Sequence[Part], hunter: str) -> None:
    """Parts of a sale have weight, name different people, and the owner of the sale is among them."""
    if not parts:
        return
    people = [part.person for part in parts]
    if any(part.weight <= 0 for part in parts):
        raise Refused("terms.split-without-weight")
    if len(set(people)) != len(people):
        raise Refused("terms.split-names-twice")
    if hunter not in people:
        raise Refused("terms.split-without-owner", converted_by=hunter)
