"""The streams of a process: what it remembers of them, and what the store has above that."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from belt.io.store.calls import Loaded, Store
from belt.io.store.codec import Codec
from belt.io.store.decision import Streams, category
from belt.io.store.remembered import Remembered
from belt.io.store.rows import KEEP_SECONDS, Keys
from belt.io.store.unit import Entry
from belt.io.telemetry import REFOLDED_EVENTS


class States:
    """One per process."""

    def __init__(
        self, streams: Streams, codecs: Mapping[str, Codec], keys: Keys, reader: Store, remembered: Remembered
    ) -> None:
        self.reader = reader  # looks while the writer's other connection appends
        self._streams, self._codecs, self._keys, self._remembered = streams, codecs, keys, remembered
        self._since = time.monotonic()
        self.forgotten = 0  # how often everything was

    def find(self, stream_id: str) -> Entry | None:
        """The stream as far as it is remembered."""
        return self._remembered.find(stream_id)

    def keep(self, stream_id: str, entry: Entry) -> None:
        """Remembers what was appended."""
        self._remembered.keep(stream_id, entry)

    def forget(self, streams: Iterable[str]) -> None:
        """These streams are loaded from the store when they are needed next."""
        self._remembered.forget(streams)

    def forget_all(self) -> None:
        self._remembered.clear()
        self._since = time.monotonic()
        self.forgotten += 1

    def forget_what_is_old(self) -> None:
        """A state may hold what another process has erased meanwhile."""
        if time.monotonic() > self._since + KEEP_SECONDS:
            self.forget_all()

    def initial(self, stream_id: str) -> Entry:
        """A stream in which nothing happened."""
        return Entry(0, category(stream_id, self._streams).initial)

    async def load(
        self, keys: list[str], gates: list[tuple[str, str, str]], streams: set[str]
    ) -> tuple[Loaded, dict[str, Entry]]:
        """Loads what is above the remembered, folds it, and remembers it. Answers every stream as it stands."""
        found_here = ((stream_id, self.find(stream_id)) for stream_id in streams)
        known = {stream_id: entry for stream_id, entry in found_here if entry is not None}
        forgotten = self.forgotten
        found = await self.reader.load(keys, gates, {s: known[s].version if s in known else 0 for s in streams})
        entries = {stream_id: known.get(stream_id) or self.initial(stream_id) for stream_id in streams}
        for stream_id, events in found.events.items():
            stream = category(stream_id, self._streams)
            codec = self._codecs[stream.category]
            entry = entries[stream_id]
            version, state, row = entry.version, entry.state, entry.row
            REFOLDED_EVENTS.labels("state").inc(len(events))
            for raw in events:
                key = self._keys.learn(raw.holder, raw.wrapped)
                event = codec.read(raw.type, raw.schema, raw.data, raw.holder, key)
                version, state = raw.version, stream.evolve(state, event)
                row = stream.view.project(row, event) if stream.view is not None else None
            entries[stream_id] = Entry(version, state, row)
            if self.forgotten == forgotten:  # else somebody was erased meanwhile: it is not kept beyond this batch
                self.keep(stream_id, entries[stream_id])
        return found, entries
