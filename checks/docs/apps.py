"""The four services as their composition roots make them, and their apps, put together without any server."""

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
from belt.io.intake.parking import Parking
from belt.io.running import app_for, engine_for, intake_for, progress_of
from belt.io.service import Service
from belt.io.settings import Settings
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.store.timers import Ticker

PACKAGES = ("lead_gen", "conversion", "account_mgmt", "compensation")
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"  # an app is described, not asked: nobody connects


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
