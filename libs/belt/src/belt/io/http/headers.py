"""What request headers mean, and how answers are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused
from conveyor_events.money import plain
from conveyor_events.words import instant_text

MAX_KEY = 255
_VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ETAG = re.compile(r'"([0-9]{1,18})"')
_OPAQUE = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACKING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")


def bearer(request: Request) -> str:
    """The bearer token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("missing-token")
    return token.strip()


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, quoted (as the draft standard has it) or bare (as most send it)."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    text = given[0].strip()
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if len(given) > 1 or len(text) > MAX_KEY or not _VISIBLE.fullmatch(text):
        raise Refused("invalid-idempotency-key")
    return text


def if_match(request: Request) -> int | None:
    """The version that If-Match asks for. `*` asks for nothing; a tag that is no version of ours never matches."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
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
    given = request.headers.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else None


def tracking_id(request: Request, name: str = "x-correlation-id") -> str | None:
    """An id that the caller uses to find its own work again, if it is a modest one."""
    given = request.headers.get(name, "")
    return given if _TRACKING.fullmatch(given) else None


def json_bytes(body: Any) -> bytes:
    """JSON as the published language writes it: amounts and instants as strings."""
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


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def json_response(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, media: str = "application/json"
) -> Response:
    return Response(json_bytes(body), status_code=status, headers=dict(headers or {}), media_type=media)
