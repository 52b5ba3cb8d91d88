"""A line that is to be provoked, and what was seen on it, scene by scene."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from journey_firm import Firm
from scraping import Scrape, scraped
from watched_line import Watched, until

APART = 6.5  # seconds between two scrapes of a scene: longer than whatever is measured takes to be measured again


@dataclass
class Stage:
    """The line, and what was seen on it."""

    watched: Watched
    metrics: Collection[str]
    firm: Firm | None = None
    ordinary: Scrape = field(default_factory=lambda: Scrape(0.0))
    scenes: dict[str, list[Scrape]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)

    async def look(self) -> Scrape:
        return await scraped(self.watched.targets, self.metrics)

    async def shows(self, name: str, holds: Callable[[float], bool], **labels: str) -> None:
        """Waits until the sum of what has these labels is such."""

        async def there() -> bool:
            found = (await self.look()).of(name, **labels)
            return found is not None and holds(found)

        await until(there, f"{name} {labels}")

    async def seen(self, scene: str, scrapes: int = 2) -> None:
        """Scrapes it as it is, twice, some seconds apart."""
        found = self.scenes.setdefault(scene, [])
        for number in range(scrapes):
            if number:
                await asyncio.sleep(APART)
            found.append(await self.look())
