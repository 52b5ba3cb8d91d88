"""The same month of work told on different lines: what a fault did to one is seen beside another."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from journey_firm import Firm, plans, post
from stations import eventually

from conveyor.line import Line
from conveyor_events.words import parse_instant

MONTH = "2026-03"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIMES = tuple(f"2026-03-{10 + n}T10:0{n}:00+01:00" for n in range(6))


@dataclass
class Story:
    """Two leads are found; each becomes a deal, a payment, an account, a repeat sale and a refund."""

    firm: Firm
    offers: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def begun(cls, line: Line, name: str) -> Story:
        await plans(line)
        firm = Firm(line, f"{name}-{uuid4().hex[:8]}", "scout-hunter-farmer")
        await firm.open()
        return cls(firm)

    @property
    def clients(self) -> tuple[str, str]:
        first, second = self.offers
        return first, second

    async def found(self) -> None:
        for at in TIMES[:2]:
            offer = await self.firm.offered(at)
            self.offers[f"{self.firm.name}-client-{self.firm.clients}"] = offer

    async def sold(self, client: str) -> None:
        """The client's way from an offered lead to a repeat sale."""
        firm, line, second = self.firm, self.firm.line, client == self.clients[1]
        at = dict(zip(("taken", "closed", "paid", "served", "again", "refunded"), TIMES, strict=True))
        if second:
            at = {what: when.replace("T10:", "T14:") for what, when in at.items()}
        net = "8000.00" if second else "10000.00"
        taken = {"by": firm.hunter, "occurred_at": at["taken"]}
        accepted = await firm.heard("conversion", f"/v1/offers/{self.offers[client]}/accept", taken)
        said = {"by": firm.hunter, "occurred_at": at["closed"]}
        path, money = f"/v1/opportunities/{accepted['opportunity_id']}", {"tax": "0.00", "currency": "EUR"}
        goods = [{"sku": "drill", "qty": "1", "unit_price": net}]
        await firm.heard("conversion", f"{path}/proposals", {"lines": goods, **money, **said})
        won = await post(line, "conversion", f"{path}/close", {"net": net, **money, **said})
        await firm.paid(won["deal_id"], at["paid"], net)
        await firm.served(client, at["served"])
        await firm.repeat(client, at["again"], "4000.00")
        await firm.refunded(won["deal_id"], at["refunded"], "2500.00")

    async def told(self) -> list[Any]:
        """Everybody's statement of the month: all of it but names, ids and the moment of asking."""
        firm = self.firm
        found = []
        for person in (firm.scout, firm.hunter, firm.farmer):
            text = json.dumps(await firm.statement(person, MONTH)).replace(firm.name, "FIRM")
            statement = json.loads(UUID.sub("ID", text))
            del statement["known_at"]
            assert statement["lines"], "a statement without a line proves nothing"
            statement["lines"].sort(key=lambda line: json.dumps(line, sort_keys=True))
            found.append(statement)
        return found

    async def comes_to(self, wanted: list[Any], within: float = 30.0) -> None:
        """The statements become these, and do not change when all is at rest."""

        async def same() -> bool:
            return await self.told() == wanted

        await self.firm.line.drained()
        if not await same():
            await eventually(same, f"the statements of {self.firm.name} are those without a fault", within)


async def undisturbed(line: Line, name: str) -> list[Any]:
    """What the statements are if nothing goes wrong."""
    story = await Story.begun(line, name)
    await story.found()
    for client in story.clients:
        await story.sold(client)
    await line.drained()
    return await story.told()


async def nothing_due(line: Line) -> None:
    """The clocks have said of this history what there is to say: silent clients, lapsed customers."""
    while True:
        clocks = await line.drained()
        dues = [clock["next_due"] for clock in clocks.values() if clock["next_due"]]
        if all(parse_instant(due) > datetime.now(UTC) for due in dues):
            return
        await asyncio.sleep(0.1)
