"""What request headers mean, and how answers are written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from belt.core.decider import Refused
from conveyor_events.money import plain
from conveyor_events.words import instant_text

MAX_KEY = 255
WHOLE = "conveyor.whole"
"""In the scope, where the server offers it: (status, lines of headers, body) -> whether it is written."""
_VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ETAG = re.compile(r'"([0-9]{1,18})"')
_OPAQUE = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACKING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")


def header(request: Request, name: bytes) -> str | None:
    """The first header of this name, in lower case. Looked up at every command: they are put in order once."""
    scope = request.scope
    try:
        value = scope["given"].get(name)
    except KeyError:
        value = scope.setdefault("given", dict(reversed(scope["headers"]))).get(name)
    return None if value is None else value.decode("latin-1")


def _several(request: Request, name: bytes) -> bool:
    """Whether a header that was looked up came more than once: nobody knows which one is meant."""
    headers = request.scope["headers"]
    return len(request.scope["given"]) < len(headers) and sum(found == name for found, _ in headers) > 1


def bearer(request: Request) -> str:
    """The bearer token."""
    scheme, _, token = (header(request, b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("missing-token")
    if _several(request, b"authorization"):
        raise Refused("invalid-token")
    return token.strip()


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, quoted (as the draft standard has it) or bare (as most send it)."""
    given = header(request, b"idempotency-key")
    if given is None:
        return None
    text = given.strip()
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if _several(request, b"idempotency-key") or len(text) > MAX_KEY or not _VISIBLE.fullmatch(text):
        raise Refused("invalid-idempotency-key")
    return text


def quoted(text: str) -> str:
    """A key as the draft standard has it: read again, it is this text, whatever it begins with."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def if_match(request: Request) -> int | None:
    """The version that If-Match asks for. `*` asks for nothing; a tag that is no version of ours never matches."""
    given = header(request, b"if-match")
    if given is None:
        return None
    if _several(request, b"if-match"):
        raise Refused("invalid-if-match")
    if given.strip() == "*":
        return None
    tag = given.strip()
    version = _ETAG.fullmatch(tag)
    if version:
        return int(version[1])
    if _OPAQUE.fullmatch(tag):
        return -1
    raise Refused("invalid-if-match")


def etag(version: int) -> str:
    """The strong tag of a stream's version."""
    return f'"{version}"'


def traceparent(request: Request) -> str | None:
    """The W3C trace context, if it is well-formed."""
    given = header(request, b"traceparent")
    return given if given and _TRACEPARENT.fullmatch(given) else None


def tracking_id(request: Request) -> str | None:
    """An id that the caller uses to find its own work again, if it is a modest one."""
    given = header(request, b"x-correlation-id")
    return given if given and _TRACKING.fullmatch(given) else None


def json_bytes(body: Any) -> bytes:
    """JSON as the published language writes it: amounts and instants as strings."""
    if type(body) is dict and PLAIN.issuperset(map(type, body.values())):
        return _quickly(body)  # most replies: the same bytes in a fifth of the time
    return _ENCODER.encode(body).encode()


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case datetime():
            return instant_text(value)
        case Decimal():
            return plain(value)
        case date() | UUID():
            return str(value)
        case Enum():
            return value.value
        case Mapping():
            return dict(value)
        case tuple() | set() | frozenset():
            return sorted(value) if isinstance(value, set | frozenset) else list(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


PLAIN = frozenset({str, int, bool, type(None)})
_quickly = msgspec.json.Encoder().encode
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


class Answer(Response):
    """A whole answer whose headers are ours and need no looking at."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str], media: str) -> None:
        self.body, self.status_code, self.media_type, self.background = body, status, media, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", media.encode())]
        self.raw_headers += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """At once, where whoever sends can (guard.py, wire.py)."""
        whole: Callable[[Answer], bool] | None = getattr(send, "whole", None)
        if whole is None or not whole(self):
            await super().__call__(scope, receive, send)


def json_response(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, media: str = "application/json"
) -> Response:
    return Answer(json_bytes(body), status, headers or {}, media)
