"""The store's two calls: one grouped load and one ordered append per batch. Raw asyncpg, one connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import IntEnum
from importlib.resources import files
from typing import Any

import asyncpg

from belt.io.store.engines import never_idle

LOAD = files("belt.io.store").joinpath("load.sql").read_text()
APPEND_FUNCTION = files("belt.io.store").joinpath("append.sql").read_text()
AUDIT = files("belt.io.store").joinpath("audit.sql").read_text()
SCHEMA = files("belt.io.store").joinpath("schema.sql").read_text() + AUDIT + APPEND_FUNCTION

READ_ELSEWHERE = """exists (
    select from unnest(${}::text[], ${}::int[]) as r(stream, version)
    where r.version
        <> coalesce((select version from events where stream_id = r.stream order by version desc limit 1), 0)
)"""

# Every query of the hot path is a handful of index descents; a plan made on an empty table must not scan a full one.
PLANS = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}


class Status(IntEnum):
    """What the store says of one unit."""

    DONE = 0
    KEY_KNOWN = 1
    GATE_ELSEWHERE = 2
    VERSION_ELSEWHERE = 3
    CLAIM_TAKEN = 4
    HOLDER_KEY_ELSEWHERE = 5
    READ_ELSEWHERE = 6  # of all units at once: what one of them had read is not so


STATUSES = tuple(Status)


class Unavailable(Exception):
    """The database did not answer in time. Nothing is known of the command; the same key may be sent again."""


class Full(Unavailable):
    """The database has no room left. Nothing was done, and trying again at once would do nothing."""


@dataclass(frozen=True)
class Stored:
    """One event as the store keeps it."""

    stream_id: str
    version: int
    type: str
    schema: int
    data: str
    holder: str | None
    wrapped: bytes | None


@dataclass
class Loaded:
    """What one grouped load found."""

    commands: dict[str, tuple[bytes | None, str | None]] = field(default_factory=dict)
    gates: dict[tuple[str, str, str], int] = field(default_factory=dict)
    events: dict[str, list[Stored]] = field(default_factory=dict)


def _column(*types: str) -> Any:
    return field(default_factory=list, metadata={"types": types})


@dataclass
class Batch:
    """The rows of one append call, in the order of the function's arguments."""

    units: list[tuple[str | None, bytes | None, str | None]] = _column("text", "bytea", "text")
    streams: list[tuple[int, str, int]] = _column("int", "text", "int")
    events: list[tuple[int, str, int, str, int, str | None, str, str]] = _column(
        "int", "text", "int", "text", "int", "text", "text", "text"
    )
    published: list[tuple[int, str, str, str, str, str]] = _column("int", "text", "text", "uuid", "text", "text")
    claims: list[tuple[int, str, bytes, str]] = _column("int", "text", "bytea", "text")
    releases: list[tuple[int, str, bytes, str]] = _column("int", "text", "bytea", "text")
    timers: list[tuple[int, str, str, datetime | None]] = _column("int", "text", "text", "timestamptz")
    gates: list[tuple[int, str, str, str, int]] = _column("int", "text", "text", "text", "bigint")
    keys: list[tuple[int, str, bytes | None]] = _column("int", "text", "bytea")
    views: list[tuple[int, str, str]] = _column("int", "text", "text")
    read: dict[str, int] = field(default_factory=dict)  # streams, and the versions that they must still have

    def call(self, at: datetime | None) -> tuple[str, list[Any]]:
        """The append call and its arguments: one for each column of every list that has rows."""
        columns: list[str] = []
        arguments: list[Any] = [at]
        for name, kinds in COLUMNS.items():
            rows: Sequence[tuple[Any, ...]] = getattr(self, name)
            if not rows:
                columns += [f"'{{}}'::{kind}[]" for kind in kinds]
                continue
            for kind, column in zip(kinds, zip(*rows, strict=True), strict=True):
                form, argument = column_of(kind, column)
                arguments.append(argument)
                columns.append(form.format(len(arguments)))
        call = f"append_batch({', '.join(columns)}, $1::timestamptz)"
        if self.read:
            arguments += [list(self.read), list(self.read.values())]
            call = f"case when {READ_ELSEWHERE.format(len(arguments) - 1, len(arguments))} then null else {call} end"
        return f"select {call}", arguments

    def take_back(self, n: int) -> None:
        """Without the rows of unit `n`, which was the last to be written out."""
        del self.units[n - 1 :]
        for name in COLUMNS:
            rows = getattr(self, name)
            while name != "units" and rows and rows[-1][0] == n:
                rows.pop()


