"""How much one subject may ask for, in this process: a token bucket each, and so many at once."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable


class Buckets:
    """`rate` requests a second, `burst` at once. A rate of 0 means: no limit. Forgets who has been quiet longest."""

    def __init__(
        self, rate: float, burst: float, *, most: int = 10_000, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._most, self._tick = rate, max(burst, 1.0), most, tick
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, subject: str) -> float:
        """0 if the request may pass, else the seconds until the next one may."""
        if not self._rate:
            return 0.0
        now = self._tick()
        level, then = self._filled.pop(subject, (self._burst, now))
        level = min(self._burst, level + (now - then) * self._rate)
        passed = level >= 1.0
        self._filled[subject] = (level - 1.0 if passed else level), now
        while len(self._filled) > self._most:
            self._filled.popitem(last=False)
        return 0.0 if passed else (1.0 - level) / self._rate


class Turnstile:
    """At most so many inside at once, and of them so many of one subject: nobody takes every place."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._all = 0
        self._inside: Counter[str] = Counter()

    def enter(self, subject: str) -> bool:
        """Whether there is a place; whoever gets one leaves it again."""
        if self._inside[subject] >= self._each or self._all >= self._most:
            return False
        self._inside[subject] += 1
        self._all += 1
        return True

    def leave(self, subject: str) -> None:
        """Gives the place back."""
        self._inside[subject] -= 1
        self._all -= 1
        if not self._inside[subject]:
            del self._inside[subject]
