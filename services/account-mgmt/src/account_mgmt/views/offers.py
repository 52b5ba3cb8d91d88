"""One row an offer: where it stands and who is asked until when."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from account_mgmt.offer import Event, OfferReceived
from account_mgmt.views.rows import INSTANT, TABLES, Row
from belt.core import handover
from belt.io.store.projection import StreamView, version_columns

OFFERS_TABLE = Table(
    "offers",
    TABLES,
    Column("offer_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("deal_id", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("attempt", Integer),
    Column("to_person", Text),  # who is asked now; null is the queue of the team
    Column("offered_at", INSTANT),
    Column("due_at", INSTANT),
    Column("reroutes", Integer, nullable=False),
    Column("served_by", Text),
    Column("reason", Text),
    *version_columns(),
    Index("offers_to", "to_person", "stage", "offer_id"),
    Index("offers_line", "line", "stage", "offer_id"),
    Index("offers_due", "to_person", "due_at", "offer_id"),
    Index("offers_client", "client_id", "offer_id"),
    Index("offers_clock", "line", "due_at", postgresql_where=text("stage = 'offered'")),
)


def offer(row: Row | None, event: Event) -> Row | None:
    if isinstance(event, OfferReceived):
        return {
            "offer_id": event.offer_id,
            "client_id": event.client,
            "line": event.line,
            "deal_id": event.deal_id,
            "team": event.team,
            "stage": "none",
            "reroutes": 0,
        }
    return None if row is None else {**row, **_offer(event)}


def _offer(event: Event) -> Row:
    match event:
        case handover.Offered(at=at, to=to, attempt=attempt, due_at=due):
            asked = to.person if to else None
            return {"stage": "offered", "to_person": asked, "attempt": attempt, "offered_at": at, "due_at": due}
        case handover.Accepted(to=to):
            return {"stage": "accepted", "due_at": None, "served_by": to.person}
        case handover.Rejected(reason=reason):
            return {"stage": "rejected", "due_at": None, "reason": reason}
        case handover.Expired():
            return {"stage": "expired", "due_at": None}
        case handover.Rerouted(to=to, reroutes=reroutes, due_at=due):
            return {"stage": "offered", "to_person": to.person, "reroutes": reroutes, "due_at": due}
        case handover.Escalated(to=manager):
            return {"stage": "escalated", "to_person": manager}
        case _:
            return {}


OFFERS = StreamView(OFFERS_TABLE, shape=1, fold=offer)
