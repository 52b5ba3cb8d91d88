"""What happens to a repeat sale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from conveyor_events.accounts import Legacy
from conveyor_events.sale import Sale
from conveyor_events.words import Seat


@dataclass(frozen=True)
class Item:
    """A line of the sale."""

    sku: str
    qty: Decimal
    unit_price: Decimal
    discount_pct: Decimal = Decimal(0)


@dataclass(frozen=True)
class SaleRecorded:
    at: datetime
    by: Seat
    client: str
    journey: str | None
    variant: str
    sale: Sale
    tax: Decimal
    items: tuple[Item, ...]
    legacy: Legacy | None = None


@dataclass(frozen=True)
class PaymentRecorded:
    """`restores`: the sale was refunded in full before, and counts again."""

    at: datetime
    by: Seat
    payment_id: str
    net: Decimal
    restores: bool


@dataclass(frozen=True)
class RefundRecorded:
    """One payment's part of a refund. `empties`: all that was ever paid is now given back."""

    at: datetime
    by: Seat
    refund_id: str
    payment_id: str
    payment_at: datetime
    net: Decimal
    empties: bool


Event = SaleRecorded | PaymentRecorded | RefundRecorded
EVENTS: tuple[type, ...] = (SaleRecorded, PaymentRecorded, RefundRecorded)
