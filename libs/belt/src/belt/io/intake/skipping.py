"""Parked events that are passed over for good, because somebody said so: the decision is kept beside the event.

The record comes first and is made once; what it allows may be done again after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from belt.core.decider import Refused
from belt.io.intake.missing import Fetch
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
# What nobody but a stranger told was never there: as far as seen is what is complete, or still parked.
UNSEEN = """
update gates set sequence = greatest(
    (select max(sequence) from gates where consumer = $1 and topic = $3 and key = $4),
    (select max(sequence) from parked where consumer = $1 and topic = $3 and key = $4), 0)
where consumer = $2 and topic = $3 and key = $4
"""
KNOWN = "insert into commands (key, recorded_at) values ($1, clock_timestamp()) on conflict do nothing"

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


async def strangers(fetch: Fetch, parked: Parked) -> bool:
    """Whether its publisher's log does not have it: then its place in the key is another event's, or nobody's yet.

    Raises PublisherAway.
    """
    if parked.sequence < 0:
        return True
    found = await fetch(parked.topic, parked.key, parked.sequence - 1, parked.sequence)
    envelope = parked.arrival.envelope
    return not found or (envelope is not None and envelope.id != found[0].id)


async def known(parking: Parking, parked: Parked) -> None:
    """When it comes again, it is not parked again."""
    await parking.ask("execute", KNOWN, parking.key_of(parked.arrival))


async def record(parking: Parking, parked: Parked, by: str, because: str) -> None:
    """Keeps the decision; said again it stays what it was."""
    await parking.ask("execute", RECORD, parked.id, by, because)


async def throw_away(parking: Parking, parked: Parked) -> None:
    """A redrive gets rid of what cannot be read and has no place in its key; that it did so is kept as well."""
    await record(parking, parked, *THROWN)
    await known(parking, parked)
    log.warning("intake.thrown_away", topic=parked.topic, event_id=str(parked.event_id))
    await parking.remove(parked)


async def listed(parking: Parking, after: int, limit: int) -> list[Skipped]:
    """What was passed over, by id."""
    rows: list[Any] = await parking.ask("fetch", LISTED, parking.consumer, after, limit)
    return [Skipped(from_row(row), row["skipped_by"], row["because"], row["skipped_at"]) for row in rows]
