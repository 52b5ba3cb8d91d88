"""GET /v1/events: the public log as JSON lines, or as server-sent events.

A reader remembers the `position` of the last event it has worked on and asks for those `after` it; it skips nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import structlog
from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from belt.core.decider import Refused
from belt.io.desk import Desk
from belt.io.doors import Doors
from belt.io.public_log import Filter, Pool, attributes, read
from belt.io.watermark import seal
from conveyor_events.words import Instant

log = structlog.get_logger()

LINES = "application/x-ndjson"
STREAM = "text/event-stream"
RESTRICTED = {"conveyor.pay.v1": "pay:read:all"}
"""Topics that need more than `events:read`."""

LAST = 2**63 - 1
POLL = 0.25
HEARTBEAT = 15.0
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
        if STREAM in request.headers.get("accept", ""):
            stream = _stream(request, pool, wanted, _last_event_id(request, after))
            return StreamingResponse(stream, media_type=STREAM)
        rows = await read(pool, after, limit, wanted)
        return Response("".join(f"{line(row)}\n" for row in rows), media_type=LINES)

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
    if not (given.isascii() and given.isdigit() and int(given) <= LAST):
        raise Refused("invalid-parameter", detail="Last-Event-ID is a position")
    return int(given)


async def _stream(request: Request, pool: Pool, wanted: Filter, after: int) -> AsyncIterator[str]:
    """Events as they come, until the reader leaves, the service stops or the stream is old."""
    ends = time.monotonic() + LIFETIME
    beat = time.monotonic() + HEARTBEAT
    readiness = request.app.state.readiness
    yield "retry: 1000\n\n"
    while time.monotonic() < ends and not readiness.draining and not await request.is_disconnected():
        rows = await read(pool, after, 200, wanted)
        for row in rows:
            after = row["position"]
            yield f"id: {after}\nevent: {attributes(dict(row))['type']}\ndata: {line(row)}\n\n"
        if not rows:
            if time.monotonic() > beat:
                yield ": still here\n\n"
                beat = time.monotonic() + HEARTBEAT
            await asyncio.sleep(POLL)
