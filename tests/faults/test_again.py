"""Whatever is delivered again, or worked out again from the beginning, ends with the same statements."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from journey_firm import Firm, plans
from stations import PARTITIONS, kept, records, stack_of
from story import nothing_due

from conveyor.addresses import SERVICES
from conveyor.commands.rebuilding import rebuilt, settings_of
from conveyor.line import Line
from conveyor.processes import Wish, database, up
from conveyor.running import Running
from conveyor_events.catalog import TOPICS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
MONTH = "2026-03"
VIEWS = {
    "lead-gen": ("prospects",),
    "conversion": ("offers", "opportunities", "deals"),
    "account-mgmt": ("offers", "accounts", "sales"),
    "compensation": ("plans", "assignments"),
}


async def worked(line: Line, name: str) -> Firm:
    """A month's work on a line of its own."""
    await plans(line)
    firm = Firm(line, name, "scout-hunter-farmer")
    await firm.open()
    client, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00")
    await firm.verified("2026-03-04T10:00:00+01:00")
    await firm.paid(deal, "2026-03-15T10:00:00+01:00", "10000.00")
    await firm.served(client, "2026-03-16T10:00:00+01:00")
    await firm.repeat(client, "2026-03-28T10:00:00+01:00", "4000.00")
    await firm.refunded(deal, "2026-03-29T10:00:00+02:00", "2500.00")
    await nothing_due(line)
    return firm


async def statements(firm: Firm) -> list[dict[str, Any]]:
    """Everything that was said of everybody's month, but for the moment it was asked."""
    found = [await firm.statement(person, MONTH) for person in (firm.scout, firm.hunter, firm.farmer)]
    assert all(statement["lines"] for statement in found)
    return [{name: part for name, part in statement.items() if name != "known_at"} for statement in found]


async def test_every_record_three_times_changes_no_statement(running: Running) -> None:
    brokers = stack_of(running).brokers
    async with Line.of(running) as line:
        firm = await worked(line, "thrice")
        once, held = await statements(firm), await kept(running)
        found = await records(brokers)
        assert {record.topic for record in found} >= TOPICS.keys() - {"conveyor.pay.v1"}
        producer = AIOKafkaProducer(bootstrap_servers=brokers)
        await producer.start()
        try:
            for record in [*reversed(found), *found]:
                await producer.send(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                    partition=record.partition,
                )
        finally:
            await producer.stop()
        await line.drained()
        assert await statements(firm) == once
        assert await kept(running) == held


async def rebuild(running: Running, service: str) -> None:
    """What an operator does: `conveyor rebuild SERVICE`."""
    told: list[tuple[int, int]] = []
    done = await rebuilt(service, settings_of(running, service), lambda rows, of: told.append((rows, of)))
    assert sum(done.values()) > 0
    assert told[-1][0] == told[-1][1] == sum(done.values())


async def rows(running: Running, service: str) -> dict[str, list[str]]:
    connection = await asyncpg.connect(stack_of(running).dsn(database(service)))
    found = {
        view: sorted(json.dumps(dict(row), default=str) for row in await connection.fetch(f"select * from {view}"))
        for view in VIEWS[service]
    }
    await connection.close()
    return found


async def test_read_models_that_were_lost_come_back_from_the_events(running: Running) -> None:
    async with Line.of(running) as line:
        firm = await worked(line, "lost")
        once = await statements(firm)
        for service in SERVICES:
            before = await rows(running, service)
            assert all(before.values()), "a view that is empty proves nothing"
            connection = await asyncpg.connect(stack_of(running).dsn(database(service)))
            for view in VIEWS[service]:
                await connection.execute(f"delete from {view}")
            await connection.close()
            await rebuild(running, service)
            assert await rows(running, service) == before
        assert await statements(firm) == once


async def test_statements_are_the_same_when_all_facts_are_read_anew(running: Running, wish: Wish) -> None:
    stack = stack_of(running)
    async with Line.of(running) as line:
        firm = await worked(line, "anew")
        once, held = await statements(firm), await kept(running)
        psutil.Process(running.services["compensation"].pid).terminate()
        await asyncio.to_thread(psutil.Process(running.services["compensation"].pid).wait, 30)
        connection = await asyncpg.connect(stack.dsn(database("compensation")))
        await connection.execute("truncate facts, gates")
        await connection.close()
        member = AIOKafkaConsumer(bootstrap_servers=stack.brokers, group_id="compensation", enable_auto_commit=False)
        await member.start()
        member.assign(PARTITIONS)
        await member.commit(dict.fromkeys(PARTITIONS, 0))
        await member.stop()
        running.services = (await asyncio.to_thread(up, wish, lambda _: None))[0].services
        await line.drained()
        assert await statements(firm) == once
        assert await kept(running) == held
