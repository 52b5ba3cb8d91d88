"""A client of the four services: who speaks, what is asked, and how long a service that is away is waited for.

    async with Line.of(running) as line:
        await line.post("lead-gen", "/v1/prospects", {...}, person="ana", roles=("scout",))

Every POST carries an Idempotency-Key and is sent again with the same key when the connection is refused or dropped or
the service says 503: either it happened once or it did not happen at all.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp

from conveyor.addresses import SERVICES, issuer_of, known
from conveyor.answer import Answer, checked, document, problem, retry_after
from conveyor.draining import quiet
from conveyor.exits import NotRunning, Unreachable
from conveyor.running import Running
from conveyor.tokens import Brought, Tokens

DRIVER = ("driver",)
PATIENCE = 30.0
FIRST_WAIT, LONGEST_WAIT = 0.05, 2.0
AGAIN = frozenset({429, 502, 503, 504})
PAGE = 200
LOOK_AGAIN = 0.01, 0.25  # seconds between two looks at the clocks: at first, at most

TIMEOUT = aiohttp.ClientTimeout(total=15.0, connect=None, sock_connect=3.0)
SLOW = aiohttp.ClientTimeout(total=None, sock_connect=3.0, sock_read=15.0)  # as long as it says that it goes on

Body = Mapping[str, Any]


class Line:
    """The services by name. One per command; it keeps its connections open."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        tokens: Tokens | Brought,
        *,
        patience: float = PATIENCE,
        connections: int = 64,
    ) -> None:
        self.addresses, self.tokens, self.patience = dict(addresses), tokens, patience
        self.sent = 0
        self.repeated = 0
        self._connections = connections
        self._http: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, running: Running, *, patience: float = PATIENCE, connections: int = 64) -> Self:
        """The services of a running `up`."""
        return cls(running.addresses, Tokens(running.issuer), patience=patience, connections=connections)

    @classmethod
    def find(cls, *, patience: float = PATIENCE) -> Self:
        """The services the environment names (CONVEYOR_LEAD_GEN_URL …), else those of the running `up`.

        With the token in the file that CONVEYOR_TOKEN_FILE names, else with tokens of the development issuer.
        """
        running = Running.found()
        addresses, brought = known(running), os.environ.get("CONVEYOR_TOKEN_FILE")
        return cls(addresses, Brought(Path(brought)) if brought else Tokens(issuer_of(running)), patience=patience)

    async def post(
        self,
        service: str,
        path: str,
        body: Body | None = None,
        *,
        key: str | None = None,
        person: str = "conveyor",
        roles: Iterable[str] = DRIVER,
        scopes: Iterable[str] = (),
    ) -> dict[str, Any]:
        """Sends a command and returns the reply. Without a key it gets one, so that a retry is safe."""
        headers = {"idempotency-key": key or str(uuid4()), "content-type": "application/json"}
        data = json.dumps(body or {}, ensure_ascii=False).encode()
        answer = await self._send(service, "POST", path, person, roles, scopes, headers=headers, data=data)
        return document(answer)

    async def put(
        self, service: str, path: str, body: Body, *, person: str = "conveyor", roles: Iterable[str] = DRIVER
    ) -> dict[str, Any]:
        """Sets something to a value; said twice it is the same."""
        headers = {"content-type": "application/json"}
        data = json.dumps(body).encode()
        return document(await self._send(service, "PUT", path, person, roles, (), headers=headers, data=data))

    async def get(
        self,
        service: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        person: str = "conveyor",
        roles: Iterable[str] = DRIVER,
        scopes: Iterable[str] = (),
        slow: bool = False,
    ) -> dict[str, Any]:
        """Asks for one document. `slow`: one that may take its time, and gives a sign of life until it is there."""
        kept = {name: value for name, value in (params or {}).items() if value is not None}
        within: dict[str, Any] = {"timeout": SLOW} if slow else {}
        return document(await self._send(service, "GET", path, person, roles, scopes, params=kept, **within))

    async def file(
        self,
        service: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        person: str = "conveyor",
        roles: Iterable[str] = DRIVER,
    ) -> bytes:
        """Asks for one file, as it is."""
        kept = {name: value for name, value in (params or {}).items() if value is not None}
        return (await self._send(service, "GET", path, person, roles, (), params=kept)).content

    async def items(
        self,
        service: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        person: str = "conveyor",
        roles: Iterable[str] = DRIVER,
    ) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        asked: dict[str, Any] = {"limit": PAGE, **(params or {})}
        while True:
            page = await self.get(service, path, asked, person=person, roles=roles)
            for item in page["items"]:
                yield item
            if not page.get("next"):
                return
            asked["cursor"] = page["next"]

    async def people(
        self, params: Mapping[str, Any] | None = None, *, person: str = "conveyor", roles: Iterable[str] = DRIVER
    ) -> dict[str, Any]:
        """What each person did and earned, page after page."""
        asked, found = {"limit": PAGE, **(params or {})}, dict[str, Any]()
        while True:
            page = await self.get("compensation", "/v1/people", asked, person=person, roles=roles)
            found |= page["people"]
            if not page["next"]:
                return found
            asked["cursor"] = page["next"]

    async def events(self, service: str) -> AsyncIterator[dict[str, Any]]:
        """The service's public events in their order, as CloudEvents."""
        async for event in self._feed(service, {}, "after", "position"):
            yield event

    async def events_of(self, service: str, topic: str, key: str) -> AsyncIterator[dict[str, Any]]:
        """The public events of one subject on one topic, in their order."""
        async for event in self._feed(service, {"topic": topic, "key": key}, "after_sequence", "sequence"):
            yield event

    async def _feed(
        self, service: str, asked: Mapping[str, Any], cursor: str, place: str
    ) -> AsyncIterator[dict[str, Any]]:
        after = 0
        while True:
            params = {**asked, cursor: after, "limit": PAGE}
            answer = await self._send(service, "GET", "/v1/events", "conveyor", DRIVER, (), params=params)
            lines = [json.loads(line) for line in answer.content.splitlines() if line]
            for line in lines:
                yield line
            if not lines:  # a page may be short of `limit` before the end: it is bounded in bytes as well
                return
            after = int(lines[-1][place])

    async def clocks(self) -> dict[str, dict[str, Any]]:
        """What each service says of its time, its next due and how far it has come."""
        shown = await asyncio.gather(*(self.get(service, "/v1/clock") for service in SERVICES))
        return dict(zip(SERVICES, shown, strict=True))

    async def drained(self, patience: float = 300.0) -> dict[str, dict[str, Any]]:
        """Returns when every event has been carried and taken in everywhere, and nothing new came of it."""
        deadline = time.monotonic() + patience
        (wait, longest), before = LOOK_AGAIN, None
        while True:
            clocks = await self.clocks()
            if quiet(clocks, before):
                return clocks
            if time.monotonic() > deadline:
                busy = [service for service, clock in clocks.items() if not clock["drained"]]
                raise Unreachable(f"after {patience:.0f} s still at work: {', '.join(busy)}")
            before = clocks
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, longest)

    async def _send(
        self,
        service: str,
        method: str,
        path: str,
        person: str,
        roles: Iterable[str],
        scopes: Iterable[str],
        *,
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> Answer:
        if service not in self.addresses:
            raise NotRunning(f"no address for {service}")
        token = self.tokens.token(person, roles, scopes)
        asked = {**(headers or {}), "authorization": f"Bearer {token}"}
        deadline, wait = time.monotonic() + self.patience, FIRST_WAIT
        while True:
            try:
                answer = await self._once(method, self.addresses[service] + path, headers=asked, **rest)
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as lost:
                why, pause = f"{type(lost).__name__} {lost}".strip(), wait
            else:
                if answer.status not in AGAIN:
                    self.sent += 1
                    return checked(answer)
                said = retry_after(answer)
                why, pause = str(problem(answer)), wait if said is None else min(said, LONGEST_WAIT)
            if time.monotonic() + pause > deadline:
                raise Unreachable(f"{service} at {self.addresses[service]} does not answer: {why}")
            self.repeated += 1
            await asyncio.sleep(pause)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _once(self, method: str, address: str, **rest: Any) -> Answer:
        if self._http is None:
            raise RuntimeError("the line is used outside of its `async with`")
        async with self._http.request(method, address, **rest) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self._connections)
        self._http = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
