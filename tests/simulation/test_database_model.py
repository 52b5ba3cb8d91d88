"""The model of the store says what PostgreSQL says: the same batches, the same answers, the same rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from database_model import Database

from belt.io.store.calls import LOAD, SCHEMA, Batch, Status
from conveyor_local.fixtures import NewDatabase

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
BATCHES = 60
TABLES = {
    "events": "select stream_id, version, type, schema, holder, data, meta, recorded_at from events",
    "published": "select position, topic, key, sequence, event_id::text, value, recorded_at from published",
    "claims": "select kind, value, holder from claims",
    "commands": "select key, fingerprint, reply from commands",
    "gates": "select consumer, topic, key, sequence from gates",
    "keys": "select holder, wrapped from keys",
    "timers": "select stream_id, name, due_at from timers",
}


def batch(rnd: Random, number: int, model: Database) -> Batch:
    """Up to four units on places of their own; about half of them stand on something that is not so."""
    made = Batch()
    streams = rnd.sample("abcdef", rnd.randint(1, 4))
    for n, stream in enumerate(streams, 1):
        known = rnd.choice([*model.commands, None]) if rnd.random() < 0.15 else None
        taken = known in {unit[0] for unit in made.units}
        made.units.append((f"k{number}-{n}" if known is None or taken else known, b"f", json.dumps({"n": n})))
        version = len(model.events.get(stream, ()))
        expected = version if rnd.random() < 0.8 else rnd.randint(0, 3)
        made.streams.append((n, stream, expected))
        for more in range(rnd.randint(0, 2)):
            place = expected + more + 1
            made.events.append((n, stream, place, "Happened", 1, rnd.choice([None, stream]), "{}", "{}"))
            if rnd.random() < 0.7:
                event_id = str(UUID(int=number * 1_000 + n * 10 + more))
                made.published.append((n, "t", rnd.choice([stream, "shared"]), event_id, "{}", "{}"))
        _places(rnd, made, n, stream, model)
    return made


def _places(rnd: Random, made: Batch, n: int, stream: str, model: Database) -> None:
    """Claims, gates, keys and timers of a unit."""
    value = f"v{n}".encode()
    if rnd.random() < 0.4:
        made.claims.append((n, "name", value, stream))
    if rnd.random() < 0.3:
        made.releases.append((n, "name", value, rnd.choice([stream, model.claims.get(("name", value), stream)])))
    if rnd.random() < 0.4:
        at = model.gates.get(("c", "t", stream), 0)
        made.gates.append((n, "c", "t", stream, at + rnd.choice([0, 1, 1, 1, 2])))
    if rnd.random() < 0.3:
        made.keys.append((n, stream, rnd.choice([b"one", b"two", None])))
    if rnd.random() < 0.4:
        made.timers.append((n, stream, "due", rnd.choice([None, AT + timedelta(hours=n)])))


def rows_of(model: Database) -> dict[str, set[tuple[Any, ...]]]:
    events = [event for rows in model.events.values() for event in rows]
    return {
        "events": {(e.stream_id, e.version, e.type, e.schema, e.holder, e.data, e.meta, e.recorded_at) for e in events},
        "published": {
            (r.position, r.topic, r.key, r.sequence, r.event_id, r.value, r.recorded_at) for r in model.published
        },
        "claims": {(*place, holder) for place, holder in model.claims.items()},
        "commands": {(key, *told) for key, told in model.commands.items()},
        "gates": {(*place, at) for place, at in model.gates.items()},
        "keys": set(model.keys.items()),
        "timers": {(*place, due) for place, due in model.timers.items()},
    }


@pytest.mark.parametrize("seed", range(4))
async def test_the_same_batches_give_the_same_answers_and_rows(seed: int, new_database: NewDatabase) -> None:
    rnd, model, seen = Random(seed), Database(), set[Status]()
    connection = await asyncpg.connect(await new_database(None))
    try:
        await connection.execute(SCHEMA)
        for number in range(BATCHES):
            made, at = batch(rnd, number, model), AT + timedelta(seconds=rnd.randint(-30, number))
            sql, arguments = made.call(at)
            real = [Status(one) for one in await connection.fetchval(sql, *arguments)]
            assert model.append(made, at) == real, number
            seen |= set(real)
        told = rows_of(model)
        for table, query in TABLES.items():
            assert {tuple(row) for row in await connection.fetch(query)} == told[table], table
        await _loads_alike(connection, model)
    finally:
        await connection.close()
    assert {Status.DONE, Status.VERSION_ELSEWHERE, Status.GATE_ELSEWHERE, Status.KEY_KNOWN} <= seen


async def _loads_alike(connection: asyncpg.Connection, model: Database) -> None:
    keys, gates, streams = [*model.commands, "none"], [*model.gates], dict.fromkeys("abcdefg", 1)
    columns = [[gate[n] for gate in gates] for n in range(3)]
    rows = await connection.fetch(LOAD, keys, *columns, [*streams], [*streams.values()])
    found = model.load(keys, gates, streams)
    assert {row["id"] for row in rows if row["what"] == "k"} == found.commands.keys()
    assert {(row["id"], row["data"], row["type"]): row["big"] for row in rows if row["what"] == "g"} == found.gates
    events = {(row["id"], row["n"], row["bytes"]) for row in rows if row["what"] == "e"}
    assert events == {(e.stream_id, e.version, e.wrapped) for some in found.events.values() for e in some}
