"""Two months closed, on driven clocks: what is frozen stays, what comes late is corrected, and all is verified."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from journey_firm import Firm, plans, post, simulated

from conveyor.addresses import SERVICES
from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.processes import Wish, database, passing
from conveyor_local import Stack

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
FULL = "scout-hunter-farmer"
CLOSED_WITHIN = 30.0


@dataclass
class Office:
    """The line, a firm on it, and its database of pay."""

    line: Line
    firm: Firm
    dsn: str

    async def move(self, at: str) -> None:
        await asyncio.gather(*(self.line.put(service, "/v1/clock", {"at": at}) for service in SERVICES))
        await self.line.drained()

    async def closed(self, period: str, cutoff: str) -> dict[str, Any]:
        await post(self.line, "compensation", f"/v1/periods/{period}/close", {"cutoff": cutoff})
        loop = asyncio.get_running_loop()
        until = loop.time() + CLOSED_WITHIN
        while True:
            shown = await self.line.get("compensation", "/v1/periods")
            if shown["closing"] is None:
                month: dict[str, Any] = shown["items"][-1]
                return month
            assert loop.time() < until, shown["closing"]
            await asyncio.sleep(0.1)

    async def refused(self, path: str, body: dict[str, Any], *, person: str = "office") -> tuple[int, str]:
        with pytest.raises(Problem) as problem:
            await post(self.line, "compensation", path, body, person=person)
        return problem.value.status, problem.value.code

    async def said(self, path: str, body: dict[str, Any] | None = None, *, person: str = "office") -> Any:
        return await post(self.line, "compensation", path, body or {}, person=person)

    async def verified(self) -> dict[str, Any]:
        return await self.line.get("compensation", "/v1/verification")


@pytest.fixture(scope="module")
async def office() -> AsyncIterator[Office]:
    """March and April are closed; in between a hunter sold to a client whose lead he had rejected."""
    with passing(Wish("periods", clock="driven", zone="Europe/Berlin"), lambda _: None) as running:
        stack = Stack.find(home=running.home)
        assert stack is not None
        async with Line.of(running) as line:
            office = Office(line, Firm(line, "five", FULL), stack.dsn(database("compensation")))
            firm = office.firm
            await office.move("2026-03-01T08:00:00Z")
            await plans(line)
            await firm.open()
            await office.move("2026-04-02T08:00:00Z")
            _, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00", "2000.00")
            await firm.paid(deal, "2026-03-15T10:00:00+01:00", "10000.00")
            client, need = await _rejected(firm, "2026-03-03T10:00:00+01:00")
            await office.move("2026-04-05T08:00:00Z")
            assert await office.refused("/v1/periods/2026-04/close", {}) == (409, "period.not-over")
            ahead = {"cutoff": "2026-04-06T00:00:00Z"}
            assert await office.refused("/v1/periods/2026-03/close", ahead) == (422, "period.cutoff-ahead")
            march = await office.closed("2026-03", "2026-04-05T00:00:00+02:00")
            assert (march["period"], march["statements"]) == ("2026-03", 3)
            await _sold(firm, client, need, "2026-04-05T10:00:00+02:00", "5000.00")
            await office.move("2026-05-05T08:00:00Z")
            april = await office.closed("2026-04", "2026-05-05T00:00:00+02:00")
            assert april["previous"] == march["digest"]
            await office.move("2026-05-20T08:00:00Z")
            await firm.refunded(deal, "2026-05-20T09:00:00+02:00", "4000.00")
            await line.drained()
            yield office


async def _rejected(firm: Firm, at: str) -> tuple[str, str]:
    client = await firm.prospect(at)
    said, path = {"by": firm.scout, "occurred_at": at}, f"/v1/prospects/{client}"
    await post(firm.line, "lead-gen", f"{path}/calls", {"outcome": "reached", **said})
    reached = {"person": "Udo Kern", "position": "buyer", "channel": "phone", "influence": "decides"}
    await post(firm.line, "lead-gen", f"{path}/contacts", reached | said)
    need = {"category": "tools", "statement": "drills wear out", "evidence": ["said so"], "budget": "none"}
    known = await post(firm.line, "lead-gen", f"{path}/needs", need | {"wish": "low", **said})
    offered = await post(firm.line, "lead-gen", f"{path}/offer", {"to": firm.hunter, **said})
    no = {"by": firm.hunter, "reason": "no_need_evidence", "occurred_at": at}
    await firm.heard("conversion", f"/v1/offers/{offered['offer_id']}/reject", no)
    return client, known["need_id"]


async def _sold(firm: Firm, client: str, need: str, at: str, net: str) -> None:
    said = {"by": firm.hunter, "occurred_at": at}
    own = {"client_id": client, "line": firm.name, "opportunity_id": f"{client}-own", "need_ids": [need]}
    await post(firm.line, "conversion", "/v1/opportunities", own | said)
    money, path = {"tax": "0.00", "currency": "EUR", **said}, f"/v1/opportunities/{client}-own"
    goods = [{"sku": "drill", "qty": "1", "unit_price": net}]
    await post(firm.line, "conversion", f"{path}/proposals", {"lines": goods, **money})
    won = await post(firm.line, "conversion", f"{path}/close", {"net": net, **money})
    await firm.paid(won["deal_id"], at, net)


def amounts(statement: dict[str, Any], kind: str) -> list[str]:
    return [line["amount"] for line in statement["lines"] if line["kind"] == kind]


async def test_a_closed_month_never_changes_and_a_later_refund_posts_where_it_happens(office: Office) -> None:
    firm = office.firm
    march = await firm.statement(firm.hunter, "2026-03")
    assert (march["stage"], march["totals"][0]["payable"], amounts(march, "release")) == (
        "draft",
        "1100.00",
        ["600.00"],
    )
    may = await firm.statement(firm.hunter, "2026-05")
    (taken,) = [line for line in may["lines"] if line["kind"] == "clawback"]
    assert (taken["amount"], taken["relates_to_period"], may["stage"]) == ("-240.00", "2026-03", "open")
    for known_at, variable in (("2026-04-30T00:00:00Z", "600.00"), ("2026-05-21T00:00:00Z", "360.00")):
        asked = {"known_at": known_at}
        then = await office.line.get("compensation", f"/v1/statements/{firm.hunter}/2026-03", asked)
        assert then["totals"][0]["variable"] == variable


async def test_periods_are_closed_once_and_in_order(office: Office) -> None:
    assert await office.refused("/v1/periods/2026-03/close", {}) == (409, "period.closed")
    assert await office.refused("/v1/periods/2026-02/close", {}) == (409, "period.closed")
    assert await office.refused("/v1/periods/2026-06/close", {}) == (409, "period.not-next")
    assert await office.refused("/v1/periods/march/close", {}) == (422, "period.invalid")
    events = [event async for event in office.line.events("compensation")]
    told = [event["data"] for event in events if event["type"] == "conveyor.pay.PeriodClosed"]
    assert [(one["period"], one["previous"]) for one in told[-2:]] == [
        ("2026-03", told[-2]["previous"]),
        ("2026-04", told[-2]["digest"]),
    ]


async def test_what_a_conflict_is_about_is_conditional_until_it_is_decided_and_then_corrected(office: Office) -> None:
    firm = office.firm
    april = await firm.statement(firm.hunter, "2026-04")
    assert (april["totals"][0]["conditional"], april["totals"][0]["payable"]) == ("300.00", "500.00")
    (case,) = (await office.line.get("compensation", "/v1/conflicts", {"kind": "C8"}))["items"]
    assert (case["stage"], case["a"]["person"], case["b"]["person"]) == ("detected", firm.scout, firm.hunter)
    path = f"/v1/conflicts/{case['case_id']}"
    told = {"text": "I found them, he only waited"}
    assert await office.refused(f"{path}/claims", told, person=firm.scout) == (409, "conflict.no-claims-now")
    assert (await office.said(f"{path}/invite"))["stage"] == "claims_invited"
    await office.said(f"{path}/claims", told, person=firm.scout)
    decided = {"outcome": "credit_a", "reason": "the lead was good"}
    assert await office.refused(f"{path}/resolve", decided, person=firm.hunter) == (403, "conflict.own")
    for _ in range(2):
        assert (await office.said(f"{path}/resolve", decided))["stage"] == "resolved"
    assert await office.refused(f"{path}/resolve", decided | {"outcome": "house"}) == (409, "conflict.resolved")
    may, earlier = await firm.statement(firm.hunter, "2026-05"), await firm.statement(firm.hunter, "2026-04")
    corrected = [line for line in may["lines"] if line["kind"] == "correction" and line["state"] == "earned"]
    assert [(line["amount"], line["relates_to_period"]) for line in corrected] == [("300.00", "2026-04")]
    assert earlier["lines"] == april["lines"]
    (found,) = [line for line in (await firm.statement(firm.scout, "2026-05"))["lines"] if line["kind"] == "correction"]
    assert (found["amount"], found["relates_to_period"]) == ("20.00", "2026-03")
    shown = await office.line.get("compensation", f"/v1/lines/{found['line_id']}")
    assert {event["type"] for event in shown["events"]} == {"conveyor.pay.ConflictResolved"}


async def test_a_statement_goes_from_draft_to_paid_and_the_file_is_its_sum(office: Office) -> None:
    firm, period = office.firm, "2026-03"
    mine = f"/v1/statements/{firm.hunter}/{period}"
    assert await office.refused(f"{mine}/acknowledge", {}, person=firm.hunter) == (409, "statement.wrong-stage")
    published = await office.said(f"/v1/periods/{period}/publish", {"objection_days": 14})
    assert (published["published"], published["left"]) == (3, 0)
    assert (await office.said(f"/v1/periods/{period}/publish"))["published"] == 0
    assert await office.refused(f"{mine}/acknowledge", {}, person=firm.scout) == (404, "statement.unknown")
    assert (await office.said(f"{mine}/acknowledge", person=firm.hunter))["stage"] == "acknowledged"
    about = {"period": period, "text": "the base is one too low", "dispute_id": "d-1"}
    assert (await office.said("/v1/disputes", about, person=firm.scout))["stage"] == "opened"
    assert await office.refused(f"/v1/statements/{firm.scout}/{period}/finalize", {}) == (409, "statement.disputed")
    assert await office.refused(
        "/v1/disputes/d-1/decide", {"outcome": "refused", "reason": "no"}, person=firm.scout
    ) == (
        403,
        "dispute.own",
    )
    await office.said("/v1/disputes/d-1/ask", {"text": "which client?"})
    await office.said("/v1/disputes/d-1/answer", {"text": "the second"}, person=firm.scout)
    without = {"outcome": "accepted", "reason": "yes"}
    assert await office.refused("/v1/disputes/d-1/decide", without) == (422, "dispute.amount-and-outcome")
    granted = {"outcome": "partly", "reason": "half of it", "amount": "1.50", "currency": "EUR"}
    assert (await office.said("/v1/disputes/d-1/decide", granted))["stage"] == "partly"
    may = await firm.statement(firm.scout, "2026-05")
    (paid,) = [line for line in may["lines"] if line["kind"] == "adjustment"]
    assert (paid["amount"], paid["relates_to_period"], paid["calc"]["dispute_id"]) == ("1.50", period, "d-1")
    said = (await office.line.get("compensation", "/v1/disputes/d-1", person=firm.scout, roles=["scout"]))["said"]
    assert [one["by"] for one in said] == [firm.scout, "office", firm.scout, "office"]
    with pytest.raises(Problem) as hidden:
        await office.line.get("compensation", "/v1/disputes/d-1", person=firm.hunter, roles=["hunter"])
    assert hidden.value.status == 404

    assert (await office.said(f"/v1/periods/{period}/finalize"))["final"] == 2, "the farmer has not said anything yet"
    first = await office.said("/v1/payouts", {"period": period, "run_id": "run-1"})
    assert (first["statements"], first["totals"]) == (2, [{"currency": "EUR", "payable": "2120.00"}])
    assert (await office.said("/v1/payouts", {"period": period, "run_id": "run-1"}))["digest"] == first["digest"]
    assert await office.refused("/v1/payouts", {"period": period}) == (409, "payout.nothing-to-pay")
    files = [(await office.line.file("compensation", "/v1/payouts/run-1/file")).decode() for _ in range(2)]
    assert files[0] == files[1]
    rows = list(csv.DictReader(io.StringIO(files[0])))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("2120.00")
    stages = {
        one["person"]: one["stage"]
        for one in (await office.line.get("compensation", "/v1/statements", {"period": period}))["items"]
    }
    assert stages == {firm.scout: "paid", firm.hunter: "paid", firm.farmer: "published"}


async def test_a_version_for_a_closed_month_is_simulated_before_it_is_approved(office: Office) -> None:
    rule = {"id": "H1", "kind": "commission", "sales": "first", "percent": "5", "release": "as_paid"}
    head = {"plan": "late-hunter", "role": "hunter", "currency": "EUR", "salary": "500.00", "rules": [rule]}
    first = head | {"version": "1", "effective_from": "2026-01-01"}
    second = head | {"version": "2", "effective_from": "2026-03-01", "salary": "700.00"}
    for document in (first, second):
        await office.said("/v1/plans", document)
    path = "/v1/plans/late-hunter/versions"
    await office.said(f"{path}/1/approve", person="approver")
    assert await office.refused(f"{path}/2/approve", {}, person="approver") == (409, "plan.retroactive-unsimulated")
    other = second | {"salary": "650.00"}
    await simulated(office.line, {"from": "2026-03", "to": "2026-04", "plans": [{"document": other}]})
    assert await office.refused(f"{path}/2/approve", {}, person="approver") == (409, "plan.retroactive-unsimulated")
    done = await simulated(office.line, {"from": "2026-03", "to": "2026-04", "plans": [{"document": second}]})
    assert done["ledger"][0] == done["ledger"][1] is not None
    assert (await office.said(f"{path}/2/approve", person="approver"))["stage"] == "approved"


async def test_an_adjustment_needs_two_others(office: Office) -> None:
    firm = office.firm
    asked = {
        "person": firm.farmer,
        "amount": "-20.00",
        "currency": "EUR",
        "reason": "phone-bill",
        "adjustment_id": "a-1",
    }
    assert await office.refused("/v1/adjustments", asked, person=firm.farmer) == (403, "adjustment.own")
    assert await office.refused("/v1/adjustments", asked | {"amount": "0.001"}) == (422, "adjustment.digits")
    assert (await office.said("/v1/adjustments", asked))["stage"] == "proposed"
    assert await office.refused("/v1/adjustments/a-1/approve", {}) == (403, "adjustment.own")
    assert await office.refused("/v1/adjustments/a-2/approve", {}) == (404, "adjustment.unknown")
    assert (await office.said("/v1/adjustments/a-1/approve", person="second"))["stage"] == "posted"
    may = await firm.statement(firm.farmer, "2026-05")
    assert (amounts(may, "adjustment"), may["totals"][0]["carry_out"]) == (["-20.00"], "-20.00")


async def test_what_comes_while_a_month_is_closed_is_in_it_or_corrected_and_never_both(office: Office) -> None:
    firm, line = office.firm, office.line
    await office.move("2026-06-05T08:00:00Z")
    _, deal = await firm.deal("2026-05-11T10:00:00+02:00", "6000.00")
    cutoff = "2026-06-05T08:00:30Z"
    await asyncio.gather(*(line.put(service, "/v1/clock", {"at": cutoff}) for service in SERVICES))
    await office.said("/v1/periods/2026-05/close", {"cutoff": cutoff})
    for number in range(30):  # half of them while the clock stands at the cutoff, then it goes on beside them
        paid = firm.paid(deal, "2026-05-12T10:00:00+02:00", "200.00")
        now = f"2026-06-05T08:00:{15 + number}.5Z" if number >= 15 else cutoff
        await asyncio.gather(paid, *(line.put(service, "/v1/clock", {"at": now}) for service in SERVICES))
    await line.drained()
    until = asyncio.get_running_loop().time() + CLOSED_WITHIN
    while (shown := await line.get("compensation", "/v1/periods"))["closing"] is not None:
        assert asyncio.get_running_loop().time() < until, shown
        await asyncio.sleep(0.1)
    may, june = [await firm.statement(firm.hunter, month) for month in ("2026-05", "2026-06")]
    inside = [one["amount"] for one in may["lines"] if one["kind"] == "release" and one["client_id"] is not None]
    later = [one for one in june["lines"] if one["kind"] == "correction" and one["relates_to_period"] == "2026-05"]
    assert all(one["calc"]["note"] == "release" for one in later)
    assert len(inside) + len(later) == 30
    assert len(inside) in (15, 16), "what was recorded by the cutoff is in it: one payment raced with the clock"
    assert sum(map(Decimal, inside)) + sum(Decimal(one["amount"]) for one in later) == Decimal("360.00")
    assert (await office.verified())["ok"]


async def test_a_full_replay_gives_every_digest_and_a_cent_changed_by_hand_is_named(office: Office) -> None:
    firm = office.firm
    whole = await office.verified()
    assert (whole["ok"], whole["faults"]) == (True, [])
    connection = await asyncpg.connect(office.dsn)
    try:
        key = f"2026-03:{firm.hunter}"
        row = await connection.fetchrow(
            "select ord - 1, line->>'line_id' from statements, jsonb_array_elements(lines) with ordinality as"
            " l(line, ord) where statement = $1 and line->>'kind' = 'release'",
            key,
        )
        assert row is not None
        number, line = row
        change = "update statements set lines = jsonb_set(lines, array[$2, 'amount'], $3::jsonb) where statement = $1"
        await connection.execute(change, key, str(number), '"600.01"')
        broken = await office.verified()
        assert broken["ok"] is False
        assert broken["faults"][0] == {
            "what": "the statement was changed after it was frozen",
            "period": "2026-03",
            "person": firm.hunter,
            "line": line,
        }
        await connection.execute(change, key, str(number), '"600.00"')
        assert (await office.verified())["ok"]
        await connection.execute("update statements set digest = repeat('0', 64) where statement = $1", key)
        what = [fault["what"] for fault in (await office.verified())["faults"]]
        assert "the digests of the statements are not those that the month was closed with" in what
    finally:
        await connection.close()
