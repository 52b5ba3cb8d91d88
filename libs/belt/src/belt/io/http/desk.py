"""What a route may use: who is asking, when it happened, the way of a command, and the rows of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.core.subject import Subject
from belt.io.clock import Clock
from belt.io.http.headers import etag, idempotency_key, if_match, json_response, traceparent, tracking_id
from belt.io.settings import Settings
from belt.io.store.audit import Audit, Kind, Read
from belt.io.store.decision import Missing, reading
from belt.io.store.handle import Writer
from belt.io.store.unit import Entry, Guard, Meta, Outcome, Reads
from conveyor_events.words import utc

TOLERANCE = timedelta(seconds=5)
ALSO_BY: dict[Kind, tuple[str, ...]] = {"personal": ("pii:read",), "pay": ("pay:read:all",)}
"""Rights that show more than the door itself asks for."""
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Desk:
    """Handed to a service's routes by the composition root."""

    def __init__(self, writer: Writer, engine: AsyncEngine, clock: Clock, settings: Settings) -> None:
        self.writer, self.engine, self.clock, self.settings = writer, engine, clock, settings
        self.audit = Audit(engine, settings.database_deadline)

    def subject(self, request: Request) -> Subject:
        """Who is asking: the subject that the door let in."""
        subject: Subject = request.scope["state"]["subject"]  # as request.state.subject, which takes ten times as long
        return subject

    def when(self, subject: Subject, occurred_at: datetime | None) -> datetime:
        """The business time of a command: now, unless the caller says otherwise and may."""
        now = self.clock.now()
        if occurred_at is None:
            return now
        at = utc(occurred_at)
        if at > now + TOLERANCE:
            raise Refused("future-date", occurred_at=at.isoformat(), now=now.isoformat())
        if at < now - TOLERANCE and not subject.may("backdate"):
            raise Refused("missing-scope", scope="backdate")
        if at < LONG_AGO:
            raise Refused(
                "invalid-body", errors=[{"pointer": "/occurred_at", "code": "too_old", "detail": "before 1990"}]
            )
        return at

    def who(self, subject: Subject, by: str | None) -> str:
        """The person who acts: the token's, unless it may act for others."""
        if by is None or by == subject.person:
            return subject.person
        if not subject.may("act_for"):
            raise Refused("missing-scope", scope="act_for")
        return by

    async def do(
        self,
        request: Request,
        *steps: Step,
        reply: Callable[[Outcome], Mapping[str, Any]],
        body: BaseModel | None = None,
        created: bool = False,
        guard: Guard | None = None,
    ) -> Response:
        """Sends the steps as one unit. A 2xx answer means that its events are durable.

        If-Match speaks of the first step's stream; the same Idempotency-Key gets the same answer again. `guard` says
        who may see what the steps are about (sight.py).
        """
        first = steps[0].stream_id
        subject = self.subject(request)
        key = idempotency_key(request)
        path: str = request.scope["path"]
        request.scope["stream"] = first
        outcome = await self.writer.handle(
            *steps,
            key=None if key is None else f"{_one_word(subject.person)} {request.method} {_one_word(path)} {key}",
            fingerprint=None if key is None else self.writer.vault.fingerprint(path, said(body)),
            if_match=if_match(request),
            meta=Meta(
                command_id=key,
                correlation_id=tracking_id(request),
                actor=subject.person,
                traceparent=traceparent(request),
            ),
            guard=guard,
            reply=lambda o: {
                "status": 201 if created and o.events else 200,
                "version": o.version(first),
                "body": dict(reply(o)) | {"version": o.version(first)},
            },
        )
        answer = outcome.reply
        if answer is None:
            raise RuntimeError("a command without a reply")
        headers = {"etag": etag(answer["version"])}
        if outcome.replayed:
            headers["idempotency-replayed"] = "true"
        return json_response(answer["body"], status=answer["status"], headers=headers)

    async def state(self, category: str, key: str) -> Entry:
        """A stream as it stands: version 0 if there is none."""
        return await self.writer.read(category, key)

    async def read(self, look: Callable[[Reads], T]) -> T:
        """What a pure look at the streams gives; those it asks for are loaded, as often as it asks for more."""
        entries: dict[str, Entry] = {}
        while True:
            try:
                return look(reading(entries))
            except Missing as need:
                entries |= await self.writer.read_many(sorted(need.streams))

    async def tell(self, request: Request, kind: Kind, *whose: str) -> None:
        """Called before pay or personal data is answered: the read is written down first, or refused (503)."""
        subject, route = self.subject(request), request.scope["route"]
        opened = {*(route.scopes or ()), *ALSO_BY.get(kind, ())}
        trace = traceparent(request)
        read = Read(
            person=subject.person,
            scopes=sorted(subject.scopes & opened),
            kind=kind,
            whose=sorted({*whose}),
            route=route.path,
            path=request.url.path,
            request_id=request.scope["request_id"],
            trace_id=trace.split("-")[1] if trace is not None else None,
        )
        await self.audit.record(read)

    async def rows(self, statement: Select[Any]) -> Sequence[RowMapping]:
        """The rows of a list, from the read models."""
        async with self.engine.connect() as connection:
            found: Sequence[RowMapping] = (await connection.execute(statement)).mappings().all()
        return found


def said(body: BaseModel | None) -> str:
    """What a body says beyond its defaults: the same for the next release, which knows a field more."""
    return body.model_dump_json(exclude_unset=True, exclude_defaults=True) if body is not None else ""


def _one_word(person: str) -> str:
    """A blank in a name must not make somebody's key look like another's, nor a tilde like one of ours."""
    return person.replace("%", "%25").replace(" ", "%20").replace("~", "%7E")
