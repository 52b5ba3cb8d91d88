"""A client about whom everything personal that can be said is said, at every station, each time with one word in it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from journey_firm import HEARD_WITHIN, Firm, plans, post

from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.processes import database
from conveyor.running import Running
from conveyor_events.words import instant_text
from conveyor_local import Stack

FIRM = "forgot"
WORD = "Zappelfritz"
PHONE = "4930123987654"
HIDDEN = re.compile(rf"{WORD}|{PHONE}".encode(), re.IGNORECASE)
ZONE = ZoneInfo("Europe/Berlin")


@dataclass
class Client:
    """Ids by which the client can be looked up."""

    client: str
    month: str  # in which it was sold to
    ids: dict[str, str] = field(default_factory=dict)


class Told:
    """Says everything. `number` tells the texts apart, so that each stands somewhere of its own."""

    def __init__(self, firm: Firm, client: str) -> None:
        # All of it lately: else a clock may say first that the time for rework is over, or that the client is gone.
        now = datetime.now(UTC)
        self.found, self.won, self.paid, self.bought = (instant_text(now - timedelta(minutes=m)) for m in (5, 4, 3, 2))
        month = (now - timedelta(minutes=4)).astimezone(ZONE).strftime("%Y-%m")
        self.firm, self.about = firm, Client(client, month)
        self._numbers = count(1)

    def secret(self) -> str:
        return f"{WORD} number {next(self._numbers)}"

    async def everything(self) -> Client:
        await self.at_lead_gen()
        await self.at_conversion()
        await self.at_account_mgmt()
        await self.at_compensation()
        return self.about

    async def _do(self, service: str, path: str, by: str, at: str, **body: Any) -> Any:
        said = {"by": by, "occurred_at": at} | body
        return await self.firm.heard(service, path, said)

    async def _stands(self, stage: str) -> None:
        """Returns when lead generation has heard what the next station did."""
        async with asyncio.timeout(HEARD_WITHIN):
            where = f"/v1/prospects/{self.about.client}"
            while (await self.firm.line.get("lead-gen", where))["stage"] != stage:  # noqa: ASYNC110 (not ours to signal)
                await asyncio.sleep(0.05)

    async def at_lead_gen(self) -> None:
        firm, client = self.firm, self.about.client
        named = {
            "phone": f"+{PHONE}",
            "domain": f"{WORD.lower()}-{FIRM}.example",
            "name_city": f"{WORD} {FIRM}, Berlin",
            "tax_no": f"DE1234567 {WORD} {FIRM}",
        }
        keys = [{"kind": kind, "value": value} for kind, value in named.items()]
        entry = {"client_id": client, "line": firm.name, "name": self.secret(), "country": "DE", "source": "fair"}
        await self._do("lead-gen", "/v1/prospects", firm.scout, self.found, **entry, identity_keys=keys)
        path = f"/v1/prospects/{client}"
        call = {"outcome": "gatekeeper_passed", "note": self.secret()}
        await self._do("lead-gen", f"{path}/calls", firm.scout, self.found, **call)
        met = {"role": "secretary", "attitude": 1, "best_time": self.secret(), "approach": "topic"}
        await self._do("lead-gen", f"{path}/gatekeepers", firm.scout, self.found, **met)
        await self._do("lead-gen", f"{path}/park", firm.scout, self.found, reason=self.secret())
        await self._do("lead-gen", f"{path}/resume", firm.scout, self.found)
        reached = {"person": self.secret(), "position": self.secret(), "channel": self.secret(), "influence": "decides"}
        await self._do("lead-gen", f"{path}/contacts", firm.scout, self.found, **reached)
        need = {"category": "tools", "statement": self.secret(), "evidence": [self.secret(), self.secret()]}
        need |= {"current_supplier": self.secret()}
        await self._do("lead-gen", f"{path}/needs", firm.scout, self.found, **need)
        offered = await self._do("lead-gen", f"{path}/offer", firm.scout, self.found, to=firm.hunter)
        await self._do("lead-gen", f"{path}/withdraw", firm.scout, self.found, reason=self.secret())
        offered = await self._again(path, offered["offer_id"])
        rejected = {"reason": "no_need_evidence", "note": self.secret()}
        await self._do("conversion", f"/v1/offers/{offered}/reject", firm.hunter, self.found, **rejected)
        self.about.ids["rejected"] = offered
        await self._stands("rework")
        more = {"to": firm.hunter, "evidence": [self.secret()]}
        offered = (await self._do("lead-gen", f"{path}/offer", firm.scout, self.found, **more))["offer_id"]
        self.about.ids["offer"] = offered
        # Another scout tries the same client: a conflict, of which the two will say something.
        twin = {"client_id": f"{client}-twin", "line": firm.name, "name": self.secret(), "source": "fair"}
        await firm.line.drained()
        refused = {**twin, "identity_keys": keys[:1], "by": f"{firm.name}-other", "occurred_at": self.won}
        status = await refusal(firm, "lead-gen", "/v1/prospects", refused)
        assert status == 409, status

    async def _again(self, path: str, first: str) -> str:
        """The withdrawal is a request; when it was heard the need is offered anew."""
        await self._stands("need_known")
        offered = await self._do("lead-gen", f"{path}/offer", self.firm.scout, self.found, to=self.firm.hunter)
        assert offered["offer_id"] != first
        return str(offered["offer_id"])

    async def at_conversion(self) -> None:
        firm = self.firm
        accepted = await self._do("conversion", f"/v1/offers/{self.about.ids['offer']}/accept", firm.hunter, self.found)
        chance = self.about.ids["opportunity"] = accepted["opportunity_id"]
        path = f"/v1/opportunities/{chance}"
        await self._do("conversion", f"{path}/touches", firm.hunter, self.found, channel="phone", note=self.secret())
        attendee = {"name": self.secret(), "position": self.secret(), "influence": "decides", "interest": self.secret()}
        questions = [{"kind": "problem", "text": self.secret()} for _ in range(3)]
        paper = {"goal": self.secret(), "fallback": self.secret(), "theirs": [attendee], "questions": questions}
        paper |= {"next_step": self.secret(), "facts": [self.secret()], "materials": [self.secret()]}
        plan = await self._do("conversion", f"{path}/meeting-plans", firm.hunter, self.found, **paper)
        self.about.ids["meeting plan"] = plan["plan_id"]
        await self._do("conversion", f"/v1/meeting-plans/{plan['plan_id']}/ready", firm.hunter, self.found)
        step = {"what": self.secret(), "who": self.secret()}
        met = {"starts_at": self.found, "plan_id": plan["plan_id"], "objective_met": "full", "facts": [self.secret()]}
        met |= {"next_step": step, "answers": [self.secret()], "surprises": [self.secret()]}
        await self._do("conversion", f"{path}/meetings", firm.hunter, self.found, **met)
        await self._do("conversion", f"{path}/presentations", firm.hunter, self.found, note=self.secret())
        await self._do("conversion", f"{path}/objections", firm.hunter, self.found, kind="price", words=self.secret())
        lines = [{"sku": "drill", "qty": "1", "unit_price": "10000.00"}]
        money = {"tax": "0.00", "currency": "EUR"}
        await self._do("conversion", f"{path}/proposals", firm.hunter, self.found, lines=lines, **money)
        issue = {"name": self.secret(), "weight": "100", "target": "100", "opening": "120", "limit": "80"}
        bargain = {"issues": [issue], "red_lines": [self.secret()], "exit_sentence": self.secret()}
        bargain |= {"best_alternative": {"what": self.secret(), "value": "10"}}
        plan = await self._do("conversion", f"{path}/negotiation-plans", firm.hunter, self.found, **bargain)
        self.about.ids["negotiation plan"] = plan["plan_id"]
        await self._do("conversion", f"{path}/negotiation", firm.hunter, self.found)
        given = {"item": self.secret(), "in_return_for": self.secret()}
        await self._do("conversion", f"{path}/concessions", firm.hunter, self.found, **given)
        closed = await self._do("conversion", f"{path}/close", firm.hunter, self.won, net="10000.00", **money)
        await firm.paid(closed["deal_id"], self.paid, "10000.00")

    async def at_account_mgmt(self) -> None:
        firm, client = self.firm, self.about.client
        await firm.served(client, self.won)
        found = await firm.line.get("account-mgmt", "/v1/offers", params={"client": client})
        self.about.ids["account offer"] = found["items"][0]["offer_id"]
        path = f"/v1/accounts/{client}"
        visit = {"channel": "visit", "person": self.secret(), "summary": self.secret()}
        await self._do("account-mgmt", f"{path}/contacts", firm.farmer, self.paid, **visit)
        complaint = await self._do(
            "account-mgmt", f"{path}/complaints", firm.farmer, self.paid, about="delivery", text=self.secret()
        )
        solved = {"remedy": "explained", "note": self.secret()}
        await self._do(
            "account-mgmt", f"{path}/complaints/{complaint['complaint_id']}/resolve", firm.farmer, self.paid, **solved
        )
        person = {"name": self.secret(), "position": self.secret(), "reach": f"+{PHONE}"}
        asked = await self._do(
            "account-mgmt", f"{path}/surveys", firm.farmer, self.paid, contact=person, via="phone", agreed=True
        )
        survey = self.about.ids["survey"] = asked["survey_id"]
        points = {"promises_1": {"expected": 5, "received": 6}}
        answers = {"items": points, "recommend": 9, "comment": self.secret()}
        await self._do("account-mgmt", f"/v1/surveys/{survey}/answers", firm.farmer, self.paid, **answers)
        await firm.repeat(client, self.bought, "500.00")
        left = {"reason": "closed_down", "note": self.secret()}
        await self._do("account-mgmt", f"{path}/left", firm.farmer, self.bought, **left)

    async def at_compensation(self) -> None:
        firm = self.firm
        await firm.line.drained()
        found = await firm.line.get("compensation", "/v1/conflicts", params={"client": self.about.client})
        case = self.about.ids["case"] = found["items"][0]["case_id"]
        await post(firm.line, "compensation", f"/v1/conflicts/{case}/invite", {"days": 7})
        claim = {"text": self.secret(), "by": firm.scout}
        await post(firm.line, "compensation", f"/v1/conflicts/{case}/claims", claim)
        decided = {"outcome": "dismissed", "reason": self.secret()}
        await post(firm.line, "compensation", f"/v1/conflicts/{case}/resolve", decided)


async def refusal(firm: Firm, service: str, path: str, body: Any) -> int:
    """The status with which a command is refused."""

    try:
        await post(firm.line, service, path, body)
    except Problem as problem:
        return problem.status
    return 200


async def say_everything(running: Running) -> Client:
    """The client, and everything said about it."""
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, FIRM, "scout-hunter-farmer")
        await firm.open(managers=("vera",), more={f"{FIRM}-other": "scout"})
        hired = {"person": f"{FIRM}-named", "name": f"{WORD} the younger", "hired_on": "2026-01-01"}
        await post(line, "lead-gen", "/v1/staff", hired)
        card = await post(line, "lead-gen", "/v1/competitors", {"name": "Rival", "card_id": f"{FIRM}-card"})
        claim = {"topic": "people", "text": f"{WORD} left them", "source": WORD, "confidence": 3}
        await post(line, "lead-gen", f"/v1/competitors/{card['card_id']}/claims", claim | {"seen_on": "2026-01-02"})
        client = await Told(firm, f"{FIRM}-1").everything()
        await line.drained()
        return client


def filled(path: str, service: str, ids: dict[str, str]) -> str | None:
    """The path with ids in it; None where this story has nothing to show."""
    for name in re.findall(r"\{(\w+)\}", path):
        key = f"{service} {path}" if f"{service} {path}" in ids else name
        if key not in ids:
            return None
        path = path.replace(f"{{{name}}}", ids[key])
    return f"{path}?limit=200" if path == "/v1/staff" else path  # people of other stories stand there, too


async def ids_of(line: Line, told: Client) -> dict[str, str]:
    ids = told.ids
    deal = (await line.get("conversion", "/v1/deals", params={"client": told.client}))["items"][0]["deal_id"]
    sales = (await line.get("account-mgmt", "/v1/sales", params={"client": told.client}))["items"]
    return {
        "client": told.client, "person": f"{FIRM}-named", "line": FIRM, "card": f"{FIRM}-card",
        "offer": ids["offer"], "account-mgmt /v1/offers/{offer}": ids["account offer"],
        "conversion /v1/offers/{offer}": ids["rejected"],
        "opportunity": ids["opportunity"], "conversion /v1/meeting-plans/{plan}": ids["meeting plan"],
        "conversion /v1/negotiation-plans/{plan}": ids["negotiation plan"],
        "deal": deal, "sale": sales[0]["sale_id"], "survey": ids["survey"], "test": "listening",
    }  # fmt: skip


def content(path: Path) -> bytes:
    """What is in a file; nothing in one that a running server has just removed."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def dsn(running: Running, service: str) -> str:
    stack = Stack.find(home=running.home)
    assert stack is not None
    return stack.dsn(database(service))


async def asked(running: Running, service: str, sql: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(dsn(running, service))
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()
