"""Deciding without a look at the store: on what the process remembers, for the append to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belt.io.store.unit import Entry

if TYPE_CHECKING:
    from belt.io.store.states import States

WRONG_BEFORE_LOOKING, LASTS = 0.1, 64  # beliefs of which more than a tenth were wrong lately are not worth it
LOOK_TIMES = 15  # so many batches are looked up before beliefs are tried again


class Believed:
    """What one unit sees when it is decided without a look at the store: what is remembered.

    One of its own streams that is not remembered is taken to be new. `read`: what it saw, with the versions.
    """

    __slots__ = ("_own", "_states", "read")

    def __init__(self, states: States, own: set[str]) -> None:
        self._states, self._own = states, own
        self.read: dict[str, int] = {}

    def get(self, stream_id: str) -> Entry | None:
        entry = self._states.find(stream_id)
        if entry is None and stream_id in self._own:
            entry = self._states.initial(stream_id)
        if entry is not None:
            self.read[stream_id] = entry.version
        return entry

    def __getitem__(self, stream_id: str) -> Entry:
        entry = self.get(stream_id)
        if entry is None:
            raise KeyError(stream_id)
        return entry

    def __contains__(self, stream_id: object) -> bool:
        return self.get(str(stream_id)) is not None


class Trust:
    """Whether to believe: as long as it is right nearly always.

    A process that is alone with its streams is right; one of several, whose streams others change, would do its work
    twice. It looks first then, and tries again now and then.
    """

    def __init__(self) -> None:
        self._wrong = 0.0  # share of the last beliefs, the latest weighing most
        self._looks = 0

    def worth_it(self) -> bool:
        """Asked once for each batch."""
        if self._wrong <= WRONG_BEFORE_LOOKING:
            return True
        self._looks = (self._looks + 1) % (LOOK_TIMES + 1)
        return self._looks == 0

    def learn(self, *, wrong: bool) -> None:
        self._wrong += (wrong - self._wrong) / LASTS
