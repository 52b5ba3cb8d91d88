"""The four services, each with two lines, so that there is something to see, to do, and to be kept from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import account_desk
import conversion_house
import httpx
import lead_gen_office
import pay_office
from account_story import CLIENT as ACCOUNT
from account_story import OFFER as ACCOUNT_OFFER
from account_story import WON
from conversion_stories import DEAL, FRIDAY, HIRED, OPPORTUNITY
from lead_gen_story import at as in_march

from account_mgmt.main import SERVICE as ACCOUNT_MGMT
from belt.io.clock import DrivenClock
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.running import Running, running
from belt.io.service import Service
from belt.io.settings import Settings
from belt.io.store.migrate import upgrade
from compensation.main import SERVICE as COMPENSATION
from conversion.main import SERVICE as CONVERSION
from conveyor_events import Event, staff
from conveyor_events.words import instant_text
from conveyor_local.stack import Stack
from lead_gen.main import SERVICE as LEAD_GEN

Bodies = dict[str, Any]


@dataclass
class Walk:
    """One service to be walked: who reads (person and role), what stands in addresses and bodies, what is personal."""

    parts: Running
    http: httpx.AsyncClient
    issuer: DevelopmentIssuer
    folder: Path
    dsn: str
    readers: dict[str, tuple[str, str]] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    bodies: Bodies = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    service: str = ""


@asynccontextmanager
async def walked(service: Service, stack: Stack, folder: Path, now: datetime) -> AsyncIterator[Walk]:
    """The service's HTTP side on a database of its own; what it would hear is told to it directly."""
    dsn = await stack.create_database(f"walk_{service.package}")
    await upgrade(dsn, service.package)
    key, issuer = folder / "sealing.key", DevelopmentIssuer(folder)
    key.write_text("0123456789abcdef0123456789abcdef")
    settings = Settings(
        service=service.name, port=0, dsn=dsn, jwks=str(issuer.jwks), key_file=key, clock="driven", zone="Europe/Berlin"
    )
    async with running(service, settings, role="api") as parts:
        assert parts.app is not None
        assert isinstance(parts.desk.clock, DrivenClock)
        parts.desk.clock.set(now)
        transport = httpx.ASGITransport(parts.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{service.name}") as http:
            walk = Walk(parts, http, issuer, folder, dsn)
            await TOLD[service.name](walk)
            yield walk


def elsewhere(role: str, station: str) -> list[Event]:
    """A second line, with its manager and one person of the owner's role, who have nothing to do with the first one."""
    since = datetime(2026, 1, 1, tzinfo=UTC)
    events: list[Event] = []
    for person, held in (("olaf", "manager"), ("sven", role)):
        events.append(staff.StaffHired(person=person, hired_on=date(2025, 1, 1)))
        events.append(staff.RoleGranted(person=person, role=held, since=since - timedelta(days=30)))
    teams = {name: staff.StationTeam(team=name, members=[]) for name in ("lead-gen", "conversion", "account-mgmt")}
    teams[station] = staff.StationTeam(team=station, members=["sven"])
    line = staff.LineStaffed(
        line="south",
        variant="scout-hunter-farmer",
        since=since,
        zone="Europe/Berlin",
        currency="EUR",
        teams=teams,
        managers=["olaf"],
    )
    return [*events, line]


def readers(owner: str, peer: str, lead: str, role: str) -> dict[str, tuple[str, str]]:
    return {
        "owner": (owner, role),
        "peer": (peer, role),
        "lead": (lead, "manager"),
        "other": ("olaf", "manager"),
        "stranger": ("sven", role),
        "auditor": ("vivian", "auditor"),
    }


async def lead_gen(walk: Walk) -> None:
    clock = walk.parts.desk.clock
    assert isinstance(clock, DrivenClock)
    office = lead_gen_office.Office(walk.parts, clock, walk.issuer, walk.http, walk.dsn)
    await office.opens()
    for person, role in (("olaf", "manager"), ("sven", "scout")):
        await office.done("/v1/staff", {"person": person, "hired_on": "2026-01-01"}, by="vera")
        granted = {"role": role, "since": "2026-01-01T00:00:00Z"}
        await office.done(f"/v1/staff/{person}/roles", granted, by="vera")
    teams = {name: {"team": name, "members": []} for name in lead_gen_office.TEAMS}
    teams["lead-gen"]["members"] = ["sven"]
    south = lead_gen_office.STAFFING | {"teams": teams, "managers": ["olaf"]}
    await office.done("/v1/lines/south/staffing", south, by="vera")
    await office.offered()
    other = lead_gen_office.PROSPECT | {"client_id": "bolt", "name": "Bolt AG", "identity_keys": []}
    await office.done("/v1/prospects", other)
    called = {"outcome": "callback", "next_call_at": instant_text(in_march(2, 9) + timedelta(hours=1))}
    await office.done("/v1/prospects/bolt/calls", called)
    await office.done("/v1/competitors", {"card_id": "rival", "name": "Rival"})
    said = {"topic": "price", "text": "dear", "source": "fair", "confidence": 3, "seen_on": "2026-03-01"}
    await office.done("/v1/competitors/rival/claims", said | {"claim_id": "dear"})
    walk.readers = readers("ana", "egor", "vera", "scout")
    walk.personal = ("Acme Pumpen", "Eva Roth", "Frau Roth", "hall 4")
    walk.named = {
        "person": "clara", "line": lead_gen_office.LINE, "client": "acme", "offer": "acme-1", "card": "rival",
        "claim": "dear",
    }  # fmt: skip
    fresh = lead_gen_office.PROSPECT | {"client_id": "fresh", "name": "Fresh", "identity_keys": []}
    walk.bodies = {
        "POST /v1/staff": {"person": "nora", "hired_on": "2026-02-01"},
        "POST /v1/staff/{person}/roles": {"role": "farmer"},
        "POST /v1/staff/{person}/roles/revoke": {"role": "farmer"},
        "POST /v1/staff/{person}/absences": {"since": "2026-04-01T00:00:00Z", "until": "2026-04-02T00:00:00Z"},
        "POST /v1/staff/{person}/leave": {"last_day": "2026-12-31"},
        "POST /v1/lines/{line}/staffing": lead_gen_office.STAFFING,
        "POST /v1/prospects": fresh,
        "POST /v1/prospects/bulk": fresh | {"client_id": "fresh-2"},
        "POST /v1/prospects/{client}/verify": lead_gen_office.VERIFY,
        "POST /v1/prospects/{client}/calls": lead_gen_office.CALL,
        "POST /v1/prospects/{client}/gatekeepers": lead_gen_office.GATEKEEPER,
        "POST /v1/prospects/{client}/contacts": lead_gen_office.CONTACT,
        "POST /v1/prospects/{client}/needs": lead_gen_office.NEED | {"need_id": "another"},
        "POST /v1/prospects/{client}/park": {"reason": "on holiday"},
        "POST /v1/prospects/{client}/merge": {"into": "bolt"},
        "POST /v1/prospects/{client}/migrate": {"variant": "scout-hunter"},
        "POST /v1/prospects/{client}/invalidate": {"reason": "no_such"},
        "POST /v1/prospects/{client}/reassign": {"to": "egor", "reason": "workload"},
        "POST /v1/competitors": {"card_id": "rival-2", "name": "Rival 2"},
        "POST /v1/competitors/{card}/claims": said,
    }


async def conversion(walk: Walk) -> None:
    clock = walk.parts.desk.clock
    assert isinstance(clock, DrivenClock)
    house = conversion_house.House(walk.parts, clock, walk.issuer, walk.http, walk.dsn)
    await house.offered()
    for event in elsewhere("hunter", "conversion"):
        await house.hears(event, HIRED, client=None)
    for offer, client in (("offer-2", "client-2"), ("offer-3", "client-3")):
        await house.hears(conversion_house.qualified(offer, need_id=f"need-of-{client}"), client=client)
    assert (await house.post("/v1/offers/offer-1/accept")).status_code == 200
    refused = {"reason": "duplicate", "note": "Eva Roth says so"}
    assert (await house.post("/v1/offers/offer-3/reject", refused)).status_code == 200
    chance = f"/v1/opportunities/{OPPORTUNITY}"
    touched = await house.post(f"{chance}/touches", {"channel": "phone", "note": "Eva Roth was in"})
    assert touched.status_code == 201, touched.text
    question = {"kind": "situation", "text": "how old is the pump?"}
    meeting = {"plan_id": "m-1", "goal": "Eva Roth says yes", "questions": [question]}
    written = await house.post(f"{chance}/meeting-plans", meeting)
    assert written.status_code == 201, written.text
    bargain = {"plan_id": "n-1", "exit_sentence": "Frau Roth, we part as friends"}
    written = await house.post(f"{chance}/negotiation-plans", bargain)
    assert written.status_code == 201, written.text
    presented = {"presentation_id": "pr-1", "note": "Eva Roth liked it"}
    assert (await house.post(f"{chance}/presentations", presented)).status_code == 201
    assert (await house.post(f"{chance}/proposals", conversion_house.PROPOSAL)).status_code == 201
    objection = {"objection_id": "o-1", "kind": "price", "words": "too dear, said Eva Roth"}
    assert (await house.post(f"{chance}/objections", objection)).status_code == 201
    assert (await house.post(f"{chance}/close", conversion_house.DEAL_BODY)).status_code == 200
    walk.readers = readers("boris", "dina", "maria", "hunter")
    walk.personal = ("Eva Roth", "Frau Roth")
    walk.named = {
        "offer": "offer-2", "refused": "offer-3", "opportunity": OPPORTUNITY, "meeting_plan": "m-1",
        "negotiation_plan": "n-1", "meeting": "none", "objection": "o-1", "deal": DEAL,
    }  # fmt: skip
    paid = {"net": "10.00", "currency": "EUR"}
    chance = "POST /v1/opportunities/{opportunity}"
    walk.bodies = {
        "POST /v1/offers/{offer}/reject": {"reason": "no_need_evidence"},
        "POST /v1/opportunities": {"client_id": "client-9", "line": "berlin", "need_ids": ["need-9"]},
        f"{chance}/meeting-plans": meeting,
        f"{chance}/negotiation-plans": bargain,
        "POST /v1/negotiation-plans/{negotiation_plan}/score": {"results": {"price": "1.00"}},
        f"{chance}/meetings": {"objective_met": "full"},
        f"{chance}/touches": {"channel": "phone"},
        f"{chance}/presentations": {"presentation_id": "pr-2"},
        f"{chance}/proposals": conversion_house.PROPOSAL,
        f"{chance}/objections": objection | {"objection_id": "o-2"},
        f"{chance}/objections/{{objection}}/answer": {"technique": "listened", "result": "resolved"},
        f"{chance}/concessions": {"item": "freight", "in_return_for": "a reference"},
        f"{chance}/close": conversion_house.DEAL_BODY,
        f"{chance}/lose": {"reason": "price"},
        f"{chance}/recycle": {"reason": "price"},
        "POST /v1/deals/{deal}/payments": paid | {"payment_id": "pay-1"},
        "POST /v1/deals/{deal}/refunds": paid | {"refund_id": "back-1"},
        "POST /v1/deals/{deal}/cancel": {"reason": "other"},
    }


async def account_mgmt(walk: Walk) -> None:
    clock = walk.parts.desk.clock
    assert isinstance(clock, DrivenClock)
    counter = account_desk.Counter(walk.parts, clock, walk.issuer, walk.http, walk.dsn)
    await counter.begins()
    for event in elsewhere("farmer", "account-mgmt"):
        await counter.hears(event, WON, subject="south", client_id=None)
    await counter.accepted()
    account = f"/v1/accounts/{ACCOUNT}"
    contact = {"contact_id": "c-1", "channel": "phone", "person": "Eva Roth", "summary": "Eva Roth is content"}
    complaint = {"complaint_id": "k-1", "about": "price", "text": "dear, says Eva Roth"}
    sale = {"sale_id": "sale-2", "net": "4000.00", "tax": "800.00", "currency": "EUR"}
    asked = {
        "survey_id": "s-1", "contact": {"name": "Eva Roth", "position": "owner", "reach": "eva@acme.example"},
        "via": "phone", "agreed": True,
    }  # fmt: skip
    for path, body in (("contacts", contact), ("complaints", complaint), ("repeat-sales", sale), ("surveys", asked)):
        done = await counter.post(f"{account}/{path}", body)
        assert done.status_code == 201, done.text
    test = (await counter.get("/v1/self-tests/listening")).json()
    answers = {one["statement"]: 3 for one in test["statements"]}
    attempt = {"attempt_id": "a-1", "version": test["version"], "answers": answers}
    taken = await counter.post("/v1/self-tests/listening/attempts", attempt)
    assert taken.status_code == 201, taken.text
    walk.readers = readers("clara", "cyril", "maria", "farmer")
    walk.personal = ("Eva Roth", "eva@acme.example")
    walk.named = {
        "offer": ACCOUNT_OFFER, "client": ACCOUNT, "complaint": "k-1", "sale": "sale-2", "test": "listening",
        "attempt": "a-1", "survey": "s-1",
    }  # fmt: skip
    paid = {"net": "10.00", "currency": "EUR"}
    walk.bodies = {
        "POST /v1/offers/{offer}/reject": {"reason": "capacity"},
        "POST /v1/accounts/{client}/contacts": contact | {"contact_id": "c-2"},
        "POST /v1/accounts/{client}/complaints": complaint | {"complaint_id": "k-2"},
        "POST /v1/accounts/{client}/complaints/{complaint}/resolve": {"remedy": "fixed"},
        "POST /v1/accounts/{client}/repeat-sales": sale | {"sale_id": "sale-3"},
        "POST /v1/repeat-sales/bulk": sale | {"sale_id": "sale-4", "client": ACCOUNT},
        "POST /v1/sales/{sale}/payments": paid | {"payment_id": "pay-1"},
        "POST /v1/sales/{sale}/refunds": paid | {"refund_id": "back-1"},
        "POST /v1/self-tests/{test}/attempts": attempt | {"attempt_id": "a-2"},
        "POST /v1/accounts/{client}/surveys": asked | {"survey_id": "s-2"},
        "POST /v1/surveys/{survey}/answers": {"items": {"promises_1": {"expected": 6, "received": 6}}, "recommend": 8},
        "POST /v1/surveys/{survey}/consent": {"consent": "withdrawn", "via": "mail"},
        "POST /v1/accounts/{client}/reassign": {"to": "cyril", "reason": "workload"},
        "POST /v1/accounts/{client}/left": {"reason": "price"},
    }


async def compensation(walk: Walk) -> None:
    office = pay_office.Office(walk.http, walk.issuer, walk.dsn, walk.parts.desk)
    await office.open()
    await office.march_is_closed(walk.parts.desk)
    case = (await office.json("/v1/conflicts", "pia"))["items"][0]["case_id"]
    walk.readers = {
        "owner": ("boris", "hunter"), "peer": ("dina", "hunter"), "lead": ("lena", "manager"),
        "other": ("otto", "manager"), "stranger": ("egor", "scout"), "auditor": ("vera", "auditor"),
    }  # fmt: skip
    walk.named = {
        "plan": "ref-hunter", "number": "1", "case_id": case, "person": "boris", "period": "2026-03",
        "dispute_id": "d-boris", "adjustment_id": "none", "simulation_id": "s-1", "line_id": "none", "run_id": "r-1",
        "client": pay_office.SHARED,
    }  # fmt: skip
    walk.bodies = {
        "POST /v1/conflicts/{case_id}/claims": {"text": "it is mine"},
        "POST /v1/disputes": {"period": "2026-03", "text": "too low"},
        "POST /v1/disputes/{dispute_id}/answer": {"text": "see the letter"},
    }


TOLD: dict[str, Callable[[Walk], Any]] = {
    "lead-gen": lead_gen,
    "conversion": conversion,
    "account-mgmt": account_mgmt,
    "compensation": compensation,
}
SERVICES = {one.name: one for one in (LEAD_GEN, CONVERSION, ACCOUNT_MGMT, COMPENSATION)}
NOW = {"lead-gen": in_march(2, 9), "conversion": FRIDAY, "account-mgmt": WON, "compensation": pay_office.NOW}
