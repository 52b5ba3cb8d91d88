"""Every answer is what the contract says, every error a problem document with a stable code that tells no secrets."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from doorways import Place, TurnBody
from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import StreamingResponse

import belt
from belt.core.decider import Refused
from belt.io.http.app import Readiness, create_app
from belt.io.http.auth import Verifier
from belt.io.http.codes import CODES, extended
from belt.io.http.desk import said
from belt.io.http.doors import Doors
from belt.io.http.keyset import KeySet

TURN = "/v1/things/t1/turn"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = Place(tmp_path, request_deadline=0.3, in_flight=5)
    yield here
    await here.client.aclose()


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["type"] == f"urn:conveyor:error:{document['code']}"
    assert document["instance"].removeprefix("urn:conveyor:request:") == answer.headers["x-request-id"]
    assert document["title"]
    return document["status"], document["code"]


# --- commands -------------------------------------------------------------------------------------------------------


async def test_a_command_gets_its_path_its_body_its_headers_and_its_subject(place: Place) -> None:
    answer = await place.post(
        TURN,
        {"amount": "12.50", "occurred_at": "2026-03-01T10:00:00+01:00", "lines": [{"sku": "a", "qty": 1}]},
        **{"idempotency-key": '"k 1"', "if-match": '"3"'},
    )
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"4"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json() == {
        "thing": "t1",
        "version": 4,
        "by": "boris",
        "key": "k 1",
        "if_match": 3,
        "amount": "12.50",
        "occurred_at": "2026-03-01T09:00:00.000000Z",
        "lines": 1,
    }


async def test_a_command_without_a_body_is_one_with_an_empty_body(place: Place) -> None:
    assert (await place.post(TURN)).status_code == 201
    assert (await place.post(TURN, None, **{"content-type": ""})).status_code == 201


async def test_parts_of_the_path_are_of_their_kind(place: Place) -> None:
    assert (await place.post("/v1/things/7/bump")).json() == {"thing": "8", "version": 7}
    assert problem(await place.post("/v1/things/seven/bump")) == (422, "invalid-parameter")


BAD_BODIES: dict[str, tuple[Any, int, str]] = {
    "no JSON": (b"{", 400, "invalid-json"),
    "not UTF-8": (b'{"by": "\xff"}', 400, "invalid-json"),
    "NaN": (b'{"amount": NaN}', 400, "invalid-json"),
    "infinite": (b'{"amount": 1e999}', 400, "invalid-json"),
    "endless digits": (b'{"amount": ' + b"9" * 5_000 + b"}", 400, "invalid-json"),
    "a name twice": (b'{"amount": "1", "amount": "2"}', 400, "invalid-json"),
    "a name twice, inside": (b'{"lines": [{"sku": "a", "sku": "b", "qty": 1}]}', 400, "invalid-json"),
    "NUL": (b'{"turn_id": "a\\u0000"}', 400, "invalid-json"),
    "deep": (b'{"lines": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "invalid-json"),
    "bottomless": (b"[" * 100_000, 400, "invalid-json"),
    "half a character": (b'{"lines": [{"sku": "\\ud800", "qty": 1}]}', 422, "invalid-body"),
    "a list": ([], 422, "invalid-body"),
    "a float for money": ({"amount": 12.5}, 422, "invalid-body"),
    "an int for money": ({"amount": 12}, 422, "invalid-body"),
    "money in words": ({"amount": "twelve"}, 422, "invalid-body"),
    "an unknown field": ({"stage": "won"}, 422, "invalid-body"),
    "an unknown field, inside": ({"lines": [{"sku": "a", "qty": 1, "price": "1"}]}, 422, "invalid-body"),
    "text for a number": ({"lines": [{"sku": "a", "qty": "1"}]}, 422, "invalid-body"),
    "yes for a number": ({"lines": [{"sku": "a", "qty": True}]}, 422, "invalid-body"),
    "a time without zone": ({"occurred_at": "2026-03-01T10:00:00"}, 422, "invalid-body"),
    "a time before the first": ({"occurred_at": "0001-01-01T00:00:00+01:00"}, 422, "invalid-body"),
    "a time after the last": ({"occurred_at": "9999-12-31T23:59:59-01:00"}, 422, "invalid-body"),
    "a time as a number": ({"occurred_at": 1772355600}, 422, "invalid-body"),
    "an id with a slash": ({"turn_id": "../x"}, 422, "invalid-body"),
    "an empty id": ({"turn_id": ""}, 422, "invalid-body"),
    "an endless text": ({"lines": [{"sku": "x" * 20_001, "qty": 1}]}, 422, "invalid-body"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_bad_body_is_refused(place: Place, name: str) -> None:
    body, status, code = BAD_BODIES[name]
    assert problem(await place.post(TURN, body)) == (status, code)


async def test_the_refusal_points_to_the_place_and_keeps_the_value_to_itself(place: Place) -> None:
    answer = await place.post(TURN, {"lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": "Herr Schmidt"}]})
    assert answer.json()["errors"] == [
        {"pointer": "/lines/1/qty", "code": "int_type", "detail": "Input should be a valid integer"}
    ]
    assert "Schmidt" not in answer.text


async def test_depth_counts_nesting_not_brackets(place: Place) -> None:
    assert (await place.post(TURN, {"lines": [{"sku": "a", "qty": 1}] * 100})).status_code == 201


async def test_only_json_is_taken(place: Place) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert problem(await place.post(TURN, {}, **{"content-type": kind})) == (415, "unsupported-media-type")
    assert (await place.post(TURN, {}, **{"content-type": "application/json; charset=utf-8"})).status_code == 201


async def test_a_body_is_counted_while_it_streams(place: Place) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    headers = place.bearer("deals:write") | {"content-type": "application/json"}
    answer = await place.client.post(TURN, content=endless(), headers=headers)
    assert problem(answer) == (413, "body-too-large")
    assert sent <= 6 * 65_536
    assert answer.json()["facts"] == {"limit": 262_144}
    assert problem(await place.post(TURN, b" " * 262_145)) == (413, "body-too-large")
    assert (await place.post(TURN, b"{}" + b" " * 262_142)).status_code == 201


async def test_a_door_may_have_a_limit_of_its_own(place: Place) -> None:
    many = {"lines": [{"sku": "x" * 1_000, "qty": 1}] * 500}
    assert problem(await place.post(TURN, many))[1] == "body-too-large"
    assert (await place.post("/v1/large", many)).json() == {"thing": "large", "version": 500}


@pytest.mark.parametrize("key", ['"', '""', "a" * 256, '"a', "\x7f"])
async def test_an_idempotency_key_is_one_to_255_visible_characters(place: Place, key: str) -> None:
    assert problem(await place.post(TURN, **{"idempotency-key": key})) == (400, "invalid-idempotency-key")


def test_a_body_that_is_sent_again_is_the_same_for_a_release_that_knows_a_field_more() -> None:
    class Later(TurnBody):
        colour: str | None = None
        parts: list[str] = Field(default_factory=list)

    for sent in ("{}", '{"turn_id": "t", "lines": [{"sku": "a", "qty": 1}]}', '{"amount": "1.50", "turn_id": null}'):
        assert said(TurnBody.model_validate_json(sent)) == said(Later.model_validate_json(sent))
    assert said(TurnBody(turn_id="a")) != said(TurnBody(turn_id="b"))
    assert said(Later(turn_id="a", colour="red")) != said(Later(turn_id="a"))


@pytest.mark.parametrize(
    ("given", "read"), [("abc", "abc"), ('"abc"', "abc"), ('"a\\"b"', 'a"b'), ("a" * 255, "a" * 255)]
)
async def test_an_idempotency_key_may_be_quoted_or_bare(place: Place, given: str, read: str) -> None:
    assert (await place.post(TURN, **{"idempotency-key": given})).json()["key"] == read


@pytest.mark.parametrize(("given", "read"), [("*", None), ('"12"', 12), ('W/"12"', -1), ('"abc"', -1)])
async def test_if_match_names_a_version_or_never_matches(place: Place, given: str, read: int | None) -> None:
    assert (await place.post(TURN, **{"if-match": given})).json()["if_match"] == read


@pytest.mark.parametrize("given", ["12", '"1", "2"', "latest"])
async def test_if_match_is_one_tag(place: Place, given: str) -> None:
    assert problem(await place.post(TURN, **{"if-match": given})) == (400, "invalid-if-match")


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("if-match", ('"1"', '"1"'), "invalid-if-match"),
        ("if-match", ("*", '"1"'), "invalid-if-match"),
        ("idempotency-key", ("a", "a"), "invalid-idempotency-key"),
        ("authorization", ("Bearer x",), "invalid-token"),
    ],
)
async def test_a_header_that_comes_twice_is_refused(
    place: Place, name: str, values: tuple[str, ...], code: str
) -> None:
    headers = [*place.bearer("deals:write").items(), *((name, value) for value in values)]
    assert problem(await place.client.post(TURN, headers=headers))[1] == code


# --- who may --------------------------------------------------------------------------------------------------------


async def test_without_a_valid_token_nothing_is_read(place: Place, tmp_path: Path) -> None:
    foreign = Place(tmp_path / "elsewhere")
    bare = await place.post(TURN, b"{", authorization="")
    assert problem(bare) == (401, "missing-token")
    assert bare.headers["www-authenticate"] == "Bearer"
    for wrong in ("Bearer x", foreign.bearer("deals:write")["authorization"]):
        answer = await place.post(TURN, b"{", authorization=wrong)
        assert problem(answer) == (401, "invalid-token")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert problem(await place.post(TURN, authorization="Basic Ym9yaXM6eA==")) == (401, "missing-token")


async def test_a_door_opens_to_any_of_its_scopes_and_to_no_other(place: Place) -> None:
    assert (await place.post(TURN, **place.bearer("manager"))).status_code == 201
    answer = await place.post(TURN, b"{", **place.bearer("deals:read"))
    assert problem(answer) == (403, "missing-scope")
    assert answer.json()["facts"] == {"scope": "deals:write or manager"}


async def test_each_subject_has_its_own_measure(tmp_path: Path) -> None:
    place = Place(tmp_path, rate=0.001, burst=3)
    answers = [await place.post(TURN) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert problem(answers[-1]) == (429, "too-many-requests")
    assert int(answers[-1].headers["retry-after"]) > 900
    assert (await place.post(TURN, **place.bearer("deals:write", sub="dina"))).status_code == 201
    assert (await place.client.get("/livez")).status_code == 200


async def test_a_plain_route_needs_a_token_and_takes_strict_bodies(place: Place) -> None:
    router = APIRouter()

    @router.post("/v1/plain")
    async def plain(request: Request) -> dict[str, str]:
        return {"by": request.state.subject.person}

    app = create_app("Plain", [router], place.app.state.reception.verifier)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert problem(await client.post("/v1/plain")) == (401, "missing-token")
        assert (await client.post("/v1/plain", headers=place.bearer())).json() == {"by": "boris"}


def test_a_door_must_say_who_may_open_it() -> None:
    with pytest.raises(ValueError, match="which scopes"):
        Doors().command("/v1/x", reply=None)


def test_a_commands_endpoint_takes_nothing_else() -> None:
    async def endpoint(q: str) -> None: ...

    with pytest.raises(TypeError, match="'q'"):
        Doors().command("/v1/x", "deals:write", reply=None)(endpoint)


# --- looking --------------------------------------------------------------------------------------------------------


async def test_parameters_are_checked(place: Place) -> None:
    assert (await place.get("/v1/things?limit=7&stage=open")).json() == [{"thing": "open", "version": 7}]
    answer = await place.get("/v1/things?limit=201")
    assert problem(answer) == (422, "invalid-parameter")
    assert answer.json()["errors"][0]["pointer"] == "/limit"
    assert problem(await place.get("/v1/things?limit=ten"))[1] == "invalid-parameter"
    for cursor in ("x", "!!!", "W10", "WzIsImEiLDFd", "WzEsImEiLHRydWVd", "ä"):
        assert problem(await place.get(f"/v1/things?cursor={cursor}")) == (422, "invalid-cursor")


async def test_what_is_not_there_is_not_found(place: Place) -> None:
    for path in ("/", "/v2/things", "/v1/things/", "/v1/things/t1", "/redoc", "/v1/things/%00/turn"):
        assert problem(await place.get(path)) == (404, "not-found")
    assert problem(await place.post("/v1/things/%00/turn")) == (404, "not-found")
    assert problem(await place.get("/v1/things?stage=%00")) == (404, "not-found")


async def test_the_wrong_method_is_told_the_right_one(place: Place) -> None:
    answer = await place.client.put(TURN, headers=place.bearer("deals:write"))
    assert problem(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


async def test_doors_of_one_address_are_told_together(place: Place) -> None:
    some = Doors()

    @some.query("/v1/both", "deals:read", reply=None)
    async def look() -> None: ...

    @some.command("/v1/both", "deals:write", reply=None)
    async def do() -> None: ...

    app = create_app("Both", [some], place.app.state.reception.verifier)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.delete("/v1/both")
    assert problem(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


async def test_an_address_of_its_own_is_not_told_the_methods_of_a_pattern(place: Place) -> None:
    some = Doors()

    @some.query("/v1/things/{thing}", "deals:read", reply=None)
    async def look(thing: str) -> None: ...

    @some.command("/v1/things/bulk", "deals:write", reply=None)
    async def many() -> None: ...

    app = create_app("Things", [some], place.app.state.reception.verifier)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        for path, allowed in (("/v1/things/bulk", "POST"), ("/v1/things/t1", "GET, HEAD")):
            answer = await client.options(path)
            assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


# --- HEAD -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/v1/things?limit=7", 200), ("/v1/things?limit=201", 422), ("/v1/things?cursor=x", 422), ("/docs", 200)),
        *(("/v1/nothing", 404), ("/v1/wrong/refused", 409), ("/v1/wrong/fault", 500), ("/openapi.json", 200)),
        *(("/livez", 200), ("/readyz", 200), ("/docs/swagger-ui.css", 200)),
    ],
)
async def test_head_is_answered_as_get_without_the_body(place: Place, path: str, status: int) -> None:
    look = await place.get(path)
    head = await place.client.head(path, headers=place.bearer("deals:read"))
    assert head.status_code == look.status_code == status
    assert head.content == b""
    assert look.content != b""
    same = {name: value for name, value in head.headers.items() if name != "x-request-id"}
    assert same == {name: value for name, value in look.headers.items() if name != "x-request-id"}


async def test_head_opens_no_door_that_get_does_not(place: Place) -> None:
    for headers, status in (({}, 401), (place.bearer("staff:read"), 403)):
        answer = await place.client.head("/v1/things", headers=headers)
        assert (answer.status_code, answer.content) == (status, b"")
    answer = await place.client.head(TURN, headers=place.bearer("deals:write"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_head_finds_the_door_for_looking_behind_another_of_the_same_address(place: Place) -> None:
    some = Doors()

    @some.command("/v1/both", "deals:write", reply=None)
    async def do() -> None: ...

    @some.query("/v1/both", "deals:read", reply=None)
    async def look() -> None: ...

    app = create_app("Both", [some], place.app.state.reception.verifier)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.head("/v1/both", headers=place.bearer("deals:read"))).status_code == 200
        assert (await client.head("/v1/both", headers=place.bearer("deals:write"))).status_code == 403


async def test_head_of_a_stream_ends_with_its_headers(place: Place) -> None:
    some = Doors()

    @some.query("/v1/endless", "deals:read", reply=None)
    async def endless() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            while True:
                yield b"more\n"
                await asyncio.sleep(0)

        return StreamingResponse(lines(), media_type="application/jsonl")

    app = create_app("Endless", [some], place.app.state.reception.verifier)
    async with (
        asyncio.timeout(5),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client,
    ):
        answer = await client.head("/v1/endless", headers=place.bearer("deals:read"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/jsonl"


async def test_head_is_no_operation_of_the_description(place: Place) -> None:
    described = (await place.get("/openapi.json")).json()
    assert not [path for path, methods in described["paths"].items() if "head" in methods]
    assert "HEAD is answered wherever GET is" in described["info"]["description"]


# --- when things go wrong -------------------------------------------------------------------------------------------

EXPECTED = {
    "refused": (409, "thing.wrong-stage"),
    "unlisted": (409, "thing.never-listed"),
    "conflict": (412, "version-conflict"),
    "taken": (409, "taken"),
    "busy": (503, "overloaded"),
    "unavailable": (503, "unavailable"),
    "lost": (503, "unavailable"),
    "late": (503, "unavailable"),
    "pool": (503, "overloaded"),
    "database": (503, "unavailable"),
    "bug": (500, "internal"),
    "fault": (500, "internal"),
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_what_goes_wrong_inside_has_its_code_and_tells_nothing(place: Place, name: str) -> None:
    answer = await place.get(f"/v1/wrong/{name}")
    assert problem(answer) == EXPECTED[name]
    assert not [secret for secret in ("hunter2", "secret", "10.0.0.7", "DE123", "Traceback") if secret in answer.text]
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)


async def test_a_refusal_shows_what_it_was_decided_by(place: Place) -> None:
    assert (await place.get("/v1/wrong/refused")).json()["facts"] == {"stage": "offered"}
    assert (await place.get("/v1/wrong/conflict")).json()["facts"] == {"wanted": 3, "version": 5}


async def test_an_answer_that_takes_too_long_is_given_up(place: Place) -> None:
    answer = await place.get("/v1/slow")
    assert problem(answer) == (503, "deadline-exceeded")


async def test_a_stream_may_last_longer_than_the_deadline(place: Place) -> None:
    assert (await place.get("/v1/stream")).text == "0\n1\n2\n"


async def test_more_than_can_be_done_is_turned_away_and_health_is_not(place: Place) -> None:
    people = ("boris", "boris", "boris", "clara", "clara")
    slow = [asyncio.create_task(place.get("/v1/slow", **place.bearer("deals:read", sub=one))) for one in people]
    await asyncio.sleep(0.05)
    assert problem(await place.get("/v1/things")) == (503, "overloaded")
    assert (await place.client.get("/livez")).status_code == 200
    assert {problem(answer) for answer in await asyncio.gather(*slow)} == {(503, "deadline-exceeded")}
    assert (await place.get("/v1/things")).status_code == 200


async def test_nobody_takes_every_place(place: Place) -> None:
    slow = [asyncio.create_task(place.get("/v1/slow")) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert problem(await place.get("/v1/things")) == (429, "too-many-requests")
    assert (await place.get("/v1/things", **place.bearer("deals:read", sub="clara"))).status_code == 200
    await asyncio.gather(*slow)
    assert (await place.get("/v1/things")).status_code == 200, "the places were given back"


# --- health ---------------------------------------------------------------------------------------------------------


async def test_many_who_ask_at_once_cost_one_look(tmp_path: Path) -> None:
    looks = 0
    looking, enough = asyncio.Event(), asyncio.Event()

    async def counted() -> None:
        nonlocal looks
        looks += 1
        looking.set()
        await enough.wait()

    place = Place(tmp_path, readiness=Readiness({"database": counted}))
    asked = [asyncio.create_task(place.client.get("/readyz")) for _ in range(50)]
    await looking.wait()
    asked[0].cancel()  # whoever asked first and left takes nobody's answer away
    await asyncio.sleep(0.05)
    enough.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [answer.status_code for answer in answers if isinstance(answer, httpx.Response)] == [200] * 49
    assert looks == 1
    await place.client.get("/readyz")
    assert looks == 2, "an answer is not kept"


async def test_ready_is_what_all_checks_say(tmp_path: Path) -> None:
    broken = False

    async def database() -> None:
        if broken:
            raise ConnectionError("db-1.internal is away")

    async def hanging() -> None:
        if broken:
            await asyncio.sleep(60)

    readiness = Readiness({"database": database, "schema": hanging}, deadline=0.05)
    place = Place(tmp_path, readiness=readiness)
    assert (await place.client.get("/readyz")).json() == {"ready": True, "checks": {"database": True, "schema": True}}
    broken = True
    answer = await place.client.get("/readyz")
    assert problem(answer) == (503, "not-ready")
    assert answer.json()["facts"]["checks"] == {"database": False, "schema": False}
    assert "internal" not in answer.text
    broken = False
    readiness.drain()
    assert problem(await place.client.get("/readyz")) == (503, "not-ready")
    assert (await place.client.get("/livez")).json() == {"alive": True}


async def test_metrics_name_routes_and_never_addresses(place: Place) -> None:
    await place.post("/v1/things/schmidt/turn")
    await place.get("/nowhere/schmidt")
    text = (await place.client.get("/metrics")).text
    assert 'route="/v1/things/{thing}/turn",status="201"' in text
    assert 'route="unmatched",status="404"' in text
    assert "schmidt" not in text


# --- the table of codes -----------------------------------------------------------------------------------------------


def test_the_table_of_codes_can_be_extended_but_not_contradicted() -> None:
    assert extended({"x": (409, "X")})["x"].status == 409
    assert extended({"not-found": CODES["not-found"]}) == CODES
    with pytest.raises(ValueError, match="already stands"):
        extended({"not-found": (410, "Gone")})


def test_every_code_the_belt_can_give_stands_in_the_table() -> None:
    source = "\n".join(path.read_text() for path in Path(belt.__path__[0]).rglob("*.py"))
    given = set(re.findall(r'Refused\(\s*"([a-z][a-z.-]+)"', source)) | set(
        re.findall(r'"(handover\.[a-z-]+)"', source)
    )
    assert given - CODES.keys() == set()
    for code, (status, title) in CODES.items():
        assert 400 <= status < 600
        assert title
        assert re.fullmatch(r"[a-z]+([.-][a-z]+)*", code)


def test_a_verifier_is_all_an_app_needs(tmp_path: Path) -> None:
    create_app("Empty", [], Verifier(KeySet(str(tmp_path / "none.json")), "i", "a"))
    assert Refused("x").facts == {}
