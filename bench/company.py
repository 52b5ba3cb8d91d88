"""A large company from a seed: public events as the bytes in which compensation keeps them, one a line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

START = datetime(2024, 1, 1, 8, tzinfo=UTC)
DAYS = 700
LINE = "north"
STAFF = {"scout": 40, "hunter": 40, "farmer": 20}
SOURCE = {"leads": "/conveyor/lead-gen", "deals": "/conveyor/conversion", "accounts": "/conveyor/account-mgmt"}
Fact = tuple[str, datetime, dict[str, Any]]


def people(staff: Mapping[str, int] = STAFF) -> dict[str, str]:
    """Person to role: a hundred."""
    return {f"{role}-{number:02d}": role for role, count in staff.items() for number in range(count)}


def facts(seed: int, count: int, staff: Mapping[str, int] = STAFF) -> Iterator[bytes]:
    """So many events, client after client as their lives run side by side; the same for the same seed."""
    rnd, made = Random(seed), 0
    while made < count:
        client = str(UUID(int=rnd.getrandbits(128)))
        told: Counter[str] = Counter()
        for name, at, data in _client(rnd, client, staff):
            if made == count:
                return
            made += 1
            topic = name.partition(".")[0]
            told[topic] += 1
            yield _bytes(UUID(int=rnd.getrandbits(128)), name, at, data, client, told[topic])


def _bytes(event: UUID, name: str, at: datetime, data: dict[str, Any], client: str, number: int) -> bytes:
    text = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    topic = name.partition(".")[0]
    envelope = {
        "specversion": "1.0",
        "id": str(event),
        "type": f"conveyor.{name}",
        "source": SOURCE[topic],
        "subject": client,
        "time": text,
        "recordedtime": text,
        "schemaversion": 1,
        "partitionkey": client,
        "sequence": f"{number:010d}",
        "correlationid": str(event),
        "commandid": str(event),
        "clientid": client,
        "journeyid": client,
        "variant": "scout-hunter-farmer",
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(envelope, separators=(",", ":")).encode()


def _client(rnd: Random, client: str, staff: Mapping[str, int]) -> Iterator[Fact]:
    """Found, checked, handed on; four in ten buy, and most of those buy again."""
    scout, hunter, farmer = (
        {"person": f"{role}-{rnd.randrange(count):02d}", "role": role} for role, count in staff.items()
    )
    at = START + timedelta(days=rnd.randrange(DAYS - 200), minutes=rnd.randrange(600))
    found = {"line": LINE, "sourced_by": scout}
    yield "leads.ProspectRegistered", at, found | {"source": "fair", "country": "DE"}
    if rnd.random() < 0.9:
        at += timedelta(hours=5)
        yield "leads.ProspectVerified", at, found | {"checks": ["reachable_phone", "legal_active"]}
    at += timedelta(days=rnd.randrange(1, 20))
    lead = {"need_id": f"{client}/need", "budget": "none", "wish": "low", "category": "tools"}
    yield "leads.NeedIdentified", at, found | lead
    offer = {"line": LINE, "offer_id": f"{client}/offer", "need_id": f"{client}/need", "attempt": 1}
    due = _text(at + timedelta(days=1))
    offered = {"to": hunter, "team": "hunters", "mode": "offer", "accept_due_at": due, "credit_until": due}
    yield "leads.LeadQualified", at, offer | {"sourced_by": scout} | offered
    answer = rnd.random()
    at += timedelta(hours=rnd.randrange(1, 9))
    if answer < 0.1:
        rejected = {"sourced_by": scout, "rejected_by": hunter, "reason": "duplicate"}
        yield "deals.LeadRejected", at, offer | rejected
        return
    taken = {"sourced_by": scout, "converted_by": hunter}
    yield "deals.LeadAccepted", at, offer | taken | {"mode": "accepted", "reroutes": 0}
    handed = {key: offer[key] for key in ("line", "offer_id", "need_id")}
    yield "leads.LeadHandedOver", at, handed | taken
    chance = {"line": LINE, "opportunity_id": f"{client}/opportunity"}
    yield "deals.OpportunityOpened", at, chance | taken | {"need_ids": [f"{client}/need"]}
    yield "deals.FirstTouchMade", at + timedelta(hours=2), chance | {"converted_by": hunter}
    meeting = {"meeting_id": f"{client}/meeting", "objective_met": "full", "converted_by": hunter}
    yield "deals.MeetingHeld", at + timedelta(days=3), chance | meeting
    net = rnd.randrange(100_000, 2_000_000)
    money = {"net": _money(net), "tax": "0.00", "currency": "EUR"}
    yield "deals.ProposalSent", at + timedelta(days=6), chance | {"proposal_id": "p", "revision": 1} | money
    if answer > 0.5:
        yield "deals.OpportunityLost", at + timedelta(days=9), chance | {"reason": "price"}
        return
    yield from _bought(rnd, client, net, at + timedelta(days=9), scout, hunter, farmer)


def _bought(rnd: Random, client: str, net: int, at: datetime, scout: Any, hunter: Any, farmer: Any) -> Iterator[Fact]:
    seats = {"sourced_by": scout, "converted_by": hunter}
    first = _sale(f"{client}/first", "first", net, at, seats)
    deal = {"sale": first, "deal_id": "d", "opportunity_id": f"{client}/opportunity", "tax": "0.00"}
    yield "deals.DealClosed", at, deal | {"payment_schedule": []}
    half = net // 2
    for number, part in enumerate((half, net - half)):
        paid = half if number == 0 else net
        yield "deals.PaymentReceived", at + timedelta(days=10 + 20 * number), _payment(first, number, part, paid)
    offer = {"line": LINE, "offer_id": f"{client}/account"}
    handed = {"deal_id": "d", "team": "farmers", "mode": "offer", "attempt": 1, "checklist": []}
    yield "deals.AccountOffered", at, offer | handed | seats
    at += timedelta(hours=6)
    yield "accounts.AccountAccepted", at, offer | {"served_by": farmer, "mode": "accepted"}
    yield "accounts.SeatAssigned", at, {"line": LINE, "seat": "served_by", "holder": farmer, "since": _text(at)}
    for number in range(rnd.randrange(6)):
        at += timedelta(days=rnd.randrange(10, 40))
        net = rnd.randrange(10_000, 500_000)
        sale = _sale(f"{client}/{number}", "repeat", net, at, seats | {"served_by": farmer})
        yield "accounts.RepeatSale", at, {"sale": sale, "tax": "0.00"}
        payment = _payment(sale, 0, net, net)
        yield "accounts.PaymentReceived", at + timedelta(days=9), payment
        if rnd.random() < 0.05:
            back = {"refund_id": "r", "payment_at": _text(at + timedelta(days=9)), "refunded_net_total": _money(net)}
            refund = {key: payment[key] for key in ("payment_id", "sale", "net", "currency")}
            yield "accounts.PaymentRefunded", at + timedelta(days=30), refund | back | {"empties": True}
        if number == 1:
            regular = {"line": LINE, "served_by": farmer, "purchases": 3, "since": _text(at)}
            yield "accounts.CustomerBecameRegular", at, regular


def _sale(sale_id: str, kind: str, net: int, at: datetime, seats: dict[str, Any]) -> dict[str, Any]:
    told = {"sale_id": sale_id, "kind": kind, "line": LINE, "net": _money(net), "currency": "EUR"}
    return told | {"sold_at": _text(at), "splits": []} | seats


def _payment(sale: dict[str, Any], number: int, net: int, paid: int) -> dict[str, Any]:
    told = {"payment_id": f"{sale['sale_id']}/{number}", "sale": sale, "net": _money(net), "currency": "EUR"}
    return told | {"paid_net_total": _money(paid)}


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
