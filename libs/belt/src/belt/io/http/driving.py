"""GET and PUT /v1/clock: what time it is here, what is due next, and whether everything has been carried and taken in.

A driver (demo, simulation, tests) moves the clocks of all services to the earliest due, waits until every service is
drained, and goes on: months run in a minute, and always the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from belt.core.decider import Refused
from belt.io.clock import DrivenClock
from belt.io.http.body import Strict
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.store.timers import Ticker
from conveyor_events.words import Instant


class ClockBody(Strict):
    at: Instant


class ClockReply(BaseModel):
    """`drained`: all that is published was acknowledged by Kafka, and all that Kafka holds for us was taken in."""

    driven: bool
    at: Instant
    next_due: Instant | None
    published: int
    relayed: int
    taken_in: dict[str, int]
    drained: bool


Progress = Callable[[], Awaitable[dict[str, Any]]]


def doors(desk: Desk, ticker: Ticker, progress: Progress) -> Doors:
    """`progress` says how far the relay and the consumers are."""
    found = Doors(tags=["clock"])

    async def shown() -> ClockReply:
        due = await ticker.next_due()
        told = await progress()
        return ClockReply(driven=desk.clock.driven, at=desk.clock.now(), next_due=due, **told)

    @found.query("/v1/clock", "clock:drive", "events:read", reply=ClockReply)
    async def read() -> ClockReply:
        """The clock, the next due, the head of the public log, and what is relayed and consumed."""
        return await shown()

    @found.command("/v1/clock", "clock:drive", reply=ClockReply, method="PUT", versioned=False)
    async def drive(body: ClockBody) -> ClockReply:
        """Moves a driven clock forward; answers after all timers due by then have committed."""
        if not isinstance(desk.clock, DrivenClock):
            raise Refused("clock.not-driven")
        await ticker.drive(desk.clock, body.at)
        return await shown()

    return found
