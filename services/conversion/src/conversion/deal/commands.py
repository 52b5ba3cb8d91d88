"""What can be asked of a deal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from conversion.deal.terms import Instalment, Part
from conveyor_events.words import Seat

CATEGORY = "deal"
ACCEPTED, REJECTED = "accepted", "rejected"
CANCEL_REASONS = ("withdrawn_by_client", "not_delivered", "not_paid", "duplicate", "other")
ANSWERS = (ACCEPTED, REJECTED)
"""What account management can say to an offered buyer."""


@dataclass(frozen=True)
class OpenDeal:
    """The opportunity was won. `now` is the clock's time: a deadline that is over by then does not run."""

    at: datetime
    now: datetime
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
    checklist: tuple[str, ...]
    promises: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordPayment:
    """Money came in, tax left out."""

    at: datetime
    by: str
    payment: str
    net: Decimal
    currency: str


@dataclass(frozen=True)
class RecordRefund:
    """Money went back: of the named payment, else of the oldest first."""

    at: datetime
    by: str
    refund: str
    payment: str | None
    net: Decimal
    currency: str


@dataclass(frozen=True)
class CancelDeal:
    """The sale is off: nothing more is paid for it. What was paid is given back by refunds."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class OfferAccount:
    """Offers the buyer again, after what was missing is mended. `to` names the receiver.

    `promises`: those still open now; None: the same as before.
    """

    at: datetime
    now: datetime
    by: str
    checklist: tuple[str, ...] = ()
    to: str | None = None
    promises: tuple[str, ...] | None = None


@dataclass(frozen=True)
class HearAnswer:
    """Account management decided the offer."""

    at: datetime
    offer: str
    answer: str
    by: Seat
    reason: str | None


Command = OpenDeal | RecordPayment | RecordRefund | CancelDeal | OfferAccount | HearAnswer
