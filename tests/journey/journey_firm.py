"""A firm on one line, as the journeys need it: people of its own, the reference plans, and what they do, backdated."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml

from conveyor.exits import Problem
from conveyor.line import Line
from conveyor_events.words import VARIANTS, Station

PLANS = ("ref-scout", "ref-hunter", "ref-farmer")
SINCE = "2026-01-01"
HEARD_WITHIN = 30.0


async def post(line: Line, service: str, path: str, body: dict[str, Any], *, person: str = "office") -> Any:
    return await line.post(service, path, body, person=person)


async def plans(line: Line) -> None:
    """Drafts and approves the reference plans; said again, nothing new happens."""
    for name in PLANS:
        text = files("compensation").joinpath(f"plans/{name}.yaml").read_text(encoding="utf-8")
        await plan(line, yaml.load(text, Loader=yaml.BaseLoader))


async def plan(line: Line, document: dict[str, Any]) -> None:
    drafted = await post(line, "compensation", "/v1/plans", document)
    path = f"/v1/plans/{drafted['plan']}/versions/{drafted['number']}/approve"
    await post(line, "compensation", path, {}, person="approver")


async def simulated(line: Line, asked: dict[str, Any]) -> dict[str, Any]:
    """Asks for a simulation and waits for its end."""
    begun = await post(line, "compensation", "/v1/simulations", asked)
    until = asyncio.get_running_loop().time() + HEARD_WITHIN
    while True:
        found = await line.get("compensation", f"/v1/simulations/{begun['simulation_id']}")
        if found["stage"] not in ("queued", "running"):
            return found
        assert asyncio.get_running_loop().time() < until, found
        await asyncio.sleep(0.1)


@dataclass
class Firm:
    """One line under a variant. `scout` is who works at the first station, and so on; without handover the same one."""

    line: Line
    name: str
    variant: str
    clients: int = field(default=0)
    currency: str = "EUR"

    def seat(self, station: Station) -> str:
        """One person per role."""
        return f"{self.name}-{VARIANTS[self.variant][station]}"

    @property
    def scout(self) -> str:
        return self.seat(Station.LEAD_GEN)

    @property
    def hunter(self) -> str:
        return self.seat(Station.CONVERSION)

    @property
    def farmer(self) -> str:
        return self.seat(Station.ACCOUNT_MGMT)

    async def open(
        self, plan_of: dict[str, str] | None = None, more: dict[str, str] | None = None, managers: tuple[str, ...] = ()
    ) -> None:
        """Hires, grants roles, staffs the line, and puts everybody on a plan. `more`: person to role."""
        roles = sorted({str(role) for role in VARIANTS[self.variant].values()})
        for person, role in [(f"{self.name}-{role}", role) for role in roles] + list((more or {}).items()):
            await post(self.line, "lead-gen", "/v1/staff", {"person": person, "hired_on": SINCE})
            granted = {"role": role, "since": f"{SINCE}T00:00:00+01:00"}
            await post(self.line, "lead-gen", f"/v1/staff/{person}/roles", granted)
            paid = {"person": person, "plan": (plan_of or {}).get(role, f"ref-{role}"), "role": role, "since": SINCE}
            await post(self.line, "compensation", "/v1/assignments", paid)
        for person in managers:
            await post(self.line, "lead-gen", "/v1/staff", {"person": person, "hired_on": SINCE})
            granted = {"role": "manager", "since": f"{SINCE}T00:00:00+01:00"}
            await post(self.line, "lead-gen", f"/v1/staff/{person}/roles", granted)
        staffed: dict[str, Any] = {
            "managers": list(managers),
            "variant": self.variant,
            "since": f"{SINCE}T00:00:00+01:00",
            "zone": "Europe/Berlin",
            "currency": "EUR",
            "teams": {
                station: {"team": f"{self.name}-{station}", "members": [self.seat(station)]} for station in Station
            },
        }
        for person, role in (more or {}).items():
            station = next(station for station, works in VARIANTS[self.variant].items() if works == role)
            staffed["teams"][station]["members"].append(person)
        await post(self.line, "lead-gen", f"/v1/lines/{self.name}/staffing", staffed)

    async def heard(self, service: str, path: str, body: dict[str, Any]) -> Any:
        """A command on something that another station did a moment ago."""
        loop = asyncio.get_running_loop()
        until = loop.time() + HEARD_WITHIN
        while True:
            try:
                return await post(self.line, service, path, body)
            except Problem as problem:
                if problem.status != 404 or loop.time() > until:
                    raise
                await asyncio.sleep(0.05)

    async def prospect(self, at: str) -> str:
        self.clients += 1
        client = f"{self.name}-client-{self.clients}"
        registered = {"client_id": client, "line": self.name, "name": f"Client {client}", "source": "fair"}
        await post(self.line, "lead-gen", "/v1/prospects", registered | {"by": self.scout, "occurred_at": at})
        return client

    async def verified(self, at: str, *, invalid: bool = False) -> None:
        client = await self.prospect(at)
        said = {"by": self.scout, "occurred_at": at}
        path = f"/v1/prospects/{client}"
        await post(self.line, "lead-gen", f"{path}/verify", {"checks": ["legal_active"], **said})
        if invalid:
            await post(self.line, "lead-gen", f"{path}/invalidate", {"reason": "closed_down", **said})

    async def offered(self, at: str) -> str:
        """A lead that is found and offered; its offer's id."""
        client = await self.prospect(at)
        said = {"by": self.scout, "occurred_at": at}
        path = f"/v1/prospects/{client}"
        await post(self.line, "lead-gen", f"{path}/calls", {"outcome": "reached", **said})
        reached = {"person": "Udo Kern", "position": "buyer", "channel": "phone", "influence": "decides"}
        await post(self.line, "lead-gen", f"{path}/contacts", reached | said)
        need = {"category": "tools", "statement": "drills wear out", "evidence": ["said so"], "budget": "none"}
        await post(self.line, "lead-gen", f"{path}/needs", need | {"wish": "low", **said})
        offered = await post(self.line, "lead-gen", f"{path}/offer", {"to": self.hunter, **said})
        return str(offered["offer_id"])

    async def lead(self, at: str) -> tuple[str, str]:
        """(client, opportunity) of a lead that was found, offered and accepted."""
        offer = await self.offered(at)
        taken = {"by": self.hunter, "occurred_at": at}
        accepted = await self.heard("conversion", f"/v1/offers/{offer}/accept", taken)
        return f"{self.name}-client-{self.clients}", accepted["opportunity_id"]

    async def deal(
        self, at: str, net: str, tax: str = "0.00", since: str | None = None, **more: Any
    ) -> tuple[str, str]:
        """(client, deal) of a first sale."""
        client, opportunity = await self.lead(since or at)
        said = {"by": self.hunter, "occurred_at": at}
        path = f"/v1/opportunities/{opportunity}"
        lines = [{"sku": "drill", "qty": "1", "unit_price": net}]
        proposed = {"lines": lines, "tax": tax, "currency": self.currency, **said}
        await self.heard("conversion", f"{path}/proposals", proposed)
        closed = {"net": net, "tax": tax, "currency": self.currency, **said, **more}
        won = await post(self.line, "conversion", f"{path}/close", closed)
        return client, won["deal_id"]

    async def paid(self, deal: str, at: str, net: str) -> None:
        body = {"net": net, "currency": self.currency, "by": self.hunter, "occurred_at": at}
        await self.heard("conversion", f"/v1/deals/{deal}/payments", body)

    async def refunded(self, deal: str, at: str, net: str) -> None:
        body = {"net": net, "currency": self.currency, "by": self.hunter, "occurred_at": at}
        await self.heard("conversion", f"/v1/deals/{deal}/refunds", body)

    async def served(self, client: str, at: str) -> None:
        """The account is accepted, where it is not so by itself."""
        loop = asyncio.get_running_loop()
        until = loop.time() + HEARD_WITHIN
        while True:
            found = await self.line.get("account-mgmt", "/v1/offers", params={"client": client})
            if found["items"]:
                break
            assert loop.time() < until, f"no account was offered for {client}"
            await asyncio.sleep(0.05)
        offer = found["items"][0]["offer_id"]
        body = {"by": self.farmer, "occurred_at": at}
        await post(self.line, "account-mgmt", f"/v1/offers/{offer}/accept", body)

    async def repeat(self, client: str, at: str, net: str) -> None:
        money = {"net": net, "currency": self.currency, "by": self.farmer, "occurred_at": at}
        sold = await self.heard("account-mgmt", f"/v1/accounts/{client}/repeat-sales", {"tax": "0.00", **money})
        await post(self.line, "account-mgmt", f"/v1/sales/{sold['sale_id']}/payments", money)

    async def statement(self, person: str, month: str) -> dict[str, Any]:
        return await self.line.get("compensation", f"/v1/statements/{person}/{month}")

    async def payable(self, person: str, month: str) -> str:
        return str((await self.statement(person, month))["totals"][0]["payable"])
