"""Facts: what pay knows of public events, as small frozen values; nothing that no rule needs. Read in `reading.py`.

Every fact says everything about itself, so facts are a set: their order of arrival means nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Seat:
    """A person in a role, as stamped when it happened."""

    person: str
    role: str


@dataclass(frozen=True, slots=True)
class Part:
    """One person's agreed part of a sale."""

    person: str
    role: str
    weight: Decimal


def sale_key(sale_id: str, *, first: bool) -> str:
    """What a sale is filed under. Deals and repeat sales come from two systems, which may give one id each."""
    return sale_id if first else f"repeat {sale_id}"


@dataclass(frozen=True, slots=True)
class Sale:
    """What was sold. Every money fact carries it."""

    sale_id: str
    first: bool
    line: str
    net: Decimal
    currency: str
    sold_at: datetime
    sourced_by: Seat
    converted_by: Seat
    served_by: Seat | None
    splits: tuple[Part, ...]

    @property
    def key(self) -> str:
        """What it is filed under."""
        return sale_key(self.sale_id, first=self.first)

    @property
    def people(self) -> frozenset[str]:
        """Everybody whose name is on the sale."""
        seats = {self.sourced_by.person, self.converted_by.person, *(part.person for part in self.splits)}
        return frozenset(seats | {self.served_by.person} if self.served_by else seats)


@dataclass(frozen=True, slots=True)
class Hired:
    """The first working day of a person."""

    person: str
    on: date


@dataclass(frozen=True, slots=True)
class Left:
    """The last working day of a person."""

    person: str
    last_day: date


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step of the client along the line for which a bounty can be paid to a seat."""

    line: str
    seats: dict[str, Seat]
    need_id: str | None = None
    offer_id: str | None = None
    mode: str | None = None
    due_at: datetime | None = None
    halved: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """A lead was refused. If that is overturned later, the lead counts from here."""

    line: str
    offer_id: str
    need_id: str
    sourced_by: Seat
    rejected_by: Seat
    reason: str


@dataclass(frozen=True, slots=True)
class Invalidated:
    """A prospect left the base, if it ever was in it."""

    line: str
    sourced_by: Seat
    was_verified: bool


@dataclass(frozen=True, slots=True)
class Seated:
    """A seat has this holder from `since` until the next one."""

    line: str
    seat: str
    holder: Seat
    since: datetime


@dataclass(frozen=True, slots=True)
class Sold:
    """A first or a repeat sale. `legacy`: who served the client before and still has a share in it."""

    sale: Sale
    legacy: str | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """Money for a sale came in."""

    payment_id: str
    sale: Sale
    net: Decimal


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money for a sale went back, out of the payment it names."""

    refund_id: str
    payment_id: str
    payment_at: datetime
    sale: Sale
    net: Decimal


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A first sale is off: nothing more is released for it."""

    sale: Sale


@dataclass(frozen=True, slots=True)
class Churned:
    """A customer left for good."""

    line: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A buyer was offered to who is to serve it. No rule pays for that; a what-if asks when the clock began."""

    line: str
    offer_id: str
    mode: str


@dataclass(frozen=True, slots=True)
class Contested:
    """A conflict was found: what is paid for the sale, or for the younger claim's event, is conditional.

    `sale`: its key.
    """

    case_id: str
    sale: str | None
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Lead:
    """The rejected lead that a conflict is about."""

    offer_id: str
    need_id: str
    rejected_at: datetime


@dataclass(frozen=True, slots=True)
class Ruled:
    """A conflict was decided. `a` is the older claim."""

    case_id: str
    kind: str
    outcome: str
    line: str
    a: Seat
    b: Seat | None
    sale_id: str | None = None
    lead: Lead | None = None

    @property
    def sale(self) -> str | None:
        """The key of the sale that it is about."""
        return contested_sale(self.kind, self.sale_id)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An amount beside the rules, asked for by one and approved by another."""

    adjustment_id: str
    person: str
    amount: Decimal
    currency: str
    relates_to: str | None
    reason: str
    asked_by: str
    approved_by: str
    dispute_id: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that no rule pays for. It is kept so that it can be shown and counted."""


Staff = Hired | Left
Money = Sold | Paid | Refunded | Cancelled
Decided = Contested | Ruled | Adjusted
Data = Staff | Milestone | Rejected | Invalidated | Seated | Money | Churned | Offered | Decided | Noted


@dataclass(frozen=True, slots=True)
class Fact:
    """A public event: when it was true (`occurred_at`), since when it is known (`recorded_at`), and what it says.

    `sequence`: the place of a hire or a leave in the person's log, where several were recorded in one instant.
    """

    event_id: str
    name: str
    occurred_at: datetime
    recorded_at: datetime
    client_id: str | None
    journey_id: str | None
    data: Data
    sequence: int = 0

    @property
    def order(self) -> tuple[datetime, str]:
        """Business order, the same however the facts arrived."""
        return self.occurred_at, self.event_id


def contested_sale(kind: str, sale_id: str | None) -> str | None:
    """The key of a case's sale: C4 is about repeat sales, all others are about first ones."""
    return None if sale_id is None else sale_key(sale_id, first=kind != "C4")


def contested(case_id: str, kind: str, sale_id: str | None, event_id: str | None) -> Contested:
    """What a case makes conditional. A lead going back and forth (C7) or kept back (C9) is nobody's pay yet."""
    return Contested(case_id, contested_sale(kind, sale_id), event_id if kind not in ("C7", "C9") else None)


TRIGGERS: dict[str, tuple[str, ...]] = {
    "ProspectRegistered": ("sourced_by",),
    "ProspectVerified": ("sourced_by",),
    "NeedIdentified": ("sourced_by",),
    "LeadQualified": ("sourced_by",),
    "LeadAccepted": ("sourced_by", "converted_by"),
    "LeadOfferExpired": ("sourced_by",),
    "MeetingHeld": ("converted_by",),
    "AccountAccepted": ("served_by",),
    "CustomerBecameRegular": ("served_by",),
}
"""Events a bounty can be paid for, and the seats it can be paid to."""
