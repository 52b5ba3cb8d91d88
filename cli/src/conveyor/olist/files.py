"""The Olist funnel as published: read strictly, mapped to what happened to each client. Knows nothing of HTTP."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Sao_Paulo")
VOID = {"canceled", "unavailable"}
LEADS = "olist_marketing_qualified_leads_dataset.csv"
DEALS = "olist_closed_deals_dataset.csv"
ORDERS = "sample_orders.csv"
ITEMS = "sample_order_items.csv"


class NotOlist(Exception):
    """The folder does not hold the funnel's files, or a file lacks a column."""


@dataclass(frozen=True)
class Order:
    """What one client sold in one order: the sum of its items' prices, without freight."""

    id: str
    at: datetime
    value: Decimal
    void: bool


@dataclass(frozen=True)
class Deal:
    seller: str
    scout: str
    hunter: str
    won_at: datetime
    segment: str


@dataclass(frozen=True)
class Lead:
    """A client from first contact on; `deal` is None where it was lost or is still open."""

    id: str
    first_contact: datetime
    origin: str
    deal: Deal | None = None
    orders: tuple[Order, ...] = field(default=())

    @property
    def first_sale(self) -> Order | None:
        """The earliest order that counts."""
        return next((order for order in self.orders if not order.void), None)


def read(folder: Path) -> list[Lead]:
    """All leads, in order of first contact. Days are local, won_date is UTC, order times are local."""
    deals = {
        row["mql_id"]: Deal(
            seller=row["seller_id"],
            scout=row["sdr_id"],
            hunter=row["sr_id"],
            won_at=datetime.fromisoformat(row["won_date"]).replace(tzinfo=UTC),
            segment=row["business_segment"],
        )
        for row in _rows(folder, DEALS, "mql_id", "seller_id", "sdr_id", "sr_id", "won_date", "business_segment")
    }
    orders = _orders(folder)
    leads = [
        Lead(
            id=row["mql_id"],
            first_contact=_local(row["first_contact_date"]),
            origin=row["origin"] or "unknown",
            deal=(deal := deals.get(row["mql_id"])),
            orders=tuple(orders.get(deal.seller, ())) if deal is not None else (),
        )
        for row in _rows(folder, LEADS, "mql_id", "first_contact_date", "origin")
    ]
    stray = deals.keys() - {lead.id for lead in leads}
    if stray:
        raise NotOlist(f"{DEALS}: {len(stray)} deals without a lead, such as {min(stray)}")
    return sorted(leads, key=lambda lead: (lead.first_contact, lead.id))


def _orders(folder: Path) -> dict[str, list[Order]]:
    """Each seller's orders, by (time of purchase, order id)."""
    values: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in _rows(folder, ITEMS, "order_id", "seller_id", "price"):
        values[row["seller_id"], row["order_id"]] += Decimal(row["price"])
    heads = {
        row["order_id"]: (_local(row["order_purchase_timestamp"]), row["order_status"] in VOID)
        for row in _rows(folder, ORDERS, "order_id", "order_status", "order_purchase_timestamp")
    }
    found: dict[str, list[Order]] = defaultdict(list)
    for (seller, order), value in values.items():
        at, void = heads[order]
        found[seller].append(Order(order, at, value.quantize(Decimal("0.01")), void))
    for sold in found.values():
        sold.sort(key=lambda order: (order.at, order.id))
    return found


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def _rows(folder: Path, name: str, *columns: str) -> Iterator[dict[str, str]]:
    path = folder / name
    if not path.is_file():
        raise NotOlist(f"{path} is not there")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = set(columns) - set(reader.fieldnames or ())
        if missing:
            raise NotOlist(f"{path}: no column {', '.join(sorted(missing))}")
        yield from reader
