"""The real service as a caller meets it, and a look into its tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import httpx
from lead_gen_story import PEOPLE

from belt.io.clock import DrivenClock
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.running import Running
from conveyor_events import Envelope
from conveyor_events import open as opened
from lead_gen.reactions import react

LINE = "tools"
TEAMS = {
    "lead-gen": {"team": "finders", "members": ["ana", "egor"]},
    "conversion": {"team": "closers", "members": ["boris", "dina"]},
    "account-mgmt": {"team": "keepers", "members": ["clara"]},
}
STAFFING: dict[str, Any] = {
    "variant": "scout-hunter-farmer",
    "since": "2026-01-01T00:00:00Z",
    "zone": "Europe/Berlin",
    "currency": "EUR",
    "teams": TEAMS,
    "managers": ["vera"],
}
PROSPECT: dict[str, Any] = {
    "client_id": "acme",
    "line": LINE,
    "name": "Acme Pumpen GmbH",
    "country": "DE",
    "identity_keys": [{"kind": "domain", "value": "www.acme.example"}, {"kind": "phone", "value": "030 123456"}],
    "source": "trade-fair",
}
CALL: dict[str, Any] = {"outcome": "gatekeeper_passed", "duration_s": 90, "note": "Frau Roth is in on Mondays"}
GATEKEEPER: dict[str, Any] = {"role": "secretary", "attitude": 1, "approach": "topic", "attempts": 2}
CONTACT = {"person": "Eva Roth", "position": "head of purchasing", "channel": "phone", "influence": "decides"}
NEED: dict[str, Any] = {
    "need_id": "acme-need",
    "category": "pumps",
    "statement": "the old pump of hall 4 leaks",
    "evidence": ["Eva Roth said so"],
    "budget": "none",
    "wish": "low",
}
VERIFY = {"checks": ["reachable_phone", "legal_active"]}


@dataclass
class Office:
    """Where callers come to."""

    parts: Running
    clock: DrivenClock
    issuer: DevelopmentIssuer
    http: httpx.AsyncClient
    dsn: str
    _tokens: dict[Any, str] = field(default_factory=dict)
    _heard: int = 0

    def token(self, person: str, *scopes: str) -> dict[str, str]:
        found = self._tokens.get((person, scopes))
        if found is None:
            role = PEOPLE.get(person, (person,))[0]
            found = self.issuer.issue(person, roles=[role], scopes=scopes)
            self._tokens[person, scopes] = found
        return {"authorization": f"Bearer {found}"}

    async def opens(self, **policy: Any) -> None:
        """People are hired, the line is staffed."""
        for person, roles in PEOPLE.items():
            hired = {"person": person, "name": f"{person.title()} Surname", "hired_on": "2026-01-01"}
            assert (await self.post("/v1/staff", hired, by="vera")).status_code == 201
            for role in roles:
                granted = {"role": role, "since": "2026-01-01T00:00:00Z"}
                assert (await self.post(f"/v1/staff/{person}/roles", granted, by="vera")).status_code == 200
        staffed = await self.post(f"/v1/lines/{LINE}/staffing", STAFFING | {"policy": policy}, by="vera")
        assert staffed.status_code == 201, staffed.text

    async def need_known(self) -> None:
        await self.done("/v1/prospects", PROSPECT)
        for path, body in (("calls", CALL), ("contacts", CONTACT), ("needs", NEED)):
            await self.done(f"/v1/prospects/acme/{path}", body)

    async def offered(self, **how: Any) -> dict[str, Any]:
        await self.need_known()
        return await self.done("/v1/prospects/acme/offer", {"offer_id": "acme-1", **how})

    async def done(self, path: str, body: Any = None, **how: Any) -> dict[str, Any]:
        """The answer of a command that must succeed."""
        answer = await self.post(path, body, **how)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        by: str = "ana",
        key: str | None = None,
        scopes: Iterable[str] = (),
        **headers: str,
    ) -> httpx.Response:
        sent = self.token(by, *scopes) | {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["idempotency-key"] = key
        if isinstance(body, bytes):
            return await self.http.post(path, content=body, headers=sent | {"content-type": "application/json"})
        return await self.http.post(path, json={} if body is None else body, headers=sent)

    async def get(self, path: str, *, by: str = "ana", scopes: Iterable[str] = (), **query: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.token(by, *scopes), params=query)

    async def hears(self, envelope: Envelope) -> None:
        """As if the event had come from Kafka."""
        self._heard += 1
        await self.parts.desk.writer.handle(*react(opened(envelope), envelope), key=f"test {self._heard}")

    async def tick(self, upto: datetime) -> None:
        await self.parts.ticker.drive(self.clock, upto)

    async def query(self, sql: str) -> list[Any]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    async def told(self, topic: str = "conveyor.leads.v1") -> list[str]:
        """Names of the public events of a topic, in order."""
        rows = await self.query(
            f"select attributes::json->>'type' from published where topic = '{topic}' order by position"
        )
        return [row[0].rpartition(".")[2] for row in rows]

    async def size(self) -> tuple[int, int]:
        (found,) = await self.query("select (select count(*) from events), (select count(*) from published)")
        return int(found[0]), int(found[1])
