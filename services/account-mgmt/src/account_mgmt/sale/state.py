"""The state of a repeat sale, as its events make it: what was sold and where its money is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from functools import reduce
from typing import assert_never

from account_mgmt.sale.events import Event, PaymentRecorded, RefundRecorded, SaleRecorded
from belt.core.replacing import replace
from conveyor_events.money import round_half_up

EXACT = Context(prec=200)
ZERO = Decimal(0)


class Stage(StrEnum):
    """How far the money is."""

    NONE = "none"
    OPEN = "open"
    PART_PAID = "part_paid"
    PAID = "paid"
    REFUNDED = "refunded"  # everything that was paid went back: the sale counts for nothing


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return reduce(EXACT.add, amounts, ZERO)


def stage_of(net: Decimal, paid: Decimal, refunded: Decimal) -> Stage:
    """How far the money of a sale is."""
    if paid == refunded:
        return Stage.REFUNDED if paid else Stage.OPEN
    return Stage.PAID if EXACT.subtract(paid, refunded) >= net else Stage.PART_PAID


@dataclass(frozen=True)
class Paid:
    payment_id: str
    at: datetime
    net: Decimal
    refunded: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return EXACT.subtract(self.net, self.refunded)


@dataclass(frozen=True)
class Refunded:
    refund_id: str
    payment_id: str
    net: Decimal


@dataclass(frozen=True)
class SaleBook:
    """What was sold and where its money is."""

    recorded: SaleRecorded | None = None
    payments: tuple[Paid, ...] = ()
    refunds: tuple[Refunded, ...] = ()

    @property
    def paid(self) -> Decimal:
        return EXACT.add(self._nothing, total(payment.net for payment in self.payments))

    @property
    def refunded(self) -> Decimal:
        return EXACT.add(self._nothing, total(refund.net for refund in self.refunds))

    @property
    def _nothing(self) -> Decimal:
        """Zero, written with the currency's minor units."""
        return ZERO if self.recorded is None else round_half_up(ZERO, self.recorded.sale.currency)

    @property
    def left(self) -> Decimal:
        return EXACT.subtract(self.paid, self.refunded)

    @property
    def stage(self) -> Stage:
        return Stage.NONE if self.recorded is None else stage_of(self.recorded.sale.net, self.paid, self.refunded)


def evolve(state: SaleBook, event: Event) -> SaleBook:
    match event:
        case SaleRecorded():
            return replace(state, recorded=event)
        case PaymentRecorded(at=at, payment_id=payment_id, net=net):
            return replace(state, payments=(*state.payments, Paid(payment_id, at, net)))
        case RefundRecorded(refund_id=refund_id, payment_id=payment_id, net=net):
            payments = tuple(
                replace(paid, refunded=EXACT.add(paid.refunded, net)) if paid.payment_id == payment_id else paid
                for paid in state.payments
            )
            return replace(state, payments=payments, refunds=(*state.refunds, Refunded(refund_id, payment_id, net)))
        case _:
            assert_never(event)
