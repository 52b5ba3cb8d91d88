"""The fixtures give each test its own database and topics on real servers."""

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from conveyor_local import Stack
from conveyor_local.fixtures import NewDatabase, NewTopics


@pytest.fixture(scope="session")
async def template(stack: Stack) -> str:
    db = await asyncpg.connect(await stack.create_database("fixtures_template"), timeout=10)
    await db.execute("CREATE TABLE mark (word text); INSERT INTO mark VALUES ('copied')")
    await db.close(timeout=10)
    return "fixtures_template"


async def test_a_database_is_a_copy_of_the_template(database: str) -> None:
    db = await asyncpg.connect(database, timeout=10)
    assert await db.fetchval("SELECT word FROM mark") == "copied"
    assert await db.fetchval("SELECT current_setting('server_version_num')::int") >= 170000
    assert await db.fetchval("SELECT 'ä' < 'b' COLLATE \"C\"") is False
    await db.close(timeout=10)


async def test_two_databases_do_not_see_each_other(new_database: NewDatabase) -> None:
    one, other = [await asyncpg.connect(await new_database(), timeout=10) for _ in range(2)]
    await one.execute("DELETE FROM mark")
    assert await other.fetchval("SELECT count(*) FROM mark") == 1
    await one.close(timeout=10)
    await other.close(timeout=10)


async def test_a_record_travels_through_a_fresh_topic(stack: Stack, new_topics: NewTopics) -> None:
    names = await new_topics({"conveyor.leads.v1": 3})
    topic = names["conveyor.leads.v1"]
    producer = AIOKafkaProducer(bootstrap_servers=stack.brokers, enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(topic, b"value", key=b"key")
    await producer.stop()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=stack.brokers, auto_offset_reset="earliest", group_id=topic)
    await consumer.start()
    record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")
    assert len(consumer.partitions_for_topic(topic)) == 3
    await consumer.stop()


async def test_the_catalog_is_the_default_set_of_topics(new_topics: NewTopics, topic_prefix: str) -> None:
    names = await new_topics()
    assert names["conveyor.deals.v1"] == f"{topic_prefix}conveyor.deals.v1"
