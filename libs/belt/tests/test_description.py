"""The description of an app is complete: it says of each door what it takes, what it answers, and where to go next."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from doorways import Place
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from belt.io.http.app import create_app
from belt.io.http.body import GivenId
from belt.io.http.codes import CODES
from belt.io.http.description import STATUSES, operation_id
from belt.io.http.doors import Doors

TURN = "/v1/things/{thing}/turn"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = Place(tmp_path)
    yield here
    await here.client.aclose()


@pytest.fixture
def document(place: Place) -> dict[str, Any]:
    return place.app.openapi()


def test_a_command_is_described_with_body_headers_scopes_and_every_answer(document: dict[str, Any]) -> None:
    turn = document["paths"][TURN]["post"]
    assert (turn["operationId"], turn["summary"]) == ("post_things_by_thing_turn", "Turns a thing")
    assert turn["security"] == [{"bearer": ["deals:write"]}, {"bearer": ["manager"]}]
    assert {p["name"] for p in turn["parameters"]} == {"thing", "Idempotency-Key", "If-Match"}
    assert turn["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/TurnBody")
    assert turn["requestBody"]["required"] is False, "nothing in it must be given, and nothing at all counts as {}"
    answers = {"200", "201", "400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "500", "503"}
    assert turn["responses"].keys() == answers
    for status in ("200", "201"):
        assert turn["responses"][status]["content"]["application/json"]["schema"]["$ref"].endswith("/Turned")
        assert turn["responses"][status]["headers"].keys() == {"X-Request-Id", "ETag", "Idempotency-Replayed"}
    assert document["components"]["schemas"]["TurnBody"]["additionalProperties"] is False


def test_what_only_looks_has_no_answers_of_a_command(document: dict[str, Any]) -> None:
    things = document["paths"]["/v1/things"]["get"]
    assert things["responses"].keys() == {"200", "401", "403", "404", "422", "429", "500", "503"}
    assert things["responses"]["200"]["headers"].keys() == {"X-Request-Id"}


def test_many_at_once_take_lines_and_answer_lines(document: dict[str, Any]) -> None:
    bulk = document["paths"]["/v1/turns/bulk"]["post"]
    assert [p["name"] for p in bulk["parameters"]] == ["Idempotency-Key"]
    assert bulk["requestBody"]["content"].keys() == {"application/x-ndjson"}
    assert bulk["responses"]["200"]["content"].keys() == {"application/x-ndjson"}
    assert "412" not in bulk["responses"]


def test_every_problem_has_its_shape_its_codes_and_its_headers(document: dict[str, Any]) -> None:
    told = document["components"]["responses"]
    for status, (name, _) in STATUSES.items():
        response = told[name]
        content = response["content"]["application/problem+json"]
        codes = content["schema"]["allOf"][1]["properties"]["code"]["x-extensible-enum"]
        assert set(codes) >= {code for code, row in CODES.items() if row.status == status}
        assert all(f"`{code}`" in response["description"] for code in codes)
        assert content["example"]["code"] in codes
        assert "X-Request-Id" in response["headers"]
    assert "Retry-After" in told["TooManyRequests"]["headers"]
    assert "Retry-After" in told["Unavailable"]["headers"]
    assert "WWW-Authenticate" in told["Unauthorized"]["headers"]
    nowhere = {405, 431}  # of another method, and of what never was a request: no door describes them
    assert {row.status for row in CODES.values()} - nowhere == set(STATUSES)
    assert "thing.wrong-stage" in told["Conflict"]["description"]
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_door_has_a_name_of_its_own_a_summary_and_a_guard(document: dict[str, Any]) -> None:
    operations = [told for methods in document["paths"].values() for told in methods.values()]
    names = [told["operationId"] for told in operations]
    assert len(set(names)) == len(names)
    assert all(told["summary"] and not told["summary"].endswith(".") for told in operations)
    unguarded = {path for path, methods in document["paths"].items() for m in methods.values() if not m["security"]}
    assert unguarded == {"/livez", "/readyz", "/metrics"}


def test_a_name_is_made_of_method_and_path() -> None:
    assert operation_id("GET", "/v1/things") == "get_things"
    assert operation_id("POST", "/v1/offers-to-answer/{offer}/accept") == "post_offers_to_answer_by_offer_accept"
    assert operation_id("GET", "/v1/statements/{person}/{period}.pdf") == "get_statements_by_person_by_period_pdf"
    assert operation_id("GET", "/livez") == "get_livez"


class Made(BaseModel):
    thing_id: str
    part_id: str | None
    version: int


class Listed(BaseModel):
    items: list[Made]
    next: str | None


async def test_what_names_an_id_leads_to_the_doors_that_ask_for_it(place: Place) -> None:
    some = Doors()

    @some.command("/v1/things", "deals:write", reply=Made, status=201)
    async def make(request: Request) -> Response:
        """Makes a thing."""
        raise NotImplementedError

    @some.query("/v1/things", "deals:read", reply=Listed)
    async def listed() -> None:
        """All things."""

    @some.query("/v1/things/{thing}", "deals:read", reply=Made, versioned=True)
    async def one(thing: GivenId) -> None:
        """One thing."""

    @some.command("/v1/things/{thing}/parts/{part}/drop", "deals:write", reply=Made)
    async def drop(request: Request, thing: GivenId, part: GivenId) -> Response:
        """Drops a part."""
        raise NotImplementedError

    @some.command("/v1/things/{thing}/parts", "deals:write", reply=Made, status=201)
    async def add(request: Request, thing: GivenId) -> Response:
        """Adds a part."""
        raise NotImplementedError

    paths = create_app("Linked", [some], place.app.state.reception.verifier).openapi()["paths"]
    made = paths["/v1/things"]["post"]["responses"]["201"]["links"]
    by_reply = {"thing": "$response.body#/thing_id"}
    assert made["get_things_by_thing"] == {"operationId": "get_things_by_thing", "parameters": by_reply}
    assert made["post_things_by_thing_parts_by_part_drop"]["parameters"] == by_reply | {
        "part": "$response.body#/part_id"
    }
    added = paths["/v1/things/{thing}/parts"]["post"]["responses"]["201"]["links"]
    assert added["post_things_by_thing_parts_by_part_drop"]["parameters"] == {
        "thing": "$request.path.thing",
        "part": "$response.body#/part_id",
    }
    first = paths["/v1/things"]["get"]["responses"]["200"]["links"]
    assert first["get_things_by_thing"]["parameters"] == {"thing": "$response.body#/items/0/thing_id"}
    assert "links" not in paths["/v1/things/{thing}"]["get"]["responses"]["200"]
