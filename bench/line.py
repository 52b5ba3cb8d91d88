"""Two neighbours on the line for measurements: lead generation offers leads, conversion takes them in.

Real streams, real databases. What is measured is one lead: offered here (a commit), an open offer there (a commit).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from belt.core.decider import Step
from belt.io.clock import SystemClock
from belt.io.ids import fresh
from belt.io.store.handle import Writer
from belt.io.store.migrate import upgrade
from belt.io.store.seal import Vault
from belt.io.store.unit import Outcome
from conveyor_events.staff import Policy, StationTeam
from conveyor_events.words import Station
from conveyor_local import Stack
from lead_gen import staffing as s
from lead_gen.main import SERVICE
from lead_gen.prospect import commands as c
from lead_gen.prospect.state import CATEGORY

KEY = b"0123456789abcdef0123456789abcdef"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 256
LEADS = "conveyor.leads.v1"


@dataclass
class LeadGen:
    """The first station: a database, and the writer of one process. Its people and its line are nobody else's."""

    dsn: str
    name: str
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        clock, source = SystemClock(), f"/conveyor/{SERVICE.name}"
        self.writer = Writer(self.dsn, SERVICE.streams, Vault(KEY), clock, source, wake=self.wake)

    @classmethod
    async def opened(cls, stack: Stack, name: str) -> LeadGen:
        """With a line at which somebody works."""
        dsn = await stack.create_database(name)
        await upgrade(dsn, SERVICE.package)
        made = cls(dsn, name)
        made.writer.start()
        scout, hunter, farmer, manager = made.people
        for person, role in zip(made.people, ("scout", "hunter", "farmer", "manager"), strict=True):
            await made._staff(s.Hire(person, person.title(), date(2026, 1, 1), manager, SINCE))
            await made._staff(s.GrantRole(person, role, SINCE, None, manager, SINCE))
        teams: dict[str, StationTeam] = {
            station: StationTeam(team=f"{station}s", members=[person])
            for station, person in zip(Station, (scout, hunter, farmer), strict=True)
        }
        variant, policy = "scout-hunter-farmer", Policy.model_validate({})
        await made._staff(s.StaffLine(name, variant, SINCE, "UTC", "EUR", teams, (manager,), policy, manager, SINCE))
        return made

    @property
    def people(self) -> tuple[str, ...]:
        """A scout, a hunter, a farmer and their manager."""
        return tuple(f"{person}-{self.name}" for person in ("ana", "boris", "clara", "vera"))

    async def _staff(self, command: Any) -> None:
        await self.writer.handle(Step(s.CATEGORY, s.COMPANY, command))

    async def register(self) -> None:
        """Somebody's new prospect."""
        client, scout = fresh(), self.people[0]
        found = c.RegisterProspect(client, self.name, "Acme GmbH", "DE", (), "fair", None, scout, datetime.now(UTC))
        await self.writer.handle(Step(CATEGORY, client, found), key=f"register {client}")

    async def prospects(self, count: int) -> list[str]:
        """So many clients whose need is known, ready to be offered."""
        clients = [fresh() for _ in range(count)]
        await at_once(clients, self._found)
        return clients

    async def _found(self, client: str) -> None:
        now, scout, line = datetime.now(UTC), self.people[0], self.name
        need = {"category": "pumps", "statement": "the old pump leaks", "evidence": ("saw it drip",)}
        about = {"need_id": f"{client}/1", "current_supplier": None, "competitor_id": None}
        steps: Sequence[Any] = (
            c.RegisterProspect(client, line, "Acme GmbH", "DE", (), "fair", None, scout, now),
            c.LogCall("reached", now, 90, None, None, scout, now),
            c.RecordContactReached("Eva Roth", "purchasing", "phone", "decides", scout, now),
            c.IdentifyNeed(**need, **about, budget="none", wish="low", by=scout, at=now, now=now),  # type: ignore[arg-type]
        )
        await self.writer.handle(*[Step(CATEGORY, client, command) for command in steps])

    async def offer(self, client: str, reply: Any = None) -> Outcome:
        """The lead is offered to the hunter, by name."""
        now, (scout, hunter, *_) = datetime.now(UTC), self.people
        command = c.OfferLead(None, hunter, (), scout, now, now)
        return await self.writer.handle(Step(CATEGORY, client, command), key=f"offer {client}", reply=reply)


def now() -> int:
    """Nanoseconds of the clock that all processes of this machine share."""
    return time.monotonic_ns()


async def at_once(work: Sequence[Any], do: Any, many: int = AT_ONCE) -> None:
    """Does everything, so many at a time."""
    waiting = iter(work)

    async def some() -> None:
        for one in waiting:
            await do(one)

    await asyncio.gather(*(some() for _ in range(many)))


def environment(stack: Stack, dsn: str, folder: Path) -> dict[str, str]:
    """With which a real process of a service runs on these servers."""
    key = folder / "sealing.key"
    key.write_bytes(KEY)
    nobody = folder / "nobody.json"
    nobody.write_text('{"keys": []}')
    own = {"DSN": dsn, "BROKERS": stack.brokers, "KEY_FILE": str(key), "JWKS": str(nobody)}
    return dict(os.environ) | {f"CONVEYOR_{name}": value for name, value in own.items()}
