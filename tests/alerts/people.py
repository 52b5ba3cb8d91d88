"""The line as it should be, and then: people who are late, two who claim one client, pay that waits for somebody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from journey_firm import Firm, plans, post
from stage import Stage
from watched_line import until

from conveyor.exits import Problem
from conveyor_events.words import Station

AHEAD = timedelta(days=40)  # so much compensation's clock is put ahead: a dispute is overdue, this month has ended
ALWAYS_OPEN = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "opens": "00:00", "closes": "23:59"}
SOON = timedelta(seconds=6)


async def ordinary(stage: Stage) -> None:
    """Somebody is hired and finds a client: the line moves, and nothing is the matter."""
    line, today = stage.watched.line, datetime.now(UTC).date()
    await post(line, "lead-gen", "/v1/staff", {"person": "olga", "hired_on": str(today)})
    since = f"{today}T00:00:00Z"
    await post(line, "lead-gen", "/v1/staff/olga/roles", {"role": "hunter", "since": since})
    teams = {station: {"team": f"calm-{station}", "members": ["olga"]} for station in Station}
    staffed = {"variant": "hunter", "since": since, "zone": "UTC", "currency": "EUR", "teams": teams}
    await post(line, "lead-gen", "/v1/lines/calm/staffing", staffed)
    client = {"client_id": "calm-1", "line": "calm", "name": "Calm", "source": "fair", "by": "olga"}
    await post(line, "lead-gen", "/v1/prospects", client)
    await line.drained(30)
    for service in stage.watched.line.addresses:
        await stage.shows("conveyor_unpublished_seconds", lambda v: v == 0, app_kubernetes_io_name=service)
    await stage.shows("conveyor_consumer_lag_seconds", lambda v: v == 0)
    await stage.shows("conveyor_pay_facts_unread", lambda v: v == 0)
    await stage.shows("conveyor_things_in_hand", lambda v: v == 1, line="calm")
    await stage.seen("ordinary", 1)
    stage.ordinary = stage.scenes["ordinary"][-1]


async def people(stage: Stage) -> None:
    """An offer waits, another was not answered, two claim one client, a dispute is not decided, a close waits."""
    line, now = stage.watched.line, datetime.now(UTC)
    await plans(line)
    firm = Firm(line, "west", "scout-hunter-farmer")
    stage.firm = firm
    await firm.open(more={"west-second": "scout"})
    await _impatient_line(firm)
    await firm.offered(_text(now))
    last = (now.replace(day=1) - timedelta(days=1)).replace(day=12)
    client, deal = await firm.deal(_text(last), "1000.00")
    await firm.paid(deal, _text(last), "1000.00")
    await firm.served(client, _text(last))
    await _claimed_twice(firm)
    await line.drained(30)
    missing = asyncio.create_task(_missed(stage, firm))
    await _disputed(stage, firm, f"{last:%Y-%m}")
    stage.watched.set_clock(AHEAD.total_seconds())
    await stage.shows("conveyor_disputes_open", lambda v: v == 1, overdue="yes")
    first = (now.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    await post(line, "compensation", f"/v1/periods/{now:%Y-%m}/close", {"cutoff": f"{first}T12:00:00Z"})
    await stage.shows("conveyor_close_waits_for", lambda v: v > 0)
    stage.watched.set_clock((AHEAD + timedelta(hours=2)).total_seconds())
    await stage.shows("conveyor_close_seconds", lambda v: v > 3_600)
    await missing
    await stage.shows("conveyor_conflicts_open", lambda v: v > 0, kind="C1")
    await stage.shows("conveyor_deadline_seconds", lambda v: 0 < v <= 3_600, person=firm.hunter)
    await stage.seen("people", 1)


async def _impatient_line(firm: Firm) -> None:
    teams = {station: {"team": f"west-{station}", "members": [firm.seat(station)]} for station in Station}
    teams[Station.LEAD_GEN]["members"] = [firm.scout, "west-second"]
    policy = {"calendar": ALWAYS_OPEN, "accept_within_hours": 1}
    zone = "UTC" if 2 <= datetime.now(UTC).hour < 22 else "Asia/Tokyo"  # far from midnight: a day lacks its last minute
    staffed = {"variant": firm.variant, "since": "2026-01-02T00:00:00Z", "zone": zone, "currency": "EUR"}
    body = staffed | {"teams": teams, "policy": policy}
    await post(firm.line, "lead-gen", "/v1/lines/west/staffing", body)


async def _claimed_twice(firm: Firm) -> None:
    keys = [{"kind": "tax_no", "value": "DE811234567"}]
    client = {"line": "west", "name": "Twice", "source": "fair", "identity_keys": keys}
    await post(firm.line, "lead-gen", "/v1/prospects", client | {"by": firm.scout})
    with pytest.raises(Problem, match="client-protected"):
        await post(firm.line, "lead-gen", "/v1/prospects", client | {"by": "west-second"})


async def _missed(stage: Stage, firm: Firm) -> None:
    """Nobody answers within the hour: all but the last seconds of it have passed when the offer is told of."""
    await firm.offered(nearly_due())
    missed = {"type": "conveyor.deals.LeadOfferExpired"}
    await stage.shows("conveyor_public_events_total", lambda v: v >= 1, **missed)


def nearly_due() -> str:
    """When an offer was made that wants its answer in some seconds."""
    return _text(datetime.now(UTC) - timedelta(hours=1) + SOON)


async def _disputed(stage: Stage, firm: Firm, month: str) -> None:
    """The month before is closed and its statements are published; somebody objects, and nobody answers."""
    line = stage.watched.line
    await post(line, "compensation", f"/v1/periods/{month}/close", {})

    async def closed() -> bool:
        shown = await line.get("compensation", "/v1/periods")
        return any(item["period"] == month for item in shown["items"])

    await until(closed, f"{month} is closed")
    await post(line, "compensation", f"/v1/periods/{month}/publish", {})
    body = {"period": month, "text": "the deal of the 12th is too small"}
    await line.post("compensation", "/v1/disputes", body, person=firm.hunter, roles=("hunter",))


def _text(at: datetime) -> str:
    return at.isoformat()
