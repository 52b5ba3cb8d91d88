"""What belt sees of a database: the store's calls, a relay's connection, a pool. Each call may be lost on either way.

A connection knows exactly the statements that belt's modules send, by their own constants; any other is an error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg
from database_model import Database, Parked

from belt.io.intake import facts, parking
from belt.io.kafka import course
from belt.io.store import public_log, timers
from belt.io.store.calls import Batch, Loaded, Status, Unavailable
from belt.io.store.public_log import RELAY
from compensation import intake

if TYPE_CHECKING:
    from world import Process


class StoreModel:
    """Stands where belt.io.store.calls.Store stands."""

    def __init__(self, process: Process, database: Database) -> None:
        self.process, self.database = process, database

    async def load(self, keys: Iterable[str], gates: Any, streams: dict[str, int]) -> Loaded:
        await self.process.step("load", Unavailable)
        return self.database.load(list(keys), list(gates), streams)

    async def append(self, batch: Batch, at: datetime | None) -> list[Status]:
        await self.process.step("append", Unavailable)
        status = self.database.append(batch, self.process.world.now())
        await self.process.step("appended", Unavailable)
        return status

    async def holder_of(self, kind: str, value: bytes) -> str | None:
        await self.process.step("claim", Unavailable)
        return self.database.claims.get((kind, value))

    async def wrapped_keys(self, holders: list[str]) -> dict[str, bytes | None]:
        await self.process.step("keys", Unavailable)
        return {holder: self.database.keys[holder] for holder in holders if holder in self.database.keys}

    async def close(self) -> None:
        pass


class RelayConnection:
    """A relay's own connection, and the lock that dies with it."""

    def __init__(self, process: Process, database: Database) -> None:
        self.process, self.database = process, database
        self.dead = False
        process.sessions.append(self)

    async def _alive(self, what: str) -> None:
        await self.process.step(what, asyncpg.ConnectionDoesNotExistError)
        if self.dead:
            raise asyncpg.ConnectionDoesNotExistError("the session was ended")

    async def fetchval(self, sql: str, *args: Any) -> Any:
        await self._alive("relay")
        if sql == "select pg_try_advisory_lock($1)":
            if self.database.leader in (None, self):
                self.database.leader = self
            return self.database.leader is self
        if sql == course.MOVE:
            _, before, after = args
            if self.database.relayed != before:
                return None
            self.process.world.acknowledged(self.database, before, after)
            self.database.relayed = after
            await self._alive("relay moved")
            return after
        raise NotImplementedError(sql)

    async def execute(self, sql: str, *args: Any) -> None:
        await self._alive("relay")
        if sql == "select 1":
            return  # a word to the database
        if not sql.startswith("insert into checkpoints"):
            raise NotImplementedError(sql)
        if self.database.relayed is None:
            self.database.relayed = 0

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        await self._alive("relay read")
        if sql not in (public_log.NEXT, public_log.NEXT_FEW):
            raise NotImplementedError(sql)
        return list(self.database.above(args[0], args[1]))

    async def fetchrow(self, sql: str, *args: Any, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109 (asyncpg has it)
        await self._alive("relay look")
        if sql != public_log.BACKLOG or args != (RELAY,):
            raise NotImplementedError(sql)
        return {"position": self.database.relayed or 0, "head": len(self.database.published), "age": 0.0}

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109 (asyncpg has it)
        self.end()

    def terminate(self) -> None:
        self.end()

    def end(self) -> None:
        self.dead = True
        if self.database.leader is self:
            self.database.leader = None


@dataclass
class Told:
    """A row with names."""

    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


class PoolModel:
    """Stands where an asyncpg pool stands, for what is parked and for facts."""

    def __init__(self, process: Process, database: Database) -> None:
        self.process, self.database = process, database

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)
        if sql.startswith(f"select {parking.COLUMNS} from parked where consumer = $1 and id = $2"):
            return next((row for row in self.database.parked if row.id == args[1]), None)
        if "sequence > $4 order by sequence limit 1" in sql:
            rows = [row for row in self._of(args[1], args[2]) if row.sequence > args[3]]
            return min(rows, key=lambda row: row.sequence, default=None)
        raise NotImplementedError(sql)

    async def fetch(self, sql: str, *args: Any, timeout: float | None = None) -> list[Any]:  # noqa: ASYNC109 (asyncpg has it)
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)
        if sql == parking.KEYS:
            topics = {row.topic for row in self.database.parked}
            return [
                Told({"topic": t, "keys": len({r.key for r in self.database.parked if r.topic == t})}) for t in topics
            ]
        if sql.startswith("select sequence from parked"):
            return [
                Told({"sequence": r.sequence}) for r in self._of(args[1], args[2]) if args[3] < r.sequence < args[4]
            ]
        if sql == facts.OPEN:
            return self._open(*args)
        raise NotImplementedError(sql)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)
        if sql == parking.QUEUE:
            _, topic, key, sequence, event_id, attributes, value, reason, gate = args
            in_front = any(gate < row.sequence < sequence for row in self._of(topic, key))
            if in_front:
                row = topic, key, sequence, event_id, attributes, value, reason
                self.database.park(row, self.process.world.now())
            return in_front
        if sql.startswith("select count(*) from parked"):
            return len(self._of(args[1], args[2]))
        raise NotImplementedError(sql)

    async def execute(self, sql: str, *args: Any) -> None:
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)
        if sql == parking.INSERT:
            if args[8] not in self.database.commands:
                self.database.park(args[1:8], self.process.world.now())
        elif sql.startswith("update parked set reason"):
            pass
        elif sql.startswith("delete from parked"):
            self.database.parked = [row for row in self.database.parked if row.id != args[0]]
        else:
            raise NotImplementedError(sql)
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)

    def _of(self, topic: str, key: str) -> list[Parked]:
        return [row for row in self.database.parked if (row.topic, row.key) == (topic, key)]

    def _open(self, seen: str, consumer: str, limit: int) -> list[Told]:
        found = []
        for (who, topic, key), sequence in sorted(self.database.gates.items()):
            have = self.database.gates.get((consumer, topic, key), 0)
            if who == seen and sequence > have:
                found.append(Told({"topic": topic, "key": key, "have": have, "seen": sequence}))
        return found[:limit]

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncIterator[FactsConnection]:  # noqa: ASYNC109 (asyncpg has it)
        await self.process.step("acquire", asyncpg.ConnectionDoesNotExistError)
        connection = FactsConnection(self.process, self.database)
        yield connection
        connection.apply()


