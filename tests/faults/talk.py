"""A caller who writes down what was asked and what was answered, and asks again until there is an answer.

Each request has one idempotency key for all its attempts. It ends as `ok` (with the reply), as `refused` (the service
said no and means it), or stays `unknown` if the end of the run came first.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import aiohttp

from belt.io.http.issuer import DevelopmentIssuer

# Waiting for one of our own connections is not the service's fault: the clock runs when it has the request.
PLAIN = aiohttp.ClientTimeout(total=None, sock_connect=2.0, sock_read=6.0)
AGAIN = frozenset({429, 503, 504})
PAUSE = 0.05, 1.0
UNHEARD = 5.0  # seconds between two questions for what a station has not heard of
TWICE = 0.08  # so many requests are sent twice at the same moment


@dataclass
class Asked:
    """One request. `attempts`: when it was sent (s since the start), after how long, and the status or what broke."""

    number: int
    service: str
    method: str
    path: str
    body: Mapping[str, Any]
    key: str
    person: str
    roles: tuple[str, ...]
    outcome: str = "unknown"
    status: int = 0
    reply: Any = None
    replies: list[Any] = field(default_factory=list)  # every 2xx body that came for this key, `reply` the first
    attempts: list[tuple[float, float, str]] = field(default_factory=list)


class Refusal(Exception):
    """The service said no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Talk:
    def __init__(self, addresses: Mapping[str, str], issuer: DevelopmentIssuer, seed: int) -> None:
        self.addresses, self._issuer, self._rnd = dict(addresses), issuer, Random(f"talk {seed}")
        self.seed = seed
        self.history: list[Asked] = []
        self.begun = time.monotonic()
        self._tokens: dict[tuple[str, tuple[str, ...]], str] = {}
        self._http: aiohttp.ClientSession | None = None

    async def post(
        self,
        service: str,
        path: str,
        body: Mapping[str, Any],
        *,
        person: str = "office",
        roles: Iterable[str] = ("driver",),
        patience: float = 0.0,
    ) -> dict[str, Any]:
        """Raises Refusal. `patience`: for so many seconds a 404 means that the station has not heard of it yet."""
        number = len(self.history)
        asked = Asked(number, service, "POST", path, body, f"k{self.seed}-{number}", person, tuple(roles))
        self.history.append(asked)
        wanted = [self._settled(asked, patience)]
        if self._rnd.random() < TWICE:
            wanted.append(self._settled(asked, patience))
        found = await asyncio.gather(*wanted, return_exceptions=True)
        return answer_of(found)

    async def _settled(self, asked: Asked, patience: float) -> dict[str, Any]:
        until, pause = time.monotonic() + patience, PAUSE[0]
        while True:
            status, reply = await self._once(asked)
            if 200 <= status < 300:
                asked.replies.append(reply)
                if asked.outcome != "ok":
                    asked.outcome, asked.status, asked.reply = "ok", status, reply
                found: dict[str, Any] = reply
                return found
            unheard = status == 404 and time.monotonic() < until
            if status and status not in AGAIN and not unheard:
                code = str(reply.get("code")) if isinstance(reply, dict) else "no-problem"
                if asked.outcome != "ok":
                    asked.outcome, asked.status, asked.reply = "refused", status, reply
                raise Refusal(status, code)
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, UNHEARD if unheard else PAUSE[1])

    async def _once(self, asked: Asked) -> tuple[int, Any]:
        """(status, body); status 0: nothing is known of what became of it."""
        sent = time.monotonic()
        headers = {"idempotency-key": asked.key, "content-type": "application/json"}
        try:
            status, reply = await self.send(asked, headers)
            told = str(status)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as broken:
            status, reply, told = 0, None, type(broken).__name__
        asked.attempts.append((round(sent - self.begun, 3), round(time.monotonic() - sent, 3), told))
        return status, reply

    async def send(self, asked: Asked, headers: Mapping[str, str]) -> tuple[int, Any]:
        assert self._http is not None
        signed = {**headers, "authorization": f"Bearer {self.token(asked.person, asked.roles)}"}
        address = self.addresses[asked.service] + asked.path
        data = json.dumps(asked.body).encode()
        async with self._http.request(asked.method, address, data=data, headers=signed) as answer:
            return answer.status, json.loads(await answer.read())

    async def get(
        self, service: str, path: str, *, person: str = "office", roles: tuple[str, ...] = ("driver",)
    ) -> tuple[int, Any]:
        """Asks once; (status, body)."""
        assert self._http is not None
        headers = {"authorization": f"Bearer {self.token(person, roles)}"}
        async with self._http.get(self.addresses[service] + path, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def found(self, service: str, path: str, within: float = 60.0) -> Any:
        """Asks until it is answered with 200."""
        until = time.monotonic() + within
        told = ""
        while time.monotonic() < until:
            try:
                status, body = await self.get(service, path)
                if status == 200:
                    return body
                told = f"{status} {body.get('code')}"
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as broken:
                told = repr(broken)
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{service} {path}: {told}")

    def token(self, person: str, roles: tuple[str, ...]) -> str:
        if (person, roles) not in self._tokens:
            self._tokens[person, roles] = self._issuer.issue(person, roles=roles, ttl=86_400.0)
        return self._tokens[person, roles]

    def write(self, path: Path) -> None:
        """The whole history, one request a line."""
        with path.open("w") as out:
            for asked in self.history:
                out.write(json.dumps(asked.__dict__, default=str) + "\n")

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=64)
        self._http = aiohttp.ClientSession(connector=connector, timeout=PLAIN, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()


def answer_of(found: list[Any]) -> dict[str, Any]:
    """What two askers of the same thing heard: one refusal beside a reply is a race that the reply has won."""
    for one in found:
        if isinstance(one, dict):
            return one
    raise found[0]
