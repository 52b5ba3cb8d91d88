"""Bodies as they must be: strict JSON of bounded size and depth, and models that refuse what they do not know."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import ClientDisconnect, Request

from belt.core.decider import Refused
from belt.io.http.headers import header
from conveyor_events.words import Instant

MAX_DEPTH = 32
_NESTED = frozenset({dict, list})
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

GivenId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,99}$")]
"""An id that callers may choose: it becomes part of addresses, stream names and Kafka keys."""

NewId = Annotated[GivenId | None, Field(description="an id given by the caller; left out, the service makes one")]
"""The id of what a command makes."""


class Strict(BaseModel):
    """A part of a body: unknown fields, coercions, NaN and endless texts are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True, str_max_length=20_000
    )


def example(**given: Any) -> ConfigDict:
    """The configuration of a body with this example of it, as a caller sends it."""
    return ConfigDict(json_schema_extra={"examples": [given]})


class BaseBody(Strict):
    """The body of a command."""

    occurred_at: Annotated[
        Instant | None, Field(description="business time; default: now. A past one needs the scope `backdate`")
    ] = None
    by: Annotated[GivenId | None, Field(description="the person who acts; needs the scope `act_for`")] = None


B = TypeVar("B", bound=BaseModel)


async def read_body(request: Request, most: int, media: tuple[str, ...] = ("application/json",)) -> bytes:
    """The body, counted while it streams in."""
    declared = header(request, b"content-length") or "0"
    if declared.isdigit() and int(declared) > most:
        raise Refused("body-too-large", limit=most)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > most:
            raise Refused("body-too-large", limit=most)
        parts.append(part)
    if size:
        said = header(request, b"content-type") or ""
        if said not in media and said.partition(";")[0].strip().lower() not in media:
            raise Refused("unsupported-media-type", takes=media[0])
    return parts[0] if len(parts) == 1 else b"".join(parts)


def validated(model: type[B], raw: bytes) -> B:
    """The body as its model. Nothing at all counts as {}."""
    raw = raw or b"{}"
    if not _plainly_strict(raw):
        strict_json(raw)
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as wrong:
        raise Refused("invalid-body", errors=told(wrong.errors(include_url=False, include_input=False))) from None


def _plainly_strict(raw: bytes) -> bool:
    """Whether `strict_json` would have nothing against it, as far as a quick look can tell.

    Each name has a colon behind it: where there are no more colons than names were kept, none was there twice.
    """
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH or b"\\" in raw:
        return False
    try:
        return raw.count(b":") == _names(msgspec.json.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _names(value: Any) -> int:
    if type(value) is dict:
        found = len(value)
        for one in value.values():
            if type(one) in _NESTED:
                found += _names(one)
        return found
    return sum(map(_names, value)) if type(value) is list else 0


def strict_json(raw: bytes) -> Any:
    """JSON without its loopholes: duplicate names, NaN, huge numbers, NUL in texts, bottomless nesting."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise Refused("invalid-json", detail=f"nested deeper than {MAX_DEPTH}") from None
    except ValueError as wrong:
        raise Refused("invalid-json", detail=_without_input(wrong)) from None
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise Refused("invalid-json", detail=f"nested deeper than {MAX_DEPTH}")
    if b"\\u0000" in raw and _NUL.search(raw):
        raise Refused("invalid-json", detail="a text may not contain NUL")
    return value


def told(errors: Any, skip: int = 0) -> list[dict[str, str]]:
    """Validation errors for the caller: where (RFC 6901), what, and never the value itself."""
    return [
        {"pointer": pointer(error["loc"][skip:]), "code": error["type"], "detail": str(error["msg"])[:200]}
        for error in list(errors)[:50]
    ]


def pointer(location: Any) -> str:
    """A JSON pointer to this place."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


class _Loophole(ValueError):
    """JSON that Python reads but the standard, or common sense, does not allow."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Loophole("a name occurs twice in an object")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise _Loophole("NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Loophole("a number is too large")
    return number


def _without_input(wrong: ValueError) -> str:
    if isinstance(wrong, _Loophole):
        return str(wrong)
    if isinstance(wrong, json.JSONDecodeError):
        return f"{wrong.msg} at line {wrong.lineno} column {wrong.colno}"
    return "not UTF-8" if isinstance(wrong, UnicodeDecodeError) else "a number is too large"


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
        level = [one for one in below if isinstance(one, dict | list)]
    return deepest
