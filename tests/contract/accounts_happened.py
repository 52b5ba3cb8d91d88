"""conveyor.accounts.v1: what happened to an account and its sales before account management tells each sample."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from happened import Cases, Happened, by, client, journey, variant

from account_mgmt import account, sale
from account_mgmt.account import LeaveReason, MoveReason
from account_mgmt.account.words import RiskCause
from account_mgmt.offer import Offer, OfferReceived
from account_mgmt.papers.survey import Contact, Via
from account_mgmt.papers.survey.events import Answered, Invited
from account_mgmt.papers.survey.score import GroupGap, Result
from account_mgmt.papers.survey.state import Survey
from account_mgmt.sale.state import Paid, Refunded, SaleBook
from belt.core import handover
from conveyor_events import Envelope, accounts, surveys
from conveyor_events.words import Seat

SOMEBODY = Seat(person="ana", role="scout")
SECRET = "never told"


def offered(event: handover.Event, d: Any, t: Envelope) -> Happened:
    received = OfferReceived(
        at=t.occurred_at,
        offer_id=d.offer_id,
        client=client(t),
        journey=journey(t),
        variant=variant(t),
        line=d.line,
        deal_id="deal-1",
        team="berlin-farmers",
        sourced_by=SOMEBODY,
        converted_by=SOMEBODY,
        checklist=(),
    )
    return Happened("offer", event, Offer(received))


def kept(event: account.Event, d: Any, t: Envelope) -> Happened:
    stands = account.Account(client=client(t), journey=journey(t), variant=variant(t), line=d.line)
    return Happened("account", event, stands)


def seated(d: accounts.SeatAssigned, t: Envelope) -> Happened:
    return kept(account.SeatTaken(t.occurred_at, "offer-1", by(t), d.holder, d.since), d, t)


def moved(d: accounts.AccountReassigned, t: Envelope) -> Happened:
    reason = MoveReason(d.reason)
    return kept(account.AccountReassigned(t.occurred_at, t.actor, d.from_, d.to, reason, d.legacy_until), d, t)


def returned(d: accounts.CustomerReturned, t: Envelope) -> Happened:
    event = account.CustomerReturned(
        at=t.recorded_at,
        by=t.actor,
        since=t.occurred_at,
        sale_id=d.sale_id,
        after_days=d.after_days,
        journey=d.journey_id,
        variant=variant(t),
        again=True,
        served_by=d.served_by,
    )
    return kept(event, d, t)


def lapsed(d: accounts.CustomerLapsed, t: Envelope) -> Happened:
    return kept(account.CustomerLapsed(t.occurred_at, d.served_by, d.last_purchase_at, d.after_days), d, t)


def churned(d: accounts.CustomerChurned, t: Envelope) -> Happened:
    reason = LeaveReason(d.reason)
    return kept(account.CustomerChurned(t.occurred_at, client(t), by(t), d.served_by, reason, SECRET), d, t)


def book(d: Any, t: Envelope, **money: Any) -> SaleBook:
    tax = getattr(d, "tax", Decimal(0))
    recorded = sale.SaleRecorded(
        t.occurred_at, by(t), client(t), journey(t), variant(t), d.sale, tax, (), getattr(d, "legacy", None)
    )
    return SaleBook(recorded, **money)


def sold(d: accounts.RepeatSale, t: Envelope) -> Happened:
    whole = book(d, t)
    return Happened("sale", whole.recorded, whole)


def paid(d: accounts.PaymentReceived, t: Envelope) -> Happened:
    payments = (Paid(d.payment_id, t.occurred_at, d.paid_net_total),)
    event = sale.PaymentRecorded(t.occurred_at, by(t), d.payment_id, d.net, restores=False)
    return Happened("sale", event, book(d, t, payments=payments))


def refunded(d: accounts.PaymentRefunded, t: Envelope) -> Happened:
    refunds = (Refunded(d.refund_id, d.payment_id, d.refunded_net_total),)
    event = sale.RefundRecorded(t.occurred_at, by(t), d.refund_id, d.payment_id, d.payment_at, d.net, d.empties)
    return Happened("sale", event, book(d, t, refunds=refunds))


def answered(d: surveys.SurveyAnswered, t: Envelope) -> Happened:
    gaps = tuple(GroupGap(one.group, one.weight, one.gap) for one in d.gaps)
    result = Result(d.answered, d.total, gaps, d.recommend, tuple(d.alerts))
    invited = Invited(
        at=t.occurred_at,
        by=by(t),
        survey_id=d.survey_id,
        client=client(t),
        journey=journey(t),
        variant=variant(t),
        line=d.line,
        survey_version=d.survey_version,
        weights=(),
        contact=Contact(SECRET),
        via=Via.FORM,
        valid_until=t.occurred_at,
    )
    event = Answered(t.occurred_at, by(t), client(t), (), SECRET, result)
    return Happened("survey", event, Survey(invited=invited))


CASES: Cases = {
    accounts.AccountAccepted: lambda d, t: offered(handover.Accepted(t.occurred_at, by(t), d.served_by, d.mode), d, t),
    accounts.AccountRejected: lambda d, t: offered(
        handover.Rejected(t.occurred_at, d.rejected_by, d.reason, t.occurred_at), d, t
    ),
    accounts.AccountOfferExpired: lambda d, t: offered(handover.Expired(d.due_at, d.to), d, t),
    accounts.SeatAssigned: seated,
    accounts.RepeatSale: sold,
    accounts.PaymentReceived: paid,
    accounts.PaymentRefunded: refunded,
    accounts.CustomerBecameRegular: lambda d, t: kept(
        account.BecameRegular(t.recorded_at, t.actor, d.since, d.served_by, d.purchases), d, t
    ),
    accounts.AccountAtRiskFlagged: lambda d, t: kept(
        account.AccountAtRiskFlagged(t.occurred_at, RiskCause(d.reason), "complaint-1", d.served_by), d, t
    ),
    accounts.CustomerLapsed: lapsed,
    accounts.CustomerReturned: returned,
    accounts.CustomerChurned: churned,
    accounts.AccountReassigned: moved,
    surveys.SurveyAnswered: answered,
}
