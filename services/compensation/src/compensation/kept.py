"""Facts as they are kept → facts, quickly: what was taken in was validated then, and is read again very often.

For every kept event this gives the very fact that `reading.fact` gives; the tests hold the two against each other. What
is not written the way we write it (another version, another notation) is read by `reading.fact` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from sys import intern
from typing import Any

from pydantic_core import from_json as parsed

from compensation.facts import (
    TRIGGERS,
    Cancelled,
    Churned,
    Data,
    Fact,
    Hired,
    Invalidated,
    Left,
    Milestone,
    Noted,
    Offered,
    Paid,
    Part,
    Refunded,
    Rejected,
    Sale,
    Seat,
    Seated,
    Sold,
    Staff,
)
from compensation.reading import fact, seats_of, shared_seat
from conveyor_events import CATALOG, UnknownEvent, accounts, deals, from_json, leads, pay, staff
from conveyor_events.words import Event

Raw = Mapping[str, Any]
_NOTED = Noted()


def facts(rows: Iterable[str | bytes]) -> Iterator[Fact]:
    """Those that this release can read."""
    for row in rows:
        try:
            yield read(row)
        except UnknownEvent:
            continue


def types(milestones: Collection[str]) -> frozenset[str]:
    """The events that a rule may look at, if of the milestones it is these alone; their types on the wire."""
    offers = "AccountAccepted" in milestones
    return frozenset(
        wire
        for wire, (name, _, reader) in KINDS.items()
        if reader is not None and (name in milestones if name in TRIGGERS else offers or name != "AccountOffered")
    )


def read(row: str | bytes) -> Fact:
    """The fact of an event as it is kept. Raises UnknownEvent where this release cannot read the event."""
    return _read(parsed(row))


def traced(row: str | bytes) -> tuple[Fact, str | None]:
    """The same with the context in which the event was recorded."""
    raw = parsed(row)
    return _read(raw), raw.get("traceparent")


def _read(raw: dict[str, Any]) -> Fact:
    kind = KINDS.get(raw["type"])
    if kind is not None and kind[1] == raw["schemaversion"]:
        try:
            return _fact(raw, kind[0], kind[2])
        except (KeyError, TypeError, ValueError, ArithmeticError):
            pass  # read, or refused, by the reader that knows every notation
    return fact(from_json(raw))


def _fact(raw: Raw, name: str, reader: Callable[[Raw], Data] | None) -> Fact:
    data = raw["data"]
    client, journey = raw.get("clientid"), raw.get("journeyid")
    happened, recorded = raw["time"], raw["recordedtime"]
    at = _instant(happened)
    read = reader(data) if reader is not None else _NOTED
    if client is None and not isinstance(read, Staff | Noted):
        raise ValueError("a fact of no client")
    client = intern(client) if client is not None else None
    known = at if recorded == happened else _instant(recorded)
    return Fact(raw["id"], name, at, known, client, client if journey == client else journey, read)


def _instant(text: str) -> datetime:
    """As we write it; anything else is left to the reader of every notation."""
    if len(text) != 27 or text[26] != "Z":
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _seat(raw: Raw) -> Seat:
    return shared_seat(raw["person"], raw["role"])


def _milestone(name: str) -> Callable[[Raw], Milestone]:
    places, due = TRIGGERS[name], _DUE.get(name)

    def read(data: Raw) -> Milestone:
        until = data.get(due) if due is not None else None
        return Milestone(
            intern(data["line"]),
            seats_of(places, tuple([_seat(data[place]) for place in places])),
            data.get("need_id"),
            data.get("offer_id"),
            data.get("mode"),
            _instant(until) if until is not None else None,
        )

    return read


_DUE = {"LeadOfferExpired": "due_at", "LeadQualified": "accept_due_at"}


def _sale(raw: Raw) -> Sale:
    served = raw.get("served_by")
    parts = raw.get("splits")
    return Sale(
        raw["sale_id"],
        raw["kind"] == "first",
        intern(raw["line"]),
        Decimal(raw["net"]),
        intern(raw["currency"]),
        _instant(raw["sold_at"]),
        _seat(raw["sourced_by"]),
        _seat(raw["converted_by"]),
        _seat(served) if served is not None else None,
        tuple([Part(p["person"], p["role"], Decimal(p["weight"])) for p in parts]) if parts else (),
    )


def _sold(data: Raw) -> Sold:
    sale, legacy = _sale(data["sale"]), data.get("legacy")
    if legacy is None:
        return Sold(sale)
    return Sold(sale, legacy["person"] if sale.sold_at < _instant(legacy["until"]) else None)


def _deal(data: Raw) -> Sold:
    return Sold(_sale(data["sale"]))


def _paid(data: Raw) -> Paid:
    sale, net = _sale(data["sale"]), Decimal(data["net"])
    return Paid(data["payment_id"], sale, sale.net if net == sale.net else net)


def _refunded(data: Raw) -> Refunded:
    where = data["refund_id"], data["payment_id"], _instant(data["payment_at"])
    return Refunded(*where, _sale(data["sale"]), Decimal(data["net"]))


def _rejected(data: Raw) -> Rejected:
    seats = _seat(data["sourced_by"]), _seat(data["rejected_by"])
    return Rejected(data["line"], data["offer_id"], data["need_id"], *seats, data["reason"])


_READERS: dict[type[Event], Callable[[Raw], Data]] = {
    staff.StaffHired: lambda d: Hired(d["person"], date.fromisoformat(d["hired_on"])),
    staff.StaffLeft: lambda d: Left(d["person"], date.fromisoformat(d["last_day"])),
    leads.ProspectInvalidated: lambda d: Invalidated(d["line"], _seat(d["sourced_by"]), d["was_verified"]),
    deals.LeadRejected: _rejected,
    deals.DealClosed: _deal,
    deals.PaymentReceived: _paid,
    deals.PaymentRefunded: _refunded,
    deals.DealCancelled: lambda d: Cancelled(_sale(d["sale"])),
    deals.AccountOffered: lambda d: Offered(intern(d["line"]), d["offer_id"], d["mode"]),
    accounts.CustomerChurned: lambda d: Churned(d["line"]),
    accounts.SeatAssigned: lambda d: Seated(d["line"], d["seat"], _seat(d["holder"]), _instant(d["since"])),
    accounts.RepeatSale: _sold,
    accounts.PaymentReceived: _paid,
    accounts.PaymentRefunded: _refunded,
}
_NOT_HERE = (pay.ConflictDetected, pay.ConflictResolved, pay.AdjustmentPosted)
KINDS = {
    kind.wire: (
        intern(kind.model.__name__),
        kind.model.VERSION,
        _milestone(kind.model.__name__) if kind.model.__name__ in TRIGGERS else _READERS.get(kind.model),
    )
    for kind in CATALOG
    if kind.model not in _NOT_HERE
}
"""Wire type -> name, version and reader; without a reader no rule looks at it."""
