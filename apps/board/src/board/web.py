"""The board's HTTP side: all pages in their frame, and what a process shows of itself."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from belt.io.http.app import Readiness
from belt.io.telemetry import exposition
from board.frame import Frame
from board.pages import clients, conflicts, day, disputes, line, moves, pay, plans, session, whatif
from board.visit import Forged, Guest, Hall, Outdated, SignInNeeded, to_sign_in, visit, wrote

log = structlog.get_logger()

PAGES = (session, line, moves, clients, day, pay, disputes, plans, whatif, conflicts)


def app_of(hall: Hall, readiness: Readiness) -> FastAPI:
    """All pages, and what a process shows of itself."""

    async def error_page(request: Request, status: int) -> Response:
        return Guest(hall, request).page("error.html", status, code=status)

    async def refused(request: Request, wrong: Exception) -> Response:
        status = wrong.status_code if isinstance(wrong, HTTPException) else 422
        return await error_page(request, 404 if status in (404, 405, 422) else status)

    async def forged(request: Request, wrong: Exception) -> Response:
        log.warning("board.forged", why=str(wrong))
        if isinstance(wrong, Outdated) and wrote(wrong.given):
            return (await visit(request)).unsent(wrong.given, "outdated", 403)
        return await error_page(request, 403)

    async def sign_in(request: Request, needed: Exception) -> Response:
        if not isinstance(needed, SignInNeeded):
            raise needed
        try:
            return await to_sign_in(request, needed)
        except Forged as wrong:
            return await forged(request, wrong)

    frame = Middleware(
        Frame,
        error_page=error_page,
        deadline=hall.settings.request_deadline * 2,
        secure=hall.settings.secure,
    )
    handlers = {HTTPException: refused, RequestValidationError: refused, Forged: forged, SignInNeeded: sign_in}
    app = plain(readiness, frame, handlers=handlers)
    app.state.hall = hall
    for page in PAGES:
        app.include_router(page.routes)
    return app


def plain(readiness: Readiness, *frames: Middleware, handlers: Any = None) -> FastAPI:
    """An app that shows whether it lives, whether it is ready, and its metrics."""
    app = FastAPI(
        title="Conveyor: board",
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=handlers,
        middleware=list(frames),
    )

    @app.get("/livez")
    async def livez() -> Response:
        return JSONResponse({"alive": True})

    @app.get("/readyz")
    async def readyz() -> Response:
        checks = await readiness.look()
        return JSONResponse({"ready": all(checks.values()), "checks": checks}, 200 if all(checks.values()) else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app
