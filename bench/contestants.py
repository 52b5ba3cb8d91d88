"""The servers that commands are sent to, each in a process of its own.

    python -m bench.contestants NAME PORT     its surroundings stand in the environment

| name | is |
|---|---|
| conveyor | lead generation as it is deployed: token, idempotency key, validation, metrics, one trace in a hundred |
| without-storage | the same, its database answering at once and keeping nothing |
| without-features | the same commands by the same writer, behind a route that does nothing beside |
| one-transaction | lead generation whose commands get a transaction each, on eight connections, in the store's order |
| one-transaction-unordered | the same without the store's lock: no gap-free order, no hash chain |
| fastapi | a plain FastAPI route with the same models, which answers and does nothing |
| eventsourcing | the library of that name behind FastAPI, on the same PostgreSQL |
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import NAMESPACE_URL, uuid5

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from belt.core.decider import Step
from belt.io.clock import SystemClock
from belt.io.http.body import validated
from belt.io.http.headers import etag, json_response
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.process import collect_seldom
from belt.io.service import serve
from belt.io.settings import Settings
from belt.io.store.calls import Batch, Loaded, Status, Store
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.store.unit import Outcome
from lead_gen.api.bodies import CallBody, RegisterBody
from lead_gen.api.replies import ProspectReply
from lead_gen.main import SERVICE
from lead_gen.prospect.commands import LogCall, RegisterProspect
from lead_gen.prospect.state import CATEGORY

WRITERS = 8
SECRET = b"0123456789abcdef0123456789abcdef"


def surroundings() -> tuple[str, Path, str]:
    """(database, folder with the issuer's key, where spans go)."""
    return os.environ["BENCH_DSN"], Path(os.environ["BENCH_FOLDER"]), os.environ["BENCH_OTLP"]


def settings(port: int) -> Settings:
    dsn, folder, endpoint = surroundings()
    key = folder / "sealing.key"
    key.write_bytes(SECRET)
    jwks = str(DevelopmentIssuer(folder).jwks)
    return Settings(
        service=SERVICE.name,
        port=port,
        dsn=dsn,
        jwks=jwks,
        key_file=key,
        otlp_endpoint=endpoint,
        trace_ratio=0.01,
        rate=1_000_000,  # a limit that nobody reaches is looked at all the same
    )


async def conveyor(port: int) -> None:
    """Lead generation as `python -m lead_gen api` serves it."""
    collect_seldom()
    await serve(SERVICE, settings(port), "api")


async def without_storage(port: int) -> None:
    """The database is cut out: nothing is found, whatever is appended is done, states stay in memory."""

    async def load(self: Store, keys: Any, gates: Any, streams: Any) -> Loaded:
        return Loaded()

    async def append(self: Store, batch: Batch, at: Any) -> list[Status]:
        return [Status.DONE] * len(batch.units)

    async def wrapped_keys(self: Store, holders: list[str]) -> dict[str, bytes | None]:
        return {}

    with (
        patch.multiple(Store, load=load, append=append, wrapped_keys=wrapped_keys),
        patch("belt.io.store.states.KEEP_SECONDS", math.inf),
        patch("belt.io.running.Writer", partial(Writer, cached=10_000_000)),
    ):
        await conveyor(port)


class Single:
    """The way of every command with a transaction each: eight writers that merge nothing, a stream always at one."""

    def __init__(self, dsn: str, *rest: Any, **more: Any) -> None:
        more["limit"] = 1
        self._writers = [Writer(dsn, *rest, **more) for _ in range(WRITERS)]
        self.streams, self.vault = self._writers[0].streams, self._writers[0].vault

    def _at(self, stream_id: str) -> Writer:
        return self._writers[hash(stream_id) % WRITERS]

    def start(self) -> None:
        for writer in self._writers:
            writer.start()

    async def stop(self, within: float = 10.0) -> None:
        await asyncio.gather(*(writer.stop(within) for writer in self._writers))

    async def handle(self, *steps: Step, **more: Any) -> Outcome:
        return await self._at(steps[0].stream_id).handle(*steps, **more)

    async def read(self, name: str, key: str) -> Any:
        return await self._at(f"{name}-{key}").read(name, key)

    async def read_many(self, stream_ids: list[str]) -> Any:
        return await self._at(stream_ids[0]).read_many(stream_ids)


async def one_transaction(port: int) -> None:
    with patch("belt.io.running.Writer", Single):
        await conveyor(port)


async def without_features(port: int) -> None:
    """Body, decision, append, answer."""
    dsn = surroundings()[0]
    clock = SystemClock()
    writer = Writer(dsn, SERVICE.streams, Vault(SECRET), clock, "/conveyor/lead-gen")

    async def do(client: str, command: Any) -> Response:
        step = Step(CATEGORY, client, command)

        def reply(outcome: Outcome) -> dict[str, Any]:
            state = outcome.state(step.stream_id)
            said = {"client_id": state.client, "journey_id": state.journey, "stage": state.stage.value}
            return {"status": 201, "body": said | {"version": outcome.version(step.stream_id)}}

        answer = (await writer.handle(step, reply=reply)).reply or {}
        return json_response(answer["body"], status=201, headers={"etag": etag(answer["body"]["version"])})

    async def register(request: Request) -> Response:
        body = validated(RegisterBody, await request.body())
        keys = tuple(key.key for key in body.identity_keys)
        client, now = body.client_id or "", clock.now()
        return await do(
            client,
            RegisterProspect(client, body.line, body.name, body.country, keys, body.source, body.segment, "ana", now),
        )

    async def call(request: Request) -> Response:
        body, now = validated(CallBody, await request.body()), clock.now()
        command = LogCall(body.outcome, now, body.duration_s, body.next_call_at, body.note, "ana", now, False)
        return await do(request.path_params["client"], command)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        writer.start()
        collect_seldom()
        yield
        await writer.stop()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.router.routes += [
        Route("/v1/prospects", register, methods=["POST"]),
        Route("/v1/prospects/{client}/calls", call, methods=["POST"]),
    ]
    await _plainly(app, port)


async def fastapi(port: int) -> None:
    """What a route costs in which nothing happens."""
    app = FastAPI(openapi_url=None)

    @app.post("/v1/prospects", status_code=201)
    async def register(body: RegisterBody) -> ProspectReply:
        client = body.client_id or ""
        return ProspectReply(client_id=client, journey_id=client, stage="registered", version=1)

    @app.post("/v1/prospects/{client}/calls", status_code=201)
    async def call(client: str, body: CallBody) -> ProspectReply:
        return ProspectReply(client_id=client, journey_id=client, stage="contacting", version=body.duration_s)

    await _plainly(app, port)


async def eventsourcing(port: int) -> None:
    """As its documentation shows it: an aggregate, an application, endpoints in FastAPI's threads."""
    from bench.peer_eventsourcing import Prospects

    prospects = Prospects.on(surroundings()[0])
    app = FastAPI(openapi_url=None)

    @app.post("/v1/prospects", status_code=201)
    def register(body: RegisterBody) -> ProspectReply:
        client = body.client_id or ""
        keys = [key.value for key in body.identity_keys]
        version = prospects.register(_id(client), client, body.line, body.name, body.country or "", body.source, keys)
        return ProspectReply(client_id=client, journey_id=client, stage="registered", version=version)

    @app.post("/v1/prospects/{client}/calls", status_code=201)
    def call(client: str, body: CallBody) -> ProspectReply:
        version = prospects.call(_id(client), body.outcome, body.duration_s)
        return ProspectReply(client_id=client, journey_id=client, stage="contacting", version=version)

    await _plainly(app, port)


def _id(client: str) -> Any:
    return uuid5(NAMESPACE_URL, client)


async def _plainly(app: FastAPI, port: int) -> None:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    await uvicorn.Server(config).serve()


CONTESTANTS: dict[str, Callable[[int], Any]] = {
    "conveyor": conveyor,
    "without-storage": without_storage,
    "without-features": without_features,
    "one-transaction": one_transaction,
    "one-transaction-unordered": one_transaction,
    "fastapi": fastapi,
    "eventsourcing": eventsourcing,
}


def main() -> None:
    _, name, port = sys.argv
    uvloop.run(CONTESTANTS[name](int(port)))


if __name__ == "__main__":
    main()
