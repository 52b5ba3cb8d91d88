"""The deal as its events make it: the sale, the payments and what is left of each, and where the account stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from belt.core.replacing import replace
from conversion.deal.events import (
    AccountAnswered,
    AccountOffered,
    DealCancelled,
    DealOpened,
    Event,
    PaymentReceived,
    PaymentRefunded,
)
from conversion.deal.terms import NOTHING
from conveyor_events.money import round_half_up


@dataclass(frozen=True)
class Payment:
    """A payment and how much of it went back."""

    payment: str
    at: datetime
    net: Decimal
    refunded: Decimal = NOTHING

    @property
    def left(self) -> Decimal:
        return self.net - self.refunded


@dataclass(frozen=True)
class Refund:
    """A refund over all the payments it gave back."""

    refund: str
    net: Decimal
    payments: tuple[str, ...]


@dataclass(frozen=True)
class Deal:
    """`sale` is None while there is no deal."""

    sale: DealOpened | None = None
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    account: AccountOffered | None = None
    answer: AccountAnswered | None = None
    cancelled: DealCancelled | None = None

    @property
    def stage(self) -> str:
        return "won" if self.sale else "none"

    @property
    def account_stage(self) -> str:
        """Where the buyer stands on its way to account management."""
        if self.answer is not None:
            return self.answer.answer
        return "offered" if self.account else "none"

    @property
    def paid(self) -> Decimal:
        return sum((payment.net for payment in self.payments), self._nothing)

    @property
    def refunded(self) -> Decimal:
        return sum((payment.refunded for payment in self.payments), self._nothing)

    @property
    def _nothing(self) -> Decimal:
        return round_half_up(NOTHING, self.sale.currency) if self.sale else NOTHING

    def payment(self, name: str) -> Payment | None:
        return next((payment for payment in self.payments if payment.payment == name), None)

    def refund(self, name: str) -> Refund | None:
        return next((refund for refund in self.refunds if refund.refund == name), None)


NEW = Deal()


def evolve(deal: Deal, event: Event) -> Deal:
    match event:
        case DealOpened():
            return replace(deal, sale=event)
        case PaymentReceived(at=at, payment=payment, net=net):
            return replace(deal, payments=(*deal.payments, Payment(payment, at, net)))
        case PaymentRefunded():
            payments = tuple(
                replace(one, refunded=one.refunded + event.net) if one.payment == event.payment else one
                for one in deal.payments
            )
            return replace(deal, payments=payments, refunds=_refunds(deal, event))
        case DealCancelled():
            return replace(deal, cancelled=event)
        case AccountOffered():
            return replace(deal, account=event, answer=None)
        case AccountAnswered():
            return replace(deal, answer=event)
        case _:
            assert_never(event)


def _refunds(deal: Deal, event: PaymentRefunded) -> tuple[Refund, ...]:
    known = deal.refund(event.refund) or Refund(event.refund, NOTHING, ())
    grown = replace(known, net=known.net + event.net, payments=(*known.payments, event.payment))
    return (*(one for one in deal.refunds if one.refund != event.refund), grown)