class FactsConnection:
    """What is written waits for the end of the transaction, and happens at once or not at all."""

    def __init__(self, process: Process, database: Database) -> None:
        self.process, self.database = process, database
        self.facts: dict[str, str] = {}
        self.gates: dict[tuple[str, str, str], int] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield
        await self.process.step("commit", asyncpg.ConnectionDoesNotExistError)
        self.apply()
        await self.process.step("committed", asyncpg.ConnectionDoesNotExistError)

    async def fetch(self, sql: str, *args: Any) -> list[Told]:
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)
        if sql != facts.GATES:
            raise NotImplementedError(sql)
        consumer, topic, keys = args
        held = {key: self.database.gates.get((consumer, topic, key)) for key in keys}
        return [Told({"key": key, "sequence": at}) for key, at in held.items() if at is not None]

    async def execute(self, sql: str, *args: Any) -> str:
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)
        if sql == intake.LOCK:
            return "SELECT 1"
        if sql == facts.MOVE:
            topic, consumers, keys, sequences = args
            for consumer, key, sequence in zip(consumers, keys, sequences, strict=True):
                self.gates[consumer, topic, key] = sequence
            return f"INSERT 0 {len(keys)}"
        raise NotImplementedError(sql)

    async def fetchval(self, sql: str, *args: Any) -> int:
        await self.process.step("pool", asyncpg.ConnectionDoesNotExistError)
        if sql != intake.TAKE:
            raise NotImplementedError(sql)
        came = {str(event_id): told for event_id, told in zip(args[0], args[4], strict=True)}
        new = len(came.keys() - self.database.facts.keys() - self.facts.keys())
        self.facts |= came
        return new

    def apply(self) -> None:
        for event_id, told in self.facts.items():
            self.database.facts.setdefault(event_id, told)
        for place, sequence in self.gates.items():
            self.database.gates[place] = max(sequence, self.database.gates.get(place, 0))
        self.facts, self.gates = {}, {}


class EngineModel:
    """Stands where SQLAlchemy's engine stands, for the ticker."""

    def __init__(self, process: Process, database: Database) -> None:
        self.process, self.database = process, database

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[EngineModel]:
        await self.process.step("timers", Unavailable)
        yield self

    def execution_options(self, isolation_level: str) -> EngineModel:
        """Each statement of the ticker is a transaction of its own, as it is here."""
        if isolation_level != "AUTOCOMMIT":
            raise NotImplementedError(isolation_level)
        return self

    async def execute(self, statement: Any, given: dict[str, Any]) -> Any:
        if statement is timers.DUE:
            rows = sorted((due, s, n) for (s, n), due in self.database.timers.items() if due <= given["upto"])
            return Rows([(s, n, due) for due, s, n in rows[: given["limit"]]])
        if statement is timers.DROP:
            if self.database.timers.get((given["stream"], given["name"])) == given["due"]:
                del self.database.timers[given["stream"], given["name"]]
            return None
        raise NotImplementedError(str(statement))


@dataclass
class Rows:
    rows: list[tuple[str, str, datetime]]

    def all(self) -> list[tuple[str, str, datetime]]:
        return self.rows
