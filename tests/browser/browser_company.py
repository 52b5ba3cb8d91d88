"""The demo's company on an afternoon in February: a month closed and published, six weeks of clients on four lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from conveyor.demo.company import ZONE
from conveyor.demo.opening import departures, open_company
from conveyor.demo.paying import office
from conveyor.demo.slots import instant, opening
from conveyor.demo.stage import Stage
from conveyor.demo.stories import stories
from conveyor.line import Line
from conveyor.pages import BOARD
from conveyor.processes import Wish, passing
from conveyor.running import Running, address

SEED = 2026
NOW = instant(date(2026, 2, 13), 16)
PAID = "2026-01"
LINE = "factories"
MANAGER, SCOUT, HUNTER, FARMER, OBJECTS, PAYROLL = "vera", "ana", "boris", "clara", "dina", "quentin"
OTHER_LINE, OTHER_MANAGER, SELLS = "shops", "ruth", "tomas"
"""Elsewhere: what is done there changes nothing on the pages of the others."""
FLAT: dict[str, Any] = {
    "from": PAID,
    "to": PAID,
    "plans": [
        {
            "from_start": True,
            "document": {
                "plan": "flat-hunter",
                "version": "1",
                "role": "hunter",
                "currency": "EUR",
                "effective_from": "2026-01-01",
                "salary": "500.00",
                "rules": [
                    {"id": "H1", "kind": "commission", "sales": "first", "percent": "8", "release": "as_paid"},
                    {"id": "H2", "kind": "commission", "sales": "repeat", "percent": "1.5", "release": "as_paid"},
                ],
            },
        }
    ],
}


@dataclass(frozen=True)
class Company:
    """What runs, and what there is to look at."""

    running: Running
    client: str
    """Of the line LINE, sold to by HUNTER: it has come to the third station."""
    dispute: str
    simulation: str
    case: str

    @property
    def board(self) -> str:
        return address(self.running.pages[BOARD].port)


@contextmanager
def at_work() -> Iterator[Company]:
    """Servers, services and the board, with what the demo tells up to NOW. All of it ends with this block."""
    with passing(Wish("browser", "driven", "WARNING", ZONE, pages=True), lambda _: None) as running:
        yield asyncio.run(_told(running))


async def _told(running: Running) -> Company:
    async with Line.of(running) as line:
        stage = Stage(line, lambda _: None, opening())
        await stage.set(opening())
        await open_company(line)
        await line.drained()
        await stage.run([*departures(SEED), *office(SEED), *(play for _, play in stories(SEED))], NOW)
        objection = {"period": PAID, "text": "The sale of the 29th is missing.", "lines": []}
        disputed = await line.post("compensation", "/v1/disputes", objection, person=OBJECTS, roles=("hunter",))
        tried = await line.post("compensation", "/v1/simulations", FLAT, person=PAYROLL, roles=("payroll",))
        cases = [one async for one in line.items("compensation", "/v1/conflicts", person=PAYROLL, roles=("payroll",))]
        await line.drained()
        return Company(
            running,
            client=await _far_along(line),
            dispute=disputed["dispute_id"],
            simulation=tried["simulation_id"],
            case=next(one["case_id"] for one in cases if one["b"] is not None and one["at_stake"]),
        )


async def _far_along(line: Line) -> str:
    """The client of which the most is told, among those that HUNTER sold to and that are served now."""
    sold = line.items("account-mgmt", "/v1/accounts", {"line": LINE})
    mine = {str(one["client_id"]) async for one in sold if one["converted_by"] == HUNTER and one["served_by"]}
    many = dict.fromkeys(mine, 0)
    for service in ("lead-gen", "conversion", "account-mgmt"):
        async for event in line.events(service):
            if event.get("clientid") in many:
                many[event["clientid"]] += 1
    return max(many, key=lambda client: (many[client], client))
