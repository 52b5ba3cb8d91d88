"""The append unit: one key, 1..n streams, at most one gate; admitted whole or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opentelemetry.trace import Span

from belt.core.decider import Refused, Step
from belt.io import tracing
from belt.io.store.document import document
from belt.io.telemetry import ABOUT, COMMANDS, About

Reply = Mapping[str, Any]
Reads = Callable[[str, str], Any]
"""(category, key) -> the state of that stream. Inside a unit it may ask for streams that are loaded first (Missing)."""
Guard = Callable[[Reads], None]
"""Looks before anything is decided, and refuses."""


DONE, REFUSED, REPLAYED = (COMMANDS.labels(outcome) for outcome in ("done", "refused", "replayed"))


class Conflict(Exception):
    """If-Match named a version that the stream does not have (any more)."""

    def __init__(self, wanted: int, has: int) -> None:
        super().__init__(f"wanted version {wanted}, the stream has {has}")
        self.wanted, self.has = wanted, has


class Taken(Exception):
    """A claim belongs to another stream."""

    def __init__(self, kind: str, value: str, holder: str) -> None:
        super().__init__(f"{kind} is held by {holder}")
        self.kind, self.value, self.holder = kind, value, holder


class Gap(Exception):
    """An event came before its predecessors: the gate stands at `have`."""

    def __init__(self, have: int) -> None:
        super().__init__(f"the gate stands at {have}")
        self.have = have


class Behind(Exception):
    """An event that is not above the gate and whose id was never handled: the publisher renumbered. An alarm."""

    def __init__(self, have: int) -> None:
        super().__init__(f"not above the gate at {have}, but unknown")
        self.have = have


@dataclass(frozen=True)
class Gate:
    """Where a consumer stands on one key of one topic; moves by exactly one."""

    consumer: str
    topic: str
    key: str
    sequence: int

    @property
    def name(self) -> tuple[str, str, str]:
        return (self.consumer, self.topic, self.key)


@dataclass(frozen=True)
class Meta:
    """Where a command came from: copied into each event's meta and onto the wire."""

    command_id: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    actor: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream as folded so far."""

    version: int
    state: Any
    row: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a unit did. `replayed`: its key was known, nothing was done now and `reply` is the stored one.

    `refused`: the code with which a reaction was refused (it counts as handled).
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    events: tuple[Any, ...] = ()
    reply: Reply | None = None
    replayed: bool = False
    refused: str | None = None

    def version(self, stream_id: str) -> int:
        return self.entries[stream_id].version

    def state(self, stream_id: str) -> Any:
        return self.entries[stream_id].state


@dataclass(eq=False)
class Unit:
    """A unit on its way through the writer."""

    steps: tuple[Step, ...]
    key: str
    internal: bool  # a key of ours: cannot be known before the first try
    fingerprint: bytes | None
    if_match: int | None
    meta: Meta
    gate: Gate | None
    reply: Callable[[Outcome], Reply] | None
    fired: tuple[str, str, datetime] | None  # the (stream, timer, due instant) that sent it
    future: asyncio.Future[Outcome]
    tries: int = 0
    guard: Guard | None = None
    also: set[str] = field(default_factory=set)  # streams it turned out to need, or only wants to read
    about: About | None = field(default_factory=ABOUT.get)
    span: Span | None = None

    @property
    def places(self) -> set[Any]:
        """What no two units of a batch may share: its streams, its key (after a blank, which begins no stream's id)."""
        places: set[Any] = {step.stream_id for step in self.steps}
        if places:
            places |= self.also
        places.add(f" {self.key}")
        if self.gate is not None:
            places.add(self.gate.name)
        return places

    def told(self) -> dict[str, Any]:
        """For the log: whose work this is, wherever the line is written."""
        streams = {"stream": self.steps[0].stream_id if self.steps else None}
        span = {"trace_id": tracing.trace_id(self.meta.traceparent)}
        return {k: v for k, v in (streams | span | dict(self.about() if self.about else {})).items() if v is not None}

    def answer(self, outcome: Outcome) -> None:
        """Tells the caller, if it still waits."""
        if not self.future.done():
            if self.steps:
                (REPLAYED if outcome.replayed else REFUSED if outcome.refused else DONE).inc()
            self.future.set_result(outcome)

    def fail(self, wrong: Exception) -> None:
        """Tells the caller why not, if it still waits."""
        if not self.future.done():
            COMMANDS.labels(_OUTCOMES.get(type(wrong), "failed")).inc()
            self.future.set_exception(wrong)


_OUTCOMES: dict[type[Exception], str] = {
    Refused: "refused",
    Taken: "refused",
    Conflict: "conflict",
    Gap: "waits",
    Behind: "waits",
}


def stored(reply: Reply | None, refused: Refused | None) -> str | None:
    """The reply as it is kept with the key."""
    if refused is not None:
        return document({"refused": refused.code, "facts": refused.facts})
    return document({"reply": reply}) if reply is not None else None


def replay(text: str | None) -> Outcome:
    """The kept reply, given again."""
    if text is None:
        return Outcome(replayed=True)
    kept = json.loads(text)
    if "refused" in kept:
        raise Refused(kept["refused"], **kept["facts"])
    return Outcome(reply=kept["reply"], replayed=True)
