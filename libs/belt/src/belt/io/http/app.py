"""The HTTP side of a service: one app factory, one way to serve it. What the doors decide is decided elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.responses import Response

from belt.core.decider import Refused
from belt.io.http.auth import Verifier
from belt.io.http.codes import extended
from belt.io.http.description import description
from belt.io.http.doors import BODY_BYTES, Doors, Reception, acquainted, as_door
from belt.io.http.front import Front
from belt.io.http.guard import Guard
from belt.io.http.headers import json_response
from belt.io.http.limits import Buckets, Turnstile
from belt.io.http.pages import api_pages
from belt.io.http.problems import Problems
from belt.io.http.wire import Connection
from belt.io.telemetry import exposition

log = structlog.get_logger()

Check = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Readiness:
    """Whether requests should come here: all checks pass, and the service is not on its way out."""

    def __init__(self, checks: Mapping[str, Check] | None = None, *, deadline: float = 2.0) -> None:
        self._checks, self._deadline = dict(checks or {}), deadline
        self._looking: asyncio.Task[dict[str, bool]] | None = None
        self.draining = False

    def drain(self) -> None:
        """From now on not ready; what is being worked on goes on."""
        self.draining = True

    async def look(self) -> dict[str, bool]:
        """Each check and whether it passed. A check passes if it returns in time without raising.

        Whoever asks while somebody looks gets that answer: the door is open to all, and a look costs a connection.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        found = await asyncio.shield(self._looking)
        return found | ({"serving": False} if self.draining else {})

    async def _look(self) -> dict[str, bool]:
        names = list(self._checks)
        found = await asyncio.gather(*(self._passes(name) for name in names))
        return dict(zip(names, found, strict=True))

    async def _passes(self, name: str) -> bool:
        try:
            async with asyncio.timeout(self._deadline):
                await self._checks[name]()
        except Exception as wrong:  # whatever it is: not ready, and the log says why
            log.warning("ready.failed", check=name, exc_info=wrong)
            return False
        return True


def create_app(
    title: str,
    doors: Iterable[APIRouter],
    verifier: Verifier,
    *,
    version: str = "1",
    about: str = "",
    codes: Mapping[str, tuple[int, str]] | None = None,
    readiness: Readiness | None = None,
    lifespan: Lifespan | None = None,
    request_deadline: float = 10.0,
    in_flight: int = 512,
    rate: float = 0.0,
    burst: float = 0.0,
    body_bytes: int = BODY_BYTES,
    full: Callable[[], bool] = lambda: False,
    pages: bool = True,
) -> FastAPI:
    """An app with these doors, /livez, /readyz and /metrics, and pages that show them. Every error is a problem.

    A plain router's routes become doors too: they need a valid token, and their endpoints ask for scopes themselves.
    """
    problems = Problems(extended(codes or {}))
    app = Front(
        Guard(problems=problems, deadline=request_deadline, in_flight=in_flight),
        title=title,
        version=version,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=problems.handlers(),
    )
    app.state.reception = Reception(
        verifier, Buckets(rate, burst or rate * 2), body_bytes, Turnstile(in_flight, max(1, in_flight * 3 // 4))
    )
    app.state.problems = problems
    app.state.full = full
    app.state.readiness = readiness or Readiness()
    for some in (_health(app.state.readiness), *([api_pages(title, app)] if pages else []), *doors):
        app.router.routes.extend(as_door(route) for route in some.routes)
    acquainted(app.doors())
    _describe(app, problems, about)
    return app


class Alive(BaseModel):
    """It answers, therefore it is."""

    alive: Literal[True]


class Ready(BaseModel):
    """Every check by name; all of them passed."""

    ready: Literal[True]
    checks: dict[str, bool]


METRICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "As Prometheus reads it", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


def _health(readiness: Readiness) -> Doors:
    doors = Doors(tags=["health"])

    @doors.open("/livez", reply=Alive)
    async def livez() -> Response:
        """The process runs."""
        return json_response({"alive": True})

    @doors.open("/readyz", reply=Ready)
    async def readyz() -> Response:
        """The service can do its work: send requests here."""
        checks = await readiness.look()
        if not all(checks.values()):
            raise Refused("not-ready", checks=checks)
        return json_response({"ready": True, "checks": checks})

    @doors.open("/metrics", response_class=Response, responses=METRICS)
    async def metrics() -> Response:
        """Metrics in the text format of Prometheus."""
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return doors


def _describe(app: FastAPI, problems: Problems, about: str) -> None:
    """OpenAPI, made once when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = description(app, problems.codes, about)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def server(app: FastAPI, *, host: str, port: int, shutdown: float = 20.0, backlog: int = 2048) -> uvicorn.Server:
    """A uvicorn server for the app: no access log, no server header, bounded shutdown. `await server.serve()`."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=backlog,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(shutdown),
        )
    )
