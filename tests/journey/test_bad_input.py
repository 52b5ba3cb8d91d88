"""Bad input gets a problem with a stable code and leaves `events` and `published` as they were."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from journey_firm import Firm, plans

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.processes import database
from conveyor.running import Running
from conveyor_events.words import parse_instant
from conveyor_local import Stack

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]

PROSPECT: dict[str, Any] = {"line": "bad", "name": "Acme", "source": "fair"}


async def sizes(running: Running) -> list[tuple[int, int]]:
    stack = Stack.find(home=running.home)
    assert stack is not None
    found = []
    for service in SERVICES:
        connection = await asyncpg.connect(stack.dsn(database(service)))
        row = await connection.fetchrow("select (select count(*) from events), (select count(*) from published)")
        assert row is not None
        found.append((row[0], row[1]))
        await connection.close()
    return found


async def nothing_due(line: Line) -> None:
    """The clocks have said of this history what there is to say: an opportunity that nobody touched since March."""
    while True:
        clocks = await line.drained()
        dues = [clock["next_due"] for clock in clocks.values() if clock["next_due"]]
        if all(parse_instant(due) > datetime.now(UTC) for due in dues):
            return
        await asyncio.sleep(0.1)


async def test_nonsense_is_refused_with_a_code_and_changes_nothing(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "bad", "scout-hunter-farmer")
        await firm.open()
        client, opportunity = await firm.lead("2026-03-02T10:00:00+01:00")
        await nothing_due(line)
    before = await sizes(running)
    good = DevelopmentIssuer(running.issuer).issue("x", roles=["driver"])
    stranger = jwt.encode(
        {
            "iss": "urn:conveyor:development",
            "aud": "conveyor",
            "sub": "x",
            "exp": 4_000_000_000,
            "scope": "leads:write",
        },
        Ed25519PrivateKey.generate(),
        algorithm="EdDSA",
        headers={"kid": jwt.get_unverified_header(good)["kid"]},
    )
    leads, deals = running.addresses["lead-gen"], running.addresses["conversion"]
    close = {"net": "1.00", "tax": "0.00", "currency": "EUR", "by": firm.hunter}
    sent: list[tuple[str, Any, str, int, str]] = [
        (f"{leads}/v1/prospects", {**PROSPECT, "colour": "red"}, good, 422, "invalid-body"),
        (f"{leads}/v1/prospects", {**PROSPECT, "occurred_at": "2999-01-01T00:00:00Z"}, good, 422, "future-date"),
        (f"{leads}/v1/prospects", PROSPECT, stranger, 401, "invalid-token"),
        (f"{leads}/v1/prospects", {**PROSPECT, "name": "x" * 300_000}, good, 413, "body-too-large"),
        (
            f"{leads}/v1/prospects/{client}/verify",
            {"checks": ["legal_active"], "by": firm.scout},
            good,
            409,
            "prospect.wrong-stage",
        ),
        (f"{leads}/v1/prospects/nobody/verify", {"checks": ["legal_active"]}, good, 404, "prospect.unknown"),
        (f"{deals}/v1/opportunities/{opportunity}/close", {**close, "net": 1.5}, good, 422, "invalid-body"),
        (f"{deals}/v1/opportunities/{opportunity}/close", close, good, 409, "opportunity.wrong-stage"),
    ]
    async with httpx.AsyncClient(timeout=20) as http:
        for url, body, token, status, code in sent:
            answer = await http.post(url, json=body, headers={"authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.json()["code"]) == (status, code), (url, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
    assert await sizes(running) == before
