"""The outermost layer: what every answer says to a browser, how long a page may take, what went wrong, and counts.

Pages run no script and wear no style but ours, from files; nobody may frame them, and no other site's form is taken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from belt.io.ids import fresh
from belt.io.telemetry import HTTP_REQUESTS, HTTP_SECONDS, about

log = structlog.get_logger()

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
GONE = 499

ErrorPage = Callable[[Request, int], Awaitable[Response]]


class Frame:
    """`error_page` makes the page of a status; a stream (no content-length) may last as long as its reader."""

    def __init__(self, app: ASGIApp, *, error_page: ErrorPage, deadline: float, secure: bool) -> None:
        self._app, self._error_page, self._deadline = app, error_page, deadline
        self._headers = [*SAFE, STRICT_TRANSPORT] if secure else [*SAFE]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, request_id, seen = time.perf_counter(), fresh(), {"status": 0, "endless": False}
        timeout = asyncio.timeout(self._deadline)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                headers = list(message.get("headers", []))
                names = {name.lower() for name, _ in headers}
                headers += [pair for pair in self._headers if pair[0] not in names]
                headers.append((b"x-request-id", request_id.encode()))
                message = {**message, "headers": headers}
                if b"content-length" not in names and message["status"] not in (204, 304):
                    seen["endless"] = True
                    timeout.reschedule(None)
            await send(message)

        def told() -> dict[str, Any]:
            return {"request_id": request_id, "route": _route(scope)}

        with about(told):
            await self._inside(scope, receive, answer, seen, timeout)
        HTTP_REQUESTS.labels(scope["method"], _route(scope), str(seen["status"])).inc()
        if not seen["endless"]:
            HTTP_SECONDS.labels(scope["method"], _route(scope)).observe(time.perf_counter() - started)

    async def _inside(
        self, scope: Scope, receive: Receive, answer: Send, seen: dict[str, Any], within: asyncio.Timeout
    ) -> None:
        try:
            async with within:
                await self._app(scope, receive, answer)
        except ClientDisconnect:
            seen["status"] = seen["status"] or GONE
        except Exception as wrong:  # the last line of defence: told to the log, not to the viewer
            late = isinstance(wrong, TimeoutError) and within.expired()
            log.exception("board.late" if late else "board.fault", route=_route(scope))
            if seen["status"]:
                raise  # half a page cannot be mended
            page = await self._error_page(Request(scope, receive), 504 if late else 500)
            await page(scope, receive, answer)


def _route(scope: Scope) -> str:
    """The route, not the address: ids of people stay out of logs and metrics."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
