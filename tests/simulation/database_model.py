"""One service's database in memory: what append.sql and load.sql do, said once more in plain Python.

test_database_model.py holds it against the real ones. Every call happens at once; who calls it adds the waiting.
"""

from __future__ import annotations

import json
from collections import defaultdict
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from belt.io.store.calls import Batch, Loaded, Status, Stored


class Violation(Exception):
    """A unique constraint says no."""


@dataclass
class Row:
    """A row of the public log, readable like one of asyncpg."""

    position: int
    topic: str
    key: str
    sequence: int
    event_id: str
    attributes: str
    value: str
    recorded_at: datetime

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


@dataclass
class Event:
    stream_id: str
    version: int
    type: str
    schema: int
    holder: str | None
    data: str
    meta: str
    recorded_at: datetime

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


@dataclass
class Parked:
    id: int
    topic: str
    key: str
    sequence: int
    event_id: str
    attributes: str
    value: str
    reason: str
    parked_at: datetime

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


@dataclass
class Database:
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    published: list[Row] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    sequences: dict[tuple[str, str], int] = field(default_factory=dict)
    claims: dict[tuple[str, bytes], str] = field(default_factory=dict)
    commands: dict[str, tuple[bytes | None, str | None]] = field(default_factory=dict)
    gates: dict[tuple[str, str, str], int] = field(default_factory=dict)
    keys: dict[str, bytes | None] = field(default_factory=dict)
    timers: dict[tuple[str, str], datetime] = field(default_factory=dict)
    parked: list[Parked] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)  # event id -> envelope
    last: datetime | None = None
    relayed: int | None = None
    leader: object | None = None
    park_ids: int = 0

    def copied(self) -> Database:
        """Another one with the same rows: rows themselves never change."""
        twin = copy(self)
        twin.events = defaultdict(list, {stream: list(rows) for stream, rows in self.events.items()})
        twin.published, twin.ids, twin.parked = list(self.published), set(self.ids), list(self.parked)
        for name in ("sequences", "claims", "commands", "gates", "keys", "timers", "facts"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.leader = None
        return twin

    # -- load.sql ----------------------------------------------------------------------------------------------

    def load(self, keys: Any, gates: Any, streams: dict[str, int]) -> Loaded:
        found = Loaded()
        for key in keys:
            if key in self.commands:
                found.commands[key] = self.commands[key]
        for gate in gates:
            if gate in self.gates:
                found.gates[gate] = self.gates[gate]
        for stream, above in streams.items():
            rows = [event for event in self.events.get(stream, ()) if event.version > above]
            if rows:
                found.events[stream] = [
                    Stored(e.stream_id, e.version, e.type, e.schema, e.data, e.holder, self.keys.get(e.holder or ""))
                    for e in rows
                ]
        return found

    # -- append.sql --------------------------------------------------------------------------------------------

    def append(self, batch: Batch, at: datetime) -> list[Status]:
        if any(version != len(self.events.get(stream, ())) for stream, version in batch.read.items()):
            return [Status.READ_ELSEWHERE] * len(batch.units)
        return self._admitted(batch, at)

    def _admitted(self, batch: Batch, at: datetime) -> list[Status]:
        status = self._judged(batch)
        if Status.DONE not in status:
            return status
        done = [judged is Status.DONE for judged in status]
        stamp = at if self.last is None else max(at, self.last)
        self.last = stamp
        for (key, fingerprint, reply), admitted in zip(batch.units, done, strict=True):
            if admitted and key is not None:
                if key in self.commands:
                    raise Violation(f"commands {key}")
                self.commands[key] = fingerprint, reply
        for n, holder, wrapped in batch.keys:
            if done[n - 1] and (wrapped is None or holder not in self.keys):
                self.keys[holder] = wrapped
        for n, stream, version, kind, schema, e_holder, data, meta in batch.events:
            if done[n - 1]:
                rows = self.events[stream]
                if any(row.version == version for row in rows):
                    raise Violation(f"events {stream} {version}")
                rows.append(Event(stream, version, kind, schema, e_holder, data, meta, stamp))
        self._claims_and_timers(batch, done)
        for n, consumer, topic, place, sequence in batch.gates:
            if done[n - 1]:
                self.gates[consumer, topic, place] = sequence
        self._published(batch, done, stamp)
        return status

    def _judged(self, batch: Batch) -> list[Status]:
        status = [Status.DONE] * len(batch.units)
        for n, holder, wrapped in batch.keys:
            if wrapped is not None and holder in self.keys and self.keys[holder] != wrapped:
                status[n - 1] = Status.HOLDER_KEY_ELSEWHERE
        passed_on = set(batch.releases)
        for n, kind, value, owner in batch.claims:
            has = self.claims.get((kind, value))
            if has is not None and has != owner and (n, kind, value, has) not in passed_on:
                status[n - 1] = Status.CLAIM_TAKEN
        for n, stream, expected in batch.streams:
            rows = self.events.get(stream)
            if expected != (rows[-1].version if rows else 0):
                status[n - 1] = Status.VERSION_ELSEWHERE
        for n, consumer, topic, key, sequence in batch.gates:
            if sequence != 1 + self.gates.get((consumer, topic, key), 0):
                status[n - 1] = Status.GATE_ELSEWHERE
        for n, (known, _, _) in enumerate(batch.units):
            if known is not None and known in self.commands:
                status[n] = Status.KEY_KNOWN
        return status

    def _claims_and_timers(self, batch: Batch, done: list[bool]) -> None:
        for n, kind, value, owner in batch.releases:
            if done[n - 1] and self.claims.get((kind, value)) == owner:
                del self.claims[kind, value]
        for n, kind, value, owner in batch.claims:
            if done[n - 1]:
                self.claims[kind, value] = owner
        for n, stream, name, due in batch.timers:
            if done[n - 1] and due is None:
                self.timers.pop((stream, name), None)
        for n, stream, name, due in batch.timers:
            if done[n - 1] and due is not None:
                self.timers[stream, name] = due

    def _published(self, batch: Batch, done: list[bool], stamp: datetime) -> None:
        for n, topic, key, event_id, attributes, value in batch.published:
            if done[n - 1]:
                if event_id in self.ids:
                    raise Violation(f"published {event_id}")
                sequence = self.sequences[topic, key] = self.sequences.get((topic, key), 0) + 1
                self.ids.add(event_id)
                position = len(self.published) + 1
                self.published.append(Row(position, topic, key, sequence, event_id, attributes, value, stamp))

    # -- the public log and what is parked ---------------------------------------------------------------------

    def above(self, position: int, limit: int) -> list[Row]:
        return self.published[position : position + limit]

    def of_key(self, topic: str, key: str, after: int, upto: int) -> list[Row]:
        return [r for r in self.published if r.topic == topic and r.key == key and after < r.sequence <= upto]

    def park(self, row: tuple[Any, ...], at: datetime) -> None:
        topic, key, sequence, event_id, attributes, value, reason = row
        if not any((p.topic, p.key, p.sequence) == (topic, key, sequence) for p in self.parked):
            self.park_ids += 1
            told = topic, key, sequence, str(event_id), attributes, value, reason
            self.parked.append(Parked(self.park_ids, *told, at))

    def trace(self) -> str:
        """All that happened here, in its order, without what is drawn anew each time (keys, ciphertext)."""
        told = [(e.stream_id, e.version, e.type, str(e.recorded_at)) for rows in self.events.values() for e in rows]
        public = [(r.position, r.topic, r.key, r.sequence, r.value, str(r.recorded_at)) for r in self.published]
        return json.dumps([sorted(told), public, sorted(map(str, self.gates.items()))])
