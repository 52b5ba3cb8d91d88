"""The OpenAPI documents are a promise: a break of each kind is found, additions pass, and the linter barks."""

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from belt.io.http.body import validated
from checks.__main__ import CHECKS
from checks.docs.apps import services
from checks.docs.doors import doors
from checks.openapi.__main__ import CURRENT, HERE, RELEASED, broken, linted
from checks.openapi.breaks import breaks
from checks.openapi.lists import unpaged

Document = dict[str, Any]
Change = Callable[[Document], Any]
DOCUMENT: Document = json.loads((CURRENT / "lead-gen.json").read_text(encoding="utf-8"))


def schema(document: Document, name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def door(document: Document, path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]
    return found


def without_stage(document: Document) -> None:
    reply = schema(document, "ProspectReply")
    del reply["properties"]["stage"]
    reply["required"].remove("stage")


def asks_for_more(document: Document) -> None:
    body = schema(document, "VerifyBody")
    body["properties"]["why"] = {"type": "string"}
    body["required"] = [*body.get("required", ()), "why"]


def asks_in_the_address(document: Document) -> None:
    wanted = {"name": "region", "in": "query", "required": True, "schema": {"type": "string"}}
    door(document, "/v1/lines", "get")["parameters"].append(wanted)


def limit(document: Document) -> dict[str, Any]:
    asked = door(document, "/v1/lines", "get")["parameters"]
    found: dict[str, Any] = next(one for one in asked if one["name"] == "limit")["schema"]
    return found


BREAKS: dict[str, tuple[Change, str]] = {
    "a path is removed": (lambda d: d["paths"].pop("/v1/lines"), "GET /v1/lines: is gone"),
    "a method is removed": (lambda d: d["paths"]["/v1/prospects"].pop("get"), "GET /v1/prospects: is gone"),
    "an operation is renamed": (
        lambda d: door(d, "/v1/lines", "get").update(operationId="lines"),
        "GET /v1/lines: operationId was get_lines, is lines",
    ),
    "a field of an answer is removed": (without_stage, "201/stage: is gone from the answer"),
    "a field of an answer may be missing": (
        lambda d: schema(d, "ProspectReply")["required"].remove("stage"),
        "201/stage: may be missing now",
    ),
    "a field of an answer may be null": (
        lambda d: schema(d, "ProspectReply")["properties"].update(
            stage={"anyOf": [{"type": "string"}, {"type": "null"}]}
        ),
        "201/stage: null may come now",
    ),
    "a field of an answer has another type": (
        lambda d: schema(d, "ProspectReply")["properties"].update(version={"type": "string"}),
        "201/version: string may come now",
    ),
    "an answer may have values that nobody knows": (
        lambda d: schema(d, "Alive")["properties"].update(alive={"enum": [True, False]}),
        "200/alive: False may come now",
    ),
    "a request needs a new field": (asks_for_more, "body/why: must be given now"),
    "a request needs what was optional": (
        lambda d: schema(d, "RegisterBody")["required"].append("segment"),
        "body/segment: must be given now",
    ),
    "a field of a request is removed": (
        lambda d: schema(d, "RegisterBody")["properties"].pop("segment"),
        "body/segment: is no longer taken",
    ),
    "a list of values that are taken is shorter": (
        lambda d: schema(d, "VerifyBody")["properties"]["checks"]["items"]["enum"].remove("legal_active"),
        "body/checks/*: 'legal_active' is no longer taken",
    ),
    "a text must be shorter": (
        lambda d: schema(d, "RegisterBody")["properties"]["name"].update(maxLength=3),
        "body/name: maxLength was",
    ),
    "a number must be smaller": (lambda d: limit(d).update(maximum=100), "limit in query: maximum was 200, is 100"),
    "a parameter is removed": (
        lambda d: door(d, "/v1/lines", "get")["parameters"].pop(),
        "GET /v1/lines: cursor in query is gone",
    ),
    "a parameter is needed": (asks_in_the_address, "region in query must be given now"),
    "a scope no longer opens a door": (
        lambda d: door(d, "/v1/clock", "get")["security"].pop(),
        "GET /v1/clock: events:read no longer opens it",
    ),
    "a scope is replaced": (
        lambda d: door(d, "/v1/lines", "get").update(security=[{"bearer": ["manager"]}]),
        "GET /v1/lines: staff:read no longer opens it",
    ),
    "a door asks for two scopes at once": (
        lambda d: door(d, "/v1/lines", "get").update(security=[{"bearer": ["staff:read", "manager"]}]),
        "GET /v1/lines: staff:read no longer opens it",
    ),
    "an open door is guarded": (
        lambda d: door(d, "/livez", "get").update(security=[{"bearer": ["manager"]}]),
        "GET /livez: needs a token now",
    ),
    "an answer is gone": (
        lambda d: door(d, "/v1/prospects", "post")["responses"].pop("201"),
        "POST /v1/prospects: answers 201 no more",
    ),
    "a header of an answer is gone": (
        lambda d: door(d, "/v1/prospects", "post")["responses"]["201"]["headers"].pop("ETag"),
        "201 has no ETag any more",
    ),
    "a kind of answer is gone": (
        lambda d: door(d, "/v1/events", "get")["responses"]["200"]["content"].pop("text/event-stream"),
        "200 has no text/event-stream any more",
    ),
    "a kind of body is no longer taken": (
        lambda d: door(d, "/v1/prospects/bulk", "post")["requestBody"]["content"].pop("application/x-ndjson"),
        "application/x-ndjson is no longer taken",
    ),
    "problems lose a field": (
        lambda d: schema(d, "Problem")["required"].remove("code"),
        "problems/code: may be missing now",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_found(name: str) -> None:
    change, told = BREAKS[name]
    changed = deepcopy(DOCUMENT)
    change(changed)
    found = list(breaks(DOCUMENT, changed))
    assert any(told in line for line in found), found


def adds_a_field(document: Document) -> None:
    reply = schema(document, "ProspectReply")
    reply["properties"]["mood"] = {"type": "string"}
    reply["required"].append("mood")


ADDITIONS: dict[str, Change] = {
    "nothing at all": lambda d: None,
    "a path": lambda d: d["paths"].update({"/v1/new": deepcopy(d["paths"]["/v1/lines"])}),
    "an optional field of a request": lambda d: schema(d, "VerifyBody")["properties"].update(why={"type": "string"}),
    "a field of an answer": adds_a_field,
    "a value that is taken": lambda d: schema(d, "VerifyBody")["properties"]["checks"]["items"]["enum"].append("more"),
    "an optional parameter": lambda d: door(d, "/v1/lines", "get")["parameters"].append(
        {"name": "region", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "a wider bound": lambda d: limit(d).update(maximum=500),
    "a scope that opens a door": lambda d: door(d, "/v1/lines", "get")["security"].append({"bearer": ["manager"]}),
    "a door without a token": lambda d: door(d, "/v1/lines", "get").update(security=[]),
    "a needed field that need not be given any more": lambda d: schema(d, "RegisterBody")["required"].remove("source"),
    "an answer that is never null any more": lambda d: schema(d, "NeedReply")["properties"].update(
        need_id={"type": "string"}
    ),
    "a text": lambda d: door(d, "/v1/lines", "get").update(summary="Lines", description="All lines."),
    "a header": lambda d: door(d, "/v1/lines", "get")["responses"]["200"]["headers"].update({"X-More": {}}),
    "a status of a problem": lambda d: door(d, "/v1/lines", "get")["responses"].update(
        {"410": {"description": "Gone"}}
    ),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_is_no_break(name: str) -> None:
    changed = deepcopy(DOCUMENT)
    ADDITIONS[name](changed)
    assert list(breaks(DOCUMENT, changed)) == []


def test_a_schema_that_holds_itself_is_compared_once() -> None:
    tree = {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}}, "required": ["below"]}
    operation = {
        "operationId": "x",
        "security": [],
        "responses": {"200": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/Tree"}}}}},
    }
    document: Document = {"paths": {"/x": {"get": operation}}, "components": {"schemas": {"Tree": tree}}}
    assert list(breaks(document, deepcopy(document))) == []
    changed = deepcopy(document)
    schema(changed, "Tree")["required"] = []
    assert list(breaks(document, changed)) == ["GET /x: 200/below: may be missing now"]


def test_the_check_compares_every_document_with_its_released_one(tmp_path: Path) -> None:
    assert CHECKS["openapi"][-1] == "checks.openapi"
    assert {path.name for path in RELEASED.glob("*.json")} == {path.name for path in CURRENT.glob("*.json")}
    shutil.copytree(CURRENT, tmp_path / "now")
    assert list(broken(tmp_path / "now", tmp_path / "now")) == []
    (tmp_path / "now/compensation.json").rename(tmp_path / "now/pay.json")
    assert list(broken(RELEASED, tmp_path / "now")) == [
        "compensation: the whole service is gone",
        "pay: was never released; python -m checks.openapi --release",
    ]


FAULTS: dict[str, tuple[Change, str]] = {
    "operation-operationId": (lambda d: door(d, "/v1/lines", "get").pop("operationId"), "/v1/lines"),
    "operation-summary": (lambda d: door(d, "/v1/lines", "get").pop("summary"), "/v1/lines"),
    "operation-tag-defined": (lambda d: door(d, "/v1/lines", "get").update(tags=["nowhere"]), "/v1/lines"),
    "operation-4xx-response": (lambda d: door(d, "/v1/lines", "get").update(responses={}), "/v1/lines"),
    "security-defined": (lambda d: door(d, "/v1/lines", "get").update(security=[{"key": []}]), "/v1/lines"),
    "response-contains-header": (lambda d: d["components"]["responses"]["NotFound"].pop("headers"), "NotFound"),
    "no-invalid-media-type-examples": (
        lambda d: d["components"]["responses"]["NotFound"]["content"]["application/problem+json"].update(example={}),
        "NotFound",
    ),
    "struct": (lambda d: schema(d, "VerifyBody").update(nonsense=1), "VerifyBody"),
}


def test_the_linter_finds_a_fault_of_each_kind(tmp_path: Path) -> None:
    changed = deepcopy(DOCUMENT)
    for change, _ in FAULTS.values():
        change(changed)
    path = tmp_path / "faulty.json"
    path.write_text(json.dumps(changed))
    found = list(linted([path]))
    for rule, (_, place) in FAULTS.items():
        told = [line for line in found if f": {rule}: " in line]
        assert any(place.replace("/", "~1") in line for line in told), (rule, told)


def test_every_exception_of_the_linter_has_a_reason_and_is_needed(tmp_path: Path) -> None:
    excused = (HERE / ".redocly.lint-ignore.yaml").read_text()
    rules = [n for n, line in enumerate(excused.splitlines()) if line.startswith("  ") and line.endswith(":")]
    assert rules
    assert all(excused.splitlines()[n - 1].startswith("  #") for n in rules)
    for path in CURRENT.glob("*.json"):
        shutil.copyfile(path, tmp_path / path.name)
    found = list(linted(sorted(tmp_path.glob("*.json"))))
    assert len(found) == sum(line.strip().startswith("- ") for line in excused.splitlines())


def test_every_example_of_a_body_is_taken() -> None:
    """As the door takes it: strict, and with nothing that it does not know."""
    seen = 0
    for service in services():
        for found in doors(service):
            body = found.call.body if found.call is not None else None
            for example in (body.model_json_schema() if body is not None else {}).get("examples", ()):
                assert body is not None
                validated(body, json.dumps(example).encode())
                seen += 1
    assert seen > 30


def named_with(words: str, part: Any, name: str = "") -> Iterator[tuple[str, bool]]:
    """(what it is called, whether it is needed) of every field and parameter whose description has these words."""
    if isinstance(part, dict):
        needed = part.get("required", ()) if isinstance(part.get("properties"), dict) else ()
        for key, about in part.get("properties", {}).items() if isinstance(part.get("properties"), dict) else ():
            yield from ((key, key in needed) for _ in named_with(words, about, key))
        for key, inner in part.items():
            if key != "properties":
                yield from named_with(words, inner, part.get("name", name) if key == "schema" else key)
    elif isinstance(part, list):
        for inner in part:
            yield from named_with(words, inner, name)
    elif isinstance(part, str) and words in part:
        yield name, False


def test_an_id_may_be_left_out_only_of_what_the_command_itself_makes() -> None:
    """Of a person, a line, or in a query it would be a promise that nobody keeps."""
    for service in services():
        document: Document = json.loads((CURRENT / f"{service.name}.json").read_text(encoding="utf-8"))
        found = list(named_with("the service makes one", document))
        assert found, service.name
        assert [name for name, needed in found if needed or not name.endswith("_id")] == [], service.name


def test_every_link_leads_to_a_door_and_gives_all_its_path_asks_for() -> None:
    for path in CURRENT.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        operations = {told["operationId"]: told for methods in document["paths"].values() for told in methods.values()}
        links = [
            link
            for told in operations.values()
            for answer in told["responses"].values()
            for link in answer.get("links", {}).values()
        ]
        assert len(links) > 50, path.name
        for link in links:
            asked = {one["name"] for one in operations[link["operationId"]]["parameters"] if one["in"] == "path"}
            assert link["parameters"].keys() == asked


def test_a_list_that_does_not_come_in_pages_is_found() -> None:
    assert [*unpaged(DOCUMENT)] == []
    endless = deepcopy(DOCUMENT)
    limit(endless)["maximum"] = 1_000
    assert [*unpaged(endless)] == ["GET /v1/lines: a list without a limit of at most 200"]
    endless = deepcopy(DOCUMENT)
    del schema(endless, "LineList")["properties"]["next"]
    asked = door(endless, "/v1/staff", "get")["parameters"]
    asked.remove(next(one for one in asked if one["name"] == "cursor"))
    assert [line.partition(":")[0] for line in unpaged(endless)] == ["GET /v1/staff", "GET /v1/lines"]
