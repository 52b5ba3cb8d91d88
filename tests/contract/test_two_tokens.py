"""Every door of every service, met by every kind of reader and by every token that must open nothing.

What each meets stands in walk_policy.py, written by hand. What is refused leaves nothing behind.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from forged_tokens import forged
from sqlalchemy import text
from walk_firm import NOW, SERVICES, Walk, walked
from walk_policy import OPEN, POLICY, READERS, SHOWN_ELSEWHERE, table

from checks.asked import NOTHING, asked, name
from conveyor_local.stack import Stack

pytestmark = pytest.mark.contract

COMMAND, NOT_NOW, LOOK = "A", "a", "KSL0"
LET_IN = COMMAND + LOOK
SIZE: Any = text("select (select count(*) from events) as events, (select count(*) from published) as published")
ROOT = Path(__file__).parents[2]


class Questions:
    """Everything that was asked of `authorize` since it was last cleared. What is asked is answered by the real one."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def listening(self, really: Any) -> Any:
        def authorize(reader: Any, action: str, *rest: Any) -> bool:
            self.asked.add(action)
            answer: bool = really(reader, action, *rest)
            return answer

        return authorize

    def among(self, really: Any) -> Any:
        def lines_near(*who: Any) -> Any:
            self.asked.add("see")
            return really(*who)

        return lines_near


QUESTIONS = Questions()


@pytest_asyncio.fixture(scope="session", params=list(POLICY))
async def walk(
    request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Walk]:
    service = SERVICES[request.param]
    with pytest.MonkeyPatch.context() as patch:
        own = importlib.import_module(f"{service.package}.access")
        patch.setattr(own, "authorize", QUESTIONS.listening(own.authorize))
        for place, called, heard in (
            ("compensation.api.sight", "authorize", QUESTIONS.listening),
            ("belt.io.http.sight", "lines_near", QUESTIONS.among),
        ):
            module = importlib.import_module(place)
            patch.setattr(module, called, heard(getattr(module, called)))
        async with walked(service, stack, tmp_path_factory.mktemp(service.name), NOW[service.name]) as made:
            made.service = service.name
            yield made


async def size(walk: Walk) -> tuple[int, int]:
    """How many events the service has written down, and how many it has told."""
    (row,) = await walk.parts.desk.rows(SIZE)
    return int(row["events"]), int(row["published"])


async def knock(walk: Walk, door: str, token: str | None) -> httpx.Response:
    """The request of this door with this token: its address filled in, its body as a command needs it."""
    method, path = door.split()
    address = re.sub(r"\{(\w+)\}", lambda part: walk.named.get(part[1], "1"), path)
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    if method == "GET":
        return await walk.http.get(address, headers=headers)
    body = json.dumps(walk.bodies.get(door, {"at": "2030-01-01T00:00:00Z"} if path == "/v1/clock" else {}))
    media = "application/x-ndjson" if path.endswith("/bulk") else "application/json"
    sent = None if door == "POST /v1/events/seal" else body
    return await walk.http.request(method, address, content=sent, headers=headers | {"content-type": media})


