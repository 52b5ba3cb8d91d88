"""The facts as they are kept, read for one question at a time: of a person, of a client, or what is new.

None of the reads grows with the company, but for `pages`, by which those who reckon everybody read everything.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from conveyor_events import Envelope, UnknownEvent, entry, from_json

AT_ONCE = 5_000
SOME_CLIENTS = 40  # while they are read, those before are made facts

LAST = text("select coalesce(max(taken), 0) from facts")
ABOVE = text("select taken, envelope from facts where taken > :above order by taken limit :most")
OF_TYPES = text("""
select taken, envelope from facts where taken > :above and taken <= :upto and type = any(cast(:types as text[]))
order by taken limit :most
""")
NEWEST = text("select envelope from facts order by taken desc limit 200")
OF_NOBODY = text(
    "select envelope from facts where client_id is null and taken > :above and taken <= :upto order by taken"
)
CLIENTS = text("select client_id from parties where person = :person")
OF_CLIENTS = text("select client_id, envelope from facts where client_id = any(cast(:clients as text[]))")
# The facts of a client came over months and lie apart from each other: their pages are asked for ahead, not one by one,
# unless the database cannot (it runs on a system without such a call) or shall not.
AHEAD = text("""
select set_config('effective_io_concurrency', '128', true) where current_setting('effective_io_concurrency') <> '0'
""")
BY_ID = text("select envelope from facts where event_id = any(cast(:ids as uuid[]))")
TOUCHED = text("select distinct client_id from facts where taken > :above and taken <= :upto and client_id is not null")
OLDEST = text("select min(occurred_at) from facts where client_id is not null and taken > :above and taken <= :upto")
KINDS = text("select type, schema from kinds")
OF_KINDS = text("select event_id, envelope from facts where type = any(cast(:types as text[])) and taken <= :upto")
# One descent of the index a person: parties has a row for each of their clients.
PEOPLE = text("""
with recursive named(person) as (
    (select person from parties where person > :after order by person limit 1)
    union all
    select (select person from parties where person > named.person order by person limit 1)
    from named where named.person is not null
)
select person from named where person is not null limit :most
""")


def read(rows: Iterable[Any]) -> list[Envelope]:
    """The envelopes of rows whose last column is one."""
    return [from_json(json.loads(row[-1])) for row in rows]


async def last(connection: AsyncConnection) -> int:
    """The number of the newest fact."""
    return int((await connection.execute(LAST)).scalar_one())


async def above(connection: AsyncConnection, taken: int) -> Sequence[Any]:
    """(number, envelope) of the next facts."""
    return (await connection.execute(ABOVE, {"above": taken, "most": AT_ONCE})).all()


async def pages(connection: AsyncConnection, after: int, upto: int) -> AsyncIterator[Sequence[Any]]:
    """All facts between two numbers."""
    while after < upto:
        rows = await above(connection, after)
        some = [row for row in rows if row[0] <= upto]
        if some:
            yield some
        if len(some) < AT_ONCE:
            return
        after = some[-1][0]


async def of_types(connection: AsyncConnection, types: Sequence[str], taken: int, upto: int) -> Sequence[Any]:
    """(number, envelope) of the next facts of these types."""
    asked = {"types": types, "above": taken, "upto": upto, "most": AT_ONCE}
    return (await connection.execute(OF_TYPES, asked)).all()


async def of_nobody(connection: AsyncConnection, taken: int, upto: int) -> Sequence[Any]:
    """Those that name no client: of the staff."""
    return (await connection.execute(OF_NOBODY, {"above": taken, "upto": upto})).all()


async def of_person(connection: AsyncConnection, person: str, beside: Collection[str]) -> AsyncIterator[Sequence[Any]]:
    """(client, envelope) of the clients that the person has to do with, and of those beside, some at a time."""
    await connection.execute(AHEAD)
    clients = sorted({*(await connection.execute(CLIENTS, {"person": person})).scalars(), *beside})
    for start in range(0, len(clients), SOME_CLIENTS):
        yield await _of(connection, clients[start : start + SOME_CLIENTS])


async def of_clients(connection: AsyncConnection, clients: Collection[str]) -> Sequence[Any]:
    """(client, envelope) of these clients."""
    await connection.execute(AHEAD)
    return await _of(connection, clients)


async def _of(connection: AsyncConnection, clients: Collection[str]) -> Sequence[Any]:
    return (await connection.execute(OF_CLIENTS, {"clients": sorted(clients)})).all()


async def by_id(connection: AsyncConnection, ids: Iterable[str]) -> Sequence[Any]:
    return (await connection.execute(BY_ID, {"ids": [UUID(one) for one in ids]})).all()


async def people(connection: AsyncConnection, after: str, most: int) -> list[str]:
    """The next people whom some fact of a client names, by name."""
    rows = await connection.execute(PEOPLE, {"after": after, "most": most})
    return [row[0] for row in rows.all()]


async def unread(connection: AsyncConnection, upto: int) -> list[str]:
    """The facts of a type, or of a version of it, that this release does not know. Mostly there is no such kind."""
    strange = [kind for kind in (await connection.execute(KINDS)).all() if not _known(*kind)]
    if not strange:
        return []
    asked = {"types": sorted({name for name, _ in strange}), "upto": upto}
    rows = (await connection.execute(OF_KINDS, asked)).all()
    return [str(event_id) for event_id, written in rows if not _readable(from_json(json.loads(written)))]


def _readable(envelope: Envelope) -> bool:
    return _known(envelope.type, envelope.schema_version)


def _known(name: str, version: int) -> bool:
    try:
        entry(name, version)
    except UnknownEvent:
        return False
    return True
