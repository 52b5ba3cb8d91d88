"""What a page reads of the picture is found at its place: however much has happened, as little is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from board.reading import LATEST, LONGEST
from board.sight import OTHERS
from board.thing import WAITS

THINGS = """
insert into things (client_id, kind, ref, line, state, since, holder, due_at, people)
select 'c' || n, $1, $1 || n, 'line-' || n % 4, case when n % 10 = 0 then $2 else 'closed' end,
    timestamptz '2026-01-01' + n * interval '1 minute', null, null, array['p' || n % 50]
from generate_series(1, $3) as n
"""
HAPPENED = """
insert into happened (event_id, topic, name, client_id, line, occurred_at, envelope)
select gen_random_uuid(), case when n % 2 = 0 then 'leads' else 'deals' end, 'ProspectRegistered', 'c' || n,
    case when n <= 100 then 'quiet' else 'loud' end, now(), '' from generate_series(1, $1) as n
"""
LINES = [f"line-{n}" for n in range(4)]
PAIRS = [(line, kind) for line in LINES for kind in WAITS]
QUESTIONS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "what waits longest": (
        LONGEST,
        (
            [line for line, _ in PAIRS],
            [k for _, k in PAIRS],
            [f"{kind}:{s}" for kind, states in WAITS.items() for s in states],
        ),
    ),
    "what came last": (LATEST, (["quiet", "quiet"], ["leads", "deals"], 12)),
    "whose things there are": (OTHERS, ("p1",)),
}


def _looked_at(plan: dict[str, Any]) -> Iterator[int]:
    """Rows of tables that a plan went through."""
    if "Relation Name" in plan:
        yield (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from _looked_at(part)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_page_looks_at_few_rows_of_many(database: str, question: str) -> None:
    connection = await asyncpg.connect(database)
    for kind, states in WAITS.items():
        await connection.execute(THINGS, kind, states[0], 4_000)
    await connection.execute(HAPPENED, 20_000)
    await connection.execute("analyze")
    sql, asked = QUESTIONS[question]
    told = await connection.fetchval(f"explain (analyze, format json) {sql}", *asked)
    assert sum(_looked_at(json.loads(told)[0]["Plan"])) < 400
    await connection.close()


async def test_what_waits_longest_is_the_first_of_each_kind(database: str) -> None:
    connection = await asyncpg.connect(database)
    for kind, states in WAITS.items():
        await connection.execute(THINGS, kind, states[-1], 200)
    sql, (lines, kinds, waits) = QUESTIONS["what waits longest"]
    found = await connection.fetch(sql, lines, kinds, waits)
    assert {row["kind"]: row["ref"] for row in found} == {kind: f"{kind}10" for kind in WAITS}
    assert await connection.fetch(sql, lines[:0], kinds[:0], waits) == []
    await connection.close()


async def test_others_are_told_from_ones_own(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(THINGS, "lead", "offered", 4)
    await connection.execute("update things set people = array['p1', 'p2'] where line in ('line-1', 'line-2')")
    rows = {(row["line"], row["kind"]): row["others"] for row in await connection.fetch(OTHERS, "p1")}
    assert rows == {(f"line-{n}", "lead"): others for n, others in enumerate((True, False, False, True))}
    await connection.execute("delete from things")
    assert await connection.fetch(OTHERS, "p1") == []
    await connection.close()