COLUMNS: dict[str, tuple[str, ...]] = {
    part.name: part.metadata["types"] for part in fields(Batch) if "types" in part.metadata
}
BETWEEN, NULL = "\x1e", "\x1d"  # no id holds them, and JSON has them escaped


def column_of(kind: str, column: Sequence[Any]) -> tuple[str, Any]:
    """(SQL with a place for the argument's number, the argument): one text for all, where nothing could be mistaken.

    To send an array costs this process several times as much, value by value.
    """
    array = "${}::" + kind + "[]"
    if kind in ("bytea", "timestamptz"):
        return array, column
    if kind in ("int", "bigint"):
        return f"string_to_array(${{}}::text, ',')::{kind}[]", ",".join(map(str, column))
    nulls = column.count(None)
    joined = BETWEEN.join([NULL if value is None else value for value in column] if nulls else column)
    if not joined or joined.count(BETWEEN) != len(column) - 1 or joined.count(NULL) != nulls:
        return array, column
    return f"string_to_array(${{}}::text, E'\\x1e', E'\\x1d'){f'::{kind}[]' if kind != 'text' else ''}", joined


class Store:
    """One connection to one service's database, opened anew when it is lost. One question at a time.

    `lost` is called whenever a connection breaks: who answers next may be another server, which knows less.
    """

    def __init__(self, dsn: str, *, deadline: float = 5.0, lost: Callable[[], object] = lambda: None) -> None:
        self._dsn, self._deadline, self._lost = dsn, deadline, lost
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._turn = asyncio.Lock()

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._connection is not None and self._connection.is_closed():
            self._drop()
            raise Unavailable("the connection was lost")
        if self._connection is None:
            connection = await asyncpg.connect(
                self._dsn,
                timeout=self._deadline,
                command_timeout=self._deadline,
                server_settings=PLANS
                | never_idle(self._deadline)
                | {
                    "application_name": "belt-writer",
                    "statement_timeout": f"{int(self._deadline * 1000)}",
                    "default_transaction_isolation": "read committed",
                },
            )
            isolation = await connection.fetchval("show transaction_isolation")
            if isolation != "read committed":
                await connection.close()
                raise RuntimeError(f"the store needs READ COMMITTED, the database gives {isolation}")
            self._connection = connection
        return self._connection

    async def load(self, keys: Iterable[str], gates: Iterable[tuple[str, str, str]], streams: dict[str, int]) -> Loaded:
        """Known keys, gates, and each stream's events above the given version: one round trip."""
        gates = list(gates)
        rows = await self._ask(
            "fetch",
            LOAD,
            list(keys),
            [g[0] for g in gates],
            [g[1] for g in gates],
            [g[2] for g in gates],
            list(streams),
            list(streams.values()),
        )
        found = Loaded()
        for what, name, data, n, kind, schema, holder, binary, big in rows:
            if what == "k":
                found.commands[name] = (binary, data)
            elif what == "g":
                found.gates[name, data, kind] = big
            else:
                found.events.setdefault(name, []).append(Stored(name, n, kind, schema, data, holder, binary))
        for events in found.events.values():
            events.sort(key=lambda event: event.version)
        return found

    async def append(self, batch: Batch, at: datetime | None) -> list[Status]:
        """Admits each unit whole or not at all; one status per unit."""
        sql, arguments = batch.call(at)
        row = await self._ask("fetchval", sql, *arguments)
        return [STATUSES[status] for status in row] if row is not None else [Status.READ_ELSEWHERE] * len(batch.units)

    async def holder_of(self, kind: str, value: bytes) -> str | None:
        """The stream that holds a claim."""
        found = await self._ask("fetchval", "select holder from claims where kind = $1 and value = $2", kind, value)
        return str(found) if found is not None else None

    async def wrapped_keys(self, holders: list[str]) -> dict[str, bytes | None]:
        rows = await self._ask("fetch", "select holder, wrapped from keys where holder = any($1::text[])", holders)
        return {row["holder"]: row["wrapped"] for row in rows}

    async def _ask(self, how: str, sql: str, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(self._deadline * 2), self._turn:
                connection = await self._connected()
                return await getattr(connection, how)(sql, *arguments)
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as lost:
            self._drop()
            raise Unavailable(str(lost) or type(lost).__name__) from lost
        except asyncpg.DiskFullError as full:
            raise Full(str(full)) from full
        except (
            asyncpg.PostgresConnectionError,
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.CannotConnectNowError,
            asyncpg.ReadOnlySQLTransactionError,  # a standby answered: the leader is elsewhere
        ) as lost:
            self._drop()
            raise Unavailable(str(lost)) from lost

    def _drop(self) -> None:
        self._lost()
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._connection.close(timeout=self._deadline)
            self._connection = None
