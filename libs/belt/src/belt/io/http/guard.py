"""The outermost layer of every service's HTTP: what all requests have in common, done once.

Gives each request an id, a deadline and a place among at most so many in flight; turns what nobody caught into a
problem document that tells nothing; counts and times. What a request holds stands in `scope["leaving"]` and is given
back when it is over, however it ended.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from belt.core.decider import Refused
from belt.io import tracing
from belt.io.deadlines import Deadlines, Wait
from belt.io.http.headers import WHOLE, Answer
from belt.io.http.problems import Problems
from belt.io.ids import fresh
from belt.io.telemetry import ABOUT, HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_SECONDS

log = structlog.get_logger()

ALWAYS_OPEN = frozenset({"/livez", "/readyz", "/metrics"})
PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
MOST_METERS = 4_096
GONE = 499  # in the metrics only: the caller hung up
SAFE = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""On every answer that does not say otherwise. Strict-Transport-Security is for whoever ends TLS in front of us."""
SAFE_NAMES, SAFE_HEAD = frozenset(name for name, _ in SAFE), b"".join(b"%b: %b\r\n" % pair for pair in SAFE)


class _Late(Exception):
    """The request's deadline came before its answer."""


class _Answer:
    """Passes the answer on and remembers what was seen of it. `bodiless`: it ends with its headers (HEAD)."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._send, self._request_id, self._bodiless = send, request_id.encode(), scope["method"] == "HEAD"
        # Taken out: a scope that held it would hold itself, and wait for the garbage collector.
        self._wire: Callable[[int, bytes, bytes], bool] | None = scope.pop(WHOLE, None)
        self.status = 0
        self._over = False
        self.endless = False
        self.deadline: Wait[asyncio.Task[Any]] | None = None
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
                self.deadline.end()  # a stream lasts as long as its reader
                self.leave()  # and takes no place of those that are soon over: its own door counts it
        elif self._bodiless:
            await self._end()
            return
        await self._send(message)

    def whole(self, answer: Answer) -> bool:
        """Writes an answer that is good and whole at once; False where that cannot be done here."""
        if self._wire is None or answer.status_code >= 300:
            return False
        head, lines = b"", len(answer.raw_headers)
        for pair in answer.raw_headers:
            if pair[0] in SAFE_NAMES:
                return False
            head += b"%b: %b\r\n" % pair
        if head.count(b"\n") != lines or head.count(b"\r") != lines:
            return False  # something in it ends a line: uvicorn says what is wrong with it
        head += b"x-request-id: %b\r\n%b" % (self._request_id, SAFE_HEAD)
        if not self._wire(answer.status_code, head, bytes(answer.body)):
            return False
        self.status = answer.status_code
        return True

    async def _end(self) -> None:
        """Instead of each piece of the body: nothing, once. Whoever streams learns that nobody listens any more."""
        if not self._over:
            self._over = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        if self.endless:
            raise ClientDisconnect

    def leave(self) -> None:
        place, self.place = self.place, None
        if place is not None:
            place()


class Guard:
    """One for a service's HTTP. `watch` takes a request to whoever is to answer it."""

    def __init__(self, *, problems: Problems, deadline: float, in_flight: int) -> None:
        self._problems, self._most = problems, in_flight
        self._deadlines: Deadlines[asyncio.Task[Any]] = Deadlines(deadline, lambda task: task.cancel())
        self._in_flight = 0
        HTTP_IN_FLIGHT.set_function(lambda: self._in_flight)
        self._seen: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def watch(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope["request_id"] = fresh()
        answer = _Answer(scope, send, request_id)
        started = time.perf_counter()
        free = scope["path"] in ALWAYS_OPEN
        if not free and self._in_flight >= self._most:
            await self._problem(Refused("overloaded"), scope, receive, answer)
        elif _illegible(scope):
            await self._problem(Refused("not-found"), scope, receive, answer)
        elif free:
            await self._inside(app, scope, receive, answer, free=True)
        else:
            with tracing.request(scope["headers"]) as span:
                await self._inside(app, scope, receive, answer, free=False)
                if span is not None:
                    tracing.answered(span, scope["method"], _route(scope), answer.status, request_id)
        count, times = self._meters(scope["method"], _route(scope), answer.status)
        count.inc()
        if not answer.endless:
            times.observe(time.perf_counter() - started)

    def _meters(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """To find a metric by its labels costs more than to count."""
        found = self._seen.get((method, route, status))
        if found is None:
            found = HTTP_REQUESTS.labels(method, route, str(status)), HTTP_SECONDS.labels(method, route)
            if len(self._seen) < MOST_METERS:  # a method is whatever a caller writes
                self._seen[method, route, status] = found
        return found

    async def _inside(self, app: ASGIApp, scope: Scope, receive: Receive, answer: _Answer, *, free: bool) -> None:
        leaving = scope["leaving"] = []
        if not free:
            self._in_flight += 1
            answer.place = self._leaves
        token = ABOUT.set(partial(_about, scope))
        try:
            await self._bounded(app, scope, receive, answer)
        finally:
            ABOUT.reset(token)
            for leave in leaving:
                leave()
            answer.leave()

    def _leaves(self) -> None:
        self._in_flight -= 1

    async def _bounded(self, app: ASGIApp, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._in_time(app, scope, receive, answer)
        except ClientDisconnect:
            answer.status = answer.status or GONE  # nobody is there to be answered
        except Exception as wrong:  # the last line of defence: told to the log, not to the caller
            late = isinstance(wrong, _Late)
            if late:
                log.warning("http.too_late", route=_route(scope))
            else:
                log.exception("http.fault", route=_route(scope))
            if answer.status:
                raise  # half an answer cannot be mended: the server cuts the connection
            await self._problem(Refused("deadline-exceeded" if late else "internal"), scope, receive, answer)

    async def _in_time(self, app: ASGIApp, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """Cancels the work when its time is up, and says so: raises _Late."""
        task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]  # a request is always one
        others = task.cancelling()
        wait = answer.deadline = self._deadlines.begin(task)
        try:
            await app(scope, receive, answer)
        except asyncio.CancelledError:
            if wait.late and task.uncancel() <= others:
                raise _Late from None
            raise
        finally:
            wait.end()

    async def _problem(self, refused: Refused, scope: Scope, receive: Receive, answer: _Answer) -> None:
        answer.deadline = None
        await self._problems.response(refused, scope["request_id"])(scope, receive, answer)


def _route(scope: Scope) -> str:
    """The route, not the address: ids of people stay out of the logs."""
    path: Any = getattr(scope.get("route"), "path", "unmatched")
    return str(path)


def _about(scope: Scope) -> dict[str, Any]:
    """What the log says of a request: its id, its route, the ids in its address, and the stream that it changes.

    What does not look like an id is left out: an address is written by its caller.
    """
    told = {"request_id": scope["request_id"], "route": _route(scope), "stream": scope.get("stream")}
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
    told["trace_id"] = tracing.trace_id(given)
    for name, value in scope.get("path_params", {}).items():
        if PLAIN_ID.fullmatch(str(value)):
            told[f"{name.removesuffix('_id')}_id"] = str(value)
    return told


def _illegible(scope: Scope) -> bool:
    """Control characters have no place in an address; no database would take them.

    Nor has a slash in disguise: what stands before us may have read the address otherwise.
    """
    query: bytes = scope.get("query_string", b"")
    raw: bytes = scope.get("raw_path") or b""
    return (
        not scope["path"].isprintable()
        or "\ufffd" in scope["path"]
        or b"%00" in query
        or b"%2f" in raw.lower()
        or b"%5c" in raw.lower()
    )
