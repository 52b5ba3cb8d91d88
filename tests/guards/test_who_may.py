"""Which role opens which door, both ways: the table in docs/roles.md is what the apps do."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from belt.io.http.auth import Verifier
from belt.io.http.doors import Door
from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, DevelopmentIssuer
from belt.io.http.keyset import KeySet
from checks.docs.apps import app, services
from checks.docs.doors import doors
from checks.docs.roles import ROWS, method, page
from conveyor_events.scopes import ROLES

SERVICES = [service.name for service in services()]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentIssuer:
    return DevelopmentIssuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def apps() -> dict[str, FastAPI]:
    """Put together before any loop runs: each is made in one of its own."""
    return {name: app(name) for name in SERVICES}


def address(door: Door) -> str:
    return re.sub(r"\{\w+\}", "x", door.path)


def told(service: str) -> dict[tuple[str, str], set[str]]:
    """What the committed table says: (method, path) to roles."""
    text = (ROOT / "docs/roles.md").read_text(encoding="utf-8")
    chapter = text.split(f"## {service}\n")[1].split("\n## ")[0]
    found = {}
    for verb, path, cells in re.findall(r"^\| `(\w+) ([^`]+)` \|[^|]+\|(.*)\|$", chapter, re.MULTILINE):
        marks = [cell.strip() for cell in cells.split("|")]
        found[verb, path] = {role for role, mark in zip(ROWS, marks, strict=True) if mark == "✓"}
    return found


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a_role_opens_the_doors_of_the_table_and_no_other(
    service: str, role: str, issuer: DevelopmentIssuer, apps: dict[str, FastAPI]
) -> None:
    served = apps[service]
    reception = served.state.reception
    reception.verifier = Verifier(KeySet(str(issuer.jwks)), DEV_ISSUER, AUDIENCE)
    token = issuer.issue("somebody", roles=[role])
    table = told(service)
    one = next(found for found in services() if found.name == service)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://x") as client:
        for door in doors(one):
            if not door.scopes:
                continue
            verb = method(door)
            if role in table[verb, door.path]:
                scope = {"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())], "state": {}}
                await reception.admit(Request(scope), door.scopes)
                continue
            answer = await client.request(verb, address(door), headers={"authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope"), (verb, door.path, role)


def test_every_door_that_asks_for_a_scope_stands_in_the_table() -> None:
    assert (ROOT / "docs/roles.md").read_text(encoding="utf-8").endswith(page())
    for service in services():
        asked = {(method(door), door.path) for door in doors(service) if door.scopes}
        assert told(service.name).keys() == asked
        assert all(told(service.name).values()), "a door that nobody opens"
