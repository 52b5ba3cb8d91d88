"""The four services as their composition roots make them, and their apps, put together without any server."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from fastapi import FastAPI

from belt.io import driving
from belt.io.clock import SystemClock
from belt.io.desk import Desk
from belt.io.handle import Writer
from belt.io.http import Readiness
from belt.io.running import app_for, engine_for
from belt.io.seal import Vault
from belt.io.service import Service
from belt.io.settings import Settings
from belt.io.timers import Ticker

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
    """The app of a service as it is served, with every door."""
    service = next(one for one in services() if one.name == name)
    settings = Settings(service=service.name, port=service.port, dsn=NOWHERE, jwks="nowhere")
    clock, engine = SystemClock(), engine_for(settings)
    writer = Writer(settings.dsn, service.streams, Vault(bytes(range(32))), clock, f"/conveyor/{service.name}")
    desk, ticker = Desk(writer, engine, clock, settings), Ticker(writer, engine, clock)
    doors = [service.routes(desk), driving.doors(desk, ticker, _progress)]
    return app_for(service, settings, doors, Readiness())


async def _progress() -> dict[str, Any]:
    raise LookupError("an app that is only described makes no progress")
