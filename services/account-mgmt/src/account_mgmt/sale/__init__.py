"""A repeat sale and its money: one stream a sale, so that every payment and refund stands beside what it is for.

    none -> open -> part_paid -> paid -> refunded

The sale is credited to whoever serves the client when it is made, whenever it is written down.
Read commands, events, state, decide.
"""

from account_mgmt.sale.commands import Command, RecordPayment, RecordRefund, RecordRepeatSale
from account_mgmt.sale.decide import decide, follow, reads
from account_mgmt.sale.events import EVENTS, Event, Item, PaymentRecorded, RefundRecorded, SaleRecorded
from account_mgmt.sale.state import SaleBook, Stage, evolve

CATEGORY = "sale"

__all__ = [
    "CATEGORY",
    "EVENTS",
    "Command",
    "Event",
    "Item",
    "PaymentRecorded",
    "RecordPayment",
    "RecordRefund",
    "RecordRepeatSale",
    "RefundRecorded",
    "SaleBook",
    "SaleRecorded",
    "Stage",
    "decide",
    "evolve",
    "follow",
    "reads",
]
