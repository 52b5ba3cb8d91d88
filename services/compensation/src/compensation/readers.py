"""What an event says to pay, read out of its data as we write it: one small function for each kind.

Nothing is examined here: whoever reads has either just examined the event (`reading.py`), or kept what was (`kept.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import Any

from compensation.facts import (
    TRIGGERS,
    Adjusted,
    Cancelled,
    Churned,
    Contested,
    Data,
    Hired,
    Invalidated,
    Lead,
    Left,
    Milestone,
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
from conveyor_events import CATALOG, accounts, deals, leads, pay, staff
from conveyor_events.words import Event

Raw = Mapping[str, Any]
Reader = Callable[[Raw], Data]


def instant(text: str) -> datetime:
    """As we write it. Raises ValueError for any other notation."""
    if len(text) != 27 or text[26] != "Z":
        raise ValueError(text)
    return datetime.fromisoformat(text)


@lru_cache(maxsize=4096)
def _shared_seat(person: str, role: str) -> Seat:
    return Seat(intern(person), intern(role))


def _seat(raw: Raw) -> Seat:
    return _shared_seat(raw["person"], raw["role"])


@lru_cache(maxsize=65_536)
def _seats_of(names: tuple[str, ...], holders: tuple[Seat, ...]) -> dict[str, Seat]:
    return dict(zip(names, holders, strict=True))


def _milestone(name: str) -> Reader:
    places, due = TRIGGERS[name], _DUE.get(name)

    def read(data: Raw) -> Milestone:
        until = data.get(due) if due is not None else None
        return Milestone(
            intern(data["line"]),
            _seats_of(places, tuple([_seat(data[place]) for place in places])),
            data.get("need_id"),
            data.get("offer_id"),
            data.get("mode"),
            instant(until) if until is not None else None,
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
        instant(raw["sold_at"]),
        _seat(raw["sourced_by"]),
        _seat(raw["converted_by"]),
        _seat(served) if served is not None else None,
        tuple([Part(p["person"], p["role"], Decimal(p["weight"])) for p in parts]) if parts else (),
    )


def _sold(data: Raw) -> Sold:
    sale, legacy = _sale(data["sale"]), data.get("legacy")
    if legacy is None:
        return Sold(sale)
    return Sold(sale, legacy["person"] if sale.sold_at < instant(legacy["until"]) else None)


def _deal(data: Raw) -> Sold:
    return Sold(_sale(data["sale"]))


def _paid(data: Raw) -> Paid:
    sale, net = _sale(data["sale"]), Decimal(data["net"])
    return Paid(data["payment_id"], sale, sale.net if net == sale.net else net)


def _refunded(data: Raw) -> Refunded:
    where = data["refund_id"], data["payment_id"], instant(data["payment_at"])
    return Refunded(*where, _sale(data["sale"]), Decimal(data["net"]))


def _rejected(data: Raw) -> Rejected:
    seats = _seat(data["sourced_by"]), _seat(data["rejected_by"])
    return Rejected(data["line"], data["offer_id"], data["need_id"], *seats, data["reason"])


def _contested(data: Raw) -> Contested:
    younger = data["b"]
    return contested(data["case_id"], data["kind"], data.get("sale_id"), younger["event_id"] if younger else None)


def _ruled(data: Raw) -> Ruled:
    lead, b = data.get("lead"), data["b"]
    return Ruled(
        data["case_id"],
        data["kind"],
        data["outcome"],
        data["line"],
        _seat(data["a"]),
        _seat(b) if b is not None else None,
        data.get("sale_id"),
        Lead(lead["offer_id"], lead["need_id"], instant(lead["rejected_at"])) if lead is not None else None,
    )


def _adjusted(data: Raw) -> Adjusted:
    about = data["relates_to"], data["reason"], data["asked_by"], data["approved_by"], data.get("dispute_id")
    return Adjusted(data["adjustment_id"], data["person"], Decimal(data["amount"]), data["currency"], *about)


_MILESTONES: dict[type[Event], Reader] = {
    kind.model: _milestone(kind.model.__name__) for kind in CATALOG if kind.model.__name__ in TRIGGERS
}
READERS = _MILESTONES | {
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
    accounts.SeatAssigned: lambda d: Seated(d["line"], d["seat"], _seat(d["holder"]), instant(d["since"])),
    accounts.RepeatSale: _sold,
    accounts.PaymentReceived: _paid,
    accounts.PaymentRefunded: _refunded,
    pay.ConflictDetected: _contested,
    pay.ConflictResolved: _ruled,
    pay.AdjustmentPosted: _adjusted,
}
"""Without a reader no rule looks at an event."""
