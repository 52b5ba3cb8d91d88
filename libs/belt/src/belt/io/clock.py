"""The clock is one more caller. `system` in production; `driven` for demo, simulation and tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, for those who may ask. `stamp` is what the store records: None means its own clock."""

    driven: bool

    def now(self) -> datetime: ...

    def stamp(self) -> datetime | None: ...


class SystemClock:
    driven = False

    def now(self) -> datetime:
        return datetime.now(UTC)

    def stamp(self) -> datetime | None:
        return None


class DrivenClock:
    """Stands still until it is set. Never goes back."""

    driven = True

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def stamp(self) -> datetime | None:
        return self._at

    def set(self, at: datetime) -> None:
        self._at = max(self._at, at)
