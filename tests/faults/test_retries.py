"""Whatever is asked twice happens once: lost replies, impatient callers, races for a version; and what is too large."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from stations import end, fetch, ready, settings_of, spawn
from story import Story, nothing_due

from conveyor.addresses import SERVICES
from conveyor.answer import Answer
from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.words import Station
from conveyor_local.home import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


class Lossy(Line):
    """Every command is sent four times with one key: once nobody waits for the reply, twice at once, once too late."""

    checked: Counter[str]
    refused: Counter[str]

    async def _once(self, method: str, address: str, **rest: Any) -> Answer:
        if method != "POST" or "idempotency-key" not in rest["headers"]:
            return await super()._once(method, address, **rest)
        await hung_up(address, rest["headers"], rest["data"])
        one, other = await asyncio.gather(*(super(Lossy, self)._once(method, address, **rest) for _ in range(2)))
        third = await super()._once(method, address, **rest)
        if one.status not in (404, 503):  # what is refused for now may be admitted a moment later
            assert (one.status, one.content) == (other.status, other.content) == (third.status, third.content)
        if one.status < 300:
            service = next(name for name, door in self.addresses.items() if address.startswith(door))
            self.checked[service] += 1
            await self._another_body(method, address, service, rest)
        return one

    async def _another_body(self, method: str, address: str, service: str, rest: dict[str, Any]) -> None:
        body = json.loads(rest["data"])
        if "occurred_at" not in body:
            return
        data = json.dumps(body | {"occurred_at": "2026-03-09T09:09:09+01:00"}).encode()
        other = await super()._once(method, address, **rest | {"data": data})
        assert (other.status, other.json()["code"]) == (422, "idempotency-key-reused")
        self.refused[service] += 1


async def hung_up(address: str, headers: dict[str, str], data: bytes) -> None:
    """Sends the request and is gone before any reply."""
    to = urlsplit(address)
    _, writer = await asyncio.open_connection(to.hostname, to.port)
    head = {"host": to.netloc, "content-length": str(len(data)), **headers}
    path = to.path + (f"?{to.query}" if to.query else "")
    lines = "".join(f"{name}: {text}\r\n" for name, text in head.items())
    writer.write(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + data)
    await writer.drain()
    await asyncio.sleep(0.005)
    writer.transport.abort()


# A story lies in the past: whether its clocks run out between two of its commands or after them is a matter of haste.
BY_THE_CLOCK = ("AccountAtRiskFlagged", "AccountRiskCleared", "CustomerLapsed", "CustomerChurned", "CustomerReturned")


async def happened(running: Running, story: Story) -> dict[str, Counter[str]]:
    """How often each kind of event was recorded in a story, told or not; but for what a clock says, and its end."""
    found = {}
    for service in SERVICES:
        for table, kind in (("events", "type"), ("published", "attributes::json->>'type'")):
            about = "data" if table == "events" else "attributes || value"
            key = "stream_id" if table == "events" else "key"
            sql = f"select {kind} as kind from {table} where {about} || {key} like '%' || $1 || '%'"
            kinds = [row["kind"] for row in await fetch(running, service, sql, story.firm.name)]
            found[f"{service}.{table}"] = Counter(kind for kind in kinds if not kind.endswith(BY_THE_CLOCK))
    assert any(found.values())
    return found


async def sizes(running: Running) -> dict[str, int]:
    """How many events every service has, told and untold."""
    found = {}
    for service in SERVICES:
        for table in ("events", "published"):
            (row,) = await fetch(running, service, f"select count(*) as n from {table}")
            found[f"{service}.{table}"] = row["n"]
    return found


async def test_a_reply_that_is_lost_comes_again_and_nothing_happens_twice(running: Running) -> None:
    async with Line.of(running) as line, Lossy.of(running) as lossy:
        lossy.checked, lossy.refused = Counter(), Counter()
        stories = []
        for speaker in (line, lossy):
            story = await Story.begun(speaker, "retried")
            await story.found()
            for client in story.clients:
                await story.sold(client)
            await nothing_due(line)
            stories.append(story)
        once, often = stories
        await often.comes_to(await once.told())
        assert await happened(running, often) == await happened(running, once)
    assert lossy.checked.keys() == set(SERVICES)
    assert lossy.refused.keys() == {"lead-gen", "conversion", "account-mgmt"}


async def test_one_of_fifty_wins_a_version(running: Running) -> None:
    async with Line.of(running, patience=5.0) as line, aiohttp.ClientSession() as http:
        story = await Story.begun(line, "race")
        client = await story.firm.prospect("2026-03-02T10:00:00+01:00")
        address = f"{running.addresses['lead-gen']}/v1/prospects/{client}"
        headers = {"authorization": f"Bearer {line.tokens.token('conveyor', ('driver',))}"}
        async with http.get(address, headers=headers) as shown:
            version = shown.headers["etag"]
        body = {"outcome": "reached", "by": story.firm.scout, "occurred_at": "2026-03-02T11:00:00+01:00"}

        async def call(n: int) -> int:
            about = headers | {"if-match": version, "idempotency-key": f"{client}-{n}"}
            async with http.post(f"{address}/calls", json=body, headers=about) as answer:
                return answer.status

        for _ in range(2):  # asked again with the same keys, everybody hears the same
            said = await asyncio.gather(*(call(n) for n in range(50)))
            assert Counter(said) == {201: 1, 412: 49}
        of_stream = "select count(*) as n from events where stream_id = $1"
        (row,) = await fetch(running, "lead-gen", of_stream, f"prospect-{client}")
        assert row["n"] == int(version.strip('"')) + 1


async def test_what_would_be_too_large_to_tell_is_refused_and_stops_nothing(running: Running) -> None:
    """A station that takes large bodies, larger than any event may be."""
    port = free_port()
    settings = settings_of(running, "lead-gen") | {"CONVEYOR_PORT": str(port), "CONVEYOR_BODY_BYTES": "4000000"}
    server = spawn(running, "lead-gen", ["-m", "lead_gen", "api"], settings, "large-bodies")
    try:
        await ready(f"http://127.0.0.1:{port}", server)
        async with Line.of(running) as line, aiohttp.ClientSession() as http:
            story = await Story.begun(line, "large")
            path = f"/v1/lines/{story.firm.name}/staffing"
            days = [str(date(2000, 1, 1) + timedelta(days=n)) for n in range(80_000)]
            firm = story.firm
            teams = {at: {"team": f"{firm.name}-{at}", "members": [firm.seat(at)]} for at in Station}
            staffed = {"variant": firm.variant, "zone": "Europe/Berlin", "currency": "EUR", "teams": teams}
            large = staffed | {"policy": {"calendar": {"holidays": days}}}
            await nothing_due(line)
            before = await sizes(running)
            token = line.tokens.token("conveyor", ("driver",))
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            for door, code in (
                (f"http://127.0.0.1:{port}", "event-too-large"),
                (running.addresses["lead-gen"], "body-too-large"),
            ):
                async with http.post(door + path, data=BytesIO(json.dumps(large).encode()), headers=headers) as answer:
                    assert (answer.status, (await answer.json())["code"]) == (413, code)
            await line.drained()
            assert await sizes(running) == before
            await line.post("lead-gen", path, staffed)
            clocks = await line.drained(60.0)
            assert clocks["lead-gen"]["relayed"] == clocks["lead-gen"]["published"]
            assert (await sizes(running))["lead-gen.published"] == before["lead-gen.published"] + 1
    finally:
        await end(server)
