"""How what a consumer reads is taken in: what every way of it shares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import asyncpg
import structlog
from pydantic import ValidationError

from belt.io.intake.missing import PublisherAway
from belt.io.kafka.records import Received
from belt.io.store.calls import Unavailable
from belt.io.store.handle import Busy

log = structlog.get_logger()

T = TypeVar("T")
OUT_OF_REACH = (
    Busy,
    Unavailable,
    PublisherAway,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
)
"""What is nobody's fault and passes: try again later."""


class Poison(Exception):
    """An event that cannot be taken in, now or later, by this code. `blocks`: its key must wait for it."""

    def __init__(self, reason: str, *, blocks: bool = True) -> None:
        super().__init__(reason.replace("\x00", "?")[:500])
        self.blocks = blocks


def cause(fault: Exception) -> str:
    """What is wrong with an event, without what stands in it: that has no place in logs and lists."""
    if not isinstance(fault, ValidationError):
        return f"{type(fault).__name__}: {fault}"
    wrong = fault.errors(include_url=False, include_context=False, include_input=False)
    places = ", ".join(f"{'.'.join(str(part) for part in one['loc']) or 'all'} ({one['type']})" for one in wrong)
    return f"its data does not fit {fault.title}: {places}"


@dataclass
class Progress:
    """How the taking in of one partition goes; read by the watchdog."""

    moved_at: float = field(default_factory=time.monotonic)
    waits_for: str | None = None

    def moved(self) -> None:
        self.moved_at = time.monotonic()
        self.waits_for = None


@dataclass(frozen=True)
class Redriven:
    """What a redrive did to a key: events handled, events still parked, and why it stopped if it did."""

    handled: int
    left: int
    reason: str | None = None


class Intake(Protocol):
    """A way to take events in."""

    async def take(self, records: Sequence[Received], progress: Progress) -> None:
        """Takes records of one partition in, in order per key. Returns when each is handled or parked."""

    async def tidy(self) -> None:
        """What wants doing from time to time."""

    async def redrive(self, parked_id: int) -> Redriven | None:
        """Tries a parked event and the others of its key again, in order. None: there is no such event."""

    async def skip(self, parked_id: int, by: str, because: str) -> Redriven | None:
        """Passes over a parked event for good, and redrives those behind it. None: there is no such event.

        Raises Refused: another event of the key stands in front.
        """


async def patiently(progress: Progress, longest: float, attempt: Callable[[], Awaitable[T]]) -> T:
    """Tries until what is out of reach comes back, with growing pauses."""
    pause = 0.05
    while True:
        try:
            return await attempt()
        except OUT_OF_REACH as away:
            progress.waits_for = type(away).__name__
            log.warning("intake.waits", error=f"{type(away).__name__}: {away}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, longest)
