"""GET /v1/events: the public log as JSON lines, or as server-sent events.

A reader remembers the `position` of the last event it has worked on and asks for those `after` it; it skips nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

import structlog
from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from belt.core.decider import Refused
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.tail import Limits, Pages, Tail
from belt.io.intake.taking import OUT_OF_REACH
from belt.io.intake.watermark import seal
from belt.io.store.public_log import Filter, Pool, attributes, read
from conveyor_events.words import Instant

log = structlog.get_logger()

LINES = "application/x-ndjson"
STREAM = "text/event-stream"
RESTRICTED = {"conveyor.pay.v1": "pay:read:all"}
"""Topics that need more than `events:read`."""

LAST = 2**63 - 1
DIGITS = len(str(LAST))  # Python reads no numbers of thousands of them
PIECE = 64 * 1024  # of a page, between two looks at whether its reader reads
HEARTBEAT = 15.0
LOOK = 1.0  # how often a stream looks whether it should end
LIFETIME = 300.0  # of one stream; its reader comes back with Last-Event-ID

Place = Annotated[int, Query(ge=0, le=LAST, description="position of the last event seen")]
Most = Annotated[int, Query(ge=1, le=1_000, description="events at most")]
Topic = Annotated[str | None, Query(max_length=255)]
Key = Annotated[str | None, Query(max_length=255, description="with topic and after_sequence: one key's events")]
Sequence = Annotated[
    int | None, Query(ge=0, le=LAST, description="with topic and key: sequence of the last event seen")
]


class WatermarkReply(BaseModel):
    """Every event recorded before `sealed_at` stands at `position` or below."""

    position: int
    sealed_at: Instant


def line(row: Any) -> str:
    """A row of the public log as CloudEvents structured JSON. `position` is its place in this service's log."""
    head: dict[str, Any] = dict(attributes(row))
    head["schemaversion"] = int(head["schemaversion"])
    head["datacontenttype"] = "application/json"
    head["position"] = str(row["position"])
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "data": {row["value"]}}}'


def doors(desk: Desk, pool: Pool) -> Doors:
    found = Doors(tags=["events"])
    tail = Tail(pool, framed, Limits(desk.settings.streams, desk.settings.streams_of_subject))
    pages = Pages()

    @found.query("/v1/events", "events:read", reply=None, response_class=Response, responses=DESCRIBED)
    async def events(
        request: Request,
        after: Place = 0,
        limit: Most = 200,
        topic: Topic = None,
        key: Key = None,
        after_sequence: Sequence = None,
    ) -> Response:
        """Public events in the order of their commits, or one key's events in the order of their sequence."""
        subject = desk.subject(request)
        hidden = [name for name, scope in RESTRICTED.items() if not subject.may(scope)]
        if topic in hidden:
            raise Refused("missing-scope", scope=RESTRICTED[topic])
        if (key is None) != (after_sequence is None) or (key is not None and topic is None):
            raise Refused("invalid-parameter", detail="topic, key and after_sequence go together")
        wanted = Filter(topic, key, after_sequence or 0, hidden)
        if STREAM not in request.headers.get("accept", ""):
            return Page(desk, pool, pages, request, after, limit, wanted)
        return Following(desk, tail, request, wanted, _last_event_id(request, after))

    @found.command("/v1/events/seal", "events:read", reply=WatermarkReply, when_full=True, versioned=False)
    async def sealed() -> WatermarkReply:
        """Up to where the log is complete now: whatever comes later is recorded at `sealed_at` or after it."""
        async with pool.acquire(timeout=desk.settings.database_deadline) as connection:
            mark = await seal(connection, desk.clock.stamp(), desk.settings.database_deadline)
        return WatermarkReply(position=mark.position, sealed_at=mark.sealed_at)

    return found


