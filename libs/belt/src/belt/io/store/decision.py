"""Decides one unit in memory, against streams that were loaded for its batch. Pure but for the codec's sealing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from belt.core.decider import Public, Refused, Step, Stream
from belt.io.store.believed import Trust
from belt.io.store.calls import Batch
from belt.io.store.document import document
from belt.io.store.unit import Entry, Meta, Outcome, Reads, Unit
from conveyor_events.catalog import entry_of
from conveyor_events.words import Event, instant_text

MAX_EVENT_BYTES = 900_000
MAX_STEPS = 1_000
Streams = Mapping[str, Stream[Any, Any, Any]]
NOTHING = Outcome()


class Missing(Exception):
    """Streams that must be loaded before this unit can be decided."""

    def __init__(self, streams: set[str]) -> None:
        super().__init__(", ".join(sorted(streams)))
        self.streams = streams


@dataclass
class Happened:
    """One new private event and what is told of it."""

    stream: Stream[Any, Any, Any]
    stream_id: str
    version: int
    event: Any
    publics: tuple[Public, ...]


class Entries(Protocol):
    """Streams by their ids, as the one who decides sees them."""

    def get(self, stream_id: str, /) -> Entry | None:
        """None: it must be loaded first."""

    def __getitem__(self, stream_id: str, /) -> Entry: ...

    def __contains__(self, stream_id: object, /) -> bool: ...


@dataclass
class Decision:
    """What a unit will append."""

    unit: Unit
    before: dict[str, Entry] = field(default_factory=dict)
    after: dict[str, Entry] = field(default_factory=dict)
    happened: list[Happened] = field(default_factory=list)
    refused: Refused | None = None
    outcome: Outcome = NOTHING
    reply: str | None = None
    claims: dict[str, set[tuple[str, str]]] = field(default_factory=dict)  # by stream, after it
    read: dict[str, int] = field(default_factory=dict)  # what it saw, does not change, and nobody looked up
    trust: Trust | None = None  # who said that it need not be looked up, and wants to hear whether that was right

    @property
    def erased(self) -> set[str]:
        """Holders whose keys the unit destroys."""
        found = (happened.stream.erases(happened.event) for happened in self.happened)
        return {holder for holder in found if holder is not None}

    @cached_property
    def written(self) -> list[str]:
        """Streams that have new events. Asked for when all is decided."""
        return [sid for sid, entry in self.after.items() if entry.version != self.before[sid].version]


def category(stream_id: str, streams: Streams) -> Stream[Any, Any, Any]:
    """The stream kind of a stream id. Categories hold no dash."""
    return streams[stream_id.partition("-")[0]]


def decide(unit: Unit, entries: Entries, streams: Streams) -> Decision:
    """Runs the unit's steps, and those that follow from their events. Raises Refused, Missing."""
    decision = Decision(unit)
    todo = list(unit.steps)
    ran = 0
    while todo:
        step = todo.pop(0)
        ran += 1
        if ran > MAX_STEPS:
            raise RuntimeError(f"more than {MAX_STEPS} steps follow from one command")
        stream, stream_id = streams[step.category], step.stream_id
        entry = _entry(stream_id, decision, entries)
        try:
            events = _events(step, stream, entry.state, decision, entries)
        except Refused as refused:
            if not refused.record:
                raise
            decision = Decision(unit, refused=refused)
            events, todo = refused.record, []
            entry = _entry(stream_id, decision, entries)
        decision.before.setdefault(stream_id, entry)
        for event in events:
            state = stream.evolve(entry.state, event)
            row = stream.view.project(entry.row, event) if stream.view is not None else None
            entry = Entry(entry.version + 1, state, row)
            publics = tuple(stream.publish(event, state))
            decision.happened.append(Happened(stream, stream_id, entry.version, event, publics))
            todo.extend(stream.follow(event, state))
        decision.after[stream_id] = entry
    return decision


def reading(entries: Entries) -> Reads:
    """States of streams that are loaded; raises Missing for others."""

    def read(name: str, key: str) -> Any:
        stream_id = f"{name}-{key}"
        if stream_id not in entries:
            raise Missing({stream_id})
        return entries[stream_id].state

    return read


def _entry(stream_id: str, decision: Decision, entries: Entries) -> Entry:
    entry = decision.after.get(stream_id) or entries.get(stream_id)
    if entry is None:
        raise Missing({stream_id})
    return entry


def _events(step: Step, stream: Stream[Any, Any, Any], state: Any, decision: Decision, entries: Entries) -> Any:
    read, missing = [], set[str]()
    for name, key in stream.reads(step.id, step.command, state):
        stream_id = f"{name}-{key}"
        entry = decision.after.get(stream_id) or entries.get(stream_id)
        if entry is None:
            missing.add(stream_id)
        else:
            read.append(entry.state)
    if missing:
        raise Missing(missing)
    return stream.decide(step.command, state, *read)


def attributes(told: Public, event_id: str, meta: Meta, key: str, source: str) -> tuple[str, str]:
    """(topic, CloudEvents attributes as JSON) of a public event. Sequence and recorded time are the store's to give."""
    if not isinstance(told.data, Event):
        raise TypeError(f"{type(told.data).__name__} is not an event of the published language")
    kind = entry_of(told.data)
    found: dict[str, str | None] = {
        "specversion": "1.0",
        "id": event_id,
        "type": kind.wire,
        "source": source,
        "subject": told.subject,
        "time": instant_text(told.at),
        "schemaversion": str(kind.model.VERSION),
        "partitionkey": told.subject,
        "commandid": meta.command_id or key,
        "correlationid": meta.correlation_id or meta.command_id or key,
        "causationid": meta.causation_id,
        "clientid": told.client_id,
        "journeyid": told.journey_id,
        "variant": told.variant,
        "actorperson": told.actor.person if told.actor else None,
        "actorrole": told.actor.role if told.actor else None,
        "traceparent": meta.traceparent,
    }
    return kind.topic, document({k: v for k, v in found.items() if v is not None})


def diff(decision: Decision, n: int, batch: Batch, streams: Streams, hashed: Any) -> None:
    """Timers and claims that changed with the unit's streams."""
    for stream_id in decision.after:
        stream = category(stream_id, streams)
        old, new = decision.before[stream_id].state, decision.after[stream_id].state
        was: dict[str, datetime | None] = {due.name: due.at for due in stream.timers(old)}
        now = {due.name: due.at for due in stream.timers(new)}
        fired = decision.unit.fired
        if fired is not None and fired[0] == stream_id and was.get(fired[1]) == now.get(fired[1]) == fired[2]:
            now.pop(fired[1], None)  # it went off and nothing came of it: it does not go off for ever
            was.setdefault(fired[1], None)
        batch.timers += [(n, stream_id, name, at) for name, at in now.items() if was.get(name) != at]
        batch.timers += [(n, stream_id, name, None) for name in was if name not in now]
        held = set(stream.claims(old))
        holds = decision.claims.get(stream_id, held)  # not there: nothing happened
        if held == holds:
            continue
        batch.claims += [(n, kind, hashed(kind, value), stream_id) for kind, value in sorted(holds - held)]
        batch.releases += [(n, kind, hashed(kind, value), stream_id) for kind, value in sorted(held - holds)]
