"""The four services as their composition roots make them, and their apps, put together without a server; the board."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import import_module

import asyncpg
from fastapi import FastAPI

from belt.io.clock import SystemClock
from belt.io.http import audit_doors, driving, feed, parked_doors
from belt.io.http.app import Readiness
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.intake.parking import Parking
from belt.io.running import app_for, engine_for, intake_for, progress_of
from belt.io.service import Service
from belt.io.settings import Settings
from belt.io.store.grants import STORE
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.store.timers import Ticker
from board.main import PORT, TABLES
from board.projection import TOPICS_READ
from board.running import NAME
from board.settings import BoardSettings
from board.web import plain

PACKAGES = ("lead_gen", "conversion", "account_mgmt", "compensation")
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"  # an app is described, not asked: nobody connects


BOARD = Service(
    name=NAME,
    package=NAME,
    port=PORT,
    streams={},
    routes=lambda _desk: Doors(),
    topics=TOPICS_READ,
    tables={name: rights for name, rights in TABLES.items() if name not in STORE},
)
"""What is deployed of the board: a name, a port, topics and tables, like a service. It is none: it has no doors."""


def deployed() -> tuple[Service, ...]:
    """Whatever runs in a cluster and has pods, a user at Kafka and a database of its own."""
    return *services(), BOARD


def settings_of(service: Service) -> type[Settings]:
    """The class of its settings."""
    return BoardSettings if service is BOARD else Settings


@cache
def services() -> tuple[Service, ...]:
    """In the order of the line."""
    return tuple(import_module(f"{package}.main").SERVICE for package in PACKAGES)


def folder(service: Service) -> str:
    """Where the service's code lies in the checkout."""
    return f"services/{service.name}/src/{service.package}"


@cache
def app(name: str) -> FastAPI:
    """The app of a service with every door; tests/guards compares it with the one that is served."""
    if name == BOARD.name:
        return plain(Readiness())
    service = next(one for one in services() if one.name == name)
    return asyncio.run(_app(service))


async def _app(service: Service) -> FastAPI:
    settings = Settings(service=service.name, port=service.port, dsn=NOWHERE, jwks="nowhere")
    clock, engine, pool = SystemClock(), engine_for(settings), asyncpg.create_pool(NOWHERE)
    writer = Writer(NOWHERE, service.streams, Vault(bytes(range(32))), clock, f"/conveyor/{service.name}")
    desk, parking = Desk(writer, engine, clock, settings), Parking(service.name, pool)
    intake = intake_for(service, settings, writer, parking, pool)
    doors = [
        service.routes(desk),
        driving.doors(desk, Ticker(writer, engine, clock), progress_of(pool, None)),
        feed.doors(desk, pool),
        audit_doors.doors(desk),
        parked_doors.doors(desk, parking, intake),
    ]
    return app_for(service, settings, doors, Readiness())
