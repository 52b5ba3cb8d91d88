"""A consumer keeps its memory bounded, outlives its broker, and ends its process rather than standing still."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from aiokafka.producer import message_accumulator
from aiokafka.record import default_records
from small_line import Publisher, Slow, Station, all_taken_in
from wire import eventually, fetchval

from belt.io.intake.consumer import Consumer
from belt.io.intake.taking import Progress
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.reader import Reader
from belt.io.kafka.records import Outgoing, Partition, Received, partition_of
from belt.io.kafka.topics import create_topics
from belt.io.telemetry import REGISTRY
from conveyor_local import kafka
from conveyor_local.kafka import Kafka


@pytest.fixture
def publisher(brokers: Brokers, topic: str) -> Publisher:
    return Publisher(brokers, topic)


@pytest.fixture
def station(database: str, brokers: Brokers, publisher: Publisher) -> Station:
    return Station(database, brokers, publisher)


async def test_a_partition_whose_backlog_is_full_is_read_no_further(station: Station, publisher: Publisher) -> None:
    other = next(f"b{n}" for n in range(9) if partition_of(f"b{n}".encode(), 3) != partition_of(b"a", 3))
    intake = Slow()
    consumer = station.consumer(intake, batch=10)
    consumer.start()
    await publisher.send(*[publisher.make("a") for _ in range(500)])
    await eventually(lambda: consumer.held() >= 40, "the backlog is full")
    full = consumer.held()
    assert full < 80
    await publisher.send(publisher.make(other))
    await eventually(lambda: consumer.held() > full, "another partition is read all the same")
    assert consumer.held() == full + 1
    intake.go.set()
    await all_taken_in(consumer)
    assert len(intake.taken) == 501
    await consumer.stop()


async def test_no_more_is_held_in_all_than_was_agreed(station: Station, publisher: Publisher) -> None:
    intake = Slow()
    consumer = station.consumer(intake, batch=10, most=25)
    consumer.start()
    await publisher.send(*[publisher.make(f"client-{n}") for n in range(300)])
    await eventually(lambda: consumer.held() >= 25, "as much as may be")
    assert consumer.held() <= 25 + 40
    intake.go.set()
    await all_taken_in(consumer)
    assert len(intake.taken) == 300
    await consumer.stop()


async def test_the_end_of_everything_taken_in_is_known(station: Station, publisher: Publisher) -> None:
    intake = Slow()
    consumer = station.consumer(intake)
    assert not (await consumer.taken_in()).drained  # not a member yet
    consumer.start()
    await all_taken_in(consumer)  # nothing there is all there is
    await publisher.send(publisher.make("a"), publisher.make("a"))
    assert not (await consumer.taken_in()).drained
    intake.go.set()
    await all_taken_in(consumer)
    assert (await consumer.taken_in()).positions == {publisher.topic: 2}
    await consumer.stop()


async def test_who_leaves_the_group_while_it_is_asked_has_not_taken_all_in(
    station: Station, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = Slow()
    consumer = station.consumer(intake)
    consumer.start()
    await all_taken_in(consumer)
    asked = Reader.end_offsets

    async def and_leaves(reader: Reader, partitions: Iterable[Partition]) -> dict[Partition, int]:
        ends = await asked(reader, partitions)
        await consumer.stop()
        return ends

    monkeypatch.setattr(Reader, "end_offsets", and_leaves)
    assert not (await consumer.taken_in()).drained


async def test_a_consumer_that_stands_still_ends_the_process(station: Station, publisher: Publisher) -> None:
    consumer = station.consumer(Slow(), watch_every=0.05, stuck_after=0.5)
    consumer.start()
    await eventually(lambda: bool(consumer.partitions()), "it is a member")
    assert station.stuck == []
    await publisher.send(*[publisher.make("a") for _ in range(3)])
    await eventually(lambda: bool(station.stuck), "the watchdog barks")
    assert "3 records behind" in station.stuck[0]
    assert REGISTRY.get_sample_value("conveyor_consumer_lag_records", {"topic": publisher.topic}) == 3
    age = REGISTRY.get_sample_value("conveyor_consumer_lag_seconds", {"topic": publisher.topic})
    assert age is not None
    assert age > 0.4
    async with asyncio.timeout(5):
        await consumer.stop(within=0.5)


def lag(publisher: Publisher) -> float | None:
    return REGISTRY.get_sample_value("conveyor_consumer_lag_seconds", {"topic": publisher.topic})


class Broken(Slow):
    """An intake with a fault that nobody thought of."""

    async def take(self, records: Sequence[Received], progress: Progress) -> None:
        raise AttributeError(f"nobody thought of {len(records)} records")


async def test_a_consumer_that_leaves_again_and_again_is_told_as_lag(station: Station, publisher: Publisher) -> None:
    consumer = station.consumer(Broken(), watch_every=5.0)
    consumer.start()
    await publisher.send(publisher.make("a"))
    await eventually(lambda: (lag(publisher) or 0.0) > 1.0, "that nothing is taken in is seen")
    assert "nobody thought of" in str(consumer.trouble)
    await consumer.stop()


async def test_a_consumer_that_is_not_let_in_is_told_as_lag(station: Station, publisher: Publisher) -> None:
    station.brokers = Brokers("127.0.0.1:9")
    consumer = station.consumer(Slow())
    consumer.start()
    await eventually(lambda: (lag(publisher) or 0.0) > 0.5, "that nothing is taken in is seen")
    await consumer.stop()


async def test_a_lag_that_went_to_another_member_is_no_longer_ones_own(
    database: str, brokers: Brokers, publisher: Publisher
) -> None:
    publisher.topic += ".one"
    await create_topics(brokers, {publisher.topic: 1})
    station = Station(database, brokers, publisher)
    await publisher.send(publisher.make("a"))
    intake = Slow()
    consumer = station.consumer(intake, watch_every=0.1)
    consumer.start()
    await eventually(lambda: (lag(publisher) or 0.0) > 0.3, "it is behind")
    others: list[Consumer] = []
    while consumer.partitions() and len(others) < 20:  # who gets the only partition is the group's decision
        others.append(station.consumer(intake, watch_every=600.0))
        others[-1].start()
        await eventually(lambda: bool(others[-1].partitions() or consumer.partitions()), "somebody has it")
        await asyncio.sleep(1.0)
    await eventually(lambda: lag(publisher) == 0.0, "it is behind no more")
    intake.go.set()
    for one in (consumer, *others):
        await one.stop()


async def test_an_idle_consumer_is_not_stuck(station: Station, publisher: Publisher) -> None:
    intake = Slow()
    intake.go.set()
    consumer = station.consumer(intake, watch_every=0.05, stuck_after=0.1)
    consumer.start()
    for _ in range(3):
        await publisher.send(publisher.make("a"))
        await all_taken_in(consumer)
        looks = intake.tidied + 5  # each a watch's round: longer than it may stand still with work to do
        await eventually(lambda looks=looks: intake.tidied >= looks, "the watchdog looks again and again")  # type: ignore[misc]
    await consumer.stop()
    assert station.stuck == []


async def test_a_frozen_broker_is_outlived(database: str, own_kafka: Kafka) -> None:
    brokers = Brokers(own_kafka.brokers)
    await create_topics(brokers, {"conveyor.own": 3})
    publisher = Publisher(brokers, "conveyor.own")
    station = Station(database, brokers, publisher)
    async with station.works(stuck_after=4.0, watch_every=0.5) as (_, consumer):
        await publisher.send(publisher.make("a"), publisher.make("b"))
        await all_taken_in(consumer)
        assert own_kafka.server is not None
        os.kill(own_kafka.server.pid, signal.SIGSTOP)
        await eventually(lambda: consumer.trouble is not None, "it lets go of a broker that does not answer", 40.0)
        os.kill(own_kafka.server.pid, signal.SIGCONT)
        await publisher.send(publisher.make("a"), publisher.make("b"))
        await eventually(lambda: consumer.trouble is None, "it is a member again", 40.0)
        await all_taken_in(consumer, 40.0)
    assert await station.effects() == {"a": [1, 2], "b": [1, 2]}
    assert station.stuck == []


async def test_brokers_that_compress_leave_our_topics_as_they_are(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a broker compresses, not every client can read."""
    monkeypatch.setitem(kafka.PROPERTIES, "compression.type", "zstd")
    server = Kafka.new(tmp_path, fast=True)
    server.launch()
    try:
        server.wait()
        brokers = Brokers(server.brokers)
        await create_topics(brokers, {"conveyor.own": 3})
        publisher = Publisher(brokers, "conveyor.own")
        station = Station(database, brokers, publisher)
        await publisher.send(publisher.make("a"), publisher.make("b"))
        async with station.works() as (_, consumer):
            await all_taken_in(consumer)
        assert await station.effects() == {"a": [1], "b": [1]}
    finally:
        server.stop()


