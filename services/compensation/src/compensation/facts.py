"""Public events as pay reads them: small frozen values, nothing that no rule needs.

Every fact says everything about itself, so facts are a set: their order of arrival means nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from sys import intern

from conveyor_events import Envelope, Event, accounts, deals, leads, pay, sale, staff
from conveyor_events import open as open_event
from conveyor_events.words import Seat as PublicSeat


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
    """A conflict was found: what is paid for the sale, or for the younger claim's event, is conditional."""

    case_id: str
    sale_id: str | None
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
    """A public event: when it was true (`occurred_at`), since when it is known (`recorded_at`), and what it says."""

    event_id: str
    name: str
    occurred_at: datetime
    recorded_at: datetime
    client_id: str | None
    journey_id: str | None
    data: Data

    @property
    def order(self) -> tuple[datetime, str]:
        """Business order, the same however the facts arrived."""
        return self.occurred_at, self.event_id


class NoClient(ValueError):
    """A fact about a client does not say which one."""


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


def fact(envelope: Envelope) -> Fact:
    """The fact an event states. Raises UnknownEvent where this release cannot read the event."""
    event = open_event(envelope)
    name = type(event).__name__
    data = _milestone(name, event) if name in TRIGGERS else _read(event)
    if envelope.client_id is None and not isinstance(data, Staff | Adjusted | Noted):
        raise NoClient(f"{envelope.type} {envelope.id} names no client")
    client, journey = envelope.client_id, envelope.journey_id
    at = envelope.occurred_at
    # A conflict is known since its last event is: when somebody looked does not matter.
    known = event.since if isinstance(event, pay.ConflictDetected) else envelope.recorded_at
    client = intern(client) if client is not None else None
    return Fact(  # what is equal is held once: there are very many of them
        event_id=str(envelope.id),
        name=intern(name),
        occurred_at=at,
        recorded_at=at if known == at else known,
        client_id=client,
        journey_id=client if journey == client else journey,
        data=data,
    )


@lru_cache(maxsize=4096)
def _shared(person: str, role: str) -> Seat:
    return Seat(intern(person), intern(role))


def _seat(seat: PublicSeat) -> Seat:
    return _shared(seat.person, seat.role)


@lru_cache(maxsize=65_536)
def _seats(names: tuple[str, ...], holders: tuple[Seat, ...]) -> dict[str, Seat]:
    return dict(zip(names, holders, strict=True))


def _milestone(name: str, event: Event) -> Milestone:
    return Milestone(
        line=intern(getattr(event, "line")),  # noqa: B009 - every event in TRIGGERS has one
        seats=_seats(TRIGGERS[name], tuple(_seat(getattr(event, seat)) for seat in TRIGGERS[name])),
        need_id=getattr(event, "need_id", None),
        offer_id=getattr(event, "offer_id", None),
        mode=getattr(event, "mode", None),
        due_at=getattr(event, "due_at", None) or getattr(event, "accept_due_at", None),
    )


def _read(event: Event) -> Data:
    reader = _READERS.get(type(event))
    return reader(event) if reader else Noted()


def _hired(event: staff.StaffHired) -> Hired:
    return Hired(event.person, event.hired_on)


def _left(event: staff.StaffLeft) -> Left:
    return Left(event.person, event.last_day)


def _rejected(event: deals.LeadRejected) -> Rejected:
    seats = _seat(event.sourced_by), _seat(event.rejected_by)
    return Rejected(event.line, event.offer_id, event.need_id, *seats, event.reason)


def _invalidated(event: leads.ProspectInvalidated) -> Invalidated:
    return Invalidated(event.line, _seat(event.sourced_by), event.was_verified)


def _seated(event: accounts.SeatAssigned) -> Seated:
    return Seated(event.line, event.seat, _seat(event.holder), event.since)


def _sale(public: sale.Sale) -> Sale:
    return Sale(
        sale_id=public.sale_id,
        first=public.kind == "first",
        line=intern(public.line),
        net=public.net,
        currency=intern(public.currency),
        sold_at=public.sold_at,
        sourced_by=_seat(public.sourced_by),
        converted_by=_seat(public.converted_by),
        served_by=_seat(public.served_by) if public.served_by else None,
        splits=tuple(Part(part.person, part.role, part.weight) for part in public.splits),
    )


def _sold(event: deals.DealClosed | accounts.RepeatSale) -> Sold:
    legacy = event.legacy if isinstance(event, accounts.RepeatSale) else None
    runs = legacy is not None and event.sale.sold_at < legacy.until
    return Sold(_sale(event.sale), legacy.person if legacy is not None and runs else None)


def _paid(event: sale.Payment) -> Paid:
    whole = _sale(event.sale)
    return Paid(event.payment_id, whole, whole.net if event.net == whole.net else event.net)


def _refunded(event: sale.Refund) -> Refunded:
    return Refunded(event.refund_id, event.payment_id, event.payment_at, _sale(event.sale), event.net)


def _cancelled(event: deals.DealCancelled) -> Cancelled:
    return Cancelled(_sale(event.sale))


def _churned(event: accounts.CustomerChurned) -> Churned:
    return Churned(event.line)


def _contested(event: pay.ConflictDetected) -> Contested:
    return contested(event.case_id, event.kind, event.sale_id, event.b.event_id if event.b else None)


def contested(case_id: str, kind: str, sale_id: str | None, event_id: str | None) -> Contested:
    """What a case makes conditional. A lead going back and forth (C7) or kept back (C9) is nobody's pay yet."""
    return Contested(case_id, sale_id, event_id if kind not in ("C7", "C9") else None)


def _ruled(event: pay.ConflictResolved) -> Ruled:
    lead = Lead(event.lead.offer_id, event.lead.need_id, event.lead.rejected_at) if event.lead else None
    b = _seat(event.b) if event.b else None
    return Ruled(event.case_id, event.kind, event.outcome, event.line, _seat(event.a), b, event.sale_id, lead)


def _adjusted(event: pay.AdjustmentPosted) -> Adjusted:
    e = event
    about = e.relates_to, e.reason, e.asked_by, e.approved_by, e.dispute_id
    return Adjusted(e.adjustment_id, e.person, e.amount, e.currency, *about)


def _offered(event: deals.AccountOffered) -> Offered:
    return Offered(intern(event.line), event.offer_id, event.mode)


_READERS: dict[type[Event], Callable[..., Data]] = {
    staff.StaffHired: _hired,
    staff.StaffLeft: _left,
    leads.ProspectInvalidated: _invalidated,
    deals.LeadRejected: _rejected,
    deals.DealClosed: _sold,
    deals.PaymentReceived: _paid,
    deals.PaymentRefunded: _refunded,
    deals.DealCancelled: _cancelled,
    deals.AccountOffered: _offered,
    accounts.CustomerChurned: _churned,
    accounts.SeatAssigned: _seated,
    accounts.RepeatSale: _sold,
    accounts.PaymentReceived: _paid,
    accounts.PaymentRefunded: _refunded,
    pay.ConflictDetected: _contested,
    pay.ConflictResolved: _ruled,
    pay.AdjustmentPosted: _adjusted,
}
