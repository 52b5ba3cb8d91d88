"""Read models: one row an offer, an account, a sale. Folded from the stream's own events and written with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Numeric, Table, Text

from account_mgmt.account import (
    AccountOpened,
    BecameRegular,
    PurchaseCounted,
    PurchaseNoted,
    SeatTaken,
    Status,
)
from account_mgmt.account import Event as AccountEvent
from account_mgmt.offer import Event as OfferEvent
from account_mgmt.offer import OfferReceived
from account_mgmt.sale import Event as SaleEvent
from account_mgmt.sale import PaymentRecorded, RefundRecorded, SaleRecorded, Stage
from account_mgmt.sale.state import ZERO, stage_of
from belt.core import handover
from belt.io.projection import StreamView, version_columns
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
    Index("offers_client", "client_id", "offer_id"),
)


def offer(row: Row | None, event: OfferEvent) -> Row | None:
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


def _offer(event: OfferEvent) -> Row:
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

# --- accounts -------------------------------------------------------------------------------------------------------

ACCOUNTS_TABLE = Table(
    "accounts",
    TABLES,
    Column("client_id", Text, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("line", Text),
    Column("variant", Text),
    Column("sourced_by", Text),
    Column("converted_by", Text),
    Column("served_by", Text),  # null: the house
    Column("served_since", INSTANT),
    Column("purchases", Integer, nullable=False),  # those that count
    Column("last_purchase_at", INSTANT),
    Column("regular_since", INSTANT),
    *version_columns(),
    Index("accounts_line", "line", "stage", "client_id"),
    Index("accounts_served_by", "served_by", "stage", "client_id"),
)


def account(row: Row | None, event: AccountEvent) -> Row | None:
    kept = row or {"stage": Status.NONE.value, "purchases": 0}
    return {**kept, **_account(kept, event)}


def _account(row: Row, event: AccountEvent) -> Row:
    match event:
        case PurchaseNoted(client=client, sold_at=sold_at):
            last = row.get("last_purchase_at")
            latest = sold_at if last is None else max(last, sold_at)
            return {"client_id": client, "purchases": row["purchases"] + 1, "last_purchase_at": latest}
        case PurchaseCounted(counts=counts):
            return {"purchases": row["purchases"] + (1 if counts else -1)}
        case AccountOpened():
            return {
                "client_id": event.client,
                "stage": Status.AWAITING.value,
                "line": event.line,
                "variant": event.variant,
                "sourced_by": event.sourced_by.person,
                "converted_by": event.converted_by.person,
            }
        case SeatTaken(holder=holder, since=since):
            stage = Status.BUYER.value if row["stage"] == Status.AWAITING.value else row["stage"]
            newest = row.get("served_since") is None or since >= row["served_since"]
            held = {"served_by": holder.person, "served_since": since} if newest else {}
            return {"stage": stage, **held}
        case BecameRegular(since=since):
            return {"stage": Status.REGULAR.value, "regular_since": since}


ACCOUNTS = StreamView(ACCOUNTS_TABLE, shape=1, fold=account)

# --- sales ----------------------------------------------------------------------------------------------------------

SALES_TABLE = Table(
    "sales",
    TABLES,
    Column("sale_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("served_by", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("net", Numeric, nullable=False),
    Column("tax", Numeric, nullable=False),
    Column("paid", Numeric, nullable=False),
    Column("refunded", Numeric, nullable=False),
    Column("sold_at", INSTANT, nullable=False),
    *version_columns(),
    Index("sales_client", "client_id", "sale_id"),
    Index("sales_line", "line", "stage", "sale_id"),
)


def sale(row: Row | None, event: SaleEvent) -> Row | None:
    match event:
        case SaleRecorded(client=client, sale=sold, tax=tax):
            return {
                "sale_id": sold.sale_id,
                "client_id": client,
                "line": sold.line,
                "stage": Stage.OPEN.value,
                "served_by": sold.served_by.person if sold.served_by else None,
                "currency": sold.currency,
                "net": sold.net,
                "tax": tax,
                "paid": round_half_up(ZERO, sold.currency),
                "refunded": round_half_up(ZERO, sold.currency),
                "sold_at": sold.sold_at,
            }
        case _ if row is None:
            return None
        case PaymentRecorded(net=net):
            return _moved(row, paid=row["paid"] + net)
        case RefundRecorded(net=net):
            return _moved(row, refunded=row["refunded"] + net)


def _moved(row: Row, **changes: Any) -> Row:
    moved = {**row, **changes}
    return {**moved, "stage": stage_of(moved["net"], moved["paid"], moved["refunded"]).value}


SALES = StreamView(SALES_TABLE, shape=1, fold=sale)
