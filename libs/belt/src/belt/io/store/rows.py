"""A decision -> the rows of the append call: events sealed, public events with their attributes, read-model rows."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from belt.core.decider import Refused
from belt.core.ids import derived
from belt.io.store.calls import Batch, Store
from belt.io.store.codec import Codec
from belt.io.store.decision import MAX_EVENT_BYTES, Decision, attributes, category, diff
from belt.io.store.document import document
from belt.io.store.seal import Vault

if TYPE_CHECKING:
    from belt.io.store.commit import Committer

FAULTS = frozenset({"event-too-large"})  # refusals that speak of our fault, not of what is asked
KEEP_KEYS = 10_000
KEEP_SECONDS = 300.0  # after this long a key that another process destroyed is noticed in this one


class Keys:
    """Holders' keys of this process: those it learned, and new ones on their way into the store."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: OrderedDict[str, tuple[bytes | None, bytes | None, float]] = OrderedDict()

    def learn(self, holder: str | None, wrapped: bytes | None) -> bytes | None:
        """The holder's key, or None if it was destroyed."""
        if holder is None:
            return None
        known = self._known.get(holder)
        if known is not None and known[1] == wrapped:
            return known[0]
        key = self._vault.unwrap(holder, wrapped) if wrapped is not None else None
        self._put(holder, key, wrapped)
        return key

    def _put(self, holder: str, key: bytes | None, wrapped: bytes | None) -> None:
        self._known[holder] = (key, wrapped, time.monotonic())
        self._known.move_to_end(holder)
        while len(self._known) > KEEP_KEYS:
            self._known.popitem(last=False)

    async def fetch(self, decisions: list[Decision], codecs: Mapping[str, Codec], store: Store) -> None:
        """Makes sure that every holder of the batch has a key at hand: the stored one, else a new one."""
        now = time.monotonic()
        unknown, new = set[str](), set[str]()
        for decision in decisions:
            for happened in decision.happened:
                holder = _holder(happened.stream, happened.event, codecs)
                if holder is None:
                    continue
                if holder in self._known and now - self._known[holder][2] < KEEP_SECONDS:
                    self._known.move_to_end(holder)  # so that it is still there when the new ones are
                    continue
                # A new stream's holder is new as well, as a rule; if not, the store says so and the next try looks.
                fresh_stream = decision.before[happened.stream_id].version == 0 and decision.unit.tries == 0
                (new if fresh_stream else unknown).add(holder)
        found = await store.wrapped_keys(sorted(unknown)) if unknown else {}
        for holder in unknown | new:
            if holder in found:
                self._known.pop(holder, None)
                self.learn(holder, found[holder])
            else:
                self._put(holder, *self._vault.new_key(holder))

    def get(self, holder: str) -> tuple[bytes, bytes]:
        key, wrapped, _ = self._known[holder]
        if key is None or wrapped is None:
            raise Refused("personal-data-erased")
        return key, wrapped

    def destroyed(self, holder: str) -> None:
        self._put(holder, None, None)

    def forget(self, decision: Decision) -> None:
        """After a lost race a key made here may not be the stored one: look again."""
        for happened in decision.happened:
            holder = happened.stream.holder(happened.event)
            if holder is not None:
                self._known.pop(holder, None)


def _holder(stream: Any, event: Any, codecs: Mapping[str, Codec]) -> str | None:
    if not codecs[stream.category].type_of(event).private:
        return None
    holder = stream.holder(event)
    if holder is None:
        raise ValueError(f"{type(event).__name__} has private fields but no holder")
    return str(holder)


def fill(decision: Decision, n: int, batch: Batch, committer: Committer) -> None:
    """Adds a unit's rows to the batch. `n` is its number there, from 1. Raises Refused for what cannot be stored."""
    unit = decision.unit
    batch.units.append((unit.key, unit.fingerprint, decision.reply))
    batch.streams += [(n, stream_id, entry.version) for stream_id, entry in decision.before.items()]
    meta = document(
        {
            "key": unit.key,
            "command": unit.meta.command_id or unit.key,
            "correlation": unit.meta.correlation_id,
            "causation": unit.meta.causation_id,
            "actor": unit.meta.actor,
        }
    )
    holders = set[str]()
    for happened in decision.happened:
        codec = committer.codecs[happened.stream.category]
        kind = codec.type_of(happened.event)
        holder = _holder(happened.stream, happened.event, committer.codecs)
        key, wrapped = committer.keys.get(holder) if holder is not None else (None, None)
        if holder is not None and wrapped is not None and holder not in holders:
            holders.add(holder)
            batch.keys.append((n, holder, wrapped))
        data = codec.write(happened.event, holder, key)
        batch.events.append((n, happened.stream_id, happened.version, kind.name, kind.schema, holder, data, meta))
        erased = happened.stream.erases(happened.event)
        if erased is not None:
            batch.keys.append((n, erased, None))
        for index, told in enumerate(happened.publics):
            event_id = derived(happened.stream_id, happened.version, index)
            topic, about = attributes(told, event_id, unit.meta, unit.key, committer.source)
            value = told.data.model_dump_json()
            size = len(value) if value.isascii() else len(value.encode())
            if size > MAX_EVENT_BYTES:
                raise Refused("event-too-large", bytes=size, limit=MAX_EVENT_BYTES)
            batch.published.append((n, topic, told.subject, event_id, about, value))
    diff(decision, n, batch, committer.streams, committer.vault.hashed)
    for stream_id in decision.written:
        entry = decision.after[stream_id]
        if entry.row is not None:
            batch.views.append((n, *view_row(stream_id, entry.row, entry.version, committer)))
    if unit.gate is not None:
        batch.gates.append((n, unit.gate.consumer, unit.gate.topic, unit.gate.key, unit.gate.sequence))
    batch.read |= decision.read


def view_row(stream_id: str, row: Mapping[str, Any], version: int, committer: Committer) -> tuple[str, str]:
    """(view, row as JSON) of a stream's read model."""
    view = category(stream_id, committer.streams).view
    if view is None:
        raise ValueError(f"{stream_id} has a row but no view")
    return view.name, document(dict(row) | {"version": version, "shape": view.shape})
