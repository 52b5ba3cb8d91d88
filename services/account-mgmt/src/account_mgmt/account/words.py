"""The closed lists of an account: where the client stands, and the reasons that may be given."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where the client stands."""

    NONE = "none"  # nobody was offered this client yet, though its first sale may be known
    AWAITING = "awaiting"  # offered, not yet taken: the seat belongs to the house
    BUYER = "buyer"
    REGULAR = "regular"
    AT_RISK = "at_risk"
    LAPSED = "lapsed"
    CHURNED = "churned"


SELLING = frozenset(Status) - {Status.NONE}
"""Where a repeat sale may be recorded."""
ACTIVE = frozenset({Status.BUYER, Status.REGULAR, Status.AT_RISK})
"""Served, and expected to buy again."""
GONE = frozenset({Status.LAPSED, Status.CHURNED})
"""A purchase brings the client back."""


class RiskCause(StrEnum):
    """Why a client may be lost."""

    SILENCE = "silence"  # half the time of lapsing went by without a purchase
    COMPLAINT = "complaint"  # it stands until the complaint is resolved
    LOW_SCORE = "low_score"  # an answered questionnaire says so


class Channel(StrEnum):
    """How somebody spoke with the client."""

    PHONE = "phone"
    MAIL = "mail"
    MESSAGE = "message"
    VISIT = "visit"
    MEETING = "meeting"
    OTHER = "other"


class Matter(StrEnum):
    """What a complaint is about."""

    PROMISE = "promise"
    DELIVERY = "delivery"
    QUALITY = "quality"
    PRICE = "price"
    INVOICE = "invoice"
    SERVICE = "service"
    OTHER = "other"


class Remedy(StrEnum):
    """How a complaint was resolved."""

    FIXED = "fixed"
    REPLACED = "replaced"
    COMPENSATED = "compensated"
    EXPLAINED = "explained"
    UNFOUNDED = "unfounded"


class LeaveReason(StrEnum):
    """Why a client leaves."""

    PRICE = "price"
    SERVICE = "service"
    QUALITY = "quality"
    COMPETITOR = "competitor"
    NO_NEED = "no_need"
    CLOSED_DOWN = "closed_down"
    OTHER = "other"


class MoveReason(StrEnum):
    """Why an account goes to somebody else."""

    LEAVER = "leaver"
    ABSENCE = "absence"
    WORKLOAD = "workload"
    CLIENT_WISH = "client_wish"
    TERRITORY = "territory"
    MIGRATION = "migration"
    OTHER = "other"
