"""What happens to a database beside the services: long transactions, a lock, a row that somebody edits."""

from __future__ import annotations

import asyncio

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaProducer
from stations import command, dsn_of, eventually, kept, metric, parked, records, stack_of
from story import Story, undisturbed

from belt.io.store.chain import verify
from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.running import Running

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
BOUND = 170 * 1024**2  # ten thousand records that may be held, what is on its way, and what Python keeps of both


async def test_long_transactions_hold_up_nobody(running: Running) -> None:
    """One in each service's own database and one in another of the cluster: all have written, none ends."""
    addresses = [dsn_of(running, service) for service in SERVICES] + [stack_of(running).dsn()]
    held = [await asyncpg.connect(dsn) for dsn in addresses]
    try:
        async with Line.of(running, patience=10.0) as line:
            truth = await undisturbed(line, "no-transaction")
            for number, connection in enumerate(held):
                await connection.execute("begin")
                if number < len(SERVICES):
                    await connection.execute("insert into checkpoints (name, position) values ('held-open', 0)")
                assert await connection.fetchval("select pg_current_xact_id()") is not None
            story = await Story.begun(line, "held-open")
            async with asyncio.timeout(30.0):
                await story.found()
                for client in story.clients:
                    await story.sold(client)
                await line.drained(60.0)
            assert await story.told() == truth
    finally:
        for connection in held:
            await connection.execute("rollback")
            await connection.close()


async def test_a_consumer_that_is_held_up_keeps_little_in_memory_and_catches_up(running: Running) -> None:
    """Conversion's gates are locked while far more comes than it will hold."""
    address = running.addresses["conversion"]
    process = psutil.Process(running.services["conversion"].pid)
    brokers = stack_of(running).brokers
    async with Line.of(running) as line:
        story = await Story.begun(line, "held-up")
        await story.found()
        await line.drained()
        before = await kept(running)
        of_leads = [one for one in await records(brokers) if one.topic == "conveyor.leads.v1"]
        connection = await asyncpg.connect(dsn_of(running, "conversion"))
        try:
            await connection.execute("begin; lock table commands in access exclusive mode")
            resident = process.memory_info().rss
            await flood(brokers, of_leads, 20_000)

            async def shown() -> bool:
                return await metric(address, "conveyor_consumer_lag_records") > 10_000

            await eventually(shown, "the lag is shown")
            assert process.memory_info().rss - resident < BOUND
            assert await metric(address, "conveyor_consumer_lag_seconds") > 0
        finally:
            await connection.execute("rollback")
            await connection.close()
        for client in story.clients:
            await story.sold(client)
        await line.drained(60.0)

        async def none() -> bool:
            return await metric(address, "conveyor_consumer_lag_records") == 0

        await eventually(none, "no lag is shown")
        assert process.memory_info().rss - resident < BOUND
        assert await parked(line, "conversion") == []
        assert (await kept(running))["lead-gen.events"] >= before["lead-gen.events"]


async def flood(brokers: str, found: list[object], count: int) -> None:
    """Known records again, many times over, each with 5 kB of blanks behind it."""
    producer = AIOKafkaProducer(bootstrap_servers=brokers, linger_ms=5, max_batch_size=500_000)
    await producer.start()
    try:
        for n in range(count):
            one = found[n % len(found)]
            about = {"key": one.key, "headers": list(one.headers), "partition": one.partition}  # type: ignore[attr-defined]
            await producer.send(one.topic, one.value + b" " * 5_000, **about)  # type: ignore[attr-defined]
    finally:
        await producer.stop()


async def test_a_row_of_the_public_log_that_was_edited_is_named(running: Running) -> None:
    dsn = dsn_of(running, "lead-gen")
    async with Line.of(running) as line:
        story = await Story.begun(line, "edited")
        await story.found()
        await line.drained()
    connection = await asyncpg.connect(dsn)
    try:
        last = await connection.fetchval("select position from log_head")
        assert await verify(dsn) is None
        for column, other in (("value", "value || ' '"), ("recorded_at", "recorded_at + interval '1 second'")):
            position = await connection.fetchval("select position from log_chain where position > $1 / 2 limit 1", last)
            was = await connection.fetchval(f"select {column} from published where position = $1", position)
            await connection.execute(f"update published set {column} = {other} where position = $1", position)
            broken = await verify(dsn)
            assert broken is not None
            assert broken.after < position <= broken.upto
            if column == "value":
                code, said = await command(running, "lead-gen", "verify")
                assert (code, f"the public log was changed at {broken}" in said) == (1, True)
            await connection.execute(f"update published set {column} = $2 where position = $1", position, was)
        assert await verify(dsn) is None
        gone = await connection.fetchrow("delete from published where position = $1 returning *", last)
        broken = await verify(dsn)
        assert broken is not None
        assert broken.upto == last
        assert gone is not None
        await connection.copy_records_to_table("published", records=[tuple(gone)])
        assert (await command(running, "lead-gen", "verify"))[0] == 0
    finally:
        await connection.close()
