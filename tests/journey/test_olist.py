"""Real leads, deals and sales that nobody here made up, through the doors of the stations."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from conveyor.line import Line
from conveyor.olist.feed import run
from conveyor.running import Running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
DATA = Path(os.environ.get("CONVEYOR_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")


async def test_the_funnel_of_a_marketplace_adds_up(running: Running) -> None:
    folder = DATA / "olist-funnel"
    if not folder.is_dir():
        pytest.skip(f"shared data absent: {folder} (CONVEYOR_SHARED_DATA names the folder)")
    async with Line.of(running, patience=60.0) as line:
        fed = await run(folder, line, lambda _done, _total: None)
        people = await line.people({"line": "olist"})
    assert (fed["leads"], fed["deals"]) == (8_000, 842)
    sums: Counter[str] = Counter()
    for person in people.values():
        for name in ("prospects", "deals_closed", "first_sales", "repeats", "voids"):
            sums[name] += person[name]
    assert sums == {"prospects": 8_000, "deals_closed": 842, "first_sales": 132, "repeats": 160, "voids": 8}
    values = {name: sum(Decimal(p[name]) for p in people.values()) for name in ("first_value", "repeat_value")}
    assert values == {"first_value": Decimal("22518.13"), "repeat_value": Decimal("25139.01")}
    both = [p for p in people.values() if p["deals_closed"] and p["leads_accepted"]]
    assert both, "people who hold two roles"