TEXTS = (
    *("specversion", "id", "type", "source", "subject", "time", "recordedtime", "partitionkey", "sequence"),
    *("commandid", "correlationid", "datacontenttype", "position"),
)
LINE: dict[str, Any] = {
    "type": "object",
    "description": "One event: a CloudEvent with its `position` in this log. No line: nothing new.",
    "required": [*TEXTS, "schemaversion", "data"],
    "properties": {
        **{name: {"type": "string"} for name in TEXTS},
        "schemaversion": {"type": "integer", "minimum": 1},
        "data": {"type": "object", "description": "as docs/events.md has it for this type and version"},
    },
}
DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "CloudEvents in structured JSON, one a line; or a stream of them, each with its position as id",
        "content": {LINES: {"schema": LINE}, STREAM: {"schema": {"type": "string"}}},
    }
}


def _last_event_id(request: Request, after: int) -> int:
    given = request.headers.get("last-event-id")
    if given is None:
        return after
    if not (given.isascii() and given.isdigit() and len(given) <= DIGITS and int(given) <= LAST):
        raise Refused("invalid-parameter", detail="Last-Event-ID is a position")
    return int(given)


class Page(Response):
    """A page of the feed as JSON lines. It is read when its turn comes, and sent in pieces, each when there is room."""

    media_type = LINES

    def __init__(
        self, desk: Desk, pool: Pool, pages: Pages, request: Request, after: int, limit: int, wanted: Filter
    ) -> None:
        super().__init__()
        self._desk, self._pool, self._pages, self._request = desk, pool, pages, request
        self._asked = after, limit, wanted

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        async with self._pages.turn(self._desk.subject(self._request).person):
            rows = await read(self._pool, *self._asked)
            await _tell(self._desk, self._request, ((row["topic"], row["key"]) for row in rows))
            body = "".join(f"{line(row)}\n" for row in rows).encode()
            del rows
            self.headers["content-length"] = str(len(body))
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            for start in range(0, len(body) or 1, PIECE):
                more = start + PIECE < len(body)
                await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": more})


class Following(StreamingResponse):
    """A stream of the feed. It has a seat from its first byte to its last."""

    def __init__(self, desk: Desk, tail: Tail, request: Request, wanted: Filter, after: int) -> None:
        self._tail, self._subject = tail, desk.subject(request).person
        super().__init__(_stream(desk, tail, request, wanted, after), media_type=STREAM)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._tail.seat(self._subject)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._tail.leave(self._subject)


async def _tell(desk: Desk, request: Request, events: Iterable[tuple[str, str]]) -> None:
    """Pay that is about to be sent is a read: of whom the events are."""
    keys = {key for topic, key in events if topic in RESTRICTED}
    if keys:
        await desk.tell(request, "pay", *keys)


def framed(row: Any) -> bytes:
    """An event as a stream sends it."""
    return f"id: {row['position']}\nevent: {attributes(row)['type']}\ndata: {line(row)}\n\n".encode()


async def _stream(desk: Desk, tail: Tail, request: Request, wanted: Filter, after: int) -> AsyncIterator[bytes]:
    """Events as they come, until the reader leaves, the service stops, the database is away, or the stream is old.

    It does not outlive the token that opened it.
    """
    ends = time.monotonic() + min(LIFETIME, request.app.state.reception.rest(request))
    beat = time.monotonic() + HEARTBEAT
    readiness = request.app.state.readiness
    yield b"retry: 1000\n\n"
    while time.monotonic() < ends and not readiness.draining:
        try:
            frames, after = await tail.after(after, wanted)
            await _tell(desk, request, ((frame.topic, frame.key) for frame in frames))
        except (Refused, *OUT_OF_REACH) as away:
            log.info("feed.stream_ends", error=f"{type(away).__name__}: {away}")
            return
        for frame in frames:
            yield frame.sent
        if not frames:
            if time.monotonic() > beat:
                yield b": still here\n\n"
                beat = time.monotonic() + HEARTBEAT
            await tail.news(after, LOOK)
