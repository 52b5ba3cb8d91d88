"""The streams that a process remembers: bounded in number, and in the events that were folded into them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from belt.io.store.unit import Entry

EVENTS_EACH = (
    20  # on average: a state grows with what was folded into it, and few long streams outweigh many short ones
)


class Remembered:
    """The latest used last; whoever was not asked for longest is forgotten first."""

    def __init__(self, streams: int) -> None:
        self._streams, self._events = streams, streams * EVENTS_EACH
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, stream_id: str) -> Entry | None:
        """The stream as far as it is known."""
        entry = self._entries.get(stream_id)
        if entry is not None:
            self._entries.move_to_end(stream_id)
        return entry

    def keep(self, stream_id: str, entry: Entry) -> None:
        """What is known already of a later version stays: it was read before the batch that made that was through."""
        known = self._entries.get(stream_id)
        if known is not None:
            if known.version > entry.version:
                return
            self._weight -= known.version
        self._entries[stream_id] = entry
        self._entries.move_to_end(stream_id)
        self._weight += entry.version
        while len(self._entries) > 1 and (len(self._entries) > self._streams or self._weight > self._events):
            _, oldest = self._entries.popitem(last=False)
            self._weight -= oldest.version

    def forget(self, streams: Iterable[str]) -> None:
        for stream_id in streams:
            entry = self._entries.pop(stream_id, None)
            if entry is not None:
                self._weight -= entry.version

    def clear(self) -> None:
        self._entries.clear()
        self._weight = 0
