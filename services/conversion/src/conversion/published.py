"""What the outside is told: private events -> public events. The only place where inside meets outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from belt.core import handover
from belt.core.decider import Public
from conversion import deal, offer, opportunity
from conveyor_events import Event, deals
from conveyor_events.sale import Sale, SplitPart
from conveyor_events.words import Seat

# --- the lead offer -------------------------------------------------------------------------------------------------


def of_offer(event: offer.Event, state: offer.LeadOffer) -> Sequence[Public]:
    lead = state.lead
    if lead is None:
        return ()

    def told(data: Event, actor: Seat | None = None) -> Sequence[Public]:
        return (_public(data, event.at, actor, lead.client, lead.journey, lead.variant),)

    about = {"line": lead.line, "offer_id": lead.offer, "need_id": lead.need}
    sourced = about | {"attempt": lead.attempt, "sourced_by": lead.sourced_by}
    match event:
        case handover.Accepted():
            accepted = {"converted_by": event.to, "mode": event.mode, "reroutes": state.handover.reroutes}
            return told(deals.LeadAccepted.model_validate(sourced | accepted), event.by)
        case handover.Rejected():
            rejected = {"rejected_by": event.by, "reason": event.reason}
            return told(deals.LeadRejected.model_validate(sourced | rejected), event.by)
        case handover.Expired():
            return told(deals.LeadOfferExpired.model_validate(sourced | {"to": event.to, "due_at": event.at}))
        case handover.Rerouted():
            moved = {"to": event.to, "reroutes": event.reroutes, "accept_due_at": event.due_at}
            return told(deals.LeadOfferRerouted.model_validate(about | moved))
        case handover.Disputed():
            return told(deals.RejectionDisputed.model_validate(sourced | {"disputed_by": event.by}), event.by)
        case handover.Upheld():
            return told(deals.RejectionUpheld.model_validate(sourced | {"decided_by": event.by}), event.by)
        case handover.Overturned():
            return told(deals.RejectionOverturned.model_validate(sourced | {"decided_by": event.by}), event.by)
        case handover.Escalated():
            return told(deals.LeadOfferEscalated.model_validate(about | {"to": event.to}))
        case _:
            return ()


# --- the opportunity ------------------------------------------------------------------------------------------------


def of_opportunity(event: opportunity.Event, state: opportunity.Opportunity) -> Sequence[Public]:
    opened = state.opened
    data = _about_opportunity(event, opened) if opened else None
    if opened is None or data is None:
        return ()
    by = None if isinstance(event, opportunity.OpportunityStalled | opportunity.FirstTouchMissed) else event.by
    migrated = event.variant if isinstance(event, opportunity.DealClosed) else None
    return (_public(data, event.at, by, opened.client, opened.journey, migrated or opened.variant),)


def _about_opportunity(event: opportunity.Event, opened: opportunity.OpportunityOpened) -> Event | None:
    line, name = opened.line, opened.opportunity
    match event:
        case opportunity.OpportunityOpened():
            return deals.OpportunityOpened(
                line=line,
                opportunity_id=name,
                need_ids=list(event.needs),
                sourced_by=event.sourced_by,
                converted_by=event.converted_by,
            )
        case opportunity.MeetingHeld():
            return deals.MeetingHeld(
                line=line,
                opportunity_id=name,
                meeting_id=event.meeting,
                objective_met=event.objective_met,
                converted_by=opened.converted_by,
            )
        case opportunity.ProposalSent():
            return deals.ProposalSent(
                line=line,
                opportunity_id=name,
                proposal_id=event.proposal,
                revision=event.revision,
                net=event.net,
                tax=event.tax,
                currency=event.currency,
                valid_until=event.valid_until,
            )
        case opportunity.DealClosed():
            return deals.DealClosed(
                sale=_sale(opened, event),
                deal_id=event.deal,
                opportunity_id=name,
                tax=event.tax,
                payment_schedule=[deals.Instalment(due_on=part.due_on, amount=part.amount) for part in event.schedule],
            )
        case opportunity.DealRefused():
            return deals.DealRefused(
                line=line,
                opportunity_id=name,
                attempted_by=event.by,
                served_by=event.served_by,
                reason=event.reason,
                net=event.net,
                currency=event.currency,
            )
        case opportunity.OpportunityLost():
            return deals.OpportunityLost(line=line, opportunity_id=name, reason=event.reason)
        case opportunity.FirstTouchMade():
            return deals.FirstTouchMade(
                line=line, opportunity_id=name, converted_by=opened.converted_by, due_at=event.due_at
            )
        case opportunity.FirstTouchMissed():
            return deals.FirstTouchMissed(
                line=line, opportunity_id=name, converted_by=opened.converted_by, due_at=event.at
            )
        case opportunity.OpportunityRecycled():
            return deals.OpportunityRecycled(
                line=line,
                opportunity_id=name,
                reason=event.reason,
                not_before=event.not_before,
                sourced_by=opened.sourced_by,
                converted_by=opened.converted_by,
                others_open=event.others_open,
            )
        case _:
            return None  # how the hunter works is the station's own


# --- the deal -------------------------------------------------------------------------------------------------------


def of_deal(event: deal.Event, state: deal.Deal) -> Sequence[Public]:
    sale = state.sale
    data = _about_deal(event, sale) if sale else None
    if sale is None or data is None:
        return ()
    return (_public(data, event.at, event.by, sale.client, sale.journey, sale.variant),)


def _about_deal(event: deal.Event, sale: deal.DealOpened) -> Event | None:
    match event:
        case deal.PaymentReceived():
            return deals.PaymentReceived(
                payment_id=event.payment,
                sale=_sale(sale, sale),
                net=event.net,
                currency=sale.currency,
                paid_net_total=event.paid,
            )
        case deal.PaymentRefunded():
            return deals.PaymentRefunded(
                refund_id=event.refund,
                payment_id=event.payment,
                payment_at=event.payment_at,
                sale=_sale(sale, sale),
                net=event.net,
                currency=sale.currency,
                refunded_net_total=event.refunded,
                empties=event.empties,
            )
        case deal.DealCancelled():
            return deals.DealCancelled(sale=_sale(sale, sale), deal_id=sale.deal, reason=event.reason)
        case deal.AccountOffered():
            return deals.AccountOffered(
                line=sale.line,
                offer_id=event.offer,
                deal_id=sale.deal,
                to=event.to,
                team=event.team,
                mode=event.mode,
                attempt=event.attempt,
                accept_due_at=event.due_at,
                sourced_by=sale.sourced_by,
                converted_by=sale.converted_by,
                checklist=list(event.checklist),
                open_promises=list(event.promises),
            )
        case deal.DealOpened() | deal.AccountAnswered():
            return None  # told as DealClosed by the opportunity, and by account management itself


def _sale(
    seats: opportunity.OpportunityOpened | deal.DealOpened, made: opportunity.DealClosed | deal.DealOpened
) -> Sale:
    """What every money fact carries, so that each can be read alone."""
    return Sale(
        sale_id=made.deal,
        kind="first",
        line=seats.line,
        net=made.net,
        currency=made.currency,
        sold_at=made.at,
        sourced_by=seats.sourced_by,
        converted_by=seats.converted_by,
        served_by=None,
        splits=[SplitPart(person=part.person, role=part.role, weight=part.weight) for part in made.splits],
    )


def _public(data: Event, at: datetime, actor: Seat | None, client: str, journey: str, variant: str) -> Public:
    return Public(data, at, subject=client, actor=actor, client_id=client, journey_id=journey, variant=variant)
