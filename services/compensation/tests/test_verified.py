"""What `/v1/verification` answers, of months that were closed by the clerk itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import asyncpg
import pytest
from pay_office import NOW, Office, at, seat

from belt.io.clock import DrivenClock
from belt.io.intake.watermark import Publishers, Watermark
from compensation.clerk.books import of
from compensation.clerk.cases import cases_of
from compensation.clerk.chores import detect
from compensation.clerk.closing import Look, close
from compensation.clerk.company import Company
from compensation.intake import take
from conveyor_events import Envelope, accounts, deals
from conveyor_events.sale import Sale


class Silent(Publishers):
    """Stations that have nothing more to say."""

    def __init__(self, now: datetime) -> None:
        super().__init__({}, str)
        self.now = now

    async def seal(self, service: str) -> Watermark:
        return Watermark(0, self.now)

    async def page(self, service: str, after: int, limit: int = 500) -> list[tuple[int, Envelope]]:
        return []


def sold(office: Office, name: str, net: str, by: str, day: int, known: datetime | None = None) -> None:
    """A first sale to one client, paid on the day after; `known`: when it was recorded, if later."""
    sale = Sale(
        sale_id=name, kind="first", line="north", net=Decimal(net), currency="EUR", sold_at=at(3, day),
        sourced_by=seat("ana"), converted_by=seat(by),
    )  # fmt: skip
    deal = deals.DealClosed(
        sale=sale, deal_id=name, opportunity_id=f"chance-{name}", tax=Decimal(0), payment_schedule=[]
    )
    paid = deals.PaymentReceived(
        payment_id=f"payment-{name}", sale=sale, net=sale.net, currency="EUR", paid_net_total=sale.net
    )
    for event, when in ((deal, at(3, day)), (paid, at(3, day + 1))):
        office.say(event, when, "corp", by)
        if known is not None:
            office.said[-1] = replace(office.said[-1], recorded_at=known)


async def closed(office: Office, period: str, now: datetime) -> None:
    """By the clerk, with what was recorded until five days after the month."""
    _move(office, now)
    await office.post(f"/v1/periods/{period}/close", {"cutoff": now.replace(day=5).isoformat()}, "pia")
    assert await close(office.desk, of(office.desk), Silent(now), _look(office))


async def corrected(office: Office, period: str) -> list[tuple[str, str]]:
    shown = await office.json(f"/v1/statements/dina/{period}", "pia")
    return [(one["amount"], one["relates_to_period"]) for one in shown["lines"] if one["kind"] == "correction"]


async def wrong(office: Office) -> list[Any]:
    shown = await office.json("/v1/verification", "vera")
    assert shown["ok"] is not bool(shown["laws"] + shown["faults"])
    return [*shown["laws"], *shown["faults"]]


def _look(office: Office) -> Look:
    return partial(detect, office.desk, of(office.desk), cases_of(office.desk), {})


def _move(office: Office, now: datetime) -> None:
    assert isinstance(office.desk.clock, DrivenClock)
    office.desk.clock.set(now)


async def test_a_sale_contested_after_its_month_was_closed_verifies_while_it_waits_and_when_it_is_decided(
    own_office: Office,
) -> None:
    """March is closed with 20.00 for Dina; an older sale to her client is recorded on 10 April."""
    office = own_office
    sold(office, "d2", "333.33", "dina", 10)
    sold(office, "d1", "1000.00", "boris", 2, known=at(4, 10))
    await office.open()
    await closed(office, "2026-03", at(4, 6))

    _move(office, at(4, 12))
    await _look(office)()
    assert await corrected(office, "2026-04") == [("-20.00", "2026-03")]
    assert await wrong(office) == []
    await closed(office, "2026-04", at(5, 6))
    assert await wrong(office) == []

    _move(office, NOW)
    found = await office.json("/v1/conflicts", "pia", kind="C6")
    (case,) = [one["case_id"] for one in found["items"]]
    await office.post(f"/v1/conflicts/{case}/resolve", {"outcome": "dismissed", "reason": "both were right"}, "pia")
    assert await corrected(office, "2026-04") == [("-20.00", "2026-03")]
    assert await corrected(office, "2026-05") == [("20.00", "2026-03")]
    assert await wrong(office) == []


async def test_a_month_is_closed_out_of_one_file_after_the_other(
    own_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All facts of the company at once would outgrow the memory of any worker."""

    async def everything(_: Company) -> None:
        raise MemoryError

    office = own_office
    sold(office, "d1", "1000.00", "dina", 2)
    await office.open()
    with monkeypatch.context() as patched:
        patched.setattr(Company, "history", everything)
        with pytest.raises(MemoryError):
            await Company(of(office.desk)).earnings([])
        await closed(office, "2026-03", at(4, 6))
    shown = await office.json("/v1/statements/dina/2026-03", "pia")
    mine = [one["amount"] for one in shown["lines"] if one["kind"] == "release" and one["client_id"] == "corp"]
    assert (shown["stage"], mine) == ("draft", ["60.00"])
    assert await wrong(office) == []


class Ahead(Silent):
    """Stations whose logs say what nobody has carried over yet."""

    def __init__(self, now: datetime, said: list[Envelope]) -> None:
        super().__init__(now)
        self.said = said

    async def seal(self, service: str) -> Watermark:
        return Watermark(len(self.said), self.now) if service == "conversion" else await super().seal(service)

    async def page(self, service: str, after: int, limit: int = 500) -> list[tuple[int, Envelope]]:
        return list(enumerate(self.said, 1))[after : after + limit]


