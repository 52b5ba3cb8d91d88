"""The real service as a caller meets it, and a look into its tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import httpx
from account_story import LINE, OFFER, STAFF, WON, account_offered, deal_closed, envelope

from account_mgmt.reactions import react
from belt.io.clock import DrivenClock
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.running import Running
from conveyor_events.words import Event

ROLES = {"clara": "farmer", "cyril": "farmer", "cora": "farmer", "boris": "hunter", "ana": "scout", "maria": "manager"}


@dataclass
class Counter:
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
            found = self.issuer.issue(person, roles=[ROLES.get(person, person)], scopes=scopes)
            self._tokens[person, scopes] = found
        return {"authorization": f"Bearer {found}"}

    async def hears(self, event: Event, at: datetime, **more: Any) -> None:
        """As if the event had come from Kafka."""
        self._heard += 1
        told = envelope(event, at, self._heard, **more)
        await self.parts.desk.writer.handle(*react(event, told), key=f"test {self._heard}")

    async def begins(self, *events: Event) -> None:
        """The roster is known, and one client waits with its offer. It is the day after the deal, or later."""
        for event in STAFF:
            await self.hears(event, WON, subject=LINE, client_id=None)
        await self.hears(deal_closed(), WON)
        await self.hears(account_offered(), WON)
        for event in events:
            await self.hears(event, WON)
        self.clock.set(WON)

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        by: str = "clara",
        key: str | None = None,
        scopes: Iterable[str] = (),
        **h: str,
    ) -> httpx.Response:
        headers = self.token(by, *scopes) | {name.replace("_", "-"): value for name, value in h.items()}
        if key is not None:
            headers["idempotency-key"] = key
        if isinstance(body, bytes):
            return await self.http.post(path, content=body, headers=headers | {"content-type": "application/json"})
        return await self.http.post(path, json={} if body is None else body, headers=headers)

    async def get(self, path: str, *, by: str = "clara", scopes: Iterable[str] = (), **query: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.token(by, *scopes), params=query)

    async def accepted(self) -> None:
        assert (await self.post(f"/v1/offers/{OFFER}/accept")).status_code == 200

    async def query(self, sql: str) -> list[Any]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    async def told(self) -> list[str]:
        """Names of the public events, in order."""
        rows = await self.query("select attributes::json->>'type' from published order by position")
        return [row[0].rpartition(".")[2] for row in rows]

    async def size(self) -> tuple[int, int]:
        (found,) = await self.query("select (select count(*) from events), (select count(*) from published)")
        return int(found[0]), int(found[1])
