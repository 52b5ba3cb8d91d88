"""How fast a what-if folds a million facts of a hundred people, both sides for everybody.

    python -m bench.whatif [--facts 1000000] [--rounds 3] [--seed 1]

All contestants have the same events in memory, as the bytes in which compensation keeps them and with the type that
stands beside them in its table, and take turns:

* the what-if: reads the facts that its plans look at, indexes them, and folds both sides for everybody, line by line;
* a bare loop that decodes the bytes into typed structs of what a rule needs (msgspec), and drops them: what one thread
  of Python can do at most;
* a bare loop that makes them events as an outside consumer does (CloudEvents and pydantic of conveyor_events);
* polars: scans the same bytes as ndjson in all processors, and sums the money of each person and month. It knows no
  plans, no seats and no refunds; it is the limit of the machine.

Memory is that of a process of its own that does one what-if.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from belt.io.process import collect_seldom
from bench.company import facts, people
from bench.picture import Bars
from bench.report import Figure, Report
from bench.rounds import Measured, Run, in_turns, middle, ratio
from bench.supposing import Row, rows, whatif
from conveyor_events import from_json
from conveyor_events import open as open_event

OURS, LOOP = "what-if, both sides", "bare loop: typed structs (msgspec)"
EVENTS, LIMIT = "bare loop: CloudEvents and pydantic", "polars: ndjson to sums"
LEAST, MEGABYTES = 0.5, 400

STRUCT = msgspec.defstruct
SEATED = STRUCT("Seat", [("person", str), ("role", str)])
SALE = STRUCT(
    "Sale",
    [
        *((name, str) for name in ("sale_id", "kind", "line", "net", "currency")),
        ("sold_at", datetime),
        *((name, SEATED | None, None) for name in ("sourced_by", "converted_by", "served_by")),
    ],
)
DATA = STRUCT(
    "Data",
    [
        *((name, str | None, None) for name in ("line", "net")),
        ("sale", SALE | None, None),
        *((name, SEATED | None, None) for name in ("sourced_by", "converted_by", "served_by")),
    ],
)
EVENT = STRUCT(
    "Event",
    [
        *((name, str) for name in ("id", "type", "clientid")),
        *((name, datetime) for name in ("time", "recordedtime")),
        ("data", DATA),
    ],
)


def loop(all_rows: list[Row]) -> None:
    decode = msgspec.json.Decoder(EVENT).decode
    for _, envelope in all_rows:
        decode(envelope)


def events(all_rows: list[Row]) -> None:
    for _, envelope in all_rows:
        open_event(from_json(json.loads(envelope)))


def limit(ndjson: bytes) -> None:
    read = pl.read_ndjson(io.BytesIO(ndjson), schema=SCHEMA)
    sale = pl.col("data").struct.field("sale").struct
    known = read.select(
        sale.field("converted_by").struct.field("person").alias("person"),
        pl.col("time").str.slice(0, 7).alias("month"),
        sale.field("net").cast(pl.Float64).alias("net"),
    )
    if not known.drop_nulls().group_by("person", "month").agg(pl.col("net").sum()).height:
        raise RuntimeError("nobody sold anything")


SEAT = pl.Struct({"person": pl.String, "role": pl.String})
SCHEMA = {
    "id": pl.String, "type": pl.String, "clientid": pl.String, "time": pl.String, "recordedtime": pl.String,
    "data": pl.Struct({"net": pl.String, "sale": pl.Struct({"net": pl.String, "converted_by": SEAT})}),
}  # fmt: skip


def speed(count: int, work: Callable[[], object]) -> Run:
    async def run() -> float:
        began = time.perf_counter()
        await asyncio.to_thread(work)
        return count / (time.perf_counter() - began)

    return run


def memory_of_one(path: Path) -> dict[str, Any]:
    """The peak of a process that does one what-if and nothing else."""
    command = [sys.executable, "-m", "bench.supposing", str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def measured(path: Path, count: int, rounds: int) -> Measured:
    at_hand = list(rows(path))
    collect_seldom()  # as a service does when it starts
    ndjson = b"".join(envelope for _, envelope in at_hand)
    contestants = {
        OURS: speed(count, partial(whatif, lambda: iter(at_hand))),
        LOOP: speed(count, partial(loop, at_hand)),
        EVENTS: speed(count, partial(events, at_hand)),
        LIMIT: speed(count, partial(limit, ndjson)),
    }
    return asyncio.run(in_turns(contestants, rounds, unit="facts/s"))


def main() -> int:
    """Exit code 1 where a ratio or the memory is not what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts"
        with path.open("wb") as file:
            for line in facts(asked.seed, asked.facts):
                file.write(msgspec.json.decode(line)["type"].encode() + b" " + line + b"\n")
        size = path.stat().st_size
        found = measured(path, asked.facts, asked.rounds)
        one = memory_of_one(path)
    figures = [
        Figure(
            "what-if, both sides", ratio(found, OURS, EVENTS), LEAST, "a bare loop that makes the same bytes events"
        ),
        Figure("peak memory of one what-if, MB", one["peak"], MEGABYTES, "what a pod has", at_most=True),
    ]
    names = (OURS, LOOP, EVENTS, LIMIT)
    return Report(
        name="whatif",
        title=f"What-if: {asked.facts:,} facts, {len(people())} people, {asked.rounds} rounds",
        columns=("contestant", "facts/s", "what-if / it"),
        rows=[(name, f"{middle(found, name):,.0f}", f"{ratio(found, OURS, name):.3f}") for name in names],
        figures=figures,
        chart=Bars({name: middle(found, name) for name in names}, [OURS], "facts a second"),
        details={"facts": asked.facts, "seed": asked.seed, "bytes": size, "each": found, **one},
    ).publish()


if __name__ == "__main__":
    sys.exit(main())
