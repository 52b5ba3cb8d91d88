"""With exactly the rights of the two tables, and none beside them, the whole line works, to the month's close."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "journey"))

import guarded_line
from guarded import Authority
from guarded_line import GuardedLine
from journey_firm import Firm, plans, post, simulated

from belt.io.store.chain import verify
from belt.io.store.projection import rebuild
from belt.io.store.seal import Vault
from checks.docs.apps import services
from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor_local import Stack

pytestmark = [pytest.mark.contract, pytest.mark.timeout(240)]
MARCH = "2026-03"
NOT_ALLOWED = re.compile("refused: this user|permission denied|authorization|inventory.failed", re.IGNORECASE)


@pytest.fixture(scope="module")
async def guarded(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GuardedLine]:
    async with guarded_line.running(stack, tmp_path_factory.mktemp("guarded")) as line:
        yield line


async def test_the_line_sells_pays_and_closes_its_month(guarded: GuardedLine) -> None:
    async with guarded.line as line:
        await moved(line, "2026-03-01T08:00:00Z")
        await plans(line)
        firm = Firm(line, "north", "scout-hunter-farmer")
        await firm.open(managers=("vera",))
        await moved(line, "2026-04-02T08:00:00Z")
        client, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00", "2000.00")
        await firm.paid(deal, "2026-03-15T10:00:00+01:00", "10000.00")
        await firm.served(client, "2026-03-16T10:00:00+01:00")
        await firm.repeat(client, "2026-03-20T10:00:00+01:00", "4000.00")
        await moved(line, "2026-04-05T08:00:00Z")
        await post(line, "compensation", f"/v1/periods/{MARCH}/close", {"cutoff": "2026-04-05T00:00:00+02:00"})
        await eventually(lambda: closed(line), "March is closed")
        assert (await line.get("compensation", "/v1/verification"))["ok"]
        assert [await firm.payable(person, MARCH) for person in (firm.scout, firm.hunter, firm.farmer)] == [
            "1020.00", "1100.00", "2080.00",
        ]  # fmt: skip
        played = await simulated(line, {"from": MARCH, "to": MARCH, "variant": "hunter"})
        assert played["stage"] == "done"
        await post(line, "lead-gen", f"/v1/prospects/{client}/erase", {"by": "vera"})
        await line.drained()
    vault = Vault((guarded.folder / "sealing.key").read_bytes())
    for service in services():
        dsns = guarded.dsns[service.name]
        assert await verify(dsns["reader"]) is None, "a reader may walk the chain"
        rows = [await rebuild(dsns["service"], stream, vault) for stream in service.streams.values()]
        assert sum(rows) > 0, "a service may write its views anew"
        assert [line for line in guarded.log(service.name) if NOT_ALLOWED.search(str(line))] == []


async def test_a_service_that_kafka_does_not_let_in_says_why_and_comes_in_when_it_may(
    guarded: GuardedLine, tmp_path: Path
) -> None:
    name, broker = "lead-gen", guarded.broker
    trusted = tmp_path / "authorities.pem"
    trusted.write_bytes(Authority(tmp_path, "stranger").file.read_bytes())
    old = broker.password(name).read_text()
    broker.admit({name: "a new one"})
    broker.password(name).write_text(old)
    guarded.stop(name)
    (guarded.folder / f"{name}.log").unlink()
    guarded.start(name, CONVEYOR_KAFKA_CA_FILE=str(trusted))
    guarded.wait(name)  # ready: what is told is kept, and carried when Kafka lets it in
    said = Waiting(guarded, name)
    await said.by("relay.stepped_down", "the broker's certificate is not to be trusted")
    await said.by("consumer.left", "the broker's certificate is not to be trusted")
    trusted.write_bytes(broker.authority.file.read_bytes())
    await said.by("relay.stepped_down", "Kafka does not accept this user name and password")
    await said.by("consumer.left", "Kafka does not accept this user name and password")
    assert guarded.ready(name)
    async with guarded.line as line:
        await post(line, name, "/v1/staff", {"person": "late", "hired_on": "2026-01-01"})
        failures = [one["failures"] for one in guarded.log(name) if one.get("event") == "relay.stepped_down"]
        assert failures == sorted(failures), "each try comes later than the last"
        broker.password(name).write_text("a new one\n")
        await line.drained(60)
    text = (guarded.folder / f"{name}.log").read_text()
    assert "a new one" not in text
    assert old.strip() not in text


class Waiting:
    """For lines in a service's log."""

    def __init__(self, guarded: GuardedLine, service: str) -> None:
        self._guarded, self._service = guarded, service

    async def by(self, event: str, why: str) -> None:
        def there() -> bool:
            lines = self._guarded.log(self._service)
            return any(line.get("event") == event and why in line.get("trouble", "") for line in lines)

        await eventually(there, f"{event}: {why}", 30.0)


async def moved(line: Line, at: str) -> None:
    await asyncio.gather(*(line.put(service, "/v1/clock", {"at": at}) for service in SERVICES))
    await line.drained(60)


async def closed(line: Line) -> bool:
    shown = await line.get("compensation", "/v1/periods")
    return shown["closing"] is None and bool(shown["items"])


async def eventually(holds: Callable[[], object], what: str, within: float = 30.0) -> None:
    async with asyncio.timeout(within):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(what)
