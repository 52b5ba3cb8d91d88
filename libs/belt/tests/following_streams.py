"""Streams of which one follows another, and processes that work on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from counting import AT, COUNTER, STREAMS, Counter, Raise, Raised, Rang, Ring

from belt.core.decider import Step, Stream
from belt.core.erasure import ERASURE
from belt.io.clock import SystemClock
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault

SECRET = b"a secret for tests only, 32 bytes"


def by_the_law(command: Any, _state: Counter, law: Counter) -> list[Raised]:
    return [Raised(AT, law.total)]


def punctual(command: Any, state: Counter) -> Sequence[Any]:
    """As every station does: a deadline that was put off is none any more."""
    if isinstance(command, Ring):
        return [Rang(command.at)] if state.due == command.at else []
    return COUNTER.decide(command, state)


LAWFUL: Stream[Any, Any, Counter] = replace(
    COUNTER, category="lawful", view=None, reads=lambda *_: [("counter", "law")], decide=by_the_law
)
KINDS = STREAMS | {
    "counter": replace(COUNTER, decide=punctual),
    "lawful": LAWFUL,
    "erasure": ERASURE,
}


@asynccontextmanager
async def at_work(dsn: str) -> AsyncIterator[Writer]:
    writer = Writer(dsn, KINDS, Vault(SECRET), SystemClock(), "/test")
    writer.start()
    yield writer
    await writer.stop()


def raised(writer: Writer, name: str, by: int = 1, kind: str = "counter", **rest: Any) -> Any:
    return writer.handle(Step(kind, name, Raise(by, who=name)), **rest)
