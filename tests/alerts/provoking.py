"""Brings a line into every state that somebody is to be told of, one scene after the other, and scrapes it there.

Nothing is pretended to the services: people work or do not, records in Kafka are lost, doubled and spoilt, tables are
locked and rows damaged by hand, servers are killed, processes frozen. Only compensation's clock is put ahead, where
people would be waited for.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from databases import databases
from people import ordinary, people
from records import records
from stage import Stage
from things_away import kafka, processes


async def away(stage: Stage) -> None:
    """Both at once: they have nothing to do with each other, and each takes its time."""
    await asyncio.gather(kafka(stage), processes(stage))


SCENES: tuple[Callable[[Stage], Awaitable[None]], ...] = (ordinary, people, records, databases, away)


async def provoke(stage: Stage) -> None:
    """Everything, in this order: what is spoilt in one scene is still spoilt in the next."""
    for scene in SCENES:
        begun = time.monotonic()
        await scene(stage)
        stage.took[scene.__name__] = round(time.monotonic() - begun, 1)
        print(f"  {scene.__name__}: {stage.took[scene.__name__]} s", file=sys.stderr, flush=True)
