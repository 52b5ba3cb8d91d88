"""Two lines, their people and one shared sale, told to the real service on a real database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import yaml

from belt.core.decider import Step
from belt.io.http.desk import Desk
from belt.io.http.issuer import DevelopmentIssuer
from compensation.clerk.books import of
from compensation.clerk.closing import freeze
from compensation.intake import take
from compensation.months import Month
from compensation.office import sheet
from conveyor_events import Envelope, Event, Seat, accounts, deals, leads, staff, wire_type
from conveyor_events.sale import Sale, SplitPart

SHARED, ALONE = "acme", "bolt"
NOW = datetime(2026, 5, 10, 9, tzinfo=UTC)
START = datetime(2025, 12, 31, 23, tzinfo=UTC)  # the first instant of the year in Berlin
APRIL = datetime(2026, 3, 31, 22, tzinfo=UTC)
ROLES = {
    "ana": "scout", "boris": "hunter", "dina": "hunter", "clara": "farmer", "lena": "manager",
    "egor": "scout", "otto": "manager",
}  # fmt: skip
TOKENS = {
    "boris": ["hunter"], "dina": ["hunter"], "ana": ["scout"], "egor": ["scout"], "clara": ["farmer"],
    "lena": ["manager"], "otto": ["manager"], "pia": ["payroll"], "vera": ["auditor"], "fred": ["finance"],
    "stage": ["integration"], "nils": ["operator"],
}  # fmt: skip


def seat(person: str) -> Seat:
    return Seat(person=person, role=ROLES[person])


def at(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def staffed(line: str, since: datetime, manager: str, scouts: list[str], hunters: list[str]) -> staff.LineStaffed:
    teams = {"lead-gen": scouts, "conversion": hunters, "account-mgmt": ["clara"] if line == "north" else []}
    return staff.LineStaffed(
        line=line,
        variant="scout-hunter-farmer",
        since=since,
        zone="Europe/Berlin",
        currency="EUR",
        teams={station: staff.StationTeam(team=f"{line}-{station}", members=m) for station, m in teams.items()},
        managers=[manager],
    )


def sale(client: str, parts: Mapping[str, str]) -> Sale:
    return Sale(
        sale_id=f"sale-{client}",
        kind="first",
        line="north",
        net=Decimal(10000),
        currency="EUR",
        sold_at=at(3, 10),
        sourced_by=seat("ana"),
        converted_by=seat("boris"),
        splits=[SplitPart(person=p, role="hunter", weight=Decimal(w)) for p, w in parts.items()],
    )


@dataclass
class Office:
    """Where readers come to."""

    http: httpx.AsyncClient
    issuer: DevelopmentIssuer
    dsn: str
    desk: Desk
    said: list[Envelope] = field(default_factory=list)

    def token(self, person: str) -> dict[str, str]:
        token = self.issuer.issue(person, roles=TOKENS.get(person, ["driver"]))
        return {"authorization": f"Bearer {token}"}

    async def get(self, path: str, by: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.token(by), params=params or None)

    async def json(self, path: str, by: str, **params: Any) -> Any:
        answer = await self.get(path, by, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any, by: str = "office") -> Any:
        answer = await self.http.post(path, json=body, headers=self.token(by))
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def say(self, event: Event, when: datetime, client: str | None = None, actor: str | None = None) -> None:
        number = len(self.said) + 1
        self.said.append(
            Envelope(
                id=UUID(int=number),
                type=wire_type(event),
                schema_version=event.VERSION,
                source="/conveyor/elsewhere",
                subject=client or "staff",
                occurred_at=when,
                recorded_at=when,
                command_id=f"command-{number}",
                correlation_id=f"command-{number}",
                sequence=number,
                data=event.model_dump(mode="json"),
                actor=seat(actor) if actor else None,
                client_id=client,
                journey_id=client,
                variant="scout-hunter-farmer" if client else None,
            )
        )

    async def open(self) -> None:
        """Everything there is to see."""
        for person, role in ROLES.items():
            self.say(staff.StaffHired(person=person, hired_on=date(2026, 1, 1)), START)
            self.say(staff.RoleGranted(person=person, role=role, since=START), START)
        self.say(staffed("north", START, "lena", ["ana"], ["boris", "dina"]), START)
        self.say(staffed("south", START, "otto", ["egor"], []), START)
        # From April on Boris works for the south.
        self.say(staffed("north", APRIL, "lena", ["ana"], ["dina"]), APRIL)
        self.say(staffed("south", APRIL, "otto", ["egor"], ["boris"]), APRIL)
        for client, parts in ((SHARED, {"boris": "1", "dina": "3"}), (ALONE, {})):
            self._sold(client, parts)
        refused = leads.RegistrationRefused(
            line="north", attempted_by=seat("egor"), held_by=seat("ana"), reason="client-protected"
        )
        self.say(refused, at(3, 3), SHARED, "egor")
        connection = await asyncpg.connect(self.dsn)
        try:
            async with connection.transaction():
                await take(connection, self.said)
        finally:
            await connection.close()
        for name in ("ref-scout", "ref-hunter", "ref-farmer"):
            text = files("compensation").joinpath(f"plans/{name}.yaml").read_text(encoding="utf-8")
            await self.post("/v1/plans", yaml.load(text, Loader=yaml.BaseLoader))
            await self.post(f"/v1/plans/{name}/versions/1/approve", {}, by="approver")
        for person, role in ROLES.items():
            if role != "manager":
                paid = {"person": person, "plan": f"ref-{role}", "role": role, "since": "2026-01-01"}
                await self.post("/v1/assignments", paid)

    async def march_is_closed(self, desk: Desk) -> None:
        """Its statements are published, Boris objects to a shared sale in his, and one payout run was made."""
        march = Month(2026, 3)
        found = {person: (await of(desk).as_closed(person, [march], NOW))[0] for person in sorted(ROLES)}
        sheets = [by[march] for by in found.values() if by[march].lines]
        for one in sheets:
            steps = [freeze(one, NOW), sheet.Publish(at(6, 1), "pia", NOW)]
            await desk.writer.handle(*(Step(sheet.CATEGORY, sheet.key("2026-03", one.person), c) for c in steps))
        shared = [str(line.line_id) for line in found["boris"][march].lines if line.client_id == SHARED]
        about = {"period": "2026-03", "text": "too low", "dispute_id": "d-boris", "lines": shared}
        await self.post("/v1/disputes", about, "boris")
        await self.post("/v1/statements/egor/2026-03/acknowledge", {}, "egor")
        await self.post("/v1/statements/egor/2026-03/finalize", {}, "pia")
        await self.post("/v1/payouts", {"period": "2026-03", "run_id": "r-1"}, "pia")
        asked = {"from": "2026-03", "to": "2026-03", "variant": "hunter", "simulation_id": "s-1"}
        await self.post("/v1/simulations", asked, "pia")

    def _sold(self, client: str, parts: Mapping[str, str]) -> None:
        self.say(leads.ProspectRegistered(line="north", source="fair", sourced_by=seat("ana")), at(3, 2), client, "ana")
        accepted = deals.LeadAccepted(
            line="north",
            offer_id=f"offer-{client}",
            need_id=f"need-{client}",
            attempt=1,
            sourced_by=seat("ana"),
            converted_by=seat("boris"),
            mode="accepted",
            reroutes=0,
        )
        self.say(accepted, at(3, 4), client, "boris")
        closed = deals.DealClosed(
            sale=sale(client, parts),
            deal_id=f"deal-{client}",
            opportunity_id=f"chance-{client}",
            tax=Decimal(0),
            payment_schedule=[deals.Instalment(due_on=date(2026, 3, 31), amount=Decimal(10000))],
        )
        self.say(closed, at(3, 10), client, "boris")
        paid = deals.PaymentReceived(
            payment_id=f"payment-{client}",
            sale=sale(client, parts),
            net=Decimal(10000),
            currency="EUR",
            paid_net_total=Decimal(10000),
        )
        self.say(paid, at(3, 15), client, "boris")
        held = accounts.SeatAssigned(line="north", seat="served_by", holder=seat("clara"), since=at(3, 16))
        self.say(held, at(3, 16), client, "clara")
