"""Many commands in one request: each line stands for itself."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from doorways import WRONG, Place
from starlette.requests import Request

from belt.io.http.bulk import BYTES, KEY, LINES, bulk
from belt.io.http.doors import BODY_BYTES, Doors

BULK = "/v1/turns/bulk"
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def lines(*documents: Any) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents)


def outcomes(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def sent(place: Place, *documents: Any, **headers: str) -> list[dict[str, Any]]:
    return outcomes(await place.post(BULK, lines(*documents), **NDJSON | headers))


async def test_each_line_is_what_the_door_would_have_answered(place: Place) -> None:
    body = {"amount": "1.50", "lines": [{"sku": "a", "qty": 1}]}
    alone = await place.post("/v1/things/t1/turn", body)
    assert await sent(place, {"thing": "t1", **body}) == [{"line": 1, "status": 201, "body": alone.json()}]


async def test_outcomes_come_in_the_order_of_the_lines(place: Place) -> None:
    found = await sent(place, *({"thing": f"t{n}"} for n in range(300)))
    assert [(one["line"], one["body"]["thing"]) for one in found] == [(n + 1, f"t{n}") for n in range(300)]


async def test_a_line_that_is_refused_leaves_the_others_whole(place: Place) -> None:
    found = await sent(
        place,
        {"thing": "t1"},
        b"{not json",
        {"thing": "t2", "amount": 1.5},
        {"thing": "t3", "colour": "red"},
        {"amount": "1.00"},
        [1],
        b"\xff",
        {"thing": "refused"},
        {"thing": "t4"},
    )
    assert [(one["status"], one["body"].get("code")) for one in found] == [
        (201, None),
        (400, "invalid-json"),
        (422, "invalid-body"),
        (422, "invalid-body"),
        (422, "invalid-body"),
        (422, "invalid-body"),
        (400, "invalid-json"),
        (409, "thing.wrong-stage"),
        (201, None),
    ]
    assert found[4]["body"]["errors"][0]["pointer"] == "/thing"


@pytest.mark.parametrize(
    "line",
    [
        b'{"thing": "\\ud800"}',
        b'{"thing": "a\\n"}',
        b'{"thing": "a", "turn_id": "\\udfff"}',
        b'{"thing": "a", "\\ud800": 1}',
        b'{"thing": "a", "lines": [{"sku": "\\ud800", "qty": 1}]}',
    ],
)
async def test_half_a_character_is_no_text(place: Place, line: bytes) -> None:
    found = await sent(place, line, {"thing": "a"})
    assert [(one["status"], one["body"].get("code")) for one in found] == [(422, "invalid-body"), (201, None)]


@pytest.mark.parametrize("name", sorted(WRONG))
async def test_whatever_goes_wrong_is_told_as_at_a_door_of_its_own(place: Place, name: str) -> None:
    alone = await place.client.get(f"/v1/wrong/{name}", headers=place.bearer("deals:read"))
    (line,) = await sent(place, {"thing": name})
    assert (line["status"], line["body"]["code"]) == (alone.status_code, alone.json()["code"])
    assert "hunter2" not in json.dumps(line)


async def test_a_key_for_all_is_a_key_for_each(place: Place) -> None:
    found = await sent(place, {"thing": "a"}, b"", {"thing": "b"}, **{"idempotency-key": "K"})
    assert [(one["line"], one["body"]["key"]) for one in found] == [(1, "K:1"), (3, "K:3")]
    assert [one["body"]["key"] for one in await sent(place, {"thing": "a"})] == [None]


@pytest.mark.parametrize(
    ("said", "text"), [("K", "K"), ('"K"', "K"), (r'"\"K\\"', '"K\\'), ('K"', 'K"'), ("K\\", "K\\")]
)
async def test_a_key_may_hold_whatever_a_key_may_hold(place: Place, said: str, text: str) -> None:
    (line,) = await sent(place, {"thing": "a"}, **{"idempotency-key": said})
    assert (line["status"], line["body"].get("key")) == (201, f"{text}:1")


async def test_if_match_is_for_one_and_says_nothing_to_many(place: Place) -> None:
    (line,) = await sent(place, {"thing": "a"}, **{"if-match": '"3"'})
    assert line["body"]["if_match"] is None


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 422, "invalid-body"),
        (b" \n\n", {}, 422, "invalid-body"),
        (b"{}\n" * (LINES + 1), {}, 413, "body-too-large"),
        (b"{}\n" * LINES + b"{}", {}, 413, "body-too-large"),
        (b" " * (BYTES + 1), {}, 413, "body-too-large"),
        (b"{}", {"content-type": "application/json"}, 415, "unsupported-media-type"),
        (b"{}", {"idempotency-key": "k" * (KEY + 1)}, 400, "invalid-idempotency-key"),
        (b"{}", {"authorization": ""}, 401, "missing-token"),
    ],
)
async def test_what_is_wrong_with_all_is_said_once(
    place: Place, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await place.post(BULK, body, **NDJSON | headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_line_may_be_no_larger_than_a_body(place: Place) -> None:
    found = await sent(place, {"thing": "t", "turn_id": "x" * BODY_BYTES}, {"thing": "t"})
    assert [(one["status"], one["body"].get("code")) for one in found] == [(413, "body-too-large"), (201, None)]


async def test_the_scopes_are_those_of_the_door(place: Place) -> None:
    answer = await place.post(BULK, b"{}", **NDJSON | place.bearer("leads:write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


async def test_the_description_names_the_line_and_its_outcome(place: Place) -> None:
    door = place.app.openapi()["paths"][BULK]["post"]
    line = door["requestBody"]["content"]["application/x-ndjson"]["schema"]
    single = place.app.openapi()["components"]["schemas"]["TurnBody"]
    assert line["properties"].keys() == single["properties"].keys() | {"thing"}
    assert line["required"] == ["thing"]
    assert line["additionalProperties"] is False, (
        "so the part of the path stands among the fields, or no line would fit"
    )
    assert "replayed" in door["responses"]["200"]["content"]["application/x-ndjson"]["schema"]["properties"]


def test_bulk_is_for_commands_only() -> None:
    doors = Doors()

    @doors.query("/v1/things", "deals:read", reply=None)
    async def things(request: Request) -> None: ...

    with pytest.raises(ValueError, match="command's door"):
        bulk(doors, "/v1/things/bulk", of=things)
