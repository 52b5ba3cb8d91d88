"""My day: what waits for one person at each station, the most urgent first, as the stations tell it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from board.apis import Answer
from board.teams import led
from board.visit import Visit, visit
from conveyor_events.words import instant_text

CALLS = 25
MOST = 50
LAPSING = timedelta(days=30)
STATIONS = ("lead-gen", "conversion", "account-mgmt")
Person = Annotated[str | None, Query(max_length=100)]

routes = APIRouter()
Asking = dict[str, tuple[str, str, dict[str, Any]]]


def _asked(me: str, now: datetime) -> Asking:
    """Part of the day -> service, list, filters."""
    tonight, later = instant_text(now + timedelta(days=1)), instant_text(now + LAPSING)
    return {
        "calls": ("lead-gen", "/v1/prospects/calls", {"sourced_by": me, "before": tonight, "limit": CALLS}),
        "needs": ("lead-gen", "/v1/prospects", {"sourced_by": me, "stage": "need_known"}),
        "rework": ("lead-gen", "/v1/prospects", {"sourced_by": me, "stage": "rework"}),
        "given": ("lead-gen", "/v1/prospects", {"sourced_by": me, "stage": "offered"}),
        "offers": ("conversion", "/v1/offers-to-answer", {"to": me}),
        "meetings": ("conversion", "/v1/opportunities", {"converted_by": me, "stage": "meeting_planned"}),
        "stalled": ("conversion", "/v1/opportunities", {"converted_by": me, "stalled": "true"}),
        "buyers": ("account-mgmt", "/v1/offers", {"to": me, "queue": "true", "waiting": "true", "order": "due"}),
        "risk": ("account-mgmt", "/v1/accounts", {"served_by": me, "stage": "at_risk", "order": "risk"}),
        "lapsing": (
            "account-mgmt",
            "/v1/accounts",
            {"served_by": me, "lapses_before": later, "order": "lapse"},
        ),
        "contacts": (
            "account-mgmt",
            "/v1/accounts",
            {"served_by": me, "contact_before": tonight, "order": "contact"},
        ),
        "surveys": ("account-mgmt", "/v1/surveys", {"asked_by": me, "stage": "agreed"}),
        "invited": ("account-mgmt", "/v1/surveys", {"asked_by": me, "stage": "invited"}),
        "alerts": ("account-mgmt", "/v1/surveys", {"asked_by": me, "alert": "true"}),
    }


@routes.get("/day")
async def page(who: Annotated[Visit, Depends(visit)], of: Person = None) -> Response:
    """One's own day; a manager may look at somebody else's, as far as the stations show it."""
    me, now, asked = of or who.person, await who.now(), who.asked
    wanted = _asked(me, now)
    answers = await asyncio.gather(
        *(asked.get(service, path, **({"limit": MOST} | filters)) for service, path, filters in wanted.values()),
        asked.listed("lead-gen", "/v1/lines"),
    )
    told: dict[str, Answer] = dict(zip(wanted, answers, strict=False))
    stations = {
        station: {part: told[part] for part, (service, *_) in wanted.items() if service == station}
        for station in STATIONS
    }
    open_stations = [station for station, parts in stations.items() if any(a.state != "closed" for a in parts.values())]
    clients, meetings = await asyncio.gather(_clients(who, told["calls"]), _meetings(who, told["meetings"]))
    return who.page(
        "day.html",
        me=me,
        now=now,
        told=told,
        stations=open_stations,
        clients=clients,
        meetings=meetings,
        people=led(answers[-1], who.person),
    )


async def _clients(who: Visit, calls: Answer) -> dict[str, Any]:
    """Who is to be called: the names and contacts, where the station tells them to this viewer."""
    ids = [row["client_id"] for row in calls.items]
    found = await who.asked.each(("lead-gen", f"/v1/prospects/{quote(one, safe='')}") for one in ids)
    return {one: answer.document for one, answer in zip(ids, found, strict=True) if answer.ok}


async def _meetings(who: Visit, planned: Answer) -> list[dict[str, Any]]:
    """Meetings that are planned, the next first."""
    ids = [row["opportunity_id"] for row in planned.items]
    found = await who.asked.each(("conversion", f"/v1/opportunities/{quote(one, safe='')}") for one in ids)
    meetings = [
        meeting | {"client_id": answer.document["client_id"], "line": answer.document["line"]}
        for answer in found
        if answer.ok
        for meeting in answer.document["meetings"]
        if meeting["objective_met"] is None
    ]
    return sorted(meetings, key=lambda one: one["starts_at"])
