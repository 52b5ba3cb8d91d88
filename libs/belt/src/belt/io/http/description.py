"""OpenAPI 3.1 of an app, made from its doors: what each takes and answers, every problem it can meet, where to go next.

Nothing here is written by hand for one door: names come from method and path, texts from docstrings, problems from the
table of codes, links from the names of ids. `docs/openapi` is what comes out.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from belt.io.http.codes import Code, urn
from belt.io.http.doors import Door
from belt.io.http.links import linked
from belt.io.http.problems import MEDIA, SCHEMA

BEARER = "bearer"
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token of the configured OIDC issuer; any one of the scopes that a door names opens it.",
}
TAGS = {
    "health": "Whether the process runs and can work, and what it measures. Open to all.",
    "clock": "What time it is here, what is due next, and how far the service has come.",
    "events": "The public log over HTTP, for those without Kafka.",
    "audit": "Who has read whose pay or personal data.",
    "parked": "Events that could not be taken in: look at them, try them again, or pass them over with a reason.",
}
KEY_HEADER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same body, the command is not done twice: the first answer comes back. "
    "Quoted or bare.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "example": "7f3c0a52-order-17",
}
MATCH_HEADER: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The version (ETag) this command was meant for; 412 if it is another one by now.",
    "schema": {"type": "string", "pattern": '^(\\*|(W/)?"[!#-~]*")$'},
    "example": '"3"',
}
REPLIED: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The request, as the logs name it; a problem has it as `instance`.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "ETag": {
        "description": "The version of what was read or changed: send it as If-Match.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    },
    "Idempotency-Replayed": {
        "description": "`true`: this is the first answer again; nothing was done now.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds after which the same request makes sense again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "What is wrong with the token (RFC 6750).",
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer"},
    },
}
STATUSES: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "The request cannot be read"),
    401: ("Unauthorized", "Who asks is not known"),
    403: ("Forbidden", "The token does not open this door"),
    404: ("NotFound", "There is no such thing, or it is not yours to see"),
    409: ("Conflict", "Not as things stand"),
    412: ("OtherVersion", "If-Match names another version than the current one"),
    413: ("TooLarge", "More than is taken at once"),
    415: ("OtherMediaType", "A body of this kind is not taken here"),
    422: ("Unprocessable", "The request can be read but does not fit"),
    429: ("TooManyRequests", "Too many requests of this subject"),
    500: ("Fault", "A fault of ours"),
    503: ("Unavailable", "Not now"),
}
HEAD = "HEAD is answered wherever GET is: with the same status and headers, without the body."
ALWAYS = (500, 503)
ASKED = (401, 403, 404, 422, 429)
HEADERS_OF = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
FRAMEWORKS = ("HTTPValidationError", "ValidationError")


def description(app: FastAPI, codes: Mapping[str, Code], about: str) -> dict[str, Any]:
    """The whole document."""
    doors = [route for route in app.routes if isinstance(route, Door) and route.include_in_schema]
    document: dict[str, Any] = get_openapi(
        title=app.title,
        version=app.version,
        description=f"{about}\n\n{HEAD}".strip(),
        routes=doors,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/", "description": "where this description comes from"}],
        tags=_tags(doors),
    )
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in FRAMEWORKS:
        schemas.pop(name, None)
    schemas["Problem"] = SCHEMA
    parts["headers"] = REPLIED
    parts["responses"] = {name: _problem(status, codes) for status, (name, _) in STATUSES.items()}
    parts["securitySchemes"] = {BEARER: SCHEME}
    for door in doors:
        for method in sorted(door.methods or ()):
            _tell(document["paths"][door.path_format][method.lower()], door, method)
    return linked(document)


def operation_id(method: str, path: str) -> str:
    """A name that stays as long as the address does: GET /v1/things/{thing} is get_things_by_thing."""
    words = [re.sub(r"\{(\w+)\}", r"by_\1", part) for part in path.strip("/").removeprefix("v1/").split("/")]
    return re.sub(r"\W+", "_", "_".join([method.lower(), *words]))


def _tell(operation: dict[str, Any], door: Door, method: str) -> None:
    text = inspect.getdoc(door.endpoint) or door.name
    operation["operationId"] = operation_id(method, door.path_format)
    operation["summary"] = _first_sentence(text)
    operation["description"] = text
    operation["security"] = [{BEARER: [scope]} for scope in door.scopes] if door.scopes is not None else []
    headers = [KEY_HEADER] * door.keyed + [MATCH_HEADER] * (door.versioned and door.call is not None)
    if headers:
        operation.setdefault("parameters", []).extend(headers)
    if door.call is not None and door.call.body is not None:
        operation["requestBody"]["required"] = any(one.is_required() for one in door.call.body.model_fields.values())
    replies = {status: told for status, told in operation["responses"].items() if status.startswith("2")}
    if door.versioned and "201" in replies:
        replies["200"] = {**replies["201"], "description": "It was so already: nothing new was recorded"}
    for told in replies.values():
        if told["description"] == "Successful Response":
            told["description"] = "Done" if door.call is not None else "As it stands"
        told["headers"] = {name: _header(name) for name in _replied(door)}
    for status in _statuses(door, operation):
        replies[str(status)] = {"$ref": f"#/components/responses/{STATUSES[status][0]}"}
    operation["responses"] = dict(sorted(replies.items()))


def _replied(door: Door) -> Iterator[str]:
    yield "X-Request-Id"
    if door.versioned:
        yield "ETag"
        if door.keyed:
            yield "Idempotency-Replayed"


def _statuses(door: Door, operation: Mapping[str, Any]) -> set[int]:
    """What this door can answer besides success."""
    found = {*ALWAYS, *door.more_statuses}
    if door.scopes is not None:
        found |= {*ASKED}
    if door.call is not None:
        found |= {409}
        if "requestBody" in operation:
            found |= {400, 413, 415}
        if door.versioned:
            found |= {400, 412, 413}
    return found


def _problem(status: int, codes: Mapping[str, Code]) -> dict[str, Any]:
    """One response for all doors of a status: its codes are listed, and more may be added to them."""
    meant = STATUSES[status][1]
    listed = [code for code, row in codes.items() if row.status == status]
    shape = {
        "type": "object",
        "properties": {"status": {"const": status}, "code": {"type": "string", "x-extensible-enum": listed}},
    }
    example = {"type": urn(listed[0]), "title": codes[listed[0]].title, "status": status, "code": listed[0]}
    content = {"schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, shape]}, "example": example}
    headers = {name: _header(name) for name in ("X-Request-Id", *HEADERS_OF.get(status, ()))}
    if status == 403:  # only where the token is what is wrong
        headers["WWW-Authenticate"] = {**REPLIED["WWW-Authenticate"], "required": False}
    return {
        "description": f"{meant}. Codes: " + ", ".join(f"`{code}`" for code in listed),
        "headers": headers,
        "content": {MEDIA: content},
    }


def _header(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/headers/{name}"}


def _first_sentence(text: str) -> str:
    """A short line for lists; no full stop at its end."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=[^.])[.:;](?=\s|$)", paragraph, maxsplit=1)[0]


def _tags(doors: Sequence[Door]) -> list[dict[str, str]]:
    """Each tag with what the module named like it, or else that of its first door, says of itself."""
    found: dict[str, str] = {}
    for door in doors:
        module = door.endpoint.__module__
        told = inspect.getdoc(sys.modules[module]) or ""
        text = " ".join(told.partition("\n\n")[0].split())
        for tag in map(str, door.tags):
            if tag not in found or module.endswith(f".{tag}"):
                found[tag] = TAGS.get(tag, text)
    return [{"name": name, "description": text} for name, text in found.items()]
