"""The HTTP side of a service: one app factory, one way to serve it. What the doors decide is decided elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused
from belt.io.auth import Subject, Verifier
from belt.io.codes import extended
from belt.io.connection import Connection
from belt.io.doors import BEARER, BODY_BYTES, Doors, Reception, as_door
from belt.io.guard import Guard
from belt.io.headers import bearer, etag, idempotency_key, if_match, json_response, tracking_id
from belt.io.limits import Buckets
from belt.io.problems import SCHEMA, Problems
from belt.io.telemetry import exposition

__all__ = [
    "Readiness",
    "bearer",
    "create_app",
    "etag",
    "idempotency_key",
    "if_match",
    "json_response",
    "server",
    "subject_of",
    "tracking_id",
]

log = structlog.get_logger()

Check = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Readiness:
    """Whether requests should come here: all checks pass, and the service is not on its way out."""

    def __init__(self, checks: Mapping[str, Check] | None = None, *, deadline: float = 2.0) -> None:
        self._checks, self._deadline = dict(checks or {}), deadline
        self.draining = False

    def drain(self) -> None:
        """From now on not ready; what is being worked on goes on."""
        self.draining = True

    async def look(self) -> dict[str, bool]:
        """Each check and whether it passed. A check passes if it returns in time without raising."""
        names = list(self._checks)
        found = await asyncio.gather(*(self._passes(name) for name in names))
        return dict(zip(names, found, strict=True)) | ({"serving": False} if self.draining else {})

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
    codes: Mapping[str, tuple[int, str]] | None = None,
    readiness: Readiness | None = None,
    lifespan: Lifespan | None = None,
    request_deadline: float = 10.0,
    in_flight: int = 512,
    rate: float = 0.0,
    burst: float = 0.0,
    body_bytes: int = BODY_BYTES,
    full: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """An app with these doors, /livez, /readyz and /metrics. Every error is a problem document.

    A plain router's routes become doors too: they need a valid token, and their endpoints ask for scopes themselves.
    """
    problems = Problems(extended(codes or {}))
    app = FastAPI(
        title=title,
        version=version,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=problems.handlers(),
        middleware=[Middleware(Guard, problems=problems, deadline=request_deadline, in_flight=in_flight)],
    )
    app.state.reception = Reception(verifier, Buckets(rate, burst or rate * 2), body_bytes)
    app.state.problems = problems
    app.state.full = full
    app.state.readiness = readiness or Readiness()
    for some in (_health(app.state.readiness), *doors):
        app.router.routes.extend(as_door(route) for route in some.routes)
    _describe(app)
    return app


def subject_of(request: Request) -> Subject:
    """The subject that the door let in."""
    subject: Subject = request.state.subject
    return subject


def _health(readiness: Readiness) -> Doors:
    doors = Doors(tags=["health"])

    @doors.open("/livez")
    async def livez() -> Response:
        """The process runs."""
        return json_response({"alive": True})

    @doors.open("/readyz")
    async def readyz() -> Response:
        """The service can do its work: send requests here."""
        checks = await readiness.look()
        if not all(checks.values()):
            raise Refused("not-ready", checks=checks)
        return json_response({"ready": True, "checks": checks})

    @doors.open("/metrics")
    async def metrics() -> Response:
        """Metrics in the text format of Prometheus."""
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return doors


def _describe(app: FastAPI) -> None:
    """OpenAPI with the bearer scheme and the one shape of problems."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            parts = schema.setdefault("components", {})
            parts.setdefault("schemas", {})["Problem"] = SCHEMA
            parts["securitySchemes"] = {BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
            app.openapi_schema = schema
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