async def test_a_conflict_that_only_the_logs_of_the_stations_show_is_found_before_the_month_is_frozen(
    own_office: Office,
) -> None:
    """Two sell one client in March, and nothing of it was carried over when the month is closed."""
    office, now = own_office, at(4, 6)
    await office.open()
    before = len(office.said)
    sold(office, "d1", "1000.00", "boris", 2)
    sold(office, "d2", "333.33", "dina", 10)
    _move(office, now)
    await office.post("/v1/periods/2026-03/close", {"cutoff": at(4, 5).isoformat()}, "pia")
    look = _look(office)
    await look()
    assert await close(office.desk, of(office.desk), Ahead(now, office.said[before:]), look)
    await look()
    assert [one["kind"] for one in (await office.json("/v1/conflicts", "pia"))["items"]] == ["C1", "C6"]
    shown = await office.json("/v1/statements/dina/2026-03", "pia")
    mine = [(one["state"], one["amount"]) for one in shown["lines"] if one["client_id"] == "corp"]
    assert mine == [("conditional", "20.00")]
    assert await wrong(office) == []


async def test_a_case_that_the_facts_no_longer_show_is_listed_until_it_is_decided(own_office: Office) -> None:
    """Dina enters a sale of Clara's. Later she is said to have served since before that: but the money waits still."""
    office = own_office
    held = accounts.SeatAssigned(line="north", seat="served_by", holder=seat("clara"), since=at(3, 2))
    office.say(held, at(3, 2), "corp", "clara")
    sale = Sale(
        sale_id="r1", kind="repeat", line="north", net=Decimal(2000), currency="EUR", sold_at=at(3, 10),
        sourced_by=seat("ana"), converted_by=seat("boris"), served_by=seat("clara"),
    )  # fmt: skip
    office.say(accounts.RepeatSale(sale=sale, tax=Decimal(0)), at(3, 10), "corp", "dina")
    office.said[-1] = replace(office.said[-1], recorded_at=at(3, 12))
    paid = accounts.PaymentReceived(
        payment_id="p1", sale=sale, net=sale.net, currency="EUR", paid_net_total=sale.net
    )  # fmt: skip
    office.say(paid, at(3, 12), "corp", "clara")
    await office.open()
    _move(office, at(3, 20))
    look = _look(office)
    await look()
    (case,) = (await office.json("/v1/conflicts", "pia", kind="C4"))["items"]

    late = accounts.SeatAssigned(line="north", seat="served_by", holder=seat("dina"), since=at(3, 11))
    office.say(late, at(3, 11), "corp", "lena")
    office.said[-1] = replace(office.said[-1], recorded_at=at(3, 21))
    connection = await asyncpg.connect(office.dsn)
    async with connection.transaction():
        await take(connection, office.said[-1:])
    await connection.close()
    await look()
    shown = await office.json("/v1/statements/clara/2026-03", "pia")
    (waits,) = [line for line in shown["lines"] if line["client_id"] == "corp"]
    assert (waits["state"], waits["calc"]["case"]) == ("conditional", case["case_id"])
    assert (await office.json("/v1/conflicts", "pia", kind="C4"))["items"] == [case]
    assert (await office.json(f"/v1/conflicts/{case['case_id']}", "pia"))["stage"] == "detected"

    said = {"outcome": "dismissed", "reason": "she served by then"}
    await office.post(f"/v1/conflicts/{case['case_id']}/resolve", said, "pia")
    assert (await office.json("/v1/conflicts", "pia", kind="C4"))["items"][0]["outcome"] == "dismissed"
    shown = await office.json("/v1/statements/clara/2026-03", "pia")
    assert ("release", "40.00") in [(line["kind"], line["amount"]) for line in shown["lines"]]


async def test_a_month_before_anything_happened_is_closed_empty(own_office: Office) -> None:
    await own_office.open()
    await closed(own_office, "2025-06", at(4, 6))
    months = (await own_office.json("/v1/periods", "pia"))["items"]
    assert [(month["period"], month["statements"]) for month in months] == [("2025-06", 0)]


async def test_a_close_that_meets_a_fault_of_ours_says_so(own_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def faulty(*_: object) -> None:
        raise ZeroDivisionError("nothing to divide by")

    await own_office.open()
    monkeypatch.setattr("compensation.clerk.closing._freeze", faulty)
    with pytest.raises(ZeroDivisionError):
        await closed(own_office, "2026-03", at(4, 6))
    waits = (await own_office.json("/v1/periods", "pia"))["closing"]["waits_for"]
    assert waits == ["a fault of ours: ZeroDivisionError: nothing to divide by"]


async def test_a_verification_is_answered_however_long_it_takes(hasty_office: Office) -> None:
    """A long history takes longer to replay than a request may; here somebody holds the facts for a second."""
    connection = await asyncpg.connect(hasty_office.dsn)
    async with connection.transaction():
        await connection.execute("lock table facts in access exclusive mode")
        asked = asyncio.create_task(hasty_office.get("/v1/verification", "vera"))
        await connection.execute("select pg_sleep(1)")
    answer = await asked
    await connection.close()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    assert answer.json()["ok"]
