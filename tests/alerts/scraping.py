"""What processes show at /metrics, scraped as Prometheus does, and written down as series that promtool can play.

A scene has a scrape of the ordinary line, then those that were taken while it was provoked, a minute apart, and then it
goes on like that: what was counted goes on being counted at the speed between the last two scrapes, what is an age or a
room goes on growing or shrinking, and what is a number of things stays. The speed is that of real seconds, so the
windows, waits and thresholds of the rules are those that they are in production.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from watched_line import Process

SPACE = "firm"
PATIENCE = 2.0  # Prometheus would wait for ten seconds
BEFORE = 10  # minutes of the ordinary line in front of each scene
AFTER = 90  # minutes that it goes on
MINUTE = 60.0
COUNTED = ("_total", "_count", "_sum", "_bucket")
GROWS = ("_seconds", "_bytes")
Series = tuple[str, frozenset[tuple[str, str]]]


@dataclass
class Scrape:
    """All targets at one moment."""

    at: float
    values: dict[Series, float] = field(default_factory=dict)

    def of(self, name: str, **labels: str) -> float | None:
        """The sum of what has these labels; None if there is nothing."""
        found = [v for (n, mine), v in self.values.items() if n == name and labels.items() <= dict(mine).items()]
        return sum(found) if found else None


async def scraped(targets: Mapping[str, Process], metrics: Collection[str]) -> Scrape:
    """Those metrics of every target, and `up`."""
    found = Scrape(time.monotonic())

    async def one(http: aiohttp.ClientSession, target: Process) -> None:
        mine = {("namespace", SPACE), ("pod", target.pod), ("app_kubernetes_io_name", target.service)}
        try:
            async with http.get(f"{target.address}/metrics") as answer:
                answer.raise_for_status()
                text = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            found.values["up", frozenset(mine)] = 0.0
            return
        found.values["up", frozenset(mine)] = 1.0
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in metrics and isfinite(sample.value):
                    found.values[sample.name, frozenset({*sample.labels.items(), *mine})] = sample.value

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
        await asyncio.gather(*(one(http, target) for target in targets.values()))
    return found


def series(ordinary: Scrape, scene: Sequence[Scrape], *, after: int = AFTER) -> list[dict[str, Any]]:
    """The scene as promtool's input, one value a minute."""
    known = {key for scrape in (ordinary, *scene) for key in scrape.values}
    ordered = sorted(known, key=str)
    return [{"series": _named(key), "values": " ".join(_values(key, ordinary, scene, after))} for key in ordered]


def _values(key: Series, ordinary: Scrape, scene: Sequence[Scrape], after: int) -> list[str]:
    begins = [_text(ordinary.values.get(key))] * BEFORE
    shown = [scrape.values.get(key) for scrape in scene]
    last = shown[-1] if shown else ordinary.values.get(key)
    if last is None:
        return [*begins, *map(_text, shown)]
    speed = _speed(key, scene)
    return [*begins, *map(_text, shown), *(_text(last + speed * MINUTE * n) for n in range(1, after + 1))]


def _speed(key: Series, scene: Sequence[Scrape]) -> float:
    """By how much it changes in a second."""
    name = key[0]
    if len(scene) < 2 or not name.startswith("conveyor_") or not name.endswith((*COUNTED, *GROWS)):
        return 0.0
    before, last = (scrape.values.get(key) for scrape in scene[-2:])
    if before is None or last is None:
        return 0.0
    speed = (last - before) / (scene[-1].at - scene[-2].at)
    return max(speed, 0.0) if name.endswith(COUNTED) else speed


def _text(value: float | None) -> str:
    return "_" if value is None else f"{value:.6f}"


def _named(key: Series) -> str:
    return f"{key[0]}{{{','.join(f'{label}={json.dumps(value)}' for label, value in sorted(key[1]))}}}"
