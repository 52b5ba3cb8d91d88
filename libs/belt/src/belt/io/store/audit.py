"""The audit log: who has read whose pay or personal data. A read is answered only once its row is durable.

All reads that wait share one insert, so a busy service pays one commit for many of them; commands never wait here.
The time is the database's own, also where a driven clock rules.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import structlog
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from belt.core.decider import Refused
from belt.io.telemetry import AUDIT_FAILED, AUDITED

log = structlog.get_logger()

Kind = Literal["pay", "personal", "audit"]
AT_ONCE = 500
LEAST_DAYS = 365

# Ids are given under the lock, so that their order is that of the commits: who pages by id misses none. Who stands
# still with it in hand loses it, or nobody else's read would be answered.
LOCK = text("select set_config('transaction_timeout', '6s', true), pg_advisory_xact_lock(4714)")
RECORD = text(
    """
insert into audit (person, scopes, kind, whose, route, path, request_id, trace_id)
select r.person, array(select jsonb_array_elements_text(r.scopes)), r.kind,
       array(select jsonb_array_elements_text(r.whose)), r.route, r.path, r.request_id, r.trace_id
from jsonb_to_recordset(cast(:reads as jsonb))
     as r(person text, scopes jsonb, kind text, whose jsonb, route text, path text, request_id text, trace_id text)
"""
)
LISTED = text(
    """
select id, read_at, person, scopes, kind, whose, route, path, request_id, trace_id from audit
where id > :after and (cast(:person as text) is null or person = :person)
  and (cast(:of as text) is null or whose @> array[cast(:of as text)])
order by id limit :limit
"""
)
RETIRE = text(
    """
with gone as (delete from audit where read_at < clock_timestamp() - make_interval(days => :days) returning id)
insert into audit (person, scopes, kind, whose, route, path, request_id)
select :who, '{}', 'audit', '{}', 'retire-reads', count(*) || ' rows older than ' || :days || ' days', 'none' from gone
having count(*) > 0 returning path
"""
)


@dataclass(frozen=True, slots=True)
class Read:
    """One read: who, by which rights, what kind, whose, and by which door."""

    person: str
    scopes: Sequence[str]
    kind: Kind
    whose: Sequence[str]
    route: str
    path: str
    request_id: str
    trace_id: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A read as the log keeps it."""

    id: int
    read_at: datetime
    read: Read


class Audit:
    """The log of one process. Nothing to start or stop: it works while a read waits."""

    def __init__(self, engine: AsyncEngine, deadline: float) -> None:
        self._engine, self._deadline = engine, deadline
        self._waiting: list[tuple[Read, asyncio.Future[None]]] = []
        self._work: asyncio.Task[None] | None = None

    async def record(self, read: Read) -> None:
        """Returns when the read is written down for good; refuses when it cannot be, or not in time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((read, done))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write(), name="belt-audit")
        try:
            async with asyncio.timeout(self._deadline):
                await done
        except TimeoutError:
            AUDIT_FAILED.inc()
            raise Refused("audit-unavailable") from None
        AUDITED.labels(read.kind).inc()
        log.info("audit.read", kind=read.kind, route=read.route, whose=read.whose[:10])

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            group = [(read, done) for read, done in group if not done.done()]  # who gave up has answered 503
            wrong = await self._written([read for read, _ in group]) if group else None
            for _, done in group:
                if done.done():
                    continue
                if wrong is None:
                    done.set_result(None)
                else:
                    AUDIT_FAILED.inc()
                    done.set_exception(Refused("audit-unavailable"))

    async def _written(self, reads: list[Read]) -> Exception | None:
        """What went wrong, if anything did. Whatever it is, these reads are not answered."""
        try:
            async with asyncio.timeout(self._deadline), self._engine.begin() as connection:
                await connection.execute(LOCK)
                await connection.execute(RECORD, {"reads": json.dumps([asdict(one) for one in reads])})
        except Exception as wrong:  # noqa: BLE001 (whatever it is: the log tells it, the callers get 503)
            why = f"{type(wrong).__name__} {getattr(wrong, 'orig', '')}".strip()
            log.error("audit.failed", reads=len(reads), why=why)  # noqa: TRY400 (without what was to be written)
            return wrong
        return None

    async def listed(self, after: int, limit: int, person: str | None, of: str | None) -> list[Recorded]:
        """Reads above an id, by id; of one reader, or of one whose data it was."""
        asked = {"after": after, "limit": limit, "person": person, "of": of}
        async with self._engine.connect() as connection:
            return [_recorded(row) for row in (await connection.execute(LISTED, asked)).mappings()]

    async def retire(self, days: int, who: str) -> str | None:
        """Takes away what is older than so many days; that it was done, and by whom, is a row itself."""
        if days < LEAST_DAYS:
            raise ValueError(f"the audit log is kept for {LEAST_DAYS} days at least")
        async with self._engine.begin() as connection:
            await connection.execute(LOCK)
            told: str | None = (await connection.execute(RETIRE, {"days": days, "who": who})).scalar()
        return told


def _recorded(row: RowMapping) -> Recorded:
    about: dict[str, Any] = dict(row)
    return Recorded(about.pop("id"), about.pop("read_at"), Read(**about))
