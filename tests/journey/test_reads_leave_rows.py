"""Who reads personal data at a station leaves a row in its audit log; who reads none leaves none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from journey_secrets import FIRM, HIDDEN, Client, asked, filled, ids_of
from journey_shown import SHOWS

from checks.docs.apps import app
from conveyor.line import Line
from conveyor.running import Running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]

STATIONS = ("lead-gen", "conversion", "account-mgmt")
BARE = ("leads:read", "deals:read", "accounts:read", "staff:read", "self-tests", "handoffs:decide")

OF_ALL = {"/v1/clock", "/v1/events", "/v1/audit", "/v1/parked", "/v1/parked/skipped", "/v1/parked/{parked_id}"}


def shown(service: str) -> set[str]:
    return {
        route.path
        for route in app(service).routes
        if isinstance(route, APIRoute) and route.path.startswith("/v1/") and "GET" in (route.methods or ())
    } - OF_ALL


@pytest.mark.parametrize("service", STATIONS)
def test_every_door_that_shows_something_is_in_the_table(service: str) -> None:
    assert shown(service) == set(SHOWS[service])
    sealed = {
        path
        for path, item in app(service).openapi()["paths"].items()
        if "get" in item and "pii:read" in json.dumps(_schemas(app(service).openapi(), item["get"]))
    }
    assert sealed <= {path for path, whose in SHOWS[service].items() if whose}, "a field says pii:read, the table not"


def _schemas(document: Any, part: Any, seen: frozenset[str] = frozenset()) -> list[Any]:
    """A part of an OpenAPI document with all that it refers to, without its own security."""
    text = json.dumps({name: value for name, value in part.items() if name not in ("security", "description")})
    found: list[Any] = [text]
    for name in set(re.findall(r'#/components/schemas/([^"]+)', text)) - seen:
        found += _schemas(document, document["components"]["schemas"][name] | {"security": 0}, seen | {name})
    return found


@pytest.mark.parametrize("service", STATIONS)
async def test_who_reads_personal_data_leaves_a_row_and_who_reads_none_leaves_none(
    running: Running, told: Client, service: str
) -> None:
    person = f"{FIRM}-scout" if service == "lead-gen" else f"{FIRM}-hunter"
    names = {"client": told.client, "card": f"{FIRM}-card", "staff": f"{FIRM}-named"}
    async with Line.of(running) as line:
        ids = await ids_of(line, told)
        for path, whose in SHOWS[service].items():
            where = filled(path, service, ids)
            if where is None:
                continue
            before = await _last(running, service)
            await line.get(service, where, person=person, roles=("hunter",))
            rows = await _rows(running, service, before)
            assert [(row["person"], row["kind"], row["route"]) for row in rows] == (
                [(person, "personal", path)] if whose else []
            ), path
            assert all(names[whose or ""] in row["whose"] and "pii:read" in row["scopes"] for row in rows) or (
                whose == "card"
            )
            assert HIDDEN.search(str(rows).encode()) is None
            if "dossier" in path or whose == "card":
                continue
            await line.get(service, where, person=person, roles=(), scopes=BARE)
            assert len(await _rows(running, service, before)) == len(rows), f"{path} without personal data"


async def _last(running: Running, service: str) -> int:
    (row,) = await asked(running, service, "select coalesce(max(id), 0) as last from audit")
    return int(row["last"])


async def _rows(running: Running, service: str, after: int) -> list[Any]:
    return await asked(running, service, "select * from audit where id > $1 order by id", after)
