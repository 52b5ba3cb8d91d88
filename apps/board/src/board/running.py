"""The parts of the board in one process: started in order, stopped in the opposite one, each step bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from belt.io.http.app import Readiness
from belt.io.http.discovery import keys_of
from belt.io.intake.consumer import Consumer
from belt.io.intake.facts import Facts
from belt.io.intake.missing import PublisherFeed
from belt.io.intake.parking import Parking
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.reader import Reader
from belt.io.parts import going_on, migrated, pool_for, verifier_for
from belt.io.settings import CARRIES
from board import projection
from board.apis import Apis
from board.now import Now
from board.pulse import Pulse
from board.sessions import Sessions
from board.settings import BoardSettings
from board.sight import Sight
from board.signin import SignIn
from board.visit import Hall
from board.waiting import Looks
from board.web import app_of, plain
from conveyor_events.catalog import TOPICS

NAME = "board"


@dataclass
class Running:
    """The board at work in this process. `stuck` is set when it should end because nothing moves any more."""

    app: FastAPI | None
    hall: Hall | None
    facts: Facts
    parking: Parking
    readiness: Readiness
    stuck: asyncio.Event

    def leave(self) -> None:
        """Not ready any more, and open pages are let go: their readers come back to whoever serves then."""
        self.readiness.drain()
        if self.hall is not None:
            self.hall.pulse.end()


@asynccontextmanager
async def running(settings: BoardSettings, role: str = "all") -> AsyncIterator[Running]:
    """The parts, started in order and stopped in the opposite one; each step is bounded."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(pool_for(settings))
        stuck = asyncio.Event()
        feeds = {topic: settings.publishers.get(TOPICS[topic].publisher, "") for topic in projection.TOPICS_READ}
        fetch = PublisherFeed({topic: at for topic, at in feeds.items() if at}, settings.feed_token)
        parking = Parking(NAME, pool)
        facts = Facts(projection.take, parking, pool, fetch)
        readiness = Readiness({"database": migrated(NAME, pool.fetchval)})
        if role in CARRIES:
            brokers = Brokers(settings.brokers, settings.kafka_access)
            consumer = Consumer(
                lambda: Reader(brokers, NAME, projection.TOPICS_READ, within=settings.kafka_deadline),
                facts,
                lambda _why: stuck.set(),
            )
            consumer.start()
            stack.push_async_callback(consumer.stop, settings.shutdown_deadline / 2)
        app, hall = None, None
        if role in ("api", "all"):
            hall = await stack.enter_async_context(hall_of(settings, pool))
            stack.enter_context(going_on(hall.pulse.run(), "board-pulse", stuck))
            app = app_of(hall, readiness)
        elif settings.worker_port is not None:
            app = plain(readiness)
        yield Running(app, hall, facts, parking, readiness, stuck)


@asynccontextmanager
async def hall_of(settings: BoardSettings, pool: Any) -> AsyncIterator[Hall]:
    """What pages stand on."""
    keys = keys_of(settings)
    sight = Sight(pool, settings.look_again)
    async with Apis.open(settings.publishers) as apis:
        pulse = Pulse(settings.dsn, settings.database_deadline, sight.note)
        yield Hall(
            settings,
            pool,
            apis,
            sight,
            Sessions(pool, settings.sealing_key),
            SignIn(settings, verifier_for(settings, keys), keys),
            pulse,
            now=Now(apis, settings.feed_token, driven=settings.clock == "driven"),
            looks=Looks(lambda: pulse.beat),
        )
