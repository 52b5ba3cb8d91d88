"""A month is closed while its clerk dies again and again: it is closed once, and nobody is paid twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from journey_firm import Firm, plans, post
from stations import (
    eventually,
    fetch,
    parked,
    process_of,
    ready,
    settings_of,
    spawn,
    standing_in,
    true_code,
)

from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.processes import Wish, passing
from conveyor.running import Running, ServiceProcess

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
MONTHS = ["2026-01", "2026-02", "2026-03"]  # the first close closes all months before, too
CROWD = 450  # people with a salary: their statements take several commits
FROZEN = "select count(*) as n from events where type = 'StatementFrozen'"
CLOSED = "select value::json->>'period' as period from published where attributes like '%PeriodClosed%'"


async def moved(line: Line, at: str) -> None:
    await asyncio.gather(*(line.put(service, "/v1/clock", {"at": at}) for service in SERVICES))


async def reborn(running: Running, settings: dict[str, str]) -> None:
    """Compensation dies this moment, and is started again."""
    os.kill(running.services["compensation"].pid, signal.SIGKILL)
    before = process_of(running, "compensation")
    await asyncio.to_thread(before.stop, signal.SIGKILL, 5.0)
    server = spawn(running, "compensation", true_code("compensation"), settings, "compensation")
    known = running.services["compensation"]
    running.services["compensation"] = ServiceProcess(server.pid, server.born, known.port, known.log)
    await ready(running.addresses["compensation"], server)


async def count(running: Running) -> int:
    (row,) = await fetch(running, "compensation", FROZEN)
    return int(row["n"])


async def test_a_close_survives_the_death_of_its_clerk_and_pays_what_is_late_once() -> None:
    chance = random.Random()
    with passing(Wish("closing", clock="driven", zone="Europe/Berlin"), lambda _: None) as running:
        async with Line.of(running, patience=60.0) as line:
            firm = Firm(line, "closing", "scout-hunter-farmer")
            await moved(line, "2026-04-02T08:00:00Z")
            await plans(line)
            await firm.open()
            crowd = [f"clerk-{n}" for n in range(CROWD)]
            since = {"plan": "ref-scout", "role": "scout", "since": "2026-03-01"}
            for start in range(0, CROWD, 50):
                some = [
                    post(line, "compensation", "/v1/assignments", {"person": p, **since})
                    for p in crowd[start : start + 50]
                ]
                await asyncio.gather(*some)
            _, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00")
            await firm.paid(deal, "2026-03-15T10:00:00+01:00", "4000.00")
            await moved(line, "2026-04-05T08:00:00Z")
            await line.drained()

            settings = settings_of(running, "compensation")
            await post(line, "compensation", "/v1/periods/2026-03/close", {"cutoff": "2026-04-05T08:00:00Z"})
            await moved(line, "2026-04-05T08:00:30Z")  # commands that were under way at the cutoff are over
            late = asyncio.create_task(firm.paid(deal, "2026-03-20T10:00:00+01:00", "1000.00"))
            seen = []
            for kill in range(3):
                if kill < 2:
                    await in_the_middle(running)
                else:
                    await asyncio.sleep(chance.random())
                await reborn(running, settings)
                seen.append(await count(running))
            await late

            async def closed() -> dict[str, Any] | None:
                shown = await line.get("compensation", "/v1/periods")
                return shown["items"][-1] if shown["closing"] is None and shown["items"] else None

            month = await eventually(closed, f"the month is closed (frozen at each death: {seen})", 60.0)
            await line.drained()
            assert [row["period"] for row in await fetch(running, "compensation", CLOSED)] == MONTHS
            frozen = await fetch(running, "compensation", "select stream_id from events where type = 'StatementFrozen'")
            assert set(Counter(row["stream_id"] for row in frozen).values()) == {1}
            assert (len(frozen), month["statements"]) == (CROWD + 9, CROWD + 3)
            assert any(0 < n < CROWD + 9 for n in seen), f"it never died in the middle: {seen}"
            found = await line.get("compensation", "/v1/verification")
            assert (found["ok"], found["faults"], found["statements"]) == (True, [], CROWD + 9)

            march, april = [await firm.statement(firm.hunter, name) for name in ("2026-03", "2026-04")]
            corrected = [one for one in april["lines"] if one["relates_to_period"] == "2026-03"]
            assert [(one["kind"], one["amount"]) for one in corrected] == [("correction", "60.00")]
            released = [Decimal(one["amount"]) for one in march["lines"] if one["kind"] == "release"]
            assert sum(released) == Decimal("240.00")


SPOILED = "update published set value = '{\"by\": 7}' where key = $1 and attributes like '%ProspectRegistered%'"


async def test_a_month_closes_over_an_event_that_was_passed_over() -> None:
    """A station told what does not fit its own language: whoever closes is told which event, until it is skipped."""
    with passing(Wish("passed-over", clock="driven", zone="Europe/Berlin"), lambda _: None) as running:
        async with Line.of(running, patience=60.0) as line:
            firm = Firm(line, "passed-over", "scout-hunter-farmer")
            await moved(line, "2026-03-11T08:00:00Z")
            await plans(line)
            await firm.open()
            async with standing_in(running, "lead-gen"):
                client = await firm.prospect("2026-03-10T10:00:00+01:00")
                await fetch(running, "lead-gen", SPOILED, client)

            async def held() -> list[dict[str, Any]]:
                return [item for item in await parked(line, "compensation") if item["key"] == client]

            (item,) = await eventually(held, "compensation parks it")
            await moved(line, "2026-04-05T08:00:00Z")
            await post(line, "compensation", "/v1/periods/2026-03/close", {"cutoff": "2026-04-05T08:00:00Z"})
            await moved(line, "2026-04-05T08:00:30Z")

            async def told() -> bool:
                closing = (await line.get("compensation", "/v1/periods"))["closing"]
                return any(item["event_id"] in reason for reason in closing["waits_for"])

            await eventually(told, "whoever closes is told for which event it waits")
            why = {"reason": "a fault of the station's, worth nothing"}
            await line.post("compensation", f"/v1/parked/{item['id']}/skip", why)

            async def closed() -> bool:
                return (await line.get("compensation", "/v1/periods"))["closing"] is None

            await eventually(closed, "the month is closed")
            assert await fetch(running, "compensation", "select from facts where event_id = $1", item["event_id"]) == []
            assert (await line.get("compensation", "/v1/verification"))["ok"]


async def in_the_middle(running: Running) -> None:
    """Returns when some statements more are frozen than were, or the month is closed."""
    before = await count(running)

    async def more() -> bool:
        return await count(running) > before or bool(await fetch(running, "compensation", CLOSED))

    await eventually(more, "the clerk is at work", 60.0, every=0.002)
