"""The outermost layer of every service's HTTP: one plain ASGI wrapper around the app.

Gives each request an id, a deadline and a place among at most so many in flight; turns what nobody caught into a
problem document that tells nothing; counts and times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from belt.core.decider import Refused
from belt.io.ids import fresh
from belt.io.problems import Problems
from belt.io.telemetry import HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_SECONDS

log = structlog.get_logger()

ALWAYS_OPEN = frozenset({"/livez", "/readyz", "/metrics"})
GONE = 499  # in the metrics only: the caller hung up
SAFE = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class _Answer:
    """Passes the answer on and remembers what was seen of it."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id.encode()
        self.status = 0
        self.endless = False
        self.deadline: asyncio.Timeout | None = None
        self.place: Callable[[], None] | None = None  # gives back the place among those in flight

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", []))
            names = {name.lower() for name, _ in headers}
            headers += [(b"x-request-id", self._request_id), *(pair for pair in SAFE if pair[0] not in names)]
            message = {**message, "headers": headers}
            self.endless = b"content-length" not in names and self.status not in (204, 304)
            if self.endless and self.deadline is not None:
                self.deadline.reschedule(None)  # a stream lasts as long as its reader
                self.leave()  # and takes no place of those that are soon over: its own door counts it
        await self._send(message)

    def leave(self) -> None:
        place, self.place = self.place, None
        if place is not None:
            place()


class Guard:
    def __init__(self, app: ASGIApp, *, problems: Problems, deadline: float, in_flight: int) -> None:
        self._app, self._problems, self._deadline, self._most = app, problems, deadline, in_flight
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = fresh()
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        free = scope["path"] in ALWAYS_OPEN
        if not free and self._in_flight >= self._most:
            await self._problem(Refused("overloaded"), scope, receive, answer)
        elif _illegible(scope):
            await self._problem(Refused("not-found"), scope, receive, answer)
        else:
            await self._inside(scope, receive, answer, free=free)
        route = getattr(scope.get("route"), "path", "unmatched")
        HTTP_REQUESTS.labels(scope["method"], route, str(answer.status)).inc()
        if not answer.endless:
            HTTP_SECONDS.labels(scope["method"], route).observe(time.perf_counter() - started)

    async def _inside(self, scope: Scope, receive: Receive, answer: _Answer, *, free: bool) -> None:
        if not free:
            self._in_flight += 1
            HTTP_IN_FLIGHT.inc()
            answer.place = self._leaves
        try:
            with structlog.contextvars.bound_contextvars(request_id=scope["request_id"]):
                await self._bounded(scope, receive, answer)
        finally:
            answer.leave()

    def _leaves(self) -> None:
        self._in_flight -= 1
        HTTP_IN_FLIGHT.dec()

    async def _bounded(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        deadline = answer.deadline = asyncio.timeout(self._deadline)
        try:
            async with deadline:
                await self._app(scope, receive, answer)
        except ClientDisconnect:
            answer.status = answer.status or GONE  # nobody is there to be answered
        except Exception as wrong:  # the last line of defence: told to the log, not to the caller
            late = isinstance(wrong, TimeoutError) and deadline.expired()
            if late:
                log.warning("http.too_late", route=_route(scope))
            else:
                log.exception("http.fault", route=_route(scope))
            if answer.status:
                raise  # half an answer cannot be mended: the server cuts the connection
            await self._problem(Refused("deadline-exceeded" if late else "internal"), scope, receive, answer)

    async def _problem(self, refused: Refused, scope: Scope, receive: Receive, answer: _Answer) -> None:
        answer.deadline = None
        await self._problems.response(refused, scope["request_id"])(scope, receive, answer)


def _route(scope: Scope) -> str:
    """The route, not the address: ids of people stay out of the logs."""
    path: Any = getattr(scope.get("route"), "path", "unmatched")
    return str(path)


def _illegible(scope: Scope) -> bool:
    """Control characters have no place in an address; no database would take them."""
    query: bytes = scope.get("query_string", b"")
    return not scope["path"].isprintable() or b"%00" in query or "\ufffd" in scope["path"]
