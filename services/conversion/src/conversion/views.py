"""Read models: one row an offer, an opportunity, a deal. Folded from the stream's own events and written with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, MetaData, Numeric, Table, Text, text

from belt.core import handover
from belt.io.http.waiting import Kind
from belt.io.store.projection import StreamView, version_columns
from belt.io.watching import Deadline, Things, Watched
from conversion import deal, opportunity
from conversion import offer as offers
from conversion.deal.terms import NOTHING
from conversion.offer import Event as OfferEvent
from conversion.offer import LeadReceived
from conversion.opportunity import Stage
from conveyor_events.money import round_half_up

Row = Mapping[str, Any]
TABLES = MetaData()
INSTANT = DateTime(timezone=True)

# --- offers ---------------------------------------------------------------------------------------------------------

OFFERS_TABLE = Table(
    "offers",
    TABLES,
    Column("offer_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("need_id", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("sourced_by", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("to_person", Text),  # who is asked now; null is the queue of the team
    Column("offered_at", INSTANT, nullable=False),
    Column("due_at", INSTANT),
    Column("reroutes", Integer, nullable=False),
    Column("converted_by", Text),
    Column("reason", Text),
    *version_columns(),
    Index("offers_due", "to_person", "due_at", "offer_id"),
    Index("offers_to_person", "to_person", "stage", "offer_id"),
    Index("offers_line", "line", "stage", "offer_id"),
    Index("offers_client", "client_id", "offer_id"),
    Index("offers_clock", "line", "due_at", postgresql_where=text("stage = 'offered'")),
)


def offer(row: Row | None, event: OfferEvent) -> Row | None:
    if isinstance(event, LeadReceived):
        lead = event.lead
        return {
            "offer_id": lead.offer,
            "client_id": lead.client,
            "line": lead.line,
            "need_id": lead.need,
            "team": lead.team,
            "attempt": lead.attempt,
            "sourced_by": lead.sourced_by.person,
            "stage": "none",
            "offered_at": event.at,
            "reroutes": 0,
        }
    return None if row is None else {**row, **_offer(event)}


def _offer(event: OfferEvent) -> Row:
    match event:
        case handover.Offered(to=to, due_at=due):
            return {"stage": "offered", "to_person": to.person if to else None, "due_at": due}
        case handover.Accepted(to=to):
            return {"stage": "accepted", "due_at": None, "converted_by": to.person}
        case handover.Rejected(reason=reason):
            return {"stage": "rejected", "due_at": None, "reason": reason}
        case handover.Expired():
            return {"stage": "expired", "due_at": None}
        case handover.Rerouted(to=to, reroutes=reroutes, due_at=due):
            return {"stage": "offered", "to_person": to.person, "reroutes": reroutes, "due_at": due}
        case handover.Escalated(to=manager):
            return {"stage": "escalated", "to_person": manager}
        case handover.Withdrawn():
            return {"stage": "withdrawn", "due_at": None}
        case handover.Disputed():
            return {"stage": "disputed"}
        case handover.Upheld():
            return {"stage": "upheld"}
        case _:
            return {}


OFFERS = StreamView(OFFERS_TABLE, shape=1, fold=offer)

# --- opportunities --------------------------------------------------------------------------------------------------

OPPORTUNITIES_TABLE = Table(
    "opportunities",
    TABLES,
    Column("opportunity_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("sourced_by", Text, nullable=False),
    Column("converted_by", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("meetings", Integer, nullable=False),  # those that were held
    Column("net", Numeric),  # of the latest proposal, then of the deal
    Column("currency", Text),
    Column("deal_id", Text),
    Column("reason", Text),
    Column("touched_at", INSTANT),  # the first contact of the hunter
    Column("active_at", INSTANT, nullable=False),  # when anybody last did something
    Column("stalled", Boolean, nullable=False),
    Column("not_before", INSTANT),
    *version_columns(),
    Index("opportunities_stalled", "stalled", "converted_by", "opportunity_id"),
    Index("opportunities_converted_by", "converted_by", "stage", "opportunity_id"),
    Index("opportunities_line", "line", "stage", "opportunity_id"),
    Index("opportunities_client", "client_id", "opportunity_id"),
)

ORDER = [stage.value for stage in opportunity.ORDER]


def opportunities(row: Row | None, event: opportunity.Event) -> Row | None:
    if isinstance(event, opportunity.OpportunityOpened):
        return {
            "opportunity_id": event.opportunity,
            "client_id": event.client,
            "line": event.line,
            "stage": Stage.OPEN.value,
            "sourced_by": event.sourced_by.person,
            "converted_by": event.converted_by.person,
            "opened_at": event.at,
            "meetings": 0,
            "active_at": event.at,
            "stalled": False,
        }
    if row is None:
        return None
    active = {"active_at": event.at, "stalled": False} if isinstance(event, opportunity.ACTIVITY) else {}
    return {**row, **active, **_opportunity(row, event)}


STAGE_OF: dict[type, Stage] = {
    opportunity.MeetingScheduled: Stage.MEETING_PLANNED,
    opportunity.MeetingHeld: Stage.MEETING_HELD,
    opportunity.PresentationGiven: Stage.PRESENTED,
    opportunity.ProposalSent: Stage.PROPOSED,
    opportunity.NegotiationStarted: Stage.NEGOTIATING,
}
"""How far an event brings an opportunity at least."""


def _opportunity(row: Row, event: opportunity.Event) -> Row:
    stage: dict[str, Any] = {"stage": _forward(row, STAGE_OF[type(event)])} if type(event) in STAGE_OF else {}
    match event:
        case opportunity.FirstTouchMade():
            return {"touched_at": event.at}
        case opportunity.MeetingHeld():
            return stage | {"meetings": row["meetings"] + 1}
        case opportunity.ProposalSent(net=net, currency=currency):
            return stage | {"net": net, "currency": currency}
        case opportunity.MeetingCancelled(stage=back):
            return {"stage": back}
        case opportunity.OpportunityStalled():
            return {"stalled": True}
        case _:
            return {**stage, **_ended(event)}


def _ended(event: opportunity.Event) -> Row:
    match event:
        case opportunity.DealClosed(deal=name, net=net, currency=currency):
            return {"stage": Stage.WON.value, "deal_id": name, "net": net, "currency": currency, "stalled": False}
        case opportunity.OpportunityLost(reason=reason):
            return {"stage": Stage.LOST.value, "reason": reason, "stalled": False}
        case opportunity.OpportunityReopened(stage=stage):
            return {"stage": stage, "reason": None}
        case opportunity.OpportunityRecycled(reason=reason, not_before=not_before):
            return {"stage": Stage.RECYCLED.value, "reason": reason, "not_before": not_before}
        case _:
            return {}


def _forward(row: Row, stage: Stage) -> str:
    """A stage never falls back."""
    return max(str(row["stage"]), stage.value, key=ORDER.index)


OPPORTUNITIES = StreamView(OPPORTUNITIES_TABLE, shape=2, fold=opportunities)

# --- deals ----------------------------------------------------------------------------------------------------------

DEALS_TABLE = Table(
    "deals",
    TABLES,
    Column("deal_id", Text, primary_key=True),
    Column("opportunity_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("sourced_by", Text, nullable=False),
    Column("converted_by", Text, nullable=False),
    Column("sold_at", INSTANT, nullable=False),
    Column("net", Numeric, nullable=False),
    Column("tax", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
    Column("paid", Numeric, nullable=False),
    Column("refunded", Numeric, nullable=False),
    Column("account", Text, nullable=False),  # where the buyer stands on its way to account management
    Column("account_to", Text),
    Column("cancelled", Text),  # why
    *version_columns(),
    Index("deals_converted_by", "converted_by", "deal_id"),
    Index("deals_line", "line", "deal_id"),
    Index("deals_client", "client_id", "deal_id"),
)


def deals(row: Row | None, event: deal.Event) -> Row | None:
    if isinstance(event, deal.DealOpened):
        nothing = round_half_up(NOTHING, event.currency)
        return {
            "deal_id": event.deal,
            "opportunity_id": event.opportunity,
            "client_id": event.client,
            "line": event.line,
            "stage": "won",
            "sourced_by": event.sourced_by.person,
            "converted_by": event.converted_by.person,
            "sold_at": event.at,
            "net": event.net,
            "tax": event.tax,
            "currency": event.currency,
            "paid": nothing,
            "refunded": nothing,
            "account": "none",
        }
    return None if row is None else {**row, **_deal(event)}


def _deal(event: deal.Event) -> Row:
    match event:
        case deal.PaymentReceived(paid=paid):
            return {"paid": paid}
        case deal.PaymentRefunded(refunded=refunded):
            return {"refunded": refunded}
        case deal.AccountOffered(to=to):
            return {"account": "offered", "account_to": to.person if to else None}
        case deal.AccountAnswered(answer=answer, by=by):
            return {"account": answer, "account_to": by.person}
        case deal.DealCancelled(reason=reason):
            return {"cancelled": reason}
        case deal.DealOpened():
            return {}


DEALS = StreamView(DEALS_TABLE, shape=2, fold=deals)
VIEWS = (OFFERS, OPPORTUNITIES, DEALS)

# --- what is shown of the work --------------------------------------------------------------------------------------

_OFFER, _SALE = OFFERS_TABLE.c, OPPORTUNITIES_TABLE.c
WATCHED = Watched(
    things=(
        Things("offer", OFFERS_TABLE, handover.UNDECIDED),
        Things("opportunity", OPPORTUNITIES_TABLE, ORDER),
    ),
    deadlines=(
        Deadline("acceptance", "expire", offers.CATEGORY, _OFFER.offer_id, _OFFER.line, _OFFER.to_person),
        Deadline(
            "first_touch",
            "first_touch",
            opportunity.CATEGORY,
            _SALE.opportunity_id,
            _SALE.line,
            _SALE.converted_by,
        ),
    ),
)

WAITING = (
    Kind(
        "lead",
        OFFERS_TABLE,
        {"offered": ("offered", "expired"), "escalated": ("escalated",)},
        clock=_OFFER.due_at,
        runs=("offered",),
    ),
    Kind(
        "opportunity",
        OPPORTUNITIES_TABLE,
        {
            "open": (Stage.OPEN, Stage.MEETING_PLANNED),
            "meeting": (Stage.MEETING_HELD, Stage.PRESENTED),
            "proposed": (Stage.PROPOSED, Stage.NEGOTIATING),
        },
    ),
)
"""How much of it is told to everybody."""
