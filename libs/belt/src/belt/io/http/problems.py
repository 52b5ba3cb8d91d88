"""Errors as RFC 9457 problem documents: a stable code for each, and nothing of our inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import structlog
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused
from belt.io.http.body import told
from belt.io.http.codes import RETRY_AFTER, Code, urn
from belt.io.http.headers import json_response
from belt.io.http.keyset import KeysUnavailable
from belt.io.store.calls import Full, Unavailable
from belt.io.store.handle import Busy
from belt.io.store.unit import Conflict, Taken
from belt.io.telemetry import PROBLEMS

log = structlog.get_logger()

MEDIA = "application/problem+json"
_BY_STATUS = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 429: "overloaded"}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "urn:conveyor:error:<code>"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable; listed in docs/errors.md"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "the request, as the logs name it"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "where in the body (RFC 6901)"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "facts": {"type": "object", "description": "what the refusal was decided by"},
    },
}


def from_conflict(wrong: Conflict) -> Refused:
    return Refused("version-conflict", wanted=wrong.wanted, version=wrong.has)


def from_taken(wrong: Taken) -> Refused:
    return Refused("taken", kind=wrong.kind)


def from_http(wrong: HTTPException) -> Refused:
    code = _BY_STATUS.get(wrong.status_code, "internal" if wrong.status_code >= 500 else "bad-request")
    return Refused(code, headers=dict(wrong.headers or {}))


def from_validation(wrong: RequestValidationError) -> Refused:
    errors = wrong.errors()
    in_body = bool(errors) and errors[0]["loc"][:1] == ("body",)
    return Refused("invalid-body" if in_body else "invalid-parameter", errors=told(errors, skip=1))


_OUT_OF_REACH = ("08", "53", "57", "25006")  # SQLSTATE: connection, resources, operator intervention; read-only


def from_database(wrong: DBAPIError) -> Refused:
    """A lost or overtaxed database is nobody's fault; any other error of a query is ours."""
    state = str(getattr(wrong.orig, "sqlstate", None) or "")
    if wrong.connection_invalidated or state.startswith(_OUT_OF_REACH):
        return Refused("unavailable")
    raise wrong


def from_postgres(wrong: asyncpg.PostgresError) -> Refused:
    """The same, where no engine stands between."""
    if str(wrong.sqlstate or "").startswith(_OUT_OF_REACH):
        return Refused("unavailable")
    raise wrong


AS_REFUSED: dict[type[Exception], Callable[[Any], Refused]] = {
    Refused: lambda refused: refused,
    Conflict: from_conflict,
    Taken: from_taken,
    Busy: lambda _: Refused("overloaded"),
    Unavailable: lambda _: Refused("unavailable"),
    Full: lambda _: Refused("storage-low"),
    KeysUnavailable: lambda _: Refused("unavailable"),
    PoolExhausted: lambda _: Refused("overloaded"),
    DBAPIError: from_database,
    asyncpg.PostgresError: from_postgres,
    asyncpg.InterfaceError: lambda _: Refused("unavailable"),
    asyncpg.InternalClientError: lambda _: Refused("unavailable"),
    ConnectionError: lambda _: Refused("unavailable"),
    TimeoutError: lambda _: Refused("unavailable"),
    HTTPException: from_http,
    RequestValidationError: from_validation,
}


class Problems:
    """Writes problem documents by one service's table of codes."""

    def __init__(self, codes: Mapping[str, Code]) -> None:
        self.codes = codes

    def handlers(self) -> dict[int | type[Exception], Callable[[Request, Any], Any]]:
        """Exception handlers for the app: one for each type above."""

        def handler(refused_by: Callable[[Any], Refused]) -> Callable[[Request, Any], Any]:
            async def handle(request: Request, wrong: Any) -> Response:
                return self.response(refused_by(wrong), request.scope.get("request_id"))

            return handle

        return {kind: handler(refused_by) for kind, refused_by in AS_REFUSED.items()}

    def known(self, wrong: Exception, request_id: str | None = None) -> Response | None:
        """The exception as a problem, if it is one of those above. A database's error that is our fault is raised."""
        for kind in type(wrong).__mro__:
            if kind in AS_REFUSED:
                return self.response(AS_REFUSED[kind](wrong), request_id)
        return None

    def told(self, wrong: Exception, request_id: str | None = None) -> Response:
        """Any exception as a problem; one that nobody expected is a fault of ours, and the log tells it."""
        try:
            problem = self.known(wrong, request_id)
        except (DBAPIError, asyncpg.PostgresError) as ours:
            problem, wrong = None, ours
        if problem is not None:
            return problem
        log.error("problem.fault", exc_info=wrong)
        return self.response(Refused("internal"), request_id)

    def response(self, refused: Refused, request_id: str | None = None) -> Response:
        code = refused.code
        row = self.codes.get(code)
        if row is None:
            # A refusal that nobody listed is still a refusal; the log says that the table lacks a row.
            log.error("problem.unlisted", code=code)
            row = Code(409, "Refused")
        facts = dict(refused.facts)
        headers: dict[str, str] = facts.pop("headers", {})
        retry_after = facts.pop("retry_after", RETRY_AFTER.get(code))
        document: dict[str, Any] = {"type": urn(code), "title": row.title, "status": row.status, "code": code}
        document |= {name: facts.pop(name) for name in ("detail", "errors") if name in facts}
        if request_id is not None:
            document["instance"] = f"urn:conveyor:request:{request_id}"
        if facts:
            document["facts"] = facts
        if retry_after is not None:
            headers["retry-after"] = str(max(1, round(retry_after)))
        if row.status == 401:
            headers["www-authenticate"] = "Bearer" if code == "missing-token" else 'Bearer error="invalid_token"'
        if code == "missing-scope":
            headers["www-authenticate"] = 'Bearer error="insufficient_scope"'
        PROBLEMS.labels(code).inc()
        return json_response(document, status=row.status, headers=headers, media=MEDIA)
