"""Read models that belong to one stream: written in the events' own commit, rebuilt from the events at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import Column, Integer, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from belt.core.decider import Stream
from belt.io.store.codec import Codec
from belt.io.store.document import document
from belt.io.store.seal import Vault
from belt.io.telemetry import REFOLDED_EVENTS

Row = Mapping[str, Any]
# Under the lock of append.sql, or each could wait for rows of the other; one statement, so that nobody holds it longer.
KEEP = "with held as materialized (select pg_advisory_xact_lock(4711)) select keep_{}($1::jsonb) from held"
COUNT = "select count(*) from events where version = 1 and stream_id like $1"


@dataclass(frozen=True)
class StreamView:
    """A table with one row per stream. `fold` is pure: (row or None, event) -> row.

    `shape` is raised when the fold's meaning changes; `rebuild` then rewrites the rows of older shapes.
    """

    table: Table
    shape: int
    fold: Callable[[Row | None, Any], Row | None]

    @property
    def name(self) -> str:
        return str(self.table.name)

    def project(self, row: Row | None, event: Any) -> Row | None:
        return self.fold(row, event)


def version_columns() -> tuple[Column[int], Column[int]]:
    """Every view's last two columns: the stream's version that the row shows, and the shape it was folded with."""
    return Column("version", Integer, nullable=False), Column("shape", Integer, nullable=False)


def ddl(view: StreamView) -> Iterator[str]:
    """The view's table, its indexes, and the function with which the store writes its rows."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    yield str(CreateTable(view.table).compile(dialect=dialect))
    for index in sorted(view.table.indexes, key=lambda i: str(i.name)):
        yield str(CreateIndex(index).compile(dialect=dialect))
    yield keep_function(view)


def keep_function(view: StreamView) -> str:
    """Writes rows unless the table already shows a later version of the stream."""
    table = view.name
    primary = [c.name for c in view.table.primary_key.columns]
    others = [c.name for c in view.table.columns if c.name not in primary]
    sets = ", ".join(f"{c} = excluded.{c}" for c in others)
    return (
        f"create or replace function keep_{table}(rows jsonb) returns void language sql as $$\n"
        f"    insert into {table} select * from jsonb_populate_recordset(null::{table}, rows)\n"
        f"    on conflict ({', '.join(primary)}) do update set {sets}\n"
        f"    where {table}.version <= excluded.version\n"
        f"$$"
    )


async def rebuild(
    dsn: str,
    stream: Stream[Any, Any, Any],
    vault: Vault,
    *,
    batch: int = 500,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> int:
    """Folds every stream of the kind anew and writes its row by compare-and-set. Safe while commands run.

    Answers how many rows it looked at; `told` hears how many are done, and of how many, after each batch.
    """
    view = stream.view
    if not isinstance(view, StreamView):
        return 0
    codec = Codec(stream)
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60)
    done = 0
    try:
        of: int = await connection.fetchval(COUNT, f"{stream.category}-%")
        told(done, of)
        last = ""
        while True:
            names = [
                row[0]
                for row in await connection.fetch(
                    "select distinct stream_id from events where stream_id > $1 and stream_id like $2 "
                    "order by stream_id limit $3",
                    last,
                    f"{stream.category}-%",
                    batch,
                )
            ]
            if not names:
                return done
            rows = [row for row in await _rows(connection, names, view, codec, vault) if row is not None]
            await connection.execute(KEEP.format(view.name), document(rows))
            done += len(names)
            told(done, max(of, done))
            last = names[-1]
    finally:
        await connection.close()


async def _rows(
    connection: asyncpg.Connection[asyncpg.Record], names: list[str], view: StreamView, codec: Codec, vault: Vault
) -> list[dict[str, Any] | None]:
    found = await connection.fetch(
        "select e.stream_id, e.version, e.type, e.schema, e.data, e.holder, k.wrapped from events e "
        "left join keys k on k.holder = e.holder where e.stream_id = any($1::text[]) order by e.stream_id, e.version",
        names,
    )
    REFOLDED_EVENTS.labels("view").inc(len(found))
    rows: dict[str, tuple[Row | None, int]] = dict.fromkeys(names, (None, 0))
    for stream_id, version, name, schema, data, holder, wrapped in found:
        key = vault.unwrap(holder, wrapped) if holder is not None and wrapped is not None else None
        row, _ = rows[stream_id]
        rows[stream_id] = (view.project(row, codec.read(name, schema, data, holder, key)), version)
    return [
        dict(row) | {"version": version, "shape": view.shape} if row is not None else None
        for row, version in rows.values()
    ]
