"""Public events → facts: one small function for each event that a rule, or a what-if, looks at."""

from collections.abc import Callable
from functools import lru_cache
from sys import intern

from compensation.facts import (
    TRIGGERS,
    Adjusted,
    Cancelled,
    Churned,
    Contested,
    Data,
    Fact,
    Hired,
    Invalidated,
    Lead,
    Left,
    Milestone,
    Noted,
    Offered,
    Paid,
    Part,
    Refunded,
    Rejected,
    Ruled,
    Sale,
    Seat,
    Seated,
    Sold,
    contested,
)
from conveyor_events import Envelope, Event, accounts, deals, leads, pay, sale, staff
from conveyor_events import open as open_event
from conveyor_events.words import Seat as PublicSeat


class NoClient(ValueError):
    """A fact about a client does not say which one."""


def examine(envelope: Envelope) -> Event:
    """The event, if pay can be reckoned with it. Raises UnknownEvent where this release cannot read it."""
    event = open_event(envelope)
    kind = type(event)
    if envelope.client_id is None and kind not in _OF_NOBODY and (kind in _READERS or kind.__name__ in TRIGGERS):
        raise NoClient(f"{envelope.type} {envelope.id} names no client")
    return event


def fact(envelope: Envelope) -> Fact:
    """The fact an event states. Raises UnknownEvent where this release cannot read the event."""
    event = examine(envelope)
    name = type(event).__name__
    data = _milestone(name, event) if name in TRIGGERS else _read(event)
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
def shared_seat(person: str, role: str) -> Seat:
    return Seat(intern(person), intern(role))


def _seat(seat: PublicSeat) -> Seat:
    return shared_seat(seat.person, seat.role)


@lru_cache(maxsize=65_536)
def seats_of(names: tuple[str, ...], holders: tuple[Seat, ...]) -> dict[str, Seat]:
    return dict(zip(names, holders, strict=True))


def _milestone(name: str, event: Event) -> Milestone:
    return Milestone(
        line=intern(getattr(event, "line")),  # noqa: B009 - every event in TRIGGERS has one
        seats=seats_of(TRIGGERS[name], tuple(_seat(getattr(event, seat)) for seat in TRIGGERS[name])),
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


_OF_NOBODY = (staff.StaffHired, staff.StaffLeft, pay.AdjustmentPosted)
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
