"""What happens to a deal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from conversion.deal.terms import Instalment, Part
from conveyor_events.words import Seat


@dataclass(frozen=True)
class DealOpened:
    """The sale as it was made at `at`. All its money refers to this."""

    at: datetime
    by: Seat
    deal: str
    opportunity: str
    client: str
    journey: str
    variant: str
    line: str
    net: Decimal
    tax: Decimal
    currency: str
    sourced_by: Seat
    converted_by: Seat
    splits: tuple[Part, ...]
    schedule: tuple[Instalment, ...]


@dataclass(frozen=True)
class PaymentReceived:
    at: datetime
    by: Seat
    payment: str
    net: Decimal
    paid: Decimal  # all payments so far, this one included


@dataclass(frozen=True)
class PaymentRefunded:
    """A refund that gives back several payments is one event for each."""

    at: datetime
    by: Seat
    refund: str
    payment: str
    payment_at: datetime
    net: Decimal
    refunded: Decimal  # all refunds so far, this one included
    empties: bool


@dataclass(frozen=True)
class DealCancelled:
    at: datetime
    by: Seat
    reason: str


@dataclass(frozen=True)
class AccountOffered:
    """`candidates` are those who could have been asked, for a fair turn; none where nobody was picked."""

    at: datetime
    by: Seat
    offer: str
    to: Seat | None
    team: str
    mode: Literal["offer", "self"]
    attempt: int
    due_at: datetime | None
    checklist: tuple[str, ...]
    candidates: tuple[str, ...]
    promises: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccountAnswered:
    at: datetime
    offer: str
    answer: str
    by: Seat
    reason: str | None


Event = DealOpened | PaymentReceived | PaymentRefunded | DealCancelled | AccountOffered | AccountAnswered
EVENTS: tuple[type, ...] = (
    DealOpened,
    PaymentReceived,
    PaymentRefunded,
    DealCancelled,
    AccountOffered,
    AccountAnswered,
)
