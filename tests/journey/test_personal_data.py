"""Names, phones and notes are ciphertext wherever they are kept, and are on no topic."""

from __future__ import annotations

import asyncpg
import pytest
from journey_firm import Firm, plans, post
from journey_secrets import content

from conveyor.line import Line
from conveyor.processes import database
from conveyor.running import Running
from conveyor_local import Stack

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]

NAME, PHONE, NOTE, PERSON = "Quirinus Zappelmann", "+4930123999888", "kennt den Chef vom Segeln", "Ottilie Wunderlich"


async def test_no_file_of_postgresql_kafka_or_the_logs_holds_personal_data(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "private", "scout-hunter-farmer")
        await firm.open()
        body = {"client_id": "private-1", "line": "private", "name": NAME, "source": "fair", "by": firm.scout}
        keys = [{"kind": "phone", "value": PHONE}]
        await line.post("lead-gen", "/v1/prospects", body | {"country": "DE", "identity_keys": keys}, key="once")
        said = {"by": firm.scout}
        path = "/v1/prospects/private-1"
        await post(line, "lead-gen", f"{path}/calls", {"outcome": "reached", "note": NOTE, **said})
        reached = {"person": PERSON, "position": "buyer", "channel": "phone", "influence": "decides"}
        await post(line, "lead-gen", f"{path}/contacts", reached | said)
        shown = await line.get("lead-gen", path, person=firm.scout, roles=["scout"])
        assert NAME in str(shown), "who may see it still sees it"
        await line.drained()
    stack = Stack.find(home=running.home)
    assert stack is not None
    connection = await asyncpg.connect(stack.dsn("postgres"))
    await connection.execute("checkpoint")
    await connection.close()
    words = [text.encode() for text in (NAME, PHONE, PHONE.lstrip("+"), NOTE, PERSON)]
    files = [path for path in running.home.rglob("*") if path.is_file()]
    assert len(files) > 500
    found = [(path, word) for path in files for word in words if word in content(path)]
    assert found == []
    seen = [path for path in files if b"private-1" in content(path)]
    assert any("postgres" in path.parts for path in seen), "the search does not look where the data is"
    assert any("kafka" in path.parts for path in seen), "the search does not look where the data is"


async def test_who_asks_to_be_forgotten_is_forgotten_at_every_station_and_stays_paid_for(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "forgotten", "scout-hunter-farmer")
        await firm.open(managers=("vera",))
        client, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00", since="2026-03-02T10:00:00+01:00")
        await firm.paid(deal, "2026-03-15T10:00:00+01:00", "10000.00")
        await firm.served(client, "2026-03-10T12:00:00+01:00")
        visit = {"channel": "visit", "summary": NOTE, "by": firm.farmer}
        await post(line, "account-mgmt", f"/v1/accounts/{client}/contacts", visit)
        before = [await firm.payable(person, "2026-03") for person in (firm.scout, firm.hunter)]
        await post(line, "lead-gen", f"/v1/prospects/{client}/erase", {"by": "vera"})
        await line.drained()
        for service in ("lead-gen", "conversion", "account-mgmt"):
            assert await _kept(running, service, client) == [None], service
        assert [await firm.payable(person, "2026-03") for person in (firm.scout, firm.hunter)] == before
        story = (await line.get("compensation", f"/v1/journeys/{client}"))["events"]
        assert story[-1]["type"] == "conveyor.leads.PersonalDataErased"


async def _kept(running: Running, service: str, client: str) -> list[bytes | None]:
    """The client's key as the station keeps it."""
    stack = Stack.find(home=running.home)
    assert stack is not None
    connection = await asyncpg.connect(stack.dsn(database(service)))
    try:
        return [row["wrapped"] for row in await connection.fetch("select wrapped from keys where holder = $1", client)]
    finally:
        await connection.close()
