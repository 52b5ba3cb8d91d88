"""The board's own picture of the line: every public event of the stations as it came, and the things they make.

A client's things are folded anew from its events whenever one of them comes in (tens of events), so it does not matter
in which order the topics are read, or how often. Only what is public stands here: ids, seats, instants, amounts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from board.moved import named, text
from board.thing import Thing, line_of, things
from conveyor_events import Envelope, from_json, to_json
from conveyor_events.catalog import TOPICS

TOPICS_READ = tuple(topic for topic in TOPICS if topic not in ("conveyor.pay.v1", "conveyor.staff.v1"))
CHANNEL = "board"
ONE_AT_A_TIME = "select pg_advisory_xact_lock(4730)"

SCHEMA = """
create table happened (
    position    bigint      generated always as identity primary key,
    event_id    uuid        not null unique,
    topic       text        not null,
    name        text        not null,
    client_id   text,
    line        text,
    occurred_at timestamptz not null,
    envelope    text        not null
);
create index happened_client on happened (client_id);
create index happened_when on happened (occurred_at);
create table things (
    client_id   text        not null,
    kind        text        not null,
    ref         text        not null,
    line        text        not null,
    state       text        not null,
    since       timestamptz not null,
    holder      text,
    due_at      timestamptz,
    people      text[]      not null,
    primary key (kind, ref)
);
create index things_client on things (client_id);
create index things_line on things (line, kind, state);
create index things_due on things (due_at) where due_at is not null;
create table sessions (
    id          bytea       primary key,
    sealed      bytea       not null,
    expires_at  timestamptz not null
);
create index sessions_age on sessions (expires_at);
"""

TAKE = """
insert into happened (event_id, topic, name, client_id, line, occurred_at, envelope)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
on conflict (event_id) do nothing returning client_id
"""
HISTORY = "select client_id, envelope from happened where client_id = any($1::text[])"
PEOPLE = "select people from things where client_id = any($1::text[])"
FORGET = "delete from things where client_id = any($1::text[])"
KEEP = """
insert into things (client_id, kind, ref, line, state, since, holder, due_at, people)
select client_id, kind, ref, line, state, since, holder, due_at, string_to_array(people, e'\\n')
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
    $8::timestamptz[], $9::text[]) as t(client_id, kind, ref, line, state, since, holder, due_at, people)
on conflict (kind, ref) do update set client_id = excluded.client_id, line = excluded.line, state = excluded.state,
    since = excluded.since, holder = excluded.holder, due_at = excluded.due_at, people = excluded.people
"""
TELL = "select pg_notify($1, $2)"
CLIENTS = "select distinct client_id from happened where client_id > $1 order by client_id limit $2"
AT_ONCE = 500


async def take(connection: Any, envelopes: Sequence[Envelope]) -> int:
    """Runs in the consumer's transaction (asyncpg): events, things and bookkeeping are kept together or not at all.

    Answers how many were new. Whoever listens is told once the transaction is over.
    """
    if not envelopes:
        return 0
    await connection.execute(ONE_AT_A_TIME)
    rows = [(e, *_place(e)) for e in envelopes]
    new = await connection.fetch(
        TAKE,
        [e.id for e, *_ in rows],
        [topic for _, topic, *_ in rows],
        [name for _, _, name, _ in rows],
        [e.client_id for e, *_ in rows],
        [line for *_, line in rows],
        [e.occurred_at for e, *_ in rows],
        [json.dumps(to_json(e), ensure_ascii=False, separators=(",", ":")) for e, *_ in rows],
    )
    if new:
        clients = sorted({row["client_id"] for row in new if row["client_id"] is not None})
        people = {person for one in await connection.fetch(PEOPLE, clients) for person in one["people"]}
        await fold(connection, clients)
        people |= {person for one in await connection.fetch(PEOPLE, clients) for person in one["people"]}
        people |= {person for e, *_ in rows for person in named(e.data)}
        await announce(connection, {(line or "", topic) for _, topic, _, line in rows}, people)
    return len(new)


async def announce(connection: Any, places: Collection[tuple[str, str]], people: Collection[str]) -> None:
    """Tells all open pages what moved and whom it concerns; within a transaction, once that is over."""
    await connection.execute(TELL, CHANNEL, text(places, people))


def _place(envelope: Envelope) -> tuple[str, str, str | None]:
    """Topic, name and line of an event."""
    topic, _, name = envelope.type.removeprefix("conveyor.").rpartition(".")
    return topic, name, line_of(envelope.data)


async def fold(connection: Any, clients: Sequence[str]) -> int:
    """Makes the things of these clients anew; answers how many there are."""
    if not clients:
        return 0
    history: defaultdict[str, list[Envelope]] = defaultdict(list)
    for row in await connection.fetch(HISTORY, list(clients)):
        history[row["client_id"]].append(from_json(json.loads(row["envelope"])))
    found = [thing for some in history.values() for thing in things(some)]
    await connection.execute(FORGET, list(clients))
    if found:
        await connection.execute(KEEP, *_columns(found))
    return len(found)


def _columns(found: Sequence[Thing]) -> tuple[list[Any], ...]:
    return (
        [t.client_id for t in found],
        [t.kind for t in found],
        [t.ref for t in found],
        [t.line for t in found],
        [t.state for t in found],
        [t.since for t in found],
        [t.holder for t in found],
        [t.due_at for t in found],
        ["\n".join(sorted(t.people)) for t in found],
    )


async def rebuild(connection: Any) -> int:
    """Makes all things anew from the events kept, some hundred clients at a time; answers how many clients."""
    done, last = 0, ""
    while True:
        async with connection.transaction():
            await connection.execute(ONE_AT_A_TIME)
            clients = [row["client_id"] for row in await connection.fetch(CLIENTS, last, AT_ONCE)]
            await fold(connection, clients)
        if not clients:
            return done
        done, last = done + len(clients), clients[-1]
