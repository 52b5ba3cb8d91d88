"""Public events of one client, made as the stations would publish them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from conveyor_events import Envelope
from conveyor_events.envelope import sequence_text

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
SPACE = UUID("6f3c1f0e-5d0b-5c57-9b0c-2a4d1f6f9a12")
ANA, BORIS, DINA, CLARA = (
    {"person": person, "role": role}
    for person, role in (("ana", "scout"), ("boris", "hunter"), ("dina", "hunter"), ("clara", "farmer"))
)
SOURCES = {"leads": "lead-gen", "deals": "conversion", "accounts": "account-mgmt"}
SALE = {
    "sale_id": "s1",
    "kind": "first",
    "line": "tools",
    "net": "900.00",
    "currency": "EUR",
    "sold_at": "2026-03-02T15:00:00.000000Z",
    "sourced_by": ANA,
    "converted_by": BORIS,
    "splits": [],
}


class Story:
    """Tells one event after the other, an hour apart."""

    def __init__(self, client: str = "acme", line: str = "tools") -> None:
        self.client, self.line, self.at = client, line, NOON
        self.told: list[Envelope] = []

    def tell(self, topic: str, name: str, **data: Any) -> Envelope:
        self.at += timedelta(hours=1)
        sequence = 1 + sum(1 for e in self.told if e.type.startswith(f"conveyor.{topic}."))
        made = Envelope(
            id=uuid5(SPACE, f"{self.client} {topic} {sequence_text(sequence)}"),
            type=f"conveyor.{topic}.{name}",
            schema_version=1,
            source=f"/conveyor/{SOURCES[topic]}",
            subject=self.client,
            occurred_at=self.at,
            recorded_at=self.at,
            command_id=f"c{len(self.told)}",
            correlation_id="k",
            sequence=sequence,
            client_id=self.client,
            journey_id="j",
            variant="scout-hunter-farmer",
            data=({} if "sale" in data else {"line": self.line}) | data,
        )
        self.told.append(made)
        return made

    def registered(self) -> Story:
        self.tell("leads", "ProspectRegistered", source="fair", sourced_by=ANA)
        return self

    def needed(self) -> Story:
        need = {"category": "tools", "budget": "none", "wish": "low"}
        self.tell("leads", "NeedIdentified", need_id="n1", sourced_by=ANA, **need)
        return self

    def offered(self, due: datetime | None = NOON + timedelta(days=1), offer: str = "o1") -> Story:
        due_at = due.isoformat().replace("+00:00", "Z") if due else None
        lead = {"offer_id": offer, "need_id": "n1", "attempt": 1, "mode": "offer", "team": "sellers"}
        self.tell(
            "leads",
            "LeadQualified",
            sourced_by=ANA,
            to=BORIS,
            accept_due_at=due_at,
            credit_until="2026-06-01T00:00:00Z",
            **lead,
        )
        return self

    def accepted(self) -> Story:
        lead = {"offer_id": "o1", "need_id": "n1", "attempt": 1, "mode": "accepted", "reroutes": 0}
        self.tell("deals", "LeadAccepted", sourced_by=ANA, converted_by=BORIS, **lead)
        opened = {"opportunity_id": "p1", "need_ids": ["n1"]}
        self.tell("deals", "OpportunityOpened", sourced_by=ANA, converted_by=BORIS, **opened)
        handed = {"offer_id": "o1", "need_id": "n1"}
        self.tell("leads", "LeadHandedOver", sourced_by=ANA, converted_by=BORIS, **handed)
        return self

    def won(self) -> Story:
        deal = {"deal_id": "d1", "opportunity_id": "p1", "tax": "0.00", "payment_schedule": []}
        self.tell("deals", "DealClosed", sale=SALE, **deal)
        due = (self.at + timedelta(days=2)).isoformat().replace("+00:00", "Z")
        offer = {"offer_id": "b1", "deal_id": "d1", "team": "keepers", "mode": "offer", "attempt": 1}
        self.tell(
            "deals",
            "AccountOffered",
            to=CLARA,
            accept_due_at=due,
            sourced_by=ANA,
            converted_by=BORIS,
            checklist=[],
            **offer,
        )
        return self

    def kept(self) -> Story:
        self.tell("accounts", "AccountAccepted", offer_id="b1", served_by=CLARA, mode="accepted")
        since = self.at.isoformat().replace("+00:00", "Z")
        self.tell("accounts", "SeatAssigned", seat="served_by", holder=CLARA, since=since)
        return self


def whole() -> Story:
    """From the first call to an account that is served."""
    return Story().registered().needed().offered().accepted().won().kept()
