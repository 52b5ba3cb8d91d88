"""How far behind the line is, measured beside it: when was the oldest thing told that is not everywhere yet."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from evidence import Marks, lag, marks

EVERY = 0.5


@dataclass
class Lag:
    """Marks are taken one after the other; the oldest that is not reached yet says how old the lag is."""

    dsns: Mapping[str, str]
    most: float = 0.0
    most_records: int = 0
    _waiting: deque[tuple[float, Marks]] = field(default_factory=deque)

    async def measure(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> float:
        """Seconds, now."""
        self._waiting.append((time.monotonic(), await marks(self.dsns)))
        behind = sum((await lag(self.dsns, self._waiting[-1][1])).values())
        self.most_records = max(self.most_records, behind)
        while self._waiting and not any((await lag(self.dsns, self._waiting[0][1])).values()):
            self._waiting.popleft()
        now = time.monotonic() - self._waiting[0][0] if self._waiting else 0.0
        self.most = max(self.most, now)
        return now
