"""The parts of a service in one process: started in order, stopped in the opposite one, each step bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from belt.io.clock import Clock, DrivenClock, SystemClock
from belt.io.http import audit_doors, driving, feed, parked_doors
from belt.io.http.app import Readiness, create_app
from belt.io.http.desk import Desk
from belt.io.http.discovery import keys_of
from belt.io.http.doors import Doors
from belt.io.intake.consumer import Consumer
from belt.io.intake.facts import Facts
from belt.io.intake.missing import PublisherFeed
from belt.io.intake.parking import Parking
from belt.io.intake.reactions import Reactions
from belt.io.intake.taking import Intake
from belt.io.kafka.brokers import Brokers, Unreachable
from belt.io.kafka.doorbell import Doorbell
from belt.io.kafka.inventory import Inventory
from belt.io.kafka.reader import Reader
from belt.io.kafka.relay import relay
from belt.io.parts import going_on, migrated, pool_for, verifier_for
from belt.io.settings import Settings
from belt.io.store.engines import engine_at
from belt.io.store.handle import Writer
from belt.io.store.public_log import Pool, backlog
from belt.io.store.seal import Vault
from belt.io.store.storage import Limits, Storage
from belt.io.store.timers import Ticker
from belt.io.telemetry import PUBLIC_EVENTS
from belt.io.watching import Watched, watch, watch_pools
from conveyor_events.catalog import CATALOG, TOPICS

if TYPE_CHECKING:
    from belt.io.service import Service

CLOCK = text("select at from clock")


@dataclass
class Running:
    """A service at work in this process. `stuck` is set when it should end because nothing moves any more."""

    desk: Desk
    ticker: Ticker
    app: FastAPI | None
    readiness: Readiness
    stuck: asyncio.Event

    def leave(self) -> None:
        """Not ready any more; what is being worked on goes on."""
        self.readiness.drain()


def engine_for(settings: Settings) -> AsyncEngine:
    """For lists, timers and the feed: everything but the hot path."""
    return engine_at(
        settings.dsn,
        pool_size=settings.pool,
        max_overflow=settings.pool,
        pool_pre_ping=True,
        pool_timeout=settings.database_deadline,
        deadline=settings.database_deadline,
    )


async def clock_for(settings: Settings, engine: AsyncEngine) -> Clock:
    """The system's clock, or a driven one that stands where it stood."""
    if settings.clock == "system":
        return SystemClock()
    async with engine.connect() as connection:
        at: datetime | None = (await connection.execute(CLOCK)).scalar()
    return DrivenClock(at or datetime(2000, 1, 1, tzinfo=UTC))


