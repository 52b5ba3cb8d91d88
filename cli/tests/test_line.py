"""The client of the services: who it says it is, what it repeats and what it gives up on. Over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, unused_port

from conveyor.addresses import SERVICES, variable
from conveyor.exits import NotRunning, Problem, Unreachable
from conveyor.line import Line
from conveyor.tokens import Tokens


@dataclass
class Said:
    """An answer; `cut`: the connection is cut instead."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Asked:
    service: str
    path: str
    params: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


Say = Callable[[Asked], Said]
CUT = Said(cut=True)


def answers(*steps: Said) -> tuple[Say, list[Asked]]:
    """A service that gives these answers one after the other, and what it was asked."""
    left: Iterator[Said] = iter(steps)
    seen: list[Asked] = []

    def say(asked: Asked) -> Said:
        seen.append(asked)
        return next(left)

    return say, seen


def problem(status: int, code: str, **headers: str) -> Said:
    return Said(status, {"code": code, "detail": "why"}, headers)


def handler(say: Say) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        _, service, path = request.path.split("/", 2)
        asked = Asked(service, f"/{path}", dict(request.query), request.headers, await request.read())
        said = say(asked)
        if said.cut:
            assert request.transport is not None
            request.transport.abort()
        body = said.body if isinstance(said.body, str) else json.dumps(said.body)
        return web.Response(status=said.status, text=body, headers=said.headers)

    return handle


@asynccontextmanager
async def line(tmp_path: Path, say: Say, patience: float = 5.0) -> AsyncIterator[Line]:
    """All services at one real server, each under a path of its own."""
    server = RawTestServer(handler(say))
    await server.start_server()
    addresses = {service: str(server.make_url(f"/{service}")) for service in SERVICES}
    try:
        async with Line(addresses, Tokens(tmp_path), patience=patience) as services:
            yield services
    finally:
        await server.close()


async def test_a_reply_is_the_document(tmp_path: Path) -> None:
    say, seen = answers(Said(201, {"client_id": "c"}))
    async with line(tmp_path, say) as services:
        assert await services.post("lead-gen", "/v1/prospects", {"name": "Ö"}) == {"client_id": "c"}
    assert json.loads(seen[0].body) == {"name": "Ö"}