class NoText(str):
    """The name of a header as another client may send it."""

    __slots__ = ()

    def encode(self, *_how: str) -> bytes:
        return b"\xff\xfe"


async def test_a_header_whose_name_is_no_text_stops_nobody(
    station: Station, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client cannot read such a record; it is parked, as far as anything is known of it."""
    monkeypatch.setattr(message_accumulator, "DefaultRecordBatchBuilder", default_records._DefaultRecordBatchBuilderPy)
    garbled = Outgoing(publisher.topic, b"a", b"{}", [(NoText("xx"), b"1")], at_most=0)

    async def taken_in(times: int) -> bool:
        return await station.effects() == {key: [*range(1, times + 1)] for key in "abcdef"}

    await publisher.send(*[publisher.make(key) for key in "abcdef"])
    await publisher.send_raw(garbled)
    await publisher.send_raw(garbled)
    await publisher.send(*[publisher.make(key) for key in "abcdef"])
    async with station.works(watch_every=60.0) as (_, consumer):
        await eventually(lambda: taken_in(2), "what stands behind it is taken in")
        await publisher.send(*[publisher.make(key) for key in "abcdef"])
        await eventually(lambda: taken_in(3), "and what comes later")
        await all_taken_in(consumer)
    assert await fetchval(station.dsn, "select count(*) from parked where sequence < 0") == 2


async def test_no_task_outlives_a_consumer(station: Station, publisher: Publisher) -> None:
    before = asyncio.all_tasks()
    consumer = station.consumer(Slow())
    consumer.start()
    await publisher.send(publisher.make("a"))
    await eventually(lambda: consumer.held() == 1, "it has work in hand")
    async with asyncio.timeout(10):
        await consumer.stop(within=0.2)
    assert asyncio.all_tasks() <= before
