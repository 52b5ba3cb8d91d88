"""What time it is on the line: the system's clock, or that of the stations where it is driven (demo, simulation)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from board.apis import Apis
from conveyor_events.words import parse_instant

HOLDS = 0.2  # seconds


class Now:
    """`token` opens the clock of a station: the board's own, as for the feeds."""

    def __init__(self, apis: Apis, token: Callable[[], str], *, driven: bool) -> None:
        self._apis, self._token, self._driven = apis, token, driven
        self._known: tuple[float, datetime] | None = None

    async def __call__(self) -> datetime:
        if not self._driven:
            return datetime.now(UTC)
        if self._known is None or monotonic() - self._known[0] > HOLDS:
            told = await self._apis.by(self._token()).get("lead-gen", "/v1/clock")
            if not told.ok:
                return self._known[1] if self._known else datetime.now(UTC)
            self._known = monotonic(), parse_instant(told.document["at"])
        return self._known[1]
