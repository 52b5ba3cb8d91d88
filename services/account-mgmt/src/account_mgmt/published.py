"""What the outside is told of what happens here. The only place where inside meets outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from account_mgmt.account import (
    Account,
    AccountAtRiskFlagged,
    AccountReassigned,
    BecameRegular,
    CustomerChurned,
    CustomerLapsed,
    CustomerReturned,
    SeatTaken,
)
from account_mgmt.account import Event as AccountEvent
from account_mgmt.offer import Event as OfferEvent
from account_mgmt.offer import Offer, OfferReceived
from account_mgmt.sale import Event as SaleEvent
from account_mgmt.sale import PaymentRecorded, RefundRecorded, SaleBook, SaleRecorded
from belt.core import handover
from belt.core.decider import Public
from conveyor_events import accounts
from conveyor_events.words import Event, Seat


def offer(event: OfferEvent, state: Offer) -> Sequence[Public]:
    about = state.received
    if about is None:
        return ()

    def tell(data: Event, actor: Seat | None) -> Sequence[Public]:
        return [_public(data, event.at, actor, about)]

    match event:
        case handover.Accepted(by=by, to=to, mode=mode):
            taken = accounts.AccountAccepted(line=about.line, offer_id=about.offer_id, served_by=to, mode=mode)
            return tell(taken, by)
        case handover.Rejected(by=by, reason=reason):
            refused = accounts.AccountRejected(line=about.line, offer_id=about.offer_id, rejected_by=by, reason=reason)
            return tell(refused, by)
        case handover.Expired(at=at, to=to):
            silent = accounts.AccountOfferExpired(line=about.line, offer_id=about.offer_id, to=to, due_at=at)
            return tell(silent, None)
        case _:
            return ()


def account(event: AccountEvent, state: Account) -> Sequence[Public]:
    match event:
        case SeatTaken(at=at, by=by, holder=holder, since=since):
            assigned = accounts.SeatAssigned(line=state.line, seat="served_by", holder=holder, since=since)
            return [_public(assigned, at, by, state)]
        case BecameRegular(by=by, since=since, served_by=served_by, purchases=purchases):
            regular = accounts.CustomerBecameRegular(
                line=state.line, served_by=served_by, purchases=purchases, since=since
            )
            return [_public(regular, since, by, state)]
        case AccountReassigned(at=at, by=by, before=before, holder=holder):
            moved = accounts.AccountReassigned(
                line=state.line, from_=before, to=holder, reason=event.reason, legacy_until=event.legacy_until
            )
            assigned = accounts.SeatAssigned(line=state.line, seat="served_by", holder=holder, since=at)
            return [_public(moved, at, by, state), _public(assigned, at, by, state)]
        case AccountAtRiskFlagged(at=at, cause=cause, served_by=served_by):
            flagged = accounts.AccountAtRiskFlagged(line=state.line, served_by=served_by, reason=cause)
            return [_public(flagged, at, None, state)]
        case CustomerLapsed(at=at, served_by=served_by):
            lapsed = accounts.CustomerLapsed(
                line=state.line,
                served_by=served_by,
                last_purchase_at=event.last_purchase_at,
                after_days=event.after_days,
            )
            return [_public(lapsed, at, None, state)]
        case CustomerReturned(by=by, since=since):
            returned = accounts.CustomerReturned(
                line=state.line,
                served_by=event.served_by,
                sale_id=event.sale_id,
                after_days=event.after_days,
                journey_id=event.journey,
            )
            return [_public(returned, since, by, state)]
        case CustomerChurned(at=at, by=by, served_by=served_by, reason=reason):
            churned = accounts.CustomerChurned(line=state.line, served_by=served_by, reason=reason)
            return [_public(churned, at, by, state)]
        case _:
            return ()  # purchases and money are told by the sale; contacts and complaints stay inside


def sale(event: SaleEvent, book: SaleBook) -> Sequence[Public]:
    """A sale happens when it is made, even if it is written down later; money happens when it moves."""
    about = book.recorded
    if about is None:
        return ()
    sold, currency = about.sale, about.sale.currency
    match event:
        case SaleRecorded(by=by, tax=tax):
            told = accounts.RepeatSale(sale=sold, tax=tax, legacy=about.legacy)
            return [_public(told, sold.sold_at, by, about)]
        case PaymentRecorded(at=at, by=by, payment_id=payment_id, net=net):
            received = accounts.PaymentReceived(
                payment_id=payment_id,
                sale=sold,
                net=net,
                currency=currency,
                paid_net_total=book.paid,
                legacy=about.legacy,
            )
            return [_public(received, at, by, about)]
        case RefundRecorded(at=at, by=by):
            refunded = accounts.PaymentRefunded(
                refund_id=event.refund_id,
                payment_id=event.payment_id,
                payment_at=event.payment_at,
                sale=sold,
                net=event.net,
                currency=currency,
                refunded_net_total=book.refunded,
                empties=event.empties,
                legacy=about.legacy,
            )
            return [_public(refunded, at, by, about)]
        case _:
            assert_never(event)


def _public(data: Event, at: datetime, actor: Seat | None, about: OfferReceived | Account | SaleRecorded) -> Public:
    """On the client's history, on its journey."""
    return Public(
        data,
        at,
        subject=about.client,
        actor=actor,
        client_id=about.client,
        journey_id=about.journey,
        variant=about.variant,
    )
