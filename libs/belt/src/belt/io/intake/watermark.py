"""Up to where a public log is complete as of an instant: what a keeper of facts must know before it draws a line.

Sealing moves the log's own time forward: whatever is appended afterwards is recorded at the sealed instant or later.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from belt.io.intake.missing import PublisherAway, read_from
from conveyor_events import Envelope, from_json
from conveyor_events.words import utc

# The appenders' lock: nobody is between stamping and committing. Who stands still with it in hand loses it.
LOCK = "select set_config('transaction_timeout', '6s', true), pg_advisory_xact_lock(4711)"
SEAL = """
update log_head set recorded_at = greatest(coalesce($1::timestamptz, clock_timestamp()), recorded_at)
returning position, recorded_at
"""


@dataclass(frozen=True)
class Watermark:
    """Every event recorded before `sealed_at` stands at `position` or below."""

    position: int
    sealed_at: datetime


async def seal(connection: Any, at: datetime | None, within: float = 5.0) -> Watermark:
    """Seals the log of this database (asyncpg connection). `at`: a driven clock's time; None is the database's own."""
    async with asyncio.timeout(within), connection.transaction():
        await connection.execute(LOCK)
        row = await connection.fetchrow(SEAL, at)
    return Watermark(row["position"], row["recorded_at"])


class Publishers:
    """The public logs of other services, by name, read through their doors. Raises PublisherAway."""

    def __init__(self, addresses: Mapping[str, str], token: Callable[[], str], *, deadline: float = 5.0) -> None:
        self._addresses, self._token, self._deadline = addresses, token, deadline

    async def seal(self, service: str) -> Watermark:
        """Where the service's log is complete, now."""
        found = json.loads(await self._asked(service, "/v1/events/seal", "POST"))
        try:
            return Watermark(int(found["position"]), utc(datetime.fromisoformat(found["sealed_at"])))
        except (KeyError, TypeError, ValueError) as wrong:
            raise PublisherAway(f"the watermark of {service} cannot be read: {wrong!r}") from wrong

    async def page(self, service: str, after: int, limit: int = 500) -> list[tuple[int, Envelope]]:
        """The next events above a position, each with its own."""
        raw = await self._asked(service, f"/v1/events?{urlencode({'after': after, 'limit': limit})}", "GET")
        try:
            read = [json.loads(line) for line in raw.splitlines() if line]
            return [(int(one.pop("position")), from_json(one)) for one in read]
        except (KeyError, ValueError) as wrong:
            raise PublisherAway(f"the log of {service} cannot be read: {wrong!r}") from wrong

    async def _asked(self, service: str, path: str, method: str) -> bytes:
        address = self._addresses.get(service)
        if not address:
            raise PublisherAway(f"the address of {service} is not known")
        try:
            async with asyncio.timeout(self._deadline * 2):
                url = f"{address.rstrip('/')}{path}"
                return await asyncio.to_thread(read_from, url, self._token(), self._deadline, method)
        except (OSError, TimeoutError) as away:
            raise PublisherAway(f"{service} gave no answer: {away!r}") from away
