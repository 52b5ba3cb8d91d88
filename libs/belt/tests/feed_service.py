"""A service that is nothing but its feed, its parked events and its audit log, behind a real server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
from fastapi import FastAPI

from belt.io.clock import SystemClock
from belt.io.http import audit_doors, feed, parked_doors
from belt.io.http.app import create_app, server
from belt.io.http.auth import Verifier
from belt.io.http.desk import Desk
from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, DevelopmentIssuer
from belt.io.http.keyset import KeySet
from belt.io.intake.parking import Parking
from belt.io.intake.reactions import Reactions
from belt.io.running import engine_for
from belt.io.settings import Settings
from belt.io.store.handle import Writer

PAY = "conveyor.pay.v1"


class Service:
    """A service with a feed, behind a real server."""

    def __init__(self, dsn: str, folder: Path, address: str, app: FastAPI, issuer: DevelopmentIssuer) -> None:
        self.dsn, self.folder, self.address, self.app, self.issuer = dsn, folder, address, app, issuer

    def token(self, *scopes: str, sub: str = "rosa") -> str:
        return self.issuer.issue(sub, scopes=scopes)

    async def get(self, path: str, *scopes: str, **headers: str) -> httpx.Response:
        return await self.ask("GET", path, *scopes, **headers)

    async def ask(self, method: str, path: str, *scopes: str, body: Any = None, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.address) as client:
            signed = {"authorization": f"Bearer {self.token(*scopes)}"} | headers
            return await client.request(method, path, headers=signed, json=body)


@asynccontextmanager
async def served(dsn: str, folder: Path, intake: Reactions | None = None) -> AsyncIterator[Service]:
    issuer = DevelopmentIssuer(folder)
    async with asyncpg.create_pool(dsn, min_size=0, max_size=4, command_timeout=5) as pool:
        settings = Settings(service="feed", port=0, dsn=dsn, jwks=str(issuer.jwks), streams=6, streams_of_subject=4)
        engine = engine_for(settings)
        desk, parking = Desk(cast("Writer", None), engine, SystemClock(), settings), Parking("station", pool)
        doors = [feed.doors(desk, pool), parked_doors.doors(desk, parking, intake), audit_doors.doors(desk)]
        app = create_app("Feed", doors, Verifier(KeySet(str(issuer.jwks)), DEV_ISSUER, AUDIENCE))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        http = server(app, host="127.0.0.1", port=port, shutdown=2)
        task = asyncio.create_task(http.serve())
        while not http.started:  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.01)
        yield Service(dsn, folder, f"http://127.0.0.1:{port}", app, issuer)
        app.state.readiness.drain()
        http.should_exit = True
        await asyncio.wait_for(task, 10)
        await engine.dispose()


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]
