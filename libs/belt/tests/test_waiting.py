"""How much waits is told in numbers, and costs the same however long the history is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text, text

from belt.io.http.waiting import CLOCKS, COUNTED_TO, Kind, counts, dues, told_of
from belt.io.store.engines import engine_at
from conveyor_events.words import instant_text

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PARCELS = Table(
    "parcels",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("line", Text),
    Column("stage", Text, nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Index("parcels_line", "line", "stage", "name"),
    Index("parcels_due", "line", "due_at", postgresql_where=text("stage = 'asked'")),
)
KIND = Kind(
    "parcel", PARCELS, {"waits": ("asked", "silent"), "late": ("late",)}, clock=PARCELS.c.due_at, runs=("asked",)
)
MORE = """
insert into parcels select $1 || n, case n % 2 when 0 then 'north' else 'south' end, $2,
    $3::timestamptz + n * interval '1 minute' from generate_series(1, $4) as n
"""


async def add(dsn: str, name: str, stage: str, many: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(MORE, name, stage, BEGIN, many)
    await connection.execute("analyze parcels")
    await connection.close()


async def told(dsn: str) -> list[dict[str, Any]]:
    engine = engine_at(dsn)
    async with engine.connect() as connection:
        found = await told_of(connection, KIND)
    await engine.dispose()
    return found


@pytest.fixture
async def parcels(database: str) -> str:
    engine = engine_at(database)
    async with engine.begin() as connection:
        await connection.run_sync(PARCELS.metadata.create_all)
    await engine.dispose()
    return database


async def test_what_waits_is_told_by_line_and_state_with_the_earliest_clocks(parcels: str) -> None:
    assert await told(parcels) == []
    await add(parcels, "asked", "asked", 3)
    await add(parcels, "silent", "silent", 4)
    await add(parcels, "late", "late", 1)
    await add(parcels, "done", "done", 5)
    minutes = [instant_text(BEGIN + timedelta(minutes=n)) for n in (1, 2, 3)]
    assert await told(parcels) == [
        {"line": "north", "kind": "parcel", "states": {"waits": 3, "late": 0}, "clocks": [minutes[1]]},
        {"line": "south", "kind": "parcel", "states": {"waits": 4, "late": 1}, "clocks": [minutes[0], minutes[2]]},
    ]


async def read(dsn: str) -> int:
    """How many rows a look goes through, in all its steps."""
    connection = await asyncpg.connect(dsn)
    about = dues(KIND)
    assert about is not None
    went = 0
    for asked, most in (counts(KIND), about):
        statement = asked.replace(":most", str(most["most"]))
        plan = await connection.fetchval(f"explain (analyze, format json) {statement}")
        went += rows(json.loads(plan)[0]["Plan"])
    await connection.close()
    return went


def rows(plan: dict[str, Any]) -> int:
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return int(own) + sum(rows(one) for one in plan.get("Plans", ()))


async def test_a_look_costs_no_more_after_a_long_history(parcels: str) -> None:
    await add(parcels, "asked", "asked", 100)
    before = await read(parcels)
    await add(parcels, "done", "done", 100_000)
    assert await read(parcels) <= before + 10
    await add(parcels, "silent", "silent", 4 * COUNTED_TO)
    assert {one["line"]: one["states"]["waits"] for one in await told(parcels)} == {
        "north": COUNTED_TO,
        "south": COUNTED_TO,
    }
    bounded = await read(parcels)
    await add(parcels, "more", "silent", 4 * COUNTED_TO)
    assert await read(parcels) <= bounded + 10
    assert all(len(one["clocks"]) == CLOCKS for one in await told(parcels))
