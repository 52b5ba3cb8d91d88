"""The real service as a caller meets it, and a look into its tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import httpx
from conversion_stories import CLASSIC, CLIENT, DUE, FRIDAY, HIRED, JOURNEY, LINE, NEED, OFFER, OPPORTUNITY, staffing

from belt.io.clock import DrivenClock
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.running import Running
from conversion.reactions import react
from conveyor_events import Envelope, Event, leads, wire_type
from conveyor_events.words import Seat, instant_text

ROLES = {"boris": "hunter", "dina": "hunter", "gleb": "hunter", "ana": "scout", "clara": "farmer", "maria": "manager"}
ANYBODY = UUID(int=0)


def envelope(event: Event, at: datetime, n: int, client: str | None = CLIENT, **more: Any) -> Envelope:
    """The event as it would come from its station."""
    given: dict[str, Any] = {
        "id": uuid5(ANYBODY, str(n)),
        "type": wire_type(event),
        "schema_version": event.VERSION,
        "source": "/conveyor/elsewhere",
        "subject": client or LINE,
        "occurred_at": at,
        "recorded_at": at,
        "command_id": f"command-{n}",
        "correlation_id": f"command-{n}",
        "sequence": n,
        "data": event.model_dump(mode="json"),
        "client_id": client,
        "journey_id": JOURNEY if client else None,
        "variant": CLASSIC if client else None,
    }
    return Envelope(**(given | more))


def qualified(offer: str = OFFER, **changes: Any) -> leads.LeadQualified:
    given: dict[str, Any] = {
        "line": LINE,
        "offer_id": offer,
        "need_id": NEED,
        "attempt": 1,
        "sourced_by": Seat(person="ana", role="scout"),
        "to": Seat(person="boris", role="hunter"),
        "team": "berlin-conversion",
        "mode": "offer",
        "accept_due_at": instant_text(DUE),
        "credit_until": instant_text(FRIDAY.replace(month=6)),
    }
    return leads.LeadQualified.model_validate(given | changes)


@dataclass
class House:
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

    async def hears(self, event: Event, at: datetime = FRIDAY, **more: Any) -> None:
        """As if the event had come from Kafka."""
        self._heard += 1
        told = envelope(event, at, self._heard, **more)
        await self.parts.desk.writer.handle(*react(event, told), key=f"test {self._heard}")

    async def staffed(self, variant: str = CLASSIC) -> None:
        for event in staffing(variant):
            await self.hears(event, HIRED, client=None)

    async def offered(self) -> None:
        """The roster is known, and one lead waits for Boris."""
        await self.staffed()
        await self.hears(qualified())

    async def proposed(self) -> None:
        """Boris has taken the lead and sent a proposal."""
        await self.offered()
        assert (await self.post(f"/v1/offers/{OFFER}/accept")).status_code == 200
        sent = await self.post(f"/v1/opportunities/{OPPORTUNITY}/proposals", PROPOSAL)
        assert sent.status_code == 201, sent.text

    async def won(self) -> None:
        await self.proposed()
        closed = await self.post(f"/v1/opportunities/{OPPORTUNITY}/close", DEAL_BODY)
        assert closed.status_code == 200, closed.text

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        by: str = "boris",
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

    async def get(self, path: str, *, by: str = "boris", scopes: Iterable[str] = (), **query: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.token(by, *scopes), params=query)

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


PROPOSAL = {
    "proposal_id": "p1",
    "lines": [{"sku": "press", "qty": "2", "unit_price": "5250.00", "discount_pct": "4.7619047619"}],
    "net": "10000.00",
    "tax": "2000.00",
    "currency": "EUR",
}
DEAL_BODY = {
    "net": "10000.00",
    "tax": "2000.00",
    "currency": "EUR",
    "payment_schedule": [{"due_on": "2026-04-15", "amount": "12000.00"}],
    "splits": [{"person": "boris", "weight": "2"}, {"person": "dina", "weight": "1"}],
}
