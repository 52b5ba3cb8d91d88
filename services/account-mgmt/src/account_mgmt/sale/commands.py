"""What can be asked of a repeat sale. Each command carries its time and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from account_mgmt.sale.events import Item
from conveyor_events.sale import SplitPart


@dataclass(frozen=True)
class RecordRepeatSale:
    """`sold_at` (None: now) decides who is credited, `at` is when it is written down. `co_sell`: agreed parts."""

    at: datetime
    by: str
    sale_id: str
    client: str
    net: Decimal
    tax: Decimal
    currency: str
    sold_at: datetime | None = None
    items: tuple[Item, ...] = ()
    co_sell: tuple[SplitPart, ...] = ()


@dataclass(frozen=True)
class RecordPayment:
    at: datetime
    by: str
    payment_id: str
    net: Decimal
    currency: str


@dataclass(frozen=True)
class RecordRefund:
    """Of one payment, or of the oldest ones."""

    at: datetime
    by: str
    refund_id: str
    net: Decimal
    currency: str
    payment_id: str | None = None


Command = RecordRepeatSale | RecordPayment | RecordRefund
