"""Four running services with a little of everything in them, and tokens for those who call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from journey_firm import Firm, plans, simulated

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.processes import Wish, database, passing
from conveyor.running import Running
from conveyor_local import Stack

AT, MONTH = "2026-03-02T10:00:00+01:00", "2026-03"
TABLES = ("events", "published")
REST_WITHIN, LOOK_AGAIN = 60.0, 0.2
PEOPLE = {"ana": "scout", "ben": "hunter", "eva": "farmer"}  # as the examples in the descriptions have them
Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class HttpLine:
    """The running services, by name."""

    running: Running
    issuer: DevelopmentIssuer

    def address(self, service: str) -> str:
        return self.running.addresses[service]

    def token(self, sub: str = "anybody", role: str = "driver", ttl: float = 7_200.0) -> str:
        """Of someone who may open every door, unless it is said otherwise."""
        return self.issuer.issue(sub, roles=[role] if role else [], ttl=ttl)

    async def counts(self) -> Counts:
        """Per service how many rows the log of events and the public log have."""
        stack = Stack.find(home=self.running.home)
        assert stack is not None
        found: Counts = {}
        for service in SERVICES:
            connection = await asyncpg.connect(stack.dsn(database(service)))
            try:
                rows = {table: await connection.fetchval(f"select count(*) from {table}") for table in TABLES}
            finally:
                await connection.close()
            found[service] = rows
        return found

    async def rest(self) -> None:
        """Returns when everything has been carried and taken in, and nothing falls due soon."""
        soon = timedelta(minutes=15)
        async with Line.of(self.running) as line:
            async with asyncio.timeout(REST_WITHIN):
                while True:
                    clocks = (await line.drained()).values()
                    dues = [(instant(clock["at"]), clock["next_due"]) for clock in clocks]
                    if all(due is None or instant(due) > now + soon for now, due in dues):
                        return
                    await asyncio.sleep(LOOK_AGAIN)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def http_line() -> Iterator[HttpLine]:
    """Starts them, and ends them with the `with`."""
    with passing(Wish("contract"), lambda _: None) as running:
        asyncio.run(_furnish(running))
        yield HttpLine(running, DevelopmentIssuer(running.issuer))


async def _furnish(running: Running) -> None:
    """The line of the examples, with one client at each station, so that lists lead somewhere."""
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "north", "scout-hunter-farmer")
        await firm.open(more=PEOPLE, managers=("max",))
        await firm.prospect(AT)
        await firm.lead(AT)
        client, deal = await firm.deal(AT, "1000.00")
        await firm.paid(deal, AT, "1000.00")
        await firm.served(client, AT)
        await firm.repeat(client, AT, "200.00")
        await _office(line)
        await line.drained()


async def _office(line: Line) -> None:
    """Something of each kind that the pay office has: the month is closed, and its hunter objects."""
    rate = {"from": "USD", "to": "EUR", "on": "2026-03-02", "rate": "0.92"}
    await line.post("compensation", "/v1/fx-rates", rate)
    asked = {"person": "ben", "amount": "150.00", "currency": "EUR", "reason": "fair-bonus"}
    await line.post("compensation", "/v1/adjustments", asked)
    await simulated(line, {"from": MONTH, "to": MONTH, "accept_within_hours": 4})
    await line.post("compensation", f"/v1/periods/{MONTH}/close")
    async with asyncio.timeout(REST_WITHIN):
        while True:
            if (await line.get("compensation", "/v1/periods"))["closing"] is None:
                break
            await asyncio.sleep(LOOK_AGAIN)
    await line.post("compensation", f"/v1/periods/{MONTH}/publish", {"objection_days": 90})
    objects = {"period": MONTH, "text": "the deal of the second is missing"}
    await line.post("compensation", "/v1/disputes", objects, person="north-hunter", roles=("hunter",))
