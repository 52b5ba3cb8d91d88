"""A small app with every kind of door, and a key for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Query
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from belt.core.decider import Refused
from belt.io.http.app import create_app
from belt.io.http.auth import Verifier
from belt.io.http.body import BaseBody, GivenId, Strict
from belt.io.http.bulk import bulk
from belt.io.http.doors import Doors
from belt.io.http.headers import etag, idempotency_key, if_match, json_response
from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, DevelopmentIssuer
from belt.io.http.keyset import KeySet
from belt.io.http.paging import Cursor, Limit, decode_cursor
from belt.io.store.calls import Unavailable
from belt.io.store.handle import Busy
from belt.io.store.unit import Conflict, Taken
from conveyor_events.money import Amount


class Line(Strict):
    sku: str
    qty: int


class TurnBody(BaseBody):
    turn_id: GivenId | None = None
    amount: Amount | None = None
    lines: tuple[Line, ...] = ()


class Turned(BaseModel):
    thing: str
    version: int


class Away(Exception):
    sqlstate = "08006"


WRONG: dict[str, Exception] = {
    "refused": Refused("thing.wrong-stage", stage="offered"),
    "unlisted": Refused("thing.never-listed"),
    "conflict": Conflict(3, 5),
    "taken": Taken("tax_no", "DE123", "prospect-7"),
    "busy": Busy(),
    "unavailable": Unavailable("10.0.0.7:5432 refused"),
    "lost": ConnectionResetError("10.0.0.7"),
    "late": TimeoutError("query"),
    "pool": PoolExhausted("QueuePool limit"),
    "database": DBAPIError("select secret", {}, Away()),
    "bug": ProgrammingError("select secret", {}, Exception("no such table: secret")),
    "fault": RuntimeError("the password is hunter2"),
}


def doors() -> Doors:
    some = Doors()

    @some.command("/v1/things/{thing}/turn", "deals:write", "manager", reply=Turned, status=201)
    async def turn(request: Request, thing: str, body: TurnBody) -> Response:
        """Turns a thing."""
        if thing in WRONG:
            raise WRONG[thing]
        told = {
            "thing": thing,
            "version": 4,
            "by": request.state.subject.person,
            "key": idempotency_key(request),
            "if_match": if_match(request),
            "amount": body.amount,
            "occurred_at": body.occurred_at,
            "lines": len(body.lines),
        }
        return json_response(told, status=201, headers={"etag": etag(4)})

    bulk(some, "/v1/turns/bulk", of=turn)

    @some.command("/v1/things/{n}/bump", "deals:write", reply=Turned)
    async def bump(n: int) -> dict[str, Any]:
        return {"thing": str(n + 1), "version": n}

    @some.command("/v1/large", "deals:write", reply=Turned, body_bytes=1_000_000)
    async def large(body: TurnBody) -> dict[str, Any]:
        return {"thing": "large", "version": len(body.lines)}

    @some.query("/v1/things", "deals:read", reply=list[Turned])
    async def things(
        limit: Limit = 50, cursor: Cursor = None, stage: Annotated[str | None, Query(max_length=20)] = None
    ) -> list[Turned]:
        if cursor is not None:
            decode_cursor(cursor, str, int)
        return [Turned(thing=stage or "any", version=limit)]

    @some.query("/v1/wrong/{name}", "deals:read", reply=None)
    async def wrong(name: str) -> None:
        raise WRONG[name]

    @some.query("/v1/slow", "deals:read", reply=None)
    async def slow() -> None:
        await asyncio.sleep(30)

    @some.query("/v1/stream", "deals:read", reply=None)
    async def stream() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            for n in range(3):
                await asyncio.sleep(0.15)
                yield b"%d\n" % n

        return StreamingResponse(lines(), media_type="application/jsonl")

    return some


CODES = {"thing.wrong-stage": (409, "The thing is past this")}


class Place:
    """The app, its issuer, and ways to call it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.issuer = DevelopmentIssuer(folder)
        verifier = Verifier(KeySet(str(self.issuer.jwks)), DEV_ISSUER, AUDIENCE)
        self.app: FastAPI = create_app("Things", [doors()], verifier, codes=CODES, **settings)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://things")

    def bearer(self, *scopes: str, sub: str = "boris") -> dict[str, str]:
        return {"authorization": "Bearer " + self.issuer.issue(sub, scopes=scopes)}

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"content-type": "application/json"} | self.bearer("deals:write") | headers
        return await self.client.post(path, content=raw, headers={k: v for k, v in sent.items() if v})

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=self.bearer("deals:read") | headers)
