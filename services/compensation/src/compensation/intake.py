"""Takes public events in as they are: one insert a batch, each event once, whatever order they come in.

An event whose data does not fit its type is refused, so that it is parked and nobody's pay is reckoned from it or waits
for it. One of a type or version that this release does not know is kept: a later release reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json as written

from compensation.parties import pairs
from compensation.reading import examine
from conveyor_events import Envelope, UnknownEvent, to_json
from conveyor_events.catalog import wire_type
from conveyor_events.leads import PersonalDataErased

ERASED = wire_type(PersonalDataErased)
# Numbers are given in the order of commits, so a reader skips none. What comes is filed here, not by the trigger.
LOCK = "select pg_advisory_xact_lock(4720), set_config('conveyor.filed', 'yes', true)"
TAKE = """
with new as (
    insert into facts (event_id, type, client_id, occurred_at, envelope)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
    on conflict (event_id) do nothing returning 1
), filed as (
    insert into parties (person, client_id) select * from unnest($6::text[], $7::text[]) on conflict do nothing
), known as (
    insert into kinds (type, schema) select * from unnest($8::text[], $9::int[]) on conflict do nothing
)
select count(*) from new
"""
FORGET = """
insert into keys (holder, wrapped) select unnest($1::text[]), null
on conflict (holder) do update set wrapped = null
"""


async def take(connection: Any, envelopes: Sequence[Envelope]) -> int:
    """Runs in the consumer's transaction (asyncpg): the events and its bookkeeping are kept together or not at all.

    Answers how many were new.
    """
    if not envelopes:
        return 0
    for envelope in envelopes:
        try:
            examine(envelope)
        except UnknownEvent:
            continue
    forgotten = sorted({envelope.client_id for envelope in envelopes if envelope.type == ERASED and envelope.client_id})
    if forgotten:  # what was said of the client in conflicts is sealed here
        await connection.execute(FORGET, forgotten)
    named = list(pairs(envelopes))
    kinds = list({(envelope.type, envelope.schema_version) for envelope in envelopes})
    kept = [
        [envelope.id for envelope in envelopes],
        [envelope.type for envelope in envelopes],
        [envelope.client_id for envelope in envelopes],
        [envelope.occurred_at for envelope in envelopes],
        [written(to_json(envelope), inf_nan_mode="constants").decode() for envelope in envelopes],
        [person for person, _ in named],
        [client for _, client in named],
        [name for name, _ in kinds],
        [version for _, version in kinds],
    ]
    await connection.execute(LOCK)
    new: int = await connection.fetchval(TAKE, *kept)
    return new
