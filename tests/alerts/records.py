"""Records and topics that are not as they should be, and an audit log that cannot be written."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from stage import Stage
from stations import produce, with_headers
from watched_line import Watched

from belt.io.kafka.records import Outgoing
from conveyor.exits import Unreachable
from conveyor_events.catalog import TOPICS

LEADS, DEALS, STAFF, PAY = (f"conveyor.{name}.v1" for name in ("leads", "deals", "staff", "pay"))


async def records(stage: Stage) -> None:
    """Topics lose records and get partitions, records are spoilt, left out and said again; the audit log is locked."""
    watched = stage.watched
    known = await _record(watched.stack.brokers, LEADS)
    gap = with_headers(known, id=str(uuid4()), sequence="50")
    again = with_headers(known, id=str(uuid4()))
    unheard = with_headers(known, id=str(uuid4()), sequence="51", type="conveyor.leads.NeverHeardOf")
    spoilt = Outgoing(DEALS, b"nobody", b"\xff not a record", [])
    before = (await stage.look()).of("conveyor_reads_refused_total", pod="lead-gen")
    await produce(watched.stack.brokers, [spoilt, again, unheard, gap])
    await _topics_spoilt(watched.stack.brokers)
    offer = await _offer(watched)
    async with watched.locked("lead-gen", "audit"):
        with pytest.raises(Unreachable, match="audit-unavailable"):
            await _once(watched, "lead-gen", f"/v1/offers/{offer}/dossier")
    await stage.shows("conveyor_reads_refused_total", lambda v: v > (before or 0), pod="lead-gen")
    await stage.shows("conveyor_parked_keys", lambda v: v >= 1, topic=DEALS)
    await stage.shows("conveyor_sequence_reused_total", lambda v: v >= 1, topic=LEADS)
    await stage.shows("conveyor_incomplete_keys", lambda v: v >= 1, topic=LEADS)
    await stage.shows("conveyor_pay_facts_unreadable", lambda v: v >= 1)
    await stage.shows("conveyor_topic_records_missing", lambda v: v >= 1, topic=STAFF)
    await stage.shows("conveyor_topic_partitions_wrong", lambda v: v == 1, topic=PAY)
    damaged = "insert into facts (event_id, type, occurred_at, envelope) values ('{}', 'damaged', now(), '{}')"
    await watched.execute("compensation", damaged.format(uuid4(), '{"schemaversion": 1}'))
    await stage.shows("conveyor_pay_facts_unread", lambda v: v >= 1)
    await stage.seen("records", 1)


async def _record(brokers: str, topic: str) -> Outgoing:
    """A record that is there, of a client."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(TOPICS[topic].partitions)])
        async with asyncio.timeout(20):
            while not (found := await consumer.getmany(timeout_ms=500, max_records=1)):
                pass
        raw = next(iter(found.values()))[0]
        return Outgoing(topic, raw.key, raw.value, list(raw.headers))
    finally:
        await consumer.stop()


async def _topics_spoilt(brokers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        everything = {TopicPartition(STAFF, n): RecordsToDelete(-1) for n in range(TOPICS[STAFF].partitions)}
        await admin.delete_records(everything)
        await admin.create_partitions({PAY: NewPartitions(total_count=TOPICS[PAY].partitions + 1)})
    finally:
        await admin.close()


async def _offer(watched: Watched) -> str:
    found = await watched.line.get("conversion", "/v1/offers", params={"limit": 1})
    return str(found["items"][0]["offer_id"])


async def _once(watched: Watched, service: str, path: str) -> Any:
    """Asks without patience: a 503 is an answer."""
    impatient = type(watched.line)(watched.line.addresses, watched.line.tokens, patience=0.0)
    async with impatient as line:
        return await line.get(service, path)
