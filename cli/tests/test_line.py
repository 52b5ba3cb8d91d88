"""The client of the services: who it says it is, what it repeats and what it gives up on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from conveyor.exits import NotRunning, Problem, Unreachable
from conveyor.line import SERVICES, Line, variable
from conveyor.tokens import Tokens

ADDRESSES = {service: f"http://{service}" for service in SERVICES}
Handler = Callable[[httpx.Request], httpx.Response]


def line(tmp_path: Path, handler: Handler, patience: float = 5.0) -> Line:
    return Line(ADDRESSES, Tokens(tmp_path), patience=patience, transport=httpx.MockTransport(handler))


def answers(*steps: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """A service that gives these answers one after the other, and what it was asked."""
    left: Iterator[httpx.Response | Exception] = iter(steps)
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        step = next(left)
        if isinstance(step, Exception):
            raise step
        return step

    return handler, seen


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "detail": "why"}, headers=headers)


async def test_a_reply_is_the_document(tmp_path: Path) -> None:
    handler, seen = answers(httpx.Response(201, json={"client_id": "c"}))
    async with line(tmp_path, handler) as services:
        assert await services.post("lead-gen", "/v1/prospects", {"name": "Ö"}) == {"client_id": "c"}
    assert json.loads(seen[0].content) == {"name": "Ö"}


async def test_a_refusal_is_a_problem_with_its_code(tmp_path: Path) -> None:
    handler, _ = answers(problem(409, "client-protected"))
    async with line(tmp_path, handler) as services:
        with pytest.raises(Problem) as refused:
            await services.post("lead-gen", "/v1/prospects", {})
    assert (refused.value.status, refused.value.code, refused.value.detail) == (409, "client-protected", "why")


async def test_an_answer_that_is_no_problem_json_is_a_problem_too(tmp_path: Path) -> None:
    handler, _ = answers(httpx.Response(500, text="<html>"))
    async with line(tmp_path, handler) as services:
        with pytest.raises(Problem, match="no-problem-json"):
            await services.get("lead-gen", "/v1/staff")


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("dropped"),
        httpx.ReadError("reset"),
        httpx.ReadTimeout("slow"),
        problem(503, "unavailable"),
        problem(429, "too-many-requests"),
    ],
    ids=lambda trouble: type(trouble).__name__ if isinstance(trouble, Exception) else str(trouble.status_code),
)
async def test_what_may_pass_is_sent_again_with_the_same_key(
    tmp_path: Path, trouble: httpx.Response | Exception
) -> None:
    handler, seen = answers(trouble, trouble, httpx.Response(200, json={}))
    async with line(tmp_path, handler) as services:
        await services.post("conversion", "/v1/offers/o/accept")
        assert services.repeated == 2
    assert len({request.headers["idempotency-key"] for request in seen}) == 1


async def test_a_given_key_is_used(tmp_path: Path) -> None:
    handler, seen = answers(httpx.Response(200, json={}))
    async with line(tmp_path, handler) as services:
        await services.post("conversion", "/v1/x", {}, key="mine")
    assert seen[0].headers["idempotency-key"] == "mine"


async def test_patience_ends(tmp_path: Path) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with line(tmp_path, away, patience=0.3) as services:
        with pytest.raises(Unreachable, match="conversion at http://conversion"):
            await services.get("conversion", "/v1/offers")


async def test_a_refusal_is_not_sent_again(tmp_path: Path) -> None:
    handler, seen = answers(problem(409, "taken"))
    async with line(tmp_path, handler) as services:
        with pytest.raises(Problem):
            await services.post("lead-gen", "/v1/prospects", {})
    assert len(seen) == 1


async def test_the_token_speaks_for_the_person_with_the_scopes_of_the_role(tmp_path: Path) -> None:
    handler, seen = answers(httpx.Response(200, json={}))
    async with line(tmp_path, handler) as services:
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


async def test_a_list_is_read_to_its_end(tmp_path: Path) -> None:
    handler, seen = answers(
        httpx.Response(200, json={"items": [{"n": 1}, {"n": 2}], "next": "c"}),
        httpx.Response(200, json={"items": [{"n": 3}], "next": None}),
    )
    async with line(tmp_path, handler) as services:
        assert [item["n"] async for item in services.items("lead-gen", "/v1/prospects", {"line": "x"})] == [1, 2, 3]
    assert [request.url.params.get("cursor") for request in seen] == [None, "c"]


def clock(published: int, *, drained: bool) -> httpx.Response:
    return httpx.Response(200, json={"published": published, "taken_in": {}, "drained": drained, "next_due": None})


async def test_drained_looks_until_the_line_is_at_rest(tmp_path: Path) -> None:
    rounds = [clock(5, drained=False), *[clock(5, drained=True)] * 7]
    handler, seen = answers(*rounds)
    async with line(tmp_path, handler) as services:
        await services.drained()
    assert len(seen) == 8


async def test_who_never_gets_drained_is_named(tmp_path: Path) -> None:
    def busy(request: httpx.Request) -> httpx.Response:
        return clock(1, drained=request.url.host != "conversion")

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
    monkeypatch.setenv("CONVEYOR_ISSUER", str(tmp_path / "issuer"))
    for service in SERVICES:
        monkeypatch.setenv(variable(service), f"http://{service}.example")
    assert Line.find().addresses["account-mgmt"] == "http://account-mgmt.example"
