"""What holds once and not for long: a begun sign-in, a code. Known to this process alone, gone when it ends."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 1_000
ID_BYTES = 32


class Once(Generic[T]):
    """Values by an id that nobody guesses. Taken once; too old or pushed out by many newer ones, they are gone."""

    def __init__(self, seconds: float, *, now: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._seconds, self._now, self._most = seconds, now, most
        self._held: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, value: T) -> str:
        """Keeps it, and returns the id to ask for it by."""
        made = secrets.token_urlsafe(ID_BYTES)
        self._held[made] = self._now() + self._seconds, value
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return made

    def take(self, made: str) -> T | None:
        """The value, for the first who asks in time. Whoever asks again gets nothing."""
        until, value = self._held.pop(made, (0.0, None))
        return value if self._now() < until else None