async def test_an_answer_that_takes_its_time_is_waited_for_as_long_as_it_shows_that_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conveyor.line.TIMEOUT", aiohttp.ClientTimeout(total=0.3))

    async def slowly(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": "application/json"})
        await answer.prepare(request)
        for _ in range(6):
            await answer.write(b"\n")
            await asyncio.sleep(0.1)
        await answer.write(b'{"ok": true}')
        return answer

    server = RawTestServer(slowly)
    await server.start_server()
    async with Line({"compensation": str(server.make_url("/"))}, Tokens(tmp_path), patience=0.5) as services:
        assert await services.get("compensation", "v1/verification", slow=True) == {"ok": True}
        with pytest.raises(Unreachable):
            await services.get("compensation", "v1/verification")
    await server.close()


async def test_a_refusal_is_a_problem_with_its_code(tmp_path: Path) -> None:
    say, _ = answers(problem(409, "client-protected"))
    async with line(tmp_path, say) as services:
        with pytest.raises(Problem) as refused:
            await services.post("lead-gen", "/v1/prospects", {})
    assert (refused.value.status, refused.value.code, refused.value.detail) == (409, "client-protected", "why")


async def test_a_refusal_of_a_body_says_what_does_not_fit(tmp_path: Path) -> None:
    errors = [{"pointer": "/reason", "code": "string_too_short", "detail": "too short"}]
    say, _ = answers(Said(422, {"code": "invalid-body", "title": "The body does not fit", "errors": errors}))
    async with line(tmp_path, say) as services:
        with pytest.raises(Problem, match=r"The body does not fit \(/reason: too short\)"):
            await services.post("lead-gen", "/v1/parked/1/skip", {"reason": "x"})


async def test_an_answer_that_is_no_problem_json_is_a_problem_too(tmp_path: Path) -> None:
    say, _ = answers(Said(500, "<html>"))
    async with line(tmp_path, say) as services:
        with pytest.raises(Problem, match="no-problem-json"):
            await services.get("lead-gen", "/v1/staff")


@pytest.mark.parametrize(
    "trouble",
    [
        CUT,
        problem(503, "unavailable"),
        problem(429, "too-many-requests"),
    ],
    ids=["cut", "unavailable", "too many"],
)
async def test_what_may_pass_is_sent_again_with_the_same_key(tmp_path: Path, trouble: Said) -> None:
    say, seen = answers(trouble, trouble, Said(200, {}))
    async with line(tmp_path, say) as services:
        await services.post("conversion", "/v1/offers/o/accept")
        assert services.repeated == 2
    assert len({request.headers["idempotency-key"] for request in seen}) == 1


async def test_a_given_key_is_used(tmp_path: Path) -> None:
    say, seen = answers(Said(200, {}))
    async with line(tmp_path, say) as services:
        await services.post("conversion", "/v1/x", {}, key="mine")
    assert seen[0].headers["idempotency-key"] == "mine"


async def test_patience_ends(tmp_path: Path) -> None:
    nobody = {service: f"http://127.0.0.1:{unused_port()}" for service in SERVICES}
    async with Line(nobody, Tokens(tmp_path), patience=0.3) as services:
        with pytest.raises(Unreachable, match="conversion at http://127"):
            await services.get("conversion", "/v1/offers")


async def test_a_refusal_is_not_sent_again(tmp_path: Path) -> None:
    say, seen = answers(problem(409, "taken"))
    async with line(tmp_path, say) as services:
        with pytest.raises(Problem):
            await services.post("lead-gen", "/v1/prospects", {})
    assert len(seen) == 1


async def test_the_token_speaks_for_the_person_with_the_scopes_of_the_role(tmp_path: Path) -> None:
    say, seen = answers(Said(200, {}))
    async with line(tmp_path, say) as services:
        await services.get("lead-gen", "/v1/staff", person="ana", roles=("scout",), scopes=("backdate",))
    token = seen[0].headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "ana"
    assert {"leads:write", "backdate"} <= set(claims["scope"].split())
    assert "deals:write" not in claims["scope"].split()


def test_a_token_is_signed_once_for_many_requests(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    assert tokens.token("ana", ["scout"]) is tokens.token("ana", ["scout"])
    assert tokens.token("ana", ["scout"]) != tokens.token("egor", ["scout"])


async def test_where_another_issuer_rules_the_token_is_brought_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say, seen = answers(Said(), Said())
    file = tmp_path / "token"
    monkeypatch.setenv("CONVEYOR_HOME", str(tmp_path))
    monkeypatch.delenv("CONVEYOR_ISSUER_FOLDER", raising=False)
    monkeypatch.setenv("CONVEYOR_TOKEN_FILE", str(file))
    async with line(tmp_path, say) as services:
        for service in SERVICES:
            monkeypatch.setenv(variable(service), services.addresses[service])
        async with Line.find() as found:
            for token in ("first", "renewed"):
                file.write_text(f"{token}\n")
                await found.get("lead-gen", "/v1/parked", person="ana", roles=("operator",))
    assert [asked.headers["authorization"] for asked in seen] == ["Bearer first", "Bearer renewed"]


async def test_a_list_is_read_to_its_end(tmp_path: Path) -> None:
    say, seen = answers(
        Said(200, {"items": [{"n": 1}, {"n": 2}], "next": "c"}),
        Said(200, {"items": [{"n": 3}], "next": None}),
    )
    async with line(tmp_path, say) as services:
        assert [item["n"] async for item in services.items("lead-gen", "/v1/prospects", {"line": "x"})] == [1, 2, 3]
    assert [request.params.get("cursor") for request in seen] == [None, "c"]


def clock(published: int, *, drained: bool) -> Said:
    return Said(200, {"published": published, "taken_in": {}, "drained": drained, "next_due": None})


async def test_drained_looks_until_the_line_is_at_rest(tmp_path: Path) -> None:
    rounds = [clock(5, drained=False), *[clock(5, drained=True)] * 7]
    say, seen = answers(*rounds)
    async with line(tmp_path, say) as services:
        await services.drained()
    assert len(seen) == 8


async def test_who_never_gets_drained_is_named(tmp_path: Path) -> None:
    def busy(asked: Asked) -> Said:
        return clock(1, drained=asked.service != "conversion")

    async with line(tmp_path, busy) as services:
        with pytest.raises(Unreachable, match="still at work: conversion"):
            await services.drained(patience=0.2)


def test_without_services_the_way_to_them_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVEYOR_HOME", str(tmp_path))
    for service in SERVICES:
        monkeypatch.delenv(variable(service), raising=False)
    with pytest.raises(NotRunning, match="conveyor up"):
        Line.find()


def test_services_elsewhere_are_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVEYOR_HOME", str(tmp_path))
    monkeypatch.setenv("CONVEYOR_ISSUER_FOLDER", str(tmp_path / "issuer"))
    for service in SERVICES:
        monkeypatch.setenv(variable(service), f"http://{service}.example")
    assert Line.find().addresses["account-mgmt"] == "http://account-mgmt.example"
