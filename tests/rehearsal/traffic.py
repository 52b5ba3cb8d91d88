"""Who is on the line while it is rolled: clients' lives told at all stations, people who look, readers of the feeds.

Every request of theirs is written down with what came of it; none is counted as an error that the service means.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from talk import Asked, Talk

LOOKS = {
    "lead-gen": ("/v1/prospects?limit=20", "/v1/staff", "/v1/lines/north/staffing"),
    "conversion": ("/v1/opportunities?limit=20", "/v1/offers?limit=20"),
    "account-mgmt": ("/v1/accounts?limit=20", "/v1/offers?limit=20"),
    "compensation": ("/v1/plans", "/v1/periods"),
}
BREAKS = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
STREAM = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=40.0)


@dataclass(frozen=True)
class Heard:
    """One attempt: seconds since the start, how long it took, what it was, and its status or what broke."""

    at: float
    took: float
    what: str
    told: str

    @property
    def wrong(self) -> bool:
        """Broken off, a fault, or told to come again: what a roll must not do to a caller."""
        return not self.told.isdigit() or int(self.told) >= 500 or self.told == "429"


class Caller(Talk):
    """Writes down every attempt, whoever makes it."""

    def __init__(self, *told: Any) -> None:
        super().__init__(*told)
        self.heard: list[Heard] = []

    async def send(self, asked: Asked, headers: Mapping[str, str]) -> tuple[int, Any]:
        sent = time.monotonic()
        try:
            status, reply = await super().send(asked, headers)
        except BREAKS as broken:
            self._note(sent, f"{asked.method} {asked.service}{asked.path}", type(broken).__name__)
            raise
        self._note(sent, f"{asked.method} {asked.service}{asked.path}", str(status))
        return status, reply

    async def get(
        self, service: str, path: str, *, person: str = "office", roles: tuple[str, ...] = ("driver",)
    ) -> tuple[int, Any]:
        sent = time.monotonic()
        try:
            status, reply = await super().get(service, path, person=person, roles=roles)
        except BREAKS as broken:
            self._note(sent, f"GET {service}{path}", type(broken).__name__)
            raise
        self._note(sent, f"GET {service}{path}", str(status))
        return status, reply

    def _note(self, sent: float, what: str, told: str) -> None:
        self.heard.append(Heard(round(sent - self.begun, 3), round(time.monotonic() - sent, 4), what, told))

    async def look(self, services: tuple[str, ...], rate: float) -> None:
        """People look at lists, so many a second, until cancelled."""
        looks = [(service, path) for service in services for path in LOOKS[service]]
        under_way: set[asyncio.Task[Any]] = set()
        for number, (service, path) in enumerate(itertools.cycle(looks)):
            task = asyncio.create_task(self._looked(service, path, f"looker-{number % 7}"))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(1 / rate)

    async def _looked(self, service: str, path: str, person: str) -> None:
        try:
            await self.get(service, path, person=person)
        except BREAKS:
            return  # it stands in `heard`


@dataclass
class Follower:
    """Reads one service's feed as server-sent events, and goes on after the last one when its stream ends."""

    service: str
    talk: Caller
    last: int = 0
    opened: int = 0
    wrong: list[str] = field(default_factory=list)  # places that were left out or told twice, and doors that were shut

    async def follow(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=STREAM) as http:
            while True:
                try:
                    await self._stream(http)
                except BREAKS as broken:
                    if isinstance(broken, aiohttp.ClientConnectorError):
                        self.wrong.append(f"{self.service}: {type(broken).__name__} after {self.last}")
                await asyncio.sleep(0.2)

    async def _stream(self, http: aiohttp.ClientSession) -> None:
        signed = f"Bearer {self.talk.token('reader', ('driver',))}"
        headers = {"accept": "text/event-stream", "authorization": signed, "last-event-id": str(self.last)}
        async with http.get(f"{self.talk.addresses[self.service]}/v1/events", headers=headers) as answer:
            self.opened += 1
            if answer.status != 200:
                self.wrong.append(f"{self.service}: {answer.status} after {self.last}")
                return
            async for line in answer.content:
                if line.startswith(b"id: "):
                    place = int(line[4:])
                    if place != self.last + 1:
                        self.wrong.append(f"{self.service}: {place} came after {self.last}")
                    self.last = place
