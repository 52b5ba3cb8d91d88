"""Many commands in one request: JSON lines in, one outcome a line out, in the same order.

    bulk(doors, "/v1/things/bulk", of=register)

A line is the body that the door behind `register` takes; parts of that door's path are fields of the line. Lines are
worked side by side and share commits; each is done or refused for itself. With an Idempotency-Key on the request,
line n has the key `<key>:<n>`: the same lines sent again do nothing twice.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, create_model
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from belt.core.decider import Refused
from belt.io.http.body import read_body, strict_json
from belt.io.http.doors import BODY_BYTES, Call, Door, Doors, take_place
from belt.io.http.headers import MAX_KEY, idempotency_key, json_response, quoted
from belt.io.http.limits import Turnstile
from belt.io.http.problems import Problems

MEDIA = "application/x-ndjson"
TAKEN = (MEDIA, "application/ndjson", "application/jsonl")
BYTES = 8 * 1024 * 1024
LINES = 10_000
AT_ONCE, OF_ONE = 16, 4  # requests: each may hold as much memory as thirty others
SIDE_BY_SIDE = 192
KEY = MAX_KEY - len(f":{LINES}")


class LineOutcome(BaseModel):
    """What became of one line. `line` counts from 1; `body` is the reply, or the problem if `status` is 400 or more."""

    line: int
    status: int
    body: dict[str, Any]
    replayed: bool = False


def bulk(doors: Doors, path: str, of: Callable[..., Awaitable[Any]]) -> None:
    """Adds a door that does many times what the door of this endpoint does once, for the same scopes."""
    door = next((route for route in doors.routes if isinstance(route, Door) and route.endpoint is of), None)
    if door is None or door.call is None or not door.scopes:
        raise ValueError(f"{path}: bulk is for an endpoint that is a command's door here")
    target = door
    places = Turnstile(AT_ONCE, OF_ONE)

    async def many(request: Request) -> Response:
        key = idempotency_key(request)
        if key is not None and len(key) > KEY:
            raise Refused("invalid-idempotency-key", detail=f"for many lines at most {KEY} characters")
        take_place(request, places, request.state.subject.person)
        body = await read_body(request, BYTES, TAKEN)
        if body.count(b"\n") + (not body.endswith(b"\n")) > LINES:  # empty ones, too: to split them is not free
            raise Refused("body-too-large", limit_lines=LINES)
        lines = list(_lines(body))
        if not lines:
            raise Refused("invalid-body", errors=[{"pointer": "", "code": "missing", "detail": "no line"}])
        return StreamingResponse(_outcomes(request, target, lines, key), media_type=MEDIA)

    many.__doc__ = f"Many at once, one a line: what POST {door.path} does. Each line has its own outcome."
    many.__name__ = f"{of.__name__}_bulk"
    doors.command(path, *door.scopes, reply=None, **_described(door))(many)


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, numbered as they stand."""
    return ((number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip())


async def _outcomes(
    request: Request, door: Door, lines: list[tuple[int, bytes]], key: str | None
) -> AsyncIterator[bytes]:
    at_work: deque[asyncio.Task[bytes]] = deque()
    common = _common(request)
    try:
        for number, line in lines:
            at_work.append(asyncio.create_task(_outcome(common, door, number, line, key)))
            if len(at_work) == SIDE_BY_SIDE:
                yield await _next(at_work)
        while at_work:
            yield await _next(at_work)
    finally:
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


async def _next(at_work: deque[asyncio.Task[bytes]]) -> bytes:
    """The next outcome, and those after it that are there already: they were committed together and go together."""
    outcomes = [await at_work.popleft()]
    while at_work and at_work[0].done():
        outcomes.append(at_work.popleft().result())
    return b"".join(outcomes)


async def _outcome(request: Request, door: Door, number: int, line: bytes, key: str | None) -> bytes:
    problems: Problems = request.app.state.problems
    try:
        answer = await _done(request, door, line, None if key is None else f"{key}:{number}")
    except Exception as wrong:  # noqa: BLE001 - a line that fails, however it does, is its own outcome
        answer = problems.told(wrong, request.scope.get("request_id"))
    replayed = b',"replayed":true' if "idempotency-replayed" in answer.headers else b""
    return b'{"line":%d,"status":%d,"body":%b%b}\n' % (number, answer.status_code, bytes(answer.body), replayed)


async def _done(request: Request, door: Door, line: bytes, key: str | None) -> Response:
    if len(line) > BODY_BYTES:
        raise Refused("body-too-large", limit=BODY_BYTES)
    call: Call = door.call  # type: ignore[assignment]  # `bulk` made sure that it is one
    parts: dict[str, Any] = {}
    if door.param_convertors:
        document = strict_json(line)
        if not isinstance(document, dict):
            raise Refused("invalid-body", errors=[{"pointer": "", "code": "object_type", "detail": "not an object"}])
        parts = {name: document.pop(name, None) for name in door.param_convertors}
        wrong = [name for name, part in parts.items() if not isinstance(part, str) or not part.isprintable()]
        if wrong:  # an address holds nothing else either
            told = [{"pointer": f"/{name}", "code": "string_type", "detail": "a text is needed"} for name in wrong]
            raise Refused("invalid-body", errors=told)
        line = _written(document)
    answer = await call.made(_as_if_alone(request, door, parts, key), line)
    return answer if isinstance(answer, Response) else json_response(answer, status=door.status_code or 200)


def _written(document: Any) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character: as it came, so that the door itself says what is wrong
        return json.dumps(document).encode()


def _common(request: Request) -> Request:
    """The request without what belongs to a single line."""
    headers = [pair for pair in request.scope["headers"] if pair[0] not in (b"idempotency-key", b"if-match")]
    return Request({**request.scope, "headers": headers, "given": dict(reversed(headers))})


def _as_if_alone(request: Request, door: Door, parts: dict[str, Any], key: str | None) -> Request:
    """The request that this line would have been by itself."""
    path = door.path
    for name, part in parts.items():
        path = path.replace("{" + name + "}", quote(part, safe=""))
    headers, given = request.scope["headers"], request.scope["given"]
    if key is not None:
        said = quoted(key).encode()
        headers = [*headers, (b"idempotency-key", said)]
        given = {**given, b"idempotency-key": said}
    alone = {"path": path, "raw_path": path.encode(), "path_params": parts, "headers": headers, "given": given}
    return Request({**request.scope, **alone})


def _described(door: Door) -> dict[str, Any]:
    """What OpenAPI says of it: the line's schema is that of the single door's body, with the path's parts."""
    call: Call = door.call  # type: ignore[assignment]
    line: dict[str, Any] = {"$ref": f"#/components/schemas/{call.body.__name__}"} if call.body else {"type": "object"}
    if door.param_convertors and call.body is not None:
        parts: dict[str, Any] = dict.fromkeys(door.param_convertors, (str, ...))
        whole = create_model(f"{call.body.__name__}Line", __base__=call.body, **parts)
        line = whole.model_json_schema(ref_template="#/components/schemas/{model}")
        line.pop("$defs", None)  # they are components, as parts of the single door's body
        line.pop("examples", None)  # of the single door
    said = f"one JSON document a line, at most {LINES} lines and {BYTES // 1024**2} MiB"
    outcome = LineOutcome.model_json_schema()
    return {
        "versioned": False,
        "response_class": Response,
        "line": {"description": said, "content": {MEDIA: {"schema": line}}, "required": True},
        "responses": {200: {"description": "One outcome a line, in order", "content": {MEDIA: {"schema": outcome}}}},
    }