@asynccontextmanager
async def running(service: Service, settings: Settings, role: str = "all") -> AsyncIterator[Running]:
    """The parts of a service, started in order and stopped in the opposite one; each step is bounded."""
    async with AsyncExitStack() as stack:
        engine = engine_for(settings)
        stack.push_async_callback(engine.dispose)
        clock = await clock_for(settings, engine)
        wake = asyncio.Event()
        writer = Writer(
            settings.dsn,
            service.streams,
            Vault(settings.sealing_key),
            clock,
            f"/conveyor/{service.name}",
            limit=settings.batch,
            backlog=settings.backlog,
            deadline=settings.request_deadline,
            database_deadline=settings.database_deadline,
            wake=wake,
        )
        writer.start()
        stack.push_async_callback(writer.stop, settings.shutdown_deadline / 2)
        desk, ticker = Desk(writer, engine, clock, settings), Ticker(writer, engine, clock)
        pool = await stack.enter_async_context(pool_for(settings))
        brokers = Brokers(settings.brokers, settings.kafka_access)
        parking = Parking(service.name, pool)
        intake = intake_for(service, settings, writer, parking, pool)
        consumer: Consumer | None = None
        stuck = asyncio.Event()
        if role == "api":
            bell = Doorbell(settings.dsn, wake)
            bell.start()
            stack.push_async_callback(bell.stop)
        else:
            carrier = relay(settings.relay_dsn or settings.dsn, brokers, name=service.name, wake=wake)
            carrier.start()
            stack.push_async_callback(carrier.stop, settings.shutdown_deadline / 2)
            stack.enter_context(going_on(ticker.run(), "belt-ticker", stuck))
            ours = {topic.name: topic.partitions for topic in TOPICS.values() if topic.publisher == service.name}
            stack.enter_context(going_on(Inventory(pool, brokers, service.name, ours).run(), "belt-inventory", stuck))
            for chore in service.chores:
                stack.enter_context(going_on(chore(desk), f"belt-{chore.__name__}", stuck))
            if intake is not None:
                consumer = Consumer(
                    lambda: Reader(brokers, service.name, service.topics, within=settings.kafka_deadline),
                    intake,
                    lambda _why: stuck.set(),
                )
                consumer.start()
                stack.push_async_callback(consumer.stop, settings.shutdown_deadline / 2)
            if service.watched != Watched():
                stack.enter_context(going_on(watch(desk, service.watched), "belt-watch", stuck))
        pools = watch_pools(pool, engine, settings.watch_every, settings.database_deadline)
        stack.enter_context(going_on(pools, "belt-pools", stuck))
        for kind in CATALOG:
            if TOPICS[kind.topic].publisher == service.name:
                PUBLIC_EVENTS.labels(kind.wire)  # shown from the start, so that the first one is seen to be one more
        readiness = Readiness({"database": migrated(service.package, partial(_asked, engine))})
        app = None
        if role != "worker":
            doors = [
                service.routes(desk),
                driving.doors(desk, ticker, progress_of(pool, consumer)),
                feed.doors(desk, pool),
                audit_doors.doors(desk),
                parked_doors.doors(desk, parking, intake),
            ]
            limits = Limits(settings.database_limit_bytes, settings.disk_free_bytes, settings.disk_path)
            storage = Storage(pool, limits)
            stack.enter_context(going_on(storage.run(), "belt-storage", stuck))
            app = app_for(service, settings, doors, readiness, lambda: storage.closed)
        elif settings.worker_port is not None:
            app = app_for(service, settings, [], readiness)
        yield Running(desk, ticker, app, readiness, stuck)


def intake_for(service: Service, settings: Settings, writer: Writer, parking: Parking, pool: Pool) -> Intake | None:
    """How the service takes events in: as commands to its streams, or as they are."""
    addresses = {topic.name: settings.publishers.get(topic.publisher, "") for topic in TOPICS.values()}
    fetch = PublisherFeed({name: at for name, at in addresses.items() if at}, settings.feed_token)
    if service.react is not None:
        return Reactions(writer, service.react, parking, fetch)
    if service.take is not None:
        return Facts(service.take, parking, pool, fetch)
    return None


def progress_of(pool: Pool, consumer: Consumer | None) -> driving.Progress:
    """How far the relay and this process's consumer are, asked now."""

    async def progress() -> dict[str, Any]:
        carried = await backlog(pool)
        positions: dict[str, int] = {}
        drained = carried.drained
        if consumer is not None:
            try:
                taken = await consumer.taken_in()
            except Unreachable:
                drained = False
            else:
                positions, drained = taken.positions, drained and taken.drained
        return {"published": carried.head, "relayed": carried.position, "taken_in": positions, "drained": drained}

    return progress


def app_for(
    service: Service,
    settings: Settings,
    doors: list[Doors],
    readiness: Readiness,
    full: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """The HTTP side, as the service's doors and codes make it."""
    return create_app(
        f"Conveyor: {service.name}",
        doors,
        verifier_for(settings, keys_of(settings)),
        about=service.about,
        codes=service.codes,
        readiness=readiness,
        request_deadline=settings.request_deadline,
        in_flight=settings.in_flight,
        rate=settings.measure,
        burst=settings.burst,
        pages=settings.api_pages,
        body_bytes=settings.body_bytes,
        full=full,
    )


async def _asked(engine: AsyncEngine, question: str) -> Any:
    async with engine.connect() as connection:
        return (await connection.execute(text(question))).scalar()
