"""Which events follow from a command on a deal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from belt.core.decider import Refused, Step
from belt.core.rotation import Rotation
from conversion.deal.account import Handed, again, first
from conversion.deal.commands import (
    ANSWERS,
    CANCEL_REASONS,
    CancelDeal,
    Command,
    HearAnswer,
    OfferAccount,
    OpenDeal,
    RecordPayment,
    RecordRefund,
)
from conversion.deal.events import (
    AccountAnswered,
    AccountOffered,
    DealCancelled,
    DealOpened,
    Event,
    PaymentReceived,
    PaymentRefunded,
)
from conversion.deal.routing import CATEGORY as ROUTING
from conversion.deal.routing import Count
from conversion.deal.state import Deal, Payment
from conversion.deal.terms import amount
from conversion.roster import HERE, READ, acting
from conveyor_events.money import plain
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def reads(_id: str, command: Command, deal: Deal) -> Sequence[tuple[str, str]]:
    line = command.line if isinstance(command, OpenDeal) else deal.sale.line if deal.sale else ""
    return (READ, (ROUTING, line)) if line else (READ,)


def decide(
    command: Command, deal: Deal, roster: Roster | None = None, rotation: Rotation | None = None
) -> Sequence[Event]:
    roster, rotation = roster or Roster(), rotation or Rotation()
    if isinstance(command, OpenDeal):
        return _open(command, deal, roster, rotation)
    if deal.sale is None:
        raise Refused("deal.unknown")
    match command:
        case RecordPayment():
            return _payment(command, deal, deal.sale, _seat(command, deal.sale, roster))
        case RecordRefund():
            return _refund(command, deal, deal.sale, _seat(command, deal.sale, roster))
        case CancelDeal():
            return _cancel(command, deal, deal.sale, roster)
        case OfferAccount():
            return [again(command, deal, deal.sale, roster, rotation)]
        case HearAnswer():
            return _answer(command, deal)
        case _:
            assert_never(command)


def follow(event: Event, deal: Deal) -> Iterable[Step]:
    """Whoever was picked first has had a turn."""
    if isinstance(event, AccountOffered) and event.to is not None and event.candidates and deal.sale is not None:
        yield Step(ROUTING, deal.sale.line, Count(event.at, event.to.person, event.candidates))


def _open(command: OpenDeal, deal: Deal, roster: Roster, rotation: Rotation) -> list[Event]:
    if deal.sale is not None:
        if deal.sale.opportunity == command.opportunity:
            return []
        raise Refused("deal.id-taken")
    sale = DealOpened(
        at=command.at,
        by=command.by,
        deal=command.deal,
        opportunity=command.opportunity,
        client=command.client,
        journey=command.journey,
        variant=command.variant,
        line=command.line,
        net=command.net,
        tax=command.tax,
        currency=command.currency,
        sourced_by=command.sourced_by,
        converted_by=command.converted_by,
        splits=command.splits,
        schedule=command.schedule,
    )
    return [sale, first(command.at, command.now, command.by, sale, roster, rotation, Handed.of(command))]


def _seat(command: RecordPayment | RecordRefund, sale: DealOpened, roster: Roster) -> Seat:
    """Money is recorded by who made the sale, alone or with others, by their team, or by a manager."""
    by, at = command.by, command.at
    for part in sale.splits:
        if part.person == by:
            return Seat(person=by, role=part.role)
    role = roster.role_at(sale.line, HERE, at)
    if role is not None and roster.works_at(by, sale.line, HERE, at):
        return Seat(person=by, role=role)
    seat = acting(roster, by, sale.converted_by, sale.line, at)
    if seat is None:
        raise Refused("deal.not-yours")
    return seat


def _payment(command: RecordPayment, deal: Deal, sale: DealOpened, by: Seat) -> list[Event]:
    _same_currency(command, sale)
    net = amount("net", command.net, sale.currency, positive=True)
    known = deal.payment(command.payment)
    if known is not None:
        if known.net == net:
            return []
        raise Refused("payment.id-taken")
    if deal.cancelled is not None:
        raise Refused("deal.cancelled")
    owed = sale.net - deal.paid + deal.refunded
    if net > owed:
        raise Refused("payment.exceeds-deal", owed=plain(owed), currency=sale.currency)
    return [PaymentReceived(command.at, by, command.payment, net, deal.paid + net)]


def _refund(command: RecordRefund, deal: Deal, sale: DealOpened, by: Seat) -> list[Event]:
    _same_currency(command, sale)
    net = amount("net", command.net, sale.currency, positive=True)
    known = deal.refund(command.refund)
    if known is not None:
        if known.net == net and command.payment in (None, *known.payments):
            return []
        raise Refused("refund.id-taken")
    events: list[Event] = []
    refunded, rest = deal.refunded, net
    for payment in _to_give_back(command, deal):
        part = min(rest, payment.left)
        refunded, rest = refunded + part, rest - part
        events.append(
            PaymentRefunded(
                at=command.at,
                by=by,
                refund=command.refund,
                payment=payment.payment,
                payment_at=payment.at,
                net=part,
                refunded=refunded,
                empties=refunded == deal.paid,
            )
        )
        if not rest:
            return events
    raise Refused("refund.exceeds-payments", left=plain(net - rest), currency=sale.currency)


def _cancel(command: CancelDeal, deal: Deal, sale: DealOpened, roster: Roster) -> list[Event]:
    by = acting(roster, command.by, sale.converted_by, sale.line, command.at)
    if by is None:
        raise Refused("deal.not-yours")
    if command.reason not in CANCEL_REASONS:
        raise Refused("reason-not-allowed", reason=command.reason, allowed=CANCEL_REASONS)
    if deal.cancelled is not None:
        if deal.cancelled.reason == command.reason:
            return []
        raise Refused("deal.cancelled")
    return [DealCancelled(command.at, by, command.reason)]


def _to_give_back(command: RecordRefund, deal: Deal) -> Iterable[Payment]:
    """The named payment, or those that came in by then and are not all given back, the oldest first."""
    if command.payment is None:
        return sorted((p for p in deal.payments if p.left and p.at <= command.at), key=lambda p: p.at)
    named = deal.payment(command.payment)
    if named is None:
        raise Refused("payment.unknown", payment_id=command.payment)
    if command.at < named.at:
        raise Refused("refund.before-payment", payment_at=named.at)
    return [named] if named.left else []


def _same_currency(command: RecordPayment | RecordRefund, sale: DealOpened) -> None:
    if command.currency != sale.currency:
        raise Refused("money.other-currency", currency=command.currency, deal=sale.currency)


def _answer(command: HearAnswer, deal: Deal) -> list[Event]:
    """Only an answer to the offer that stands counts; account management alone decides it."""
    account = deal.account
    if account is None or account.offer != command.offer or command.answer not in ANSWERS:
        return []
    if deal.answer is not None and deal.answer.answer == command.answer:
        return []
    return [AccountAnswered(command.at, command.offer, command.answer, command.by, command.reason)]
