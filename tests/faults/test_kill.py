"""Every service is killed with -9 during an import; a second import makes it whole, and the figures are the file's."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.olist.feed import run
from conveyor.olist.files import DEALS, ITEMS, LEADS, ORDERS, read
from conveyor.processes import Wish, up
from conveyor.running import Running

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


def write(folder: Path, name: str, header: str, rows: list[tuple[Any, ...]]) -> None:
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


@pytest.fixture
def funnel(tmp_path: Path) -> Path:
    """A small funnel in the form of the published one: two scouts, three hunters, repeats, voids, empty fields."""
    days = [f"2018-{1 + n % 5:02d}-{1 + n % 27:02d}" for n in range(240)]
    write(
        tmp_path,
        LEADS,
        "mql_id,first_contact_date,landing_page_id,origin",
        [(f"m{n}", days[n], "p", "social" if n % 3 else "") for n in range(240)],
    )
    sold = range(0, 240, 4)
    header = "mql_id,seller_id,sdr_id,sr_id,won_date,business_segment"
    deals = [(f"m{n}", f"s{n}", f"sdr{n % 2}", f"sr{n % 3}", f"2018-06-{1 + n % 28:02d} 02:00:00", "pet") for n in sold]
    write(tmp_path, DEALS, header, deals)
    orders = [(n, k) for n in sold if n % 8 == 0 for k in range(3)]
    write(
        tmp_path,
        ORDERS,
        "order_id,order_status,order_purchase_timestamp",
        [
            (f"o{n}-{k}", "canceled" if k == 2 and n % 3 == 0 else "delivered", f"2018-07-{k + 1:02d} 10:00:00")
            for n, k in orders
        ],
    )
    write(
        tmp_path,
        ITEMS,
        "order_id,seller_id,price",
        [(f"o{n}-{k}", f"s{n}", f"{10 + n}.{k}5") for n, k in orders],
    )
    return tmp_path


def expected(folder: Path) -> dict[str, Decimal]:
    """The sums, from the files alone."""
    sums: Counter[str] = Counter()
    values = {"first_value": Decimal(0), "repeat_value": Decimal(0)}
    for lead in read(folder):
        sums["prospects"] += 1
        sums["deals_closed"] += lead.deal is not None
        for order in lead.orders:
            if order.void:
                sums["voids"] += 1
            elif order is lead.first_sale:
                sums["first_sales"] += 1
                values["first_value"] += order.value
            else:
                sums["repeats"] += 1
                values["repeat_value"] += order.value
    return {name: Decimal(count) for name, count in sums.items()} | values


async def figures(line: Line) -> dict[str, Any]:
    people: dict[str, Any] = await line.people({"line": "olist"})
    return people


def summed(people: dict[str, Any]) -> dict[str, Decimal]:
    names = ("prospects", "deals_closed", "first_sales", "first_value", "repeats", "repeat_value", "voids")
    return {name: sum((Decimal(p[name]) for p in people.values()), Decimal(0)) for name in names}


async def test_an_import_survives_the_death_of_every_service(running: Running, wish: Wish, funnel: Path) -> None:
    quiet = lambda *_: None  # noqa: E731
    async with Line.of(running, patience=60.0) as line:
        importing = asyncio.create_task(run(funnel, line, quiet))
        for service in SERVICES:
            await asyncio.sleep(1.0)
            os.kill(running.services[service].pid, signal.SIGKILL)
            running.services = (await asyncio.to_thread(up, wish, lambda _: None))[0].services
        await importing
        once = await figures(line)
        assert summed(once) == expected(funnel)
        await run(funnel, line, quiet)
        assert await figures(line) == once
