"""A year on the services' own clocks: what deadlines, windows and timers make of it, over HTTP and Kafka.

All scenarios happen side by side on lines of their own; each is told as a story, and then looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from journey_firm import Firm, plan, plans, post

from conveyor.demo.play import Act, Answer, Play
from conveyor.demo.stage import Stage
from conveyor.line import Line
from conveyor.processes import Wish, passing

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
BERLIN = ZoneInfo("Europe/Berlin")
FULL = "scout-hunter-farmer"
Does = Generator[Act, Answer, Answer]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def does(when: str, service: str, path: str, refused: str | None = None, **body: Any) -> Does:
    """Somebody (`by`) does something."""
    key = f"{when} {service} {path} {body}"[:250].encode("ascii", "replace").decode()
    return (yield Act(at(when), "office", service, path, body, key=key, roles=("driver",), refused=refused))


def asks(when: str, service: str, path: str) -> Does:
    return (yield Act(at(when), "office", service, path, roles=("driver",)))


def need(when: str, client: str, scout: str) -> Does:
    path = f"/v1/prospects/{client}"
    yield from does(when, "lead-gen", f"{path}/calls", by=scout, outcome="reached")
    contact: dict[str, Any] = {"person": "Udo Kern", "position": "buyer", "channel": "phone", "influence": "decides"}
    yield from does(when, "lead-gen", f"{path}/contacts", by=scout, **contact)
    known: dict[str, Any] = {
        "category": "tools",
        "statement": f"said on {when}",
        "evidence": ["said so"],
        "budget": "none",
    }
    return (yield from does(when, "lead-gen", f"{path}/needs", by=scout, wish="low", **known))


def offered(when: str, firm: Firm, client: str, scout: str, hunter: str) -> Does:
    entry = {"client_id": client, "line": firm.name, "name": client, "source": "fair"}
    yield from does(when, "lead-gen", "/v1/prospects", by=scout, **entry)
    yield from need(when, client, scout)
    return (yield from does(when, "lead-gen", f"/v1/prospects/{client}/offer", by=scout, to=hunter))


def sold(when: str, opportunity: str, hunter: str, net: str) -> Does:
    path, money = f"/v1/opportunities/{opportunity}", {"tax": "0.00", "currency": "EUR"}
    goods = [{"sku": "drill", "qty": "1", "unit_price": net}]
    yield from does(when, "conversion", f"{path}/proposals", by=hunter, lines=goods, **money)
    won = yield from does(when, "conversion", f"{path}/close", by=hunter, net=net, **money)
    paid = {"net": net, "currency": "EUR", "by": hunter}
    yield from does(f"{when[:14]}10", "conversion", f"/v1/deals/{won['deal_id']}/payments", **paid)
    return won


def customer(day: str, firm: Firm, client: str, net: str) -> Does:
    """A client that is found, won, paid and taken over on one day."""
    lead = yield from offered(f"{day} 09:00", firm, client, firm.scout, firm.hunter)
    taken = yield from does(f"{day} 09:10", "conversion", f"/v1/offers/{lead['offer_id']}/accept", by=firm.hunter)
    yield from sold(f"{day} 09:20", taken["opportunity_id"], firm.hunter, net)
    offers = yield from asks(f"{day} 09:40", "account-mgmt", f"/v1/offers?client={client}")
    path = f"/v1/offers/{offers['items'][0]['offer_id']}/accept"
    return (yield from does(f"{day} 09:40", "account-mgmt", path, by=firm.farmer))


def repeat(when: str, firm: Firm, client: str, net: str, **more: Any) -> Does:
    money = {"net": net, "currency": "EUR", "by": firm.farmer}
    path = f"/v1/accounts/{client}/repeat-sales"
    sale = yield from does(when, "account-mgmt", path, tax="0.00", **money, **more)
    return (yield from does(when, "account-mgmt", f"/v1/sales/{sale['sale_id']}/payments", **money))


# --- the stories ----------------------------------------------------------------------------------------------------


def claimed_by_another(firm: Firm) -> Play:
    client, path = "ten-acme", "/v1/prospects/ten-acme"
    lead = yield from offered("2026-03-03 09:30", firm, client, firm.scout, firm.hunter)
    reject = f"/v1/offers/{lead['offer_id']}/reject"
    yield from does("2026-03-03 10:00", "conversion", reject, by=firm.hunter, reason="no_need_evidence")
    yield from does("2026-03-10 10:00", "lead-gen", f"{path}/claim", by="ten-egor", refused="client-protected")
    yield from does("2026-03-16 23:50", "lead-gen", f"{path}/claim", by="ten-egor", refused="client-protected")
    yield from does("2026-03-20 10:00", "lead-gen", f"{path}/claim", by="ten-egor")
    yield from need("2026-03-20 11:00", client, "ten-egor")
    again = yield from does("2026-03-20 12:00", "lead-gen", f"{path}/offer", by="ten-egor", to=firm.hunter)
    yield from does("2026-03-21 10:00", "conversion", f"/v1/offers/{again['offer_id']}/accept", by=firm.hunter)


def nobody_answers(firm: Firm) -> Play:
    lead = yield from offered("2026-03-27 16:00", firm, "twelve-acme", firm.scout, firm.hunter)
    assert lead["accept_due_at"] == "2026-03-30T13:00:00.000000Z"
    accept = f"/v1/offers/{lead['offer_id']}/accept"
    yield from does("2026-03-30 15:10", "conversion", accept, by=firm.hunter, refused="offer-expired")
    yield from does("2026-03-30 15:20", "conversion", accept, by="twelve-dina")


def rejected_and_sold(firm: Firm) -> Play:
    client = "thirteen-acme"
    lead = yield from offered("2026-03-03 09:30", firm, client, firm.scout, firm.hunter)
    reject = f"/v1/offers/{lead['offer_id']}/reject"
    no = {"by": firm.hunter, "refused": "reason-not-allowed"}
    yield from does("2026-03-03 10:00", "conversion", reject, reason="budget", **no)
    yield from does("2026-03-03 10:00", "conversion", reject, by=firm.hunter, reason="no_need_evidence")
    own = {"client_id": client, "line": firm.name, "by": firm.hunter, "opportunity_id": "thirteen-own"}
    yield from does("2026-04-13 10:00", "conversion", "/v1/opportunities", **own)
    yield from sold("2026-04-20 10:00", "thirteen-own", firm.hunter, "5000.00")


def on_anothers_account(firm: Firm) -> Play:
    client = "twentytwo-acme"
    yield from customer("2026-02-02", firm, client, "1000.00")
    own = {"client_id": client, "line": firm.name, "by": firm.hunter, "opportunity_id": "twentytwo-own"}
    yield from does("2026-03-09 10:00", "conversion", "/v1/opportunities", **own)
    money = {"net": "5000.00", "tax": "0.00", "currency": "EUR", "by": firm.hunter}
    close = "/v1/opportunities/twentytwo-own/close"
    yield from does("2026-03-09 10:10", "conversion", close, refused="existing-customer", **money)
    parts = [
        {"person": firm.hunter, "role": "hunter", "weight": "1"},
        {"person": firm.farmer, "role": "farmer", "weight": "1"},
    ]
    yield from repeat("2026-03-10 10:00", firm, client, "5000.00", co_sell=parts)


def a_regular_pauses(firm: Firm) -> Play:
    client = "eighteen-acme"
    yield from customer("2026-01-20", firm, client, "1000.00")
    yield from repeat("2026-03-10 10:00", firm, client, "1000.00")
    yield from repeat("2026-06-05 10:00", firm, client, "1000.00")
    yield from repeat("2026-12-20 10:00", firm, client, "1000.00")


def in_one_hand(when: str, firm: Firm, client: str) -> Does:
    """A lead where hands do not change; answers with its opportunity."""
    lead = yield from offered(when, firm, client, firm.hunter, firm.hunter)
    day, minutes = when.split()
    return (yield from asks(f"{day} {minutes[:3]}30", "conversion", f"/v1/offers/{lead['offer_id']}"))


def the_variant_changes(firm: Firm) -> Play:
    boris, clara, vera = firm.hunter, "sixteen-clara", "sixteen-vera"
    x = yield from in_one_hand("2026-05-20 09:00", firm, "sixteen-x")
    yield from sold("2026-05-20 10:00", x["opportunity_id"], boris, "6000.00")
    y = yield from in_one_hand("2026-06-10 09:00", firm, "sixteen-y")
    for person, role in ((clara, "farmer"), ("sixteen-ana", "scout"), (vera, "manager")):
        yield from does("2026-06-15 09:00", "lead-gen", "/v1/staff", person=person, hired_on="2026-06-15")
        yield from does("2026-06-15 09:00", "lead-gen", f"/v1/staff/{person}/roles", role=role)
    paid = {"person": clara, "plan": "ref-farmer", "role": "farmer", "since": "2026-07-01"}
    yield from does("2026-06-15 09:00", "compensation", "/v1/assignments", **paid)
    seats = {"lead-gen": "sixteen-ana", "conversion": boris, "account-mgmt": clara}
    teams = {station: {"team": f"new-{station}", "members": [person]} for station, person in seats.items()}
    rules: dict[str, Any] = {"variant": FULL, "zone": "Europe/Berlin", "currency": "EUR", "managers": [vera]}
    path, since = f"/v1/lines/{firm.name}/staffing", "2026-07-01T00:00:00+02:00"
    yield from does("2026-06-15 10:00", "lead-gen", path, since=since, teams=teams, **rules)
    moved = {"variant": FULL, "served_by": clara, "legacy_until": "2026-09-30T00:00:00+02:00"}
    yield from does("2026-07-01 09:00", "lead-gen", "/v1/prospects/sixteen-x/migrate", by=vera, **moved)
    yield from sold("2026-07-15 10:00", y["opportunity_id"], boris, "8000.00")
    yield from bought("2026-08-10 10:00", "sixteen-x", clara)
    yield from bought("2026-10-05 10:00", "sixteen-x", clara)


def bought(when: str, client: str, farmer: str) -> Does:
    money = {"net": "2000.00", "currency": "EUR", "by": farmer}
    path = f"/v1/accounts/{client}/repeat-sales"
    sale = yield from does(when, "account-mgmt", path, tax="0.00", **money)
    return (yield from does(when, "account-mgmt", f"/v1/sales/{sale['sale_id']}/payments", **money))


LEGACY: dict[str, Any] = {
    "plan": "hunter-with-legacy",
    "version": "1",
    "role": "hunter",
    "currency": "EUR",
    "effective_from": "2026-01-01",
    "rules": [
        {
            "id": "H1",
            "kind": "commission",
            "sales": "first",
            "bands": {
                "mode": "marginal",
                "over": "month",
                "steps": [{"from": "0", "percent": "6"}, {"from": "10000", "percent": "8"}],
            },
            "release": "as_paid",
        },
        {"id": "H2", "kind": "commission", "sales": "legacy", "percent": "1", "release": "as_paid"},
    ],
}


# --- the year -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def year() -> AsyncIterator[dict[str, Firm]]:
    with passing(Wish("year", clock="driven"), lambda _: None) as running:
        async with Line.of(running) as line:
            stage = Stage(line, lambda _: None, at("2026-01-02 09:00"))
            await stage.set(stage.now)
            await plans(line)
            await plan(line, LEGACY)
            firms = {name: Firm(line, name, FULL) for name in ("ten", "twelve", "thirteen", "eighteen", "twentytwo")}
            firms["sixteen"] = Firm(line, "sixteen", "hunter")
            await firms["sixteen"].open({"hunter": "hunter-with-legacy"})
            await firms["ten"].open(more={"ten-egor": "scout"})
            await firms["twelve"].open(more={"twelve-dina": "hunter"})
            await firms["thirteen"].open()
            await firms["eighteen"].open()
            await firms["twentytwo"].open()
            await line.drained()
            stories = [
                claimed_by_another(firms["ten"]),
                nobody_answers(firms["twelve"]),
                rejected_and_sold(firms["thirteen"]),
                a_regular_pauses(firms["eighteen"]),
                on_anothers_account(firms["twentytwo"]),
                the_variant_changes(firms["sixteen"]),
            ]
            await stage.run(stories, at("2027-01-02 09:00"))
            yield firms


def earned(statement: dict[str, Any], *kinds: str) -> list[str]:
    return [line["amount"] for line in statement["lines"] if line["kind"] in kinds]


async def events(firm: Firm, client: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await firm.line.get("compensation", f"/v1/journeys/{client}"))["events"]
    return found


async def test_who_brings_the_evidence_is_paid(year: dict[str, Firm]) -> None:
    firm = year["ten"]
    assert earned(await firm.statement(firm.scout, "2026-03"), "bounty") == []
    assert earned(await firm.statement("ten-egor", "2026-03"), "bounty") == ["20.00"]


async def test_silence_pays_the_scout_once_and_the_next_hunter_converts(year: dict[str, Firm]) -> None:
    firm = year["twelve"]
    assert earned(await firm.statement(firm.scout, "2026-03"), "bounty") == ["20.00"]
    story = {event["type"].rpartition(".")[2]: event for event in await events(firm, "twelve-acme")}
    assert story["LeadOfferExpired"]["occurred_at"] == "2026-03-30T13:00:00.000000Z"
    assert story["LeadAccepted"]["data"]["converted_by"]["person"] == "twelve-dina"


async def test_a_lead_that_is_refused_and_sold_to_leaves_every_trace_a_conflict_is_found_from(
    year: dict[str, Firm],
) -> None:
    firm = year["thirteen"]
    story = {event["type"].rpartition(".")[2]: event for event in await events(firm, "thirteen-acme")}
    rejected, closed = story["LeadRejected"], story["DealClosed"]
    assert (rejected["data"]["rejected_by"]["person"], rejected["data"]["sourced_by"]["person"]) == (
        firm.hunter,
        firm.scout,
    )
    assert story["ProspectReleased"]["occurred_at"] == "2026-03-16T23:00:00.000000Z", "14 days, in Berlin"
    sale = closed["data"]["sale"]
    assert (sale["sourced_by"]["person"], sale["converted_by"]["person"]) == ("house", firm.hunter)
    assert "LeadAccepted" not in story
    assert earned(await firm.statement(firm.scout, "2026-03"), "bounty") == []
    april = await firm.statement(firm.hunter, "2026-04")
    assert (earned(april, "release"), april["totals"][0]["conditional"]) == ([], "300.00")
    (case,) = (await firm.line.get("compensation", "/v1/conflicts", {"client": "thirteen-acme"}))["items"]
    assert (case["kind"], case["a"]["person"], case["b"]["person"]) == ("C8", firm.scout, firm.hunter)
    decided = {"outcome": "credit_a", "reason": "the need was well described"}
    await post(firm.line, "compensation", f"/v1/conflicts/{case['case_id']}/resolve", decided)
    assert earned(await firm.statement(firm.scout, "2026-03"), "bounty") == ["20.00"]
    assert sum(Decimal(amount) for amount in earned(await firm.statement(firm.hunter, "2026-04"), "release")) == 300


async def test_a_sale_to_anothers_customer_is_refused_and_an_agreed_one_pays_both(year: dict[str, Firm]) -> None:
    firm = year["twentytwo"]
    assert [e["data"]["reason"] for e in await events(firm, "twentytwo-acme") if "DealRefused" in e["type"]] == [
        "existing-customer"
    ]
    assert earned(await firm.statement(firm.hunter, "2026-03"), "release") == ["150.00"]
    assert earned(await firm.statement(firm.farmer, "2026-03"), "release") == ["50.00"]


async def test_a_regular_that_pauses_and_returns_is_paid_as_one_client(year: dict[str, Firm]) -> None:
    firm = year["eighteen"]
    assert earned(await firm.statement(firm.farmer, "2026-06"), "bounty") == ["30.00"]
    story = await events(firm, "eighteen-acme")
    told = [(event["type"].rpartition(".")[2], event["occurred_at"][:10]) for event in story]
    standing = [one for one in told if one[0] in ("CustomerBecameRegular", "CustomerLapsed", "CustomerReturned")]
    # The day after the last of 180 days without a purchase begins in Berlin an hour before it does in UTC.
    assert standing == [
        ("CustomerBecameRegular", "2026-06-05"),
        ("CustomerLapsed", "2026-12-01"),
        ("CustomerReturned", "2026-12-20"),
    ]
    december = await firm.statement(firm.farmer, "2026-12")
    assert (earned(december, "release"), earned(december, "bounty")) == (["20.00"], [])


async def test_a_switch_of_variant_in_mid_year_loses_nobodys_credit(year: dict[str, Firm]) -> None:
    firm = year["sixteen"]

    async def released(person: str, month: str) -> list[str]:
        return earned(await firm.statement(person, month), "release")

    assert await released(firm.hunter, "2026-05") == ["360.00"]
    assert await released(firm.hunter, "2026-07") == ["480.00"]
    assert (await released("sixteen-clara", "2026-08"), await released(firm.hunter, "2026-08")) == (
        ["40.00"],
        ["20.00"],
    )
    assert (await released("sixteen-clara", "2026-10"), await released(firm.hunter, "2026-10")) == (["40.00"], [])
    stamped = {e["variant"] for e in await events(firm, "sixteen-y") if e["type"].endswith("DealClosed")}
    assert stamped == {"hunter"}, "what had begun before the switch keeps its stamp"


async def cases(firm: Firm, client: str) -> list[dict[str, Any]]:
    found = await firm.line.get("compensation", "/v1/conflicts", params={"client": client})
    items: list[dict[str, Any]] = found["items"]
    return items


async def test_conflicts_are_found_with_their_claims_and_what_is_at_stake(year: dict[str, Firm]) -> None:
    ten, thirteen, twentytwo = year["ten"], year["thirteen"], year["twentytwo"]
    claimed = await cases(ten, "ten-acme")
    assert [(case["kind"], case["a"]["person"], case["b"]["person"]) for case in claimed] == [
        ("C1", ten.scout, "ten-egor"),
        ("C1", ten.scout, "ten-egor"),
    ]
    (sold,) = await cases(thirteen, "thirteen-acme")
    assert (sold["kind"], sold["a"]["person"], sold["b"]["person"]) == ("C8", thirteen.scout, thirteen.hunter)
    assert {"person": thirteen.hunter, "amount": "300.00", "currency": "EUR"} in sold["at_stake"]
    (tried,) = await cases(twentytwo, "twentytwo-acme")
    assert (tried["kind"], tried["net"]) == ("C6", "5000.00")
    told = (await thirteen.line.get("compensation", f"/v1/conflicts/{sold['case_id']}"))["told"]
    assert [event["type"].rpartition(".")[2] for event in told] == ["LeadRejected", "DealClosed"]
