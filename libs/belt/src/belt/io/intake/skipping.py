"""Parked events that are passed over for good, because somebody said so: the decision is kept beside the event.

The record comes first and is made once; what it allows may be done again after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from belt.core.decider import Refused
from belt.io.intake.parking import COLUMNS, Parked, Parking, from_row

log = structlog.get_logger()

RECORD = """
insert into skipped
    (consumer, topic, key, sequence, event_id, attributes, value, reason, skipped_by, because, skipped_at)
select consumer, topic, key, sequence, event_id, attributes, value, reason, $2, $3, clock_timestamp()
from parked where id = $1
on conflict (consumer, topic, key, sequence) do nothing
"""
LISTED = f"""
select {COLUMNS.replace("parked_at", "skipped_at as parked_at")}, skipped_by, because, skipped_at
from skipped where consumer = $1 and id > $2 order by id limit $3
"""
# What a keeper of facts does to pass over one: its key is known, and its place counts as complete.
COMPLETE = """
with known as (
    insert into commands (key, recorded_at) values ($5, clock_timestamp()) on conflict do nothing
)
insert into gates (consumer, topic, key, sequence) values ($1, $2, $3, $4)
on conflict (consumer, topic, key) do update set sequence = greatest(gates.sequence, excluded.sequence)
"""

DISCARDED = "discarded: it cannot be read"
THROWN = "redrive", "it cannot be read and has no place in its key"


@dataclass(frozen=True)
class Skipped:
    """An event that was passed over, by whom and why."""

    parked: Parked
    by: str
    because: str
    at: datetime


async def in_front(parking: Parking, parked: Parked) -> None:
    """Raises Refused unless the event is the first of its key, or has no place in it."""
    if parked.sequence < 0:
        return
    first = await parking.first(parked.topic, parked.key, 0)
    if first is not None and first.id != parked.id:
        raise Refused("parked.not-first", first=first.id)


async def record(parking: Parking, parked: Parked, by: str, because: str) -> None:
    """Keeps the decision; said again it stays what it was."""
    await parking.ask("execute", RECORD, parked.id, by, because)


async def throw_away(parking: Parking, parked: Parked) -> None:
    """A redrive gets rid of what cannot be read and has no place in its key; that it did so is kept as well."""
    await record(parking, parked, *THROWN)
    log.warning("intake.thrown_away", topic=parked.topic, event_id=str(parked.event_id))
    await parking.remove(parked)


async def listed(parking: Parking, after: int, limit: int) -> list[Skipped]:
    """What was passed over, by id."""
    rows: list[Any] = await parking.ask("fetch", LISTED, parking.consumer, after, limit)
    return [Skipped(from_row(row), row["skipped_by"], row["because"], row["skipped_at"]) for row in rows]
