"""Somebody of the line signs in with a browser, at the process that `conveyor up` starts, and the doors open."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from journey_firm import Firm, plans

from conveyor.line import Line
from conveyor.pages import BACK, BOARD, SIGN_IN
from conveyor.running import Running, address
from conveyor.signin.exchange import challenge_of

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


async def test_who_works_on_the_line_is_picked_and_comes_through_the_doors_of_their_role(
    running: Running, http: httpx.AsyncClient
) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "signing", "hunter-farmer")
        await firm.open(managers=("signing-boss",))
    issuer, back = address(running.pages[SIGN_IN].port), address(running.pages[BOARD].port) + BACK
    told = (await http.get(f"{issuer}/.well-known/openid-configuration")).json()
    hunter = await _signed_in(http, told, back, firm.hunter, "hunter")
    boss = await _signed_in(http, told, back, "signing-boss", "manager")
    doors = running.addresses
    mine, staff = f"{doors['conversion']}/v1/offers", f"{doors['lead-gen']}/v1/staff"
    assert await _status(http, mine, hunter["access_token"]) == 200
    assert await _status(http, staff, boss["access_token"]) == 200
    hired = {"person": "signing-new", "hired_on": "2026-01-01"}
    assert (await http.post(staff, json=hired, headers=_bearer(hunter["access_token"]))).status_code == 403
    assert (await http.post(staff, json=hired, headers=_bearer(boss["access_token"]))).status_code == 201
    assert await _status(http, mine, hunter["id_token"]) == 401, "an ID token opens nothing"


async def _signed_in(
    http: httpx.AsyncClient, told: dict[str, str], back: str, person: str, role: str
) -> dict[str, str]:
    verifier = secrets.token_urlsafe(48)
    asked = {"response_type": "code", "client_id": "board", "redirect_uri": back, "scope": "openid",
             "code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}  # fmt: skip
    shown = (await http.get(told["authorization_endpoint"], params=asked)).text
    assert re.search(rf'value="{person}"><b>{person}</b> {role}<small>signing: ', shown), shown
    ticket = re.findall(r'name="ticket" value="([^"]+)"', shown)[0]
    picked = await http.post(f"{told['issuer']}/pick", data={"ticket": ticket, "person": person})
    code = parse_qs(urlsplit(picked.headers["location"]).query)["code"][0]
    brought = {"grant_type": "authorization_code", "client_id": "board", "code": code,
               "redirect_uri": back, "code_verifier": verifier}  # fmt: skip
    tokens: dict[str, str] = (await http.post(told["token_endpoint"], data=brought)).json()
    return tokens


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def _status(http: httpx.AsyncClient, door: str, token: str) -> int:
    return (await http.get(door, headers=_bearer(token))).status_code
