"""The acceptance scenarios over HTTP and Kafka, to the cent."""

from __future__ import annotations

import pytest
from journey_firm import Firm, plan, plans, post

from conveyor.line import Line
from conveyor.running import Running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]
FULL = "scout-hunter-farmer"


async def test_a_month_of_the_full_line_pays_each_role_its_due(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "one", FULL)
        await firm.open()
        client, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00", "2000.00", "2026-03-03T10:00:00+01:00")
        for number in range(12):
            await firm.verified("2026-03-04T10:00:00+01:00", invalid=number < 2)
        await firm.paid(deal, "2026-03-15T10:00:00+01:00", "10000.00")
        await firm.served(client, "2026-03-16T10:00:00+01:00")
        await firm.repeat(client, "2026-03-28T10:00:00+01:00", "4000.00")
        await line.drained()
        assert await firm.payable(firm.scout, "2026-03") == "1050.00"
        assert await firm.payable(firm.hunter, "2026-03") == "1100.00"
        assert await firm.payable(firm.farmer, "2026-03") == "2080.00"


async def test_bands_are_marginal_whatever_order_the_deals_arrive_in(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "two", FULL)
        await firm.open()
        for day, net in ((25, "12000.00"), (5, "8000.00"), (15, "15000.00")):
            _, deal = await firm.deal(f"2026-03-{day:02d}T10:00:00+01:00", net)
            await firm.paid(deal, f"2026-03-{day:02d}T12:00:00+01:00", net)
        await line.drained()
        lines = (await firm.statement(firm.hunter, "2026-03"))["lines"]
        assert [x["amount"] for x in lines if x["kind"] == "release"] == ["480.00", "1160.00", "1060.00"]


async def test_a_split_sale_pays_three_hunters_the_same(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "three", FULL)
        await firm.open(more={"three-dina": "hunter", "three-egon": "hunter"})
        three = (firm.hunter, "three-dina", "three-egon")
        splits = [{"person": person, "weight": "1"} for person in three]
        _, deal = await firm.deal("2026-03-10T10:00:00+01:00", "1666.67", splits=splits)
        await firm.paid(deal, "2026-03-12T10:00:00+01:00", "1666.67")
        await line.drained()
        lines = [(await firm.statement(person, "2026-03"))["lines"] for person in three]
        assert [[x["calc"]["base"] for x in some if x["kind"] == "commission"] for some in lines] == [
            ["555.56"],
            ["555.56"],
            ["555.55"],
        ]
        assert [[x["amount"] for x in some if x["kind"] == "release"] for some in lines] == [["33.33"]] * 3


async def test_an_entitlement_is_released_as_the_money_comes(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "four", FULL)
        await firm.open()
        _, deal = await firm.deal("2026-03-10T10:00:00+01:00", "12000.00")
        await firm.paid(deal, "2026-03-20T10:00:00+01:00", "4000.00")
        await firm.paid(deal, "2026-04-20T10:00:00+02:00", "8000.00")
        await line.drained()
        march = (await firm.statement(firm.hunter, "2026-03"))["lines"]
        april = (await firm.statement(firm.hunter, "2026-04"))["lines"]
        assert [x["amount"] for x in march if x["state"] == "conditional"] == ["760.00"]
        assert [x["amount"] for x in march if x["kind"] == "release"] == ["253.33"]
        assert [x["amount"] for x in april if x["kind"] == "release"] == ["506.67"]


@pytest.mark.parametrize(
    ("day", "taken_back"),
    [("2026-06-13", ["-240.00"]), ("2026-06-14", ["-120.00"]), ("2026-09-11", ["-120.00"]), ("2026-09-12", [])],
)
async def test_a_refund_takes_back_by_the_day_it_comes(running: Running, day: str, taken_back: list[str]) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, f"six-{day}", FULL)
        await firm.open()
        _, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00")
        await firm.paid(deal, "2026-03-15T10:00:00+01:00", "10000.00")
        await firm.refunded(deal, f"{day}T12:00:00+02:00", "4000.00")
        await line.drained()
        lines = (await firm.statement(firm.hunter, day[:7]))["lines"]
        assert [x["amount"] for x in lines if x["kind"] == "clawback" and x["amount"] != "0.00"] == taken_back


async def test_the_version_in_force_when_it_was_sold_pays(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        base = {"plan": "nine-hunter", "role": "hunter", "currency": "EUR", "zone": "Europe/Berlin"}
        bands = {"mode": "marginal", "over": "month"} | {
            "steps": [
                {"from": "0", "percent": "6"},
                {"from": "10000", "percent": "8"},
                {"from": "30000", "percent": "10"},
            ]
        }
        rule = {"id": "H1", "kind": "commission", "sales": "first", "release": "as_paid"}
        await plan(line, {**base, "version": "1", "effective_from": "2026-01-01", "rules": [{**rule, "bands": bands}]})
        await plan(line, {**base, "version": "2", "effective_from": "2026-03-16", "rules": [{**rule, "percent": "9"}]})
        firm = Firm(line, "nine", FULL)
        await firm.open({"hunter": "nine-hunter"})
        for at, net in (
            ("2026-03-10T10:00:00+01:00", "10000.00"),
            ("2026-03-15T23:59:59.999+01:00", "5000.00"),
            ("2026-03-16T00:00:00+01:00", "10000.00"),
        ):
            _, deal = await firm.deal(at, net, since="2026-03-02T10:00:00+01:00")
            await firm.paid(deal, "2026-03-20T10:00:00+01:00", net)
        await line.drained()
        lines = (await firm.statement(firm.hunter, "2026-03"))["lines"]
        paid = sorted(x["amount"] for x in lines if x["kind"] == "release")
        assert paid == ["400.00", "600.00", "900.00"]


async def test_who_left_is_paid_the_days_the_base_and_the_lead_that_is_taken_afterwards(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "fourteen", FULL)
        await firm.open()
        for day in range(2, 7):
            await firm.verified(f"2026-03-0{day}T10:00:00+01:00")
        offer = await firm.offered("2026-03-14T10:00:00+01:00")
        await post(line, "lead-gen", f"/v1/staff/{firm.scout}/leave", {"last_day": "2026-03-15"})
        taken = {"by": firm.hunter, "occurred_at": "2026-03-17T10:00:00+01:00"}
        await firm.heard("conversion", f"/v1/offers/{offer}/accept", taken)
        await line.drained()
        march = await firm.statement(firm.scout, "2026-03")
        amounts = {x["rule"]: x["amount"] for x in march["lines"]}
        assert amounts == {"salary": "483.87", "S2": "15.00", "S1": "20.00"}
        assert march["totals"][0]["payable"] == "518.87"
