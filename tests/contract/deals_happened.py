"""conveyor.deals.v1: what happened to a lead, an opportunity and a deal before conversion tells each sample."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from happened import Cases, Happened, by, client, journey, variant

from belt.core import handover
from conversion import deal, offer, opportunity
from conversion.deal.terms import Instalment, Part
from conveyor_events import Envelope, deals
from conveyor_events.words import Seat

SOMEBODY = Seat(person="ana", role="scout")
SECRET = "never told"


# --- the lead offer -------------------------------------------------------------------------------------------------


def lead(event: handover.Event, d: Any, t: Envelope) -> Happened:
    about = offer.Lead(
        offer=d.offer_id,
        client=client(t),
        journey=journey(t),
        variant=variant(t),
        line=d.line,
        need=d.need_id,
        attempt=getattr(d, "attempt", 1),
        sourced_by=getattr(d, "sourced_by", SOMEBODY),
        team="berlin-hunters",
        first_touch_due_at=None,
        credit_until=t.occurred_at,
    )
    moved = handover.Handover("offered", reroutes=getattr(d, "reroutes", 0))
    return Happened("offer", event, offer.LeadOffer(about, moved))


# --- the opportunity ------------------------------------------------------------------------------------------------


def opened(d: Any, t: Envelope) -> opportunity.OpportunityOpened:
    seats = getattr(d, "sale", d)
    hunter = getattr(seats, "converted_by", None) or t.actor or SOMEBODY
    return opportunity.OpportunityOpened(
        at=t.occurred_at,
        by=hunter,
        opportunity=d.opportunity_id,
        client=client(t),
        journey=journey(t),
        variant=variant(t),
        line=seats.line,
        needs=tuple(getattr(d, "need_ids", ())),
        sourced_by=getattr(seats, "sourced_by", SOMEBODY),
        converted_by=hunter,
    )


def chance(event: opportunity.Event, d: Any, t: Envelope) -> Happened:
    return Happened("opportunity", event, opportunity.Opportunity(opportunity.Stage.PROPOSED, opened(d, t)))


def meeting(d: deals.MeetingHeld, t: Envelope) -> Happened:
    held = opportunity.MeetingHeld(t.occurred_at, by(t), client(t), d.meeting_id, d.objective_met, (SECRET,), None)
    return chance(held, d, t)


def proposal(d: deals.ProposalSent, t: Envelope) -> Happened:
    money = d.net, d.tax, d.currency
    sent = opportunity.ProposalSent(t.occurred_at, by(t), d.proposal_id, d.revision, (), *money, d.valid_until)
    return chance(sent, d, t)


def closed(d: deals.DealClosed, t: Envelope) -> Happened:
    won = opportunity.DealClosed(
        at=t.occurred_at,
        now=t.occurred_at,
        by=by(t),
        deal=d.deal_id,
        net=d.sale.net,
        tax=d.tax,
        currency=d.sale.currency,
        lines=(),
        schedule=tuple(Instalment(part.due_on, part.amount) for part in d.payment_schedule),
        splits=tuple(Part(part.person, part.role, part.weight) for part in d.sale.splits),
        checklist=(),
    )
    return chance(won, d, t)


def refused(d: deals.DealRefused, t: Envelope) -> Happened:
    assert d.net is not None
    assert d.currency is not None
    event = opportunity.DealRefused(t.occurred_at, d.attempted_by, d.served_by, d.reason, d.net, d.currency)
    return chance(event, d, t)


# --- the deal -------------------------------------------------------------------------------------------------------


def money(event: deal.Event, d: Any, t: Envelope) -> Happened:
    sale = d.sale
    made = deal.DealOpened(
        at=sale.sold_at,
        by=sale.converted_by,
        deal=sale.sale_id,
        opportunity="opportunity-1",
        client=client(t),
        journey=journey(t),
        variant=variant(t),
        line=sale.line,
        net=sale.net,
        tax=Decimal("0.00"),
        currency=sale.currency,
        sourced_by=sale.sourced_by,
        converted_by=sale.converted_by,
        splits=tuple(Part(part.person, part.role, part.weight) for part in sale.splits),
        schedule=(),
    )
    return Happened("deal", event, deal.Deal(sale=made))


def refunded(d: deals.PaymentRefunded, t: Envelope) -> Happened:
    about = d.refund_id, d.payment_id, d.payment_at, d.net, d.refunded_net_total, d.empties
    return money(deal.PaymentRefunded(t.occurred_at, by(t), *about), d, t)


def account_offered(d: deals.AccountOffered, t: Envelope) -> Happened:
    mode: Literal["offer", "self"] = "self" if d.mode == "self" else "offer"
    checklist, promises = tuple(d.checklist), tuple(d.open_promises)
    made = deal.DealOpened(
        at=t.occurred_at,
        by=d.converted_by,
        deal=d.deal_id,
        opportunity="opportunity-1",
        client=client(t),
        journey=journey(t),
        variant=variant(t),
        line=d.line,
        net=Decimal("1.00"),
        tax=Decimal("0.00"),
        currency="EUR",
        sourced_by=d.sourced_by,
        converted_by=d.converted_by,
        splits=(),
        schedule=(),
    )
    event = deal.AccountOffered(
        t.occurred_at, by(t), d.offer_id, d.to, d.team, mode, d.attempt, d.accept_due_at, checklist, (), promises
    )
    return Happened("deal", event, deal.Deal(sale=made))


CASES: Cases = {
    deals.LeadAccepted: lambda d, t: lead(handover.Accepted(t.occurred_at, by(t), d.converted_by, d.mode), d, t),
    deals.LeadRejected: lambda d, t: lead(
        handover.Rejected(t.occurred_at, d.rejected_by, d.reason, t.occurred_at), d, t
    ),
    deals.LeadOfferExpired: lambda d, t: lead(handover.Expired(d.due_at, d.to), d, t),
    deals.LeadOfferRerouted: lambda d, t: lead(
        handover.Rerouted(t.occurred_at, d.to, d.reroutes, d.accept_due_at), d, t
    ),
    deals.LeadOfferEscalated: lambda d, t: lead(handover.Escalated(t.occurred_at, d.to), d, t),
    deals.RejectionDisputed: lambda d, t: lead(handover.Disputed(t.occurred_at, d.disputed_by), d, t),
    deals.RejectionUpheld: lambda d, t: lead(handover.Upheld(t.occurred_at, d.decided_by), d, t),
    deals.RejectionOverturned: lambda d, t: lead(handover.Overturned(t.occurred_at, d.decided_by), d, t),
    deals.FirstTouchMade: lambda d, t: chance(opportunity.FirstTouchMade(t.occurred_at, by(t), d.due_at), d, t),
    deals.FirstTouchMissed: lambda d, t: chance(opportunity.FirstTouchMissed(d.due_at, d.converted_by), d, t),
    deals.OpportunityOpened: lambda d, t: chance(opened(d, t), d, t),
    deals.MeetingHeld: meeting,
    deals.ProposalSent: proposal,
    deals.DealClosed: closed,
    deals.OpportunityLost: lambda d, t: chance(opportunity.OpportunityLost(t.occurred_at, by(t), d.reason), d, t),
    deals.OpportunityRecycled: lambda d, t: chance(
        opportunity.OpportunityRecycled(t.occurred_at, by(t), d.reason, d.not_before), d, t
    ),
    deals.PaymentReceived: lambda d, t: money(
        deal.PaymentReceived(t.occurred_at, by(t), d.payment_id, d.net, d.paid_net_total), d, t
    ),
    deals.PaymentRefunded: refunded,
    deals.DealCancelled: lambda d, t: money(deal.DealCancelled(t.occurred_at, by(t), d.reason), d, t),
    deals.DealRefused: refused,
    deals.AccountOffered: account_offered,
}
