"""One row a repeat sale: what was sold, to whose credit, and where its money is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Numeric, Table, Text

from account_mgmt.sale import Event, PaymentRecorded, RefundRecorded, SaleRecorded, Stage
from account_mgmt.sale.state import ZERO, stage_of
from account_mgmt.views.rows import INSTANT, TABLES, Row
from belt.io.store.projection import StreamView, version_columns
from conveyor_events.money import round_half_up

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
    Index("sales_sold", "client_id", "sold_at", "sale_id"),
    Index("sales_line", "line", "stage", "sale_id"),
)


def sale(row: Row | None, event: Event) -> Row | None:
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
