"""The deal: a won first sale, its money, and the offer of the buyer to account management (handover 2).

    won; its account: offered -> accepted | rejected -> offered again

A deal is opened by the opportunity that was won, in the same append unit, and offers its buyer at once.
"""

from __future__ import annotations

from conversion.deal.commands import (
    ACCEPTED,
    ANSWERS,
    CANCEL_REASONS,
    CATEGORY,
    REJECTED,
    CancelDeal,
    Command,
    HearAnswer,
    OfferAccount,
    OpenDeal,
    RecordPayment,
    RecordRefund,
)
from conversion.deal.decide import decide, follow, reads
from conversion.deal.events import (
    EVENTS,
    AccountAnswered,
    AccountOffered,
    DealCancelled,
    DealOpened,
    Event,
    PaymentReceived,
    PaymentRefunded,
)
from conversion.deal.state import NEW, Deal, Payment, Refund, evolve

__all__ = [
    "ACCEPTED",
    "ANSWERS",
    "CANCEL_REASONS",
    "CATEGORY",
    "EVENTS",
    "NEW",
    "REJECTED",
    "AccountAnswered",
    "AccountOffered",
    "CancelDeal",
    "Command",
    "Deal",
    "DealCancelled",
    "DealOpened",
    "Event",
    "HearAnswer",
    "OfferAccount",
    "OpenDeal",
    "Payment",
    "PaymentReceived",
    "PaymentRefunded",
    "RecordPayment",
    "RecordRefund",
    "Refund",
    "decide",
    "evolve",
    "follow",
    "reads",
]