async def knock_straight(walk: Walk, door: str, token: str | None) -> tuple[int, bytes]:
    """The same for thousands of requests that should end at the door: straight to the app, without a client."""
    method, path = door.split()
    address = re.sub(r"\{(\w+)\}", lambda part: walk.named.get(part[1], "1"), path)
    headers = [(b"content-type", b"application/json")]
    headers += [] if token is None else [(b"authorization", b"Bearer " + token.encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": address, "raw_path": address.encode(), "query_string": b"", "headers": headers, "root_path": "",
        "server": ("walk", 80), "client": ("walk", 1), "state": {},
    }  # fmt: skip
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(walk.bodies.get(door, {})).encode(), "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    assert walk.parts.app is not None
    await walk.parts.app(scope, receive, send)
    return told[0]["status"], b"".join(part.get("body", b"") for part in told[1:])


def met(door: str, answer: httpx.Response, personal: tuple[str, ...]) -> str:
    """The letter of walk_policy.py for what came back."""
    status, body = answer.status_code, answer.json() if answer.content and door.startswith("POST") else {}
    if door.endswith("/bulk") and status == 200:
        status, body = body["status"], body["body"]
    if status in (403, 404):
        code = (body or answer.json())["code"]
        if status == 403:
            return "F" if code == "missing-scope" else "N"
        return "X" if code.endswith(".unknown") else f"404 {code}"
    if door.startswith(("POST", "PUT")):
        return {200: COMMAND, 201: COMMAND, 409: NOT_NOW, 422: NOT_NOW}.get(status, str(status))
    if status != 200:
        return str(status)
    if any(word in answer.text for word in personal):
        return "K"
    shown = answer.json() if "json" in answer.headers["content-type"] and not door.endswith("/events") else {}
    if "items" in shown and (shown.keys() & {"next", "counts"} or len(shown) <= 2) and "language" not in shown:
        return "L" if shown["items"] else "0"
    return ("L" if shown["total"] else "0") if shown.keys() == {"counts", "total"} else "S"


def fits(cell: str, found: str) -> bool:
    """A: done, or refused for how the thing stands. N: not done; some streams look at that first, too."""
    return found == cell or (found == NOT_NOW and cell in "AN") or (cell in "LS" and found in "LS")


async def test_every_reader_meets_what_the_table_says_and_a_refused_one_leaves_nothing(walk: Walk) -> None:
    tokens = {who: walk.issuer.issue(person, roles=[role]) for who, (person, role) in walk.readers.items()}
    asks = asked(SERVICES[walk.service].package)
    wrong: list[str] = []
    for door, cells in table(walk.service).items():
        action = asks.get(plain(walk, door), (NOTHING, ""))[0]
        readers = list(zip(READERS, cells, strict=True))
        refused = [who for who in readers if who[1] not in LET_IN]
        before = await size(walk)
        for who, cell in [*refused, ("", ""), *(one for one in readers if one not in refused)]:
            if not who:
                wrong += [] if await size(walk) == before else [f"{walk.service} {door}: a refused one left something"]
                continue
            QUESTIONS.asked.clear()
            answer = await knock(walk, door, tokens[who])
            found = met(door, answer, walk.personal)
            if not fits(cell, found):
                wrong.append(f"{walk.service} {door}: {who} should meet {cell}, met {found}: {answer.text[:200]}")
            if action != NOTHING and cell != "F" and action not in QUESTIONS.asked:
                wrong.append(f"{walk.service} {door}: nobody asked whether {who} may {action}")
    assert not wrong, "\n".join(wrong)


def plain(walk: Walk, door: str) -> str:
    """The door as the app has it: an address in the table may name another thing of the same kind."""
    found = [one for one in doors(walk) if re.sub(r"\{\w+\}", "{}", one) == re.sub(r"\{\w+\}", "{}", door)]
    assert len(found) == 1, door
    return found[0]


def doors(walk: Walk) -> list[str]:
    assert walk.parts.app is not None
    return [name(route) for route in walk.parts.app.routes]


async def test_no_door_is_missing_from_the_walk(walk: Walk) -> None:
    here = {plain(walk, door) for door in table(walk.service)}
    if walk.service == SHOWN_ELSEWHERE:
        place = ROOT / "services/compensation/tests/test_access.py"
        spec = importlib.util.spec_from_file_location("pay_walk", place)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        shown = {path.partition("?")[0] for path in (*module.WALK, *module.LISTS)} | module.OPEN_TO_ALL_READERS
        for door in doors(walk):
            pattern = re.sub(r"\{\w+\}", "[^/]+", door.removeprefix("GET "))
            if door.startswith("GET ") and any(re.fullmatch(pattern, path) for path in shown):
                here.add(door)
    assert here | OPEN == set(doors(walk))
    assert not here & OPEN


async def test_no_forged_token_opens_any_door(walk: Walk) -> None:
    owner = walk.readers["owner"][0]
    tokens: dict[str, str | None] = {"none": None, **forged(walk.folder, owner)}
    before, wrong = await size(walk), []
    for door in set(doors(walk)) - OPEN:
        for wrongness, token in tokens.items():
            status, body = await knock_straight(walk, door, token)
            code = json.loads(body)["code"] if status == 401 else status
            if code != ("missing-token" if token is None else "invalid-token"):
                wrong.append(f"{walk.service} {door}: a token {wrongness} met {code}")
    assert not wrong, "\n".join(wrong)
    assert await size(walk) == before


@pytest.mark.parametrize("who", ["other", "stranger"])
async def test_unknown_and_not_yours_are_told_in_the_same_words(walk: Walk, who: str) -> None:
    person, role = walk.readers[who]
    token, unknown = walk.issuer.issue(person, roles=[role]), Unknown(walk)
    for door, cells in table(walk.service).items():
        if cells[READERS.index(who)] == "X" and "{" in door:
            hidden, nothing = await knock(walk, door, token), await knock(unknown, door, token)
            told = [{**answer.json(), "instance": ""} for answer in (hidden, nothing)]
            assert told[0] == told[1], door


class Unknown(Walk):
    """The same service, asked for things that are not there."""

    def __init__(self, walk: Walk) -> None:
        nothing = {name: value if name == "period" else f"no-{value}" for name, value in walk.named.items()}
        super().__init__(**{**vars(walk), "named": nothing})
