"""Starts a service that dies, lags or errs where it is told to: `python armed.py SERVICE_PACKAGE ROLE`.

The product has no switches for faults. Here its functions are wrapped from outside before it runs, and a file in the
folder CONVEYOR_FAULTS arms them, one by one:

    after_send      Kafka has acknowledged a batch; the relay has not moved its checkpoint
    after_commit    PostgreSQL has committed a batch of commands; nobody was answered
    before_offset   what was read is taken in; the offset is not committed
    before_commit   commands are decided; nothing is committed
    in_effect       a consumer holds a batch (with a record of the key that the file names); none of it is taken in
    slow            (stays) every batch of a consumer takes as many seconds as the file says
    poison          (stays) reactions to the client named in the file fail
    clock           (stays) the system's clock is as many seconds off as the file says

The first five kill the process with -9 at that very point, once, and disarm themselves.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from belt.io import clock
from belt.io.intake import reactions
from belt.io.intake.facts import Facts
from belt.io.intake.taking import Poison
from belt.io.kafka.reader import Reader
from belt.io.kafka.sender import Sender
from belt.io.store import calls as store

FOLDER = Path(os.environ["CONVEYOR_FAULTS"])


def die_at(point: str) -> None:
    with suppress(FileNotFoundError):
        (FOLDER / point).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def told(name: str) -> str:
    try:
        return (FOLDER / name).read_text()
    except FileNotFoundError:
        return ""


def wrapped(owner: Any, name: str, *, before: str = "", after: str = "") -> None:
    """A method that is fatal before or after its work."""
    inner: Callable[..., Any] = getattr(owner, name)

    async def outer(*args: Any, **more: Any) -> Any:
        if before:
            die_at(before)
        found = await inner(*args, **more)
        if after:
            die_at(after)
        return found

    setattr(owner, name, outer)


def slowed(owner: Any) -> None:
    inner = owner.take

    async def take(self: Any, records: Any, progress: Any) -> None:
        key = told("in_effect")
        if not key or any((record.key or b"").decode() == key for record in records):
            die_at("in_effect")
        if seconds := told("slow"):
            await asyncio.sleep(float(seconds))
        await inner(self, records, progress)

    owner.take = take


def poisoned() -> None:
    inner = reactions.Reactions._steps

    def steps(self: Any, envelope: Any) -> Any:
        if envelope.subject == (told("poison") or None):
            return _failing(envelope)
        return inner(self, envelope)

    reactions.Reactions._steps = steps  # type: ignore[method-assign]


def _failing(envelope: Any) -> Any:
    raise Poison(f"a reaction that fails for {envelope.type}")


def off(_self: clock.SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(told("clock") or 0))


wrapped(Sender, "send_batches", after="after_send")
wrapped(store.Store, "append", before="before_commit", after="after_commit")
wrapped(Reader, "commit", before="before_offset")
for intake in (reactions.Reactions, Facts):
    slowed(intake)
poisoned()
setattr(clock.SystemClock, "now", off)  # noqa: B010 (mypy knows no such assignment)

package = sys.argv[1]
sys.argv = [package, *sys.argv[2:]]
runpy.run_module(package, run_name="__main__", alter_sys=True)
