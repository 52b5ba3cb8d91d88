"""The four services, asked over HTTP with the viewer's own token: what they refuse, the board does not know.

An answer is one of four: told, refused (the viewer may not, or it is not there), wrong (a command that the service
cannot do), away. A page shows each as what it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx2
import structlog

log = structlog.get_logger()

SERVICES = ("lead-gen", "conversion", "account-mgmt", "compensation")
DEADLINE = 8.0
CONNECTIONS = 64
PAGES = 50  # of a list, at most
CLOSED = frozenset({401, 403, 404})


@dataclass(frozen=True)
class Answer:
    """What a service said. `document` is the body as JSON, or the problem."""

    status: int
    document: Any = None
    content: bytes = b""
    media: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def state(self) -> str:
        """told, closed (no scope opens the door), hidden (not there, or not the viewer's to see), wrong, away"""
        if self.ok:
            return "told"
        if self.status in CLOSED:
            return "hidden" if self.status == 404 else "closed"
        return "away" if self.status >= 500 or self.status == 429 or not self.status else "wrong"

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        return str(self.document.get("code", "")) if isinstance(self.document, Mapping) else ""

    @property
    def detail(self) -> str:
        """What the service says is wrong, in its words."""
        if not isinstance(self.document, Mapping):
            return ""
        wrong = [f"{one.get('pointer')}: {one.get('detail')}" for one in self.document.get("errors") or ()]
        return "; ".join(wrong) or str(self.document.get("detail") or self.document.get("title") or "")

    @property
    def items(self) -> list[Any]:
        """The items of a list; none where it was not told."""
        return list(self.document["items"]) if self.ok and "items" in self.document else []

    @property
    def more(self) -> str | None:
        """Where the list goes on."""
        return self.document.get("next") if self.ok else None


class Apis:
    """One per process: it keeps its connections open."""

    def __init__(self, http: httpx2.AsyncClient, addresses: Mapping[str, str]) -> None:
        self._http, self._addresses = http, dict(addresses)

    @classmethod
    @asynccontextmanager
    async def open(cls, addresses: Mapping[str, str]) -> AsyncIterator[Self]:
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        async with httpx2.AsyncClient(timeout=DEADLINE, limits=limits, follow_redirects=False, trust_env=False) as http:
            yield cls(http, addresses)

    def by(self, token: str) -> Asked:
        """The services as this token opens them."""
        return Asked(self, token)

    async def send(self, method: str, service: str, path: str, token: str, **rest: Any) -> Answer:
        headers = {"authorization": f"Bearer {token}", **rest.pop("headers", {})}
        try:
            answer = await self._http.request(
                method, self._addresses[service].rstrip("/") + path, headers=headers, **rest
            )
        except httpx2.HTTPError as lost:
            log.warning("api.away", api=service, error=type(lost).__name__)
            return Answer(0)
        media = answer.headers.get("content-type", "").partition(";")[0]
        document = answer.json() if media.endswith("json") else None
        return Answer(answer.status_code, document, answer.content, media)


class Asked:
    """What one viewer asks."""

    def __init__(self, apis: Apis, token: str) -> None:
        self._apis, self._token = apis, token

    async def get(self, service: str, path: str, **params: Any) -> Answer:
        kept = {name.rstrip("_"): str(value) for name, value in params.items() if value is not None}
        return await self._apis.send("GET", service, path, self._token, params=kept)

    async def post(self, service: str, path: str, body: Mapping[str, Any], key: str) -> Answer:
        """A command. `key`: the form's own, so that a form sent twice is one command."""
        return await self._apis.send("POST", service, path, self._token, json=body, headers={"idempotency-key": key})

    async def listed(self, service: str, path: str, most: int = 1_000, **params: Any) -> Answer:
        """A list, page after page, up to so many items; `next` is left where there are more."""
        items: list[Any] = []
        page = await self.get(service, path, **{"limit": min(most, 200), **params})
        for _ in range(PAGES):
            if not page.ok:
                return page
            items += page.items
            if page.more is None or len(items) >= most:
                break
            page = await self.get(service, path, **{"limit": min(most, 200), **params, "cursor": page.more})
        return Answer(200, {**page.document, "items": items[:most]}) if page.ok else page

    async def each(self, asked: Iterable[tuple[str, str]], at_once: int = 8) -> list[Answer]:
        """Several documents, some at a time."""
        places = asyncio.Semaphore(at_once)

        async def one(service: str, path: str) -> Answer:
            async with places:
                return await self.get(service, path)

        return await asyncio.gather(*(one(*each) for each in asked))
