"""The ticker: sends the commands whose due instants were stamped in earlier events. The clock is one more caller."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from belt.core.decider import Refused, Step
from belt.io import tracing
from belt.io.clock import Clock, DrivenClock
from belt.io.store.calls import Unavailable
from belt.io.store.handle import Busy, Writer
from belt.io.telemetry import TIMER_LATE_SECONDS, TIMERS_FIRED, about

log = structlog.get_logger()

BATCH = 500
SWEEP_EVERY = 600.0
KEEP_REPLIES = timedelta(hours=72)
KEEP_INTERNAL = timedelta(hours=1)

DUE = text(
    "select stream_id, name, due_at from timers "
    "where due_at <= :upto and (due_at, stream_id, name) > (:due, :stream, :name) "
    "order by due_at, stream_id, name limit :limit"
)
BEFORE_ALL = {"due": datetime(1, 1, 2, tzinfo=UTC), "stream": "", "name": ""}
NEXT = text("select min(due_at) from timers")
DROP = text("delete from timers where stream_id = :stream and name = :name and due_at = :due")
SWEEP = text(
    "delete from commands where (reply is not null and recorded_at < :replies) "
    "or (key like '~%' and recorded_at < :ours)"
)
SET_CLOCK = text(
    "insert into clock (at) values (:at) on conflict (one) do update set at = greatest(clock.at, excluded.at)"
)


class Ticker:
    """Fires due timers, in order of (due, stream, name). Any number of tickers may run: a timer's key is its own."""

    def __init__(self, writer: Writer, engine: AsyncEngine, clock: Clock, *, every: float = 0.5) -> None:
        self._writer, self._clock, self._every = writer, clock, every
        # Each is one statement and a transaction of its own: who stands still after it has nothing locked.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._driving = asyncio.Lock()
        self.fired = 0

    async def run(self) -> None:
        """Until cancelled: fires what is due, and sweeps replies that are past their keeping."""
        swept = 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                if not self._clock.driven:
                    await self.fire_due(self._clock.now())
                if loop.time() - swept > SWEEP_EVERY:
                    await self._sweep()
                    swept = loop.time()
            except Exception as lost:  # noqa: BLE001 (whatever it was: the clock runs on, or nothing would ever expire)
                log.warning("ticker.waits", error=f"{type(lost).__name__}: {lost}")
            await asyncio.sleep(self._every)

    async def next_due(self) -> datetime | None:
        async with self._engine.connect() as connection:
            found: datetime | None = (await connection.execute(NEXT)).scalar()
        return found

    async def fire_due(self, upto: datetime) -> int:
        """Fires all timers due by `upto`; each command carries its own due instant."""
        fired, before, failed = 0, -1, set[Any]()
        while fired > before:  # what went off may have made more due
            before, after = fired, BEFORE_ALL
            while rows := await self._due(upto, after):
                if isinstance(self._clock, DrivenClock):
                    # Always the same way: one after the other, each at its own time, later ones seen anew.
                    self._clock.set(rows[0].due_at)
                    await self._fire(*rows[0])
                    fired += 1
                    continue
                todo = [row for row in rows if row not in failed]  # what failed is tried again at the next tick
                done = await asyncio.gather(*(self._attempted(*row) for row in todo))
                failed |= {row for row, well in zip(todo, done, strict=True) if not well}
                fired += sum(done)
                after = {"due": rows[-1].due_at, "stream": rows[-1].stream_id, "name": rows[-1].name}
        return fired

    async def _due(self, upto: datetime, after: dict[str, Any]) -> Sequence[Any]:
        async with self._engine.connect() as connection:
            return (await connection.execute(DUE, after | {"upto": upto, "limit": BATCH})).all()

    async def drive(self, clock: DrivenClock, to: datetime) -> None:
        """Moves a driven clock; returns after every timer due by then has committed, each at its own due time."""
        async with self._driving:
            await self.fire_due(to)
            clock.set(to)
            async with self._engine.connect() as connection:
                await connection.execute(SET_CLOCK, {"at": to})

    async def _attempted(self, stream_id: str, name: str, due_at: datetime) -> bool:
        """A timer whose command fails holds up no other."""
        try:
            with about(lambda: {"stream": stream_id, "timer": name}):
                await self._fire(stream_id, name, due_at)
        except (Unavailable, Busy, OSError, TimeoutError):
            raise
        except Exception:
            log.exception("timer.failed", stream=stream_id, timer=name)
            return False
        return True

    async def _fire(self, stream_id: str, name: str, due_at: datetime) -> None:
        category, _, key = stream_id.partition("-")
        entry = await self._writer.read(category, key)
        due = next((d for d in self._writer.streams[category].timers(entry.state) if d.name == name), None)
        if due is not None and due.at == due_at:
            try:
                told = {"conveyor.stream": stream_id, "conveyor.due_at": due_at.isoformat()}
                with tracing.timer(name.partition(":")[0], told):
                    outcome = await self._writer.handle(
                        Step(category, key, due.command),
                        # With the version: it may be due again at an instant at which it went off before.
                        key=f"due:{stream_id}:{name}:{due_at.isoformat()}:{entry.version}",
                        fired=(stream_id, name, due_at),
                    )
                self.fired += 1
                if not outcome.replayed:
                    TIMERS_FIRED.labels(name.partition(":")[0]).inc()
                    TIMER_LATE_SECONDS.observe(max((self._clock.now() - due_at).total_seconds(), 0.0))
                    return
            except Refused as refused:
                log.info("timer.refused", stream=stream_id, timer=name, code=refused.code)
        async with self._engine.connect() as connection:
            await connection.execute(DROP, {"stream": stream_id, "name": name, "due": due_at})

    async def _sweep(self) -> None:
        now = self._clock.now()
        async with self._engine.connect() as connection:
            await connection.execute(SWEEP, {"replies": now - KEEP_REPLIES, "ours": now - KEEP_INTERNAL})
