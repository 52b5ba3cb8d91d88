"""Sends the stories of all leads through the station APIs: in time order, many at once, each client's in its own order.

Every request carries a key derived from what it says, so a second run, or one after a kill, changes nothing twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from belt.core.ids import derived
from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.olist.files import Deal, Lead, read
from conveyor.olist.story import LINE, Request, story

AT_ONCE = 48
AHEAD = 600  # how far the schedule may run ahead of its slowest client
HEARD_WITHIN = 120.0  # how long a station may take to hear of what another did
SINCE = "2017-01-01"
Progress = Callable[[int, int], None]


class NotHeard(Exception):
    """A station did not hear in time of what another did."""


async def run(folder: Path, line: Line, progress: Progress) -> dict[str, Any]:
    """Feeds everything, waits until compensation has caught up, and answers what was fed."""
    leads = read(folder)
    await staff(line, [lead.deal for lead in leads if lead.deal])
    requests = schedule(leads)
    fed = await feed(line, requests, progress)
    await line.drained()
    return {"leads": len(leads), "deals": sum(lead.deal is not None for lead in leads), "requests": dict(fed)}


async def staff(line: Line, deals: Iterable[Deal]) -> None:
    """Hires everybody in the file, staffs the line, and puts scouts and hunters on the plans that ship with this."""
    deals = list(deals)
    scouts, hunters = sorted({d.scout for d in deals}), sorted({d.hunter for d in deals})
    for person in sorted({*scouts, *hunters}):
        await _once(line, "lead-gen", "/v1/staff", {"person": person, "hired_on": SINCE})
    for role, people in (("scout", scouts), ("hunter", hunters)):
        for person in people:
            granted = {"role": role, "since": f"{SINCE}T00:00:00Z"}
            await _once(line, "lead-gen", f"/v1/staff/{person}/roles", granted)
    teams = {
        "lead-gen": {"team": "olist-scouts", "members": scouts},
        "conversion": {"team": "olist-hunters", "members": hunters},
        "account-mgmt": {"team": "olist-hunters", "members": hunters},
    }
    await _once(
        line,
        "lead-gen",
        f"/v1/lines/{LINE}/staffing",
        {
            "variant": "scout-hunter",
            "since": f"{SINCE}T00:00:00Z",
            "zone": "America/Sao_Paulo",
            "currency": "BRL",
            "teams": teams,
            "managers": [],
            "policy": {"routing": "named"},
        },
    )
    for role in ("scout", "hunter"):
        await _plan(line, files("compensation").joinpath(f"plans/olist-{role}.yaml").read_text(encoding="utf-8"))
    for role, people in (("scout", scouts), ("hunter", hunters)):
        for person in people:
            assigned = {"person": person, "plan": f"olist-{role}", "role": role, "line": LINE, "since": SINCE}
            await _once(line, "compensation", "/v1/assignments", assigned)


async def _plan(line: Line, text: str) -> None:
    """Drafts a plan and has it approved by another person."""
    document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - scalars stay text
    drafted = await _once(line, "compensation", "/v1/plans", document)
    path = f"/v1/plans/{drafted['plan']}/versions/{drafted['number']}/approve"
    await _once(line, "compensation", path, {}, person="olist-approver")


async def _once(line: Line, service: str, path: str, body: dict[str, Any], person: str = "olist-import") -> Any:
    return await line.post(service, path, body, key=derived("olist", service, path, repr(body)), person=person)


def schedule(leads: Iterable[Lead]) -> list[tuple[str, list[Request]]]:
    """(client, requests of one instant) in time order; a client's own order stands even where times do not grow."""
    groups: list[tuple[datetime, str, int, list[Request]]] = []
    for lead in leads:
        latest: datetime | None = None
        for number, request in enumerate(story(lead)):
            if latest is not None and request.at <= latest:
                groups[-1][3].append(request)
            else:
                latest = request.at
                groups.append((latest, lead.id, number, [request]))
    groups.sort(key=lambda group: group[:3])
    return [(client, requests) for _, client, _, requests in groups]


async def feed(line: Line, groups: list[tuple[str, list[Request]]], progress: Progress) -> Counter[str]:
    """Sends the groups; a client's next group waits for its last one."""
    total = sum(len(requests) for _, requests in groups)
    sent: Counter[str] = Counter()
    slots, ahead = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AHEAD)
    last: dict[str, asyncio.Task[None]] = {}

    async def send(before: asyncio.Task[None] | None, requests: list[Request]) -> None:
        try:
            if before is not None:
                await before
            for request in requests:
                await _send(line, request, slots)
                sent[request.service] += 1
                progress(sent.total(), total)
        finally:
            ahead.release()

    async with asyncio.TaskGroup() as group:
        for client, requests in groups:
            await ahead.acquire()
            last[client] = group.create_task(send(last.get(client), requests))
    return sent


async def _send(line: Line, request: Request, slots: asyncio.Semaphore) -> None:
    """One request, asked again while its object is on the way from another station. Waiting holds no slot."""
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + HEARD_WITHIN, 0.02
    key = derived("olist", request.service, request.path, repr(request.body))
    while True:
        try:
            async with slots:
                await line.post(request.service, request.path, request.body, key=key, person="olist-import")
        except Problem as problem:
            if not request.waits or problem.status != 404:
                raise
            if loop.time() > until:
                raise NotHeard(f"{request.service} {request.path}: {problem.code}") from problem
            await asyncio.sleep(pause)
            pause = min(pause * 1.7, 1.0)
        else:
            return
