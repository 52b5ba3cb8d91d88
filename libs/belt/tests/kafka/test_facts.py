"""Facts are a set: all are kept, each once, whatever is doubled, missing, out of order or poisoned on the way."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from small_line import Publisher, Station, all_taken_in, keeper
from wire import eventually, fetchval

from belt.io.intake import skipping
from belt.io.intake.facts import Facts
from belt.io.intake.taking import Progress
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.records import Outgoing, Received
from conveyor_events.envelope import Envelope, to_kafka


@pytest.fixture
def publisher(brokers: Brokers, topic: str) -> Publisher:
    return Publisher(brokers, topic)


@pytest.fixture
def station(database: str, brokers: Brokers, publisher: Publisher) -> Station:
    return Station(database, brokers, publisher)


async def kept(dsn: str) -> dict[str, list[int]]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select key, sequence from kept order by key, sequence")
    await connection.close()
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["key"], []).append(row["sequence"])
    return found


async def gate(dsn: str, key: str) -> object:
    return await fetchval(dsn, "select sequence from gates where consumer = 'keeper' and key = $1", key)


async def complete(facts: Facts) -> bool:
    return await facts.open_gaps() == []


async def test_doubled_facts_are_kept_once(station: Station, publisher: Publisher) -> None:
    events = [publisher.make(f"client-{n % 5}") for n in range(200)]
    async with keeper(station.dsn, publisher, set()) as (facts, _):
        consumer = station.consumer(facts, batch=60)
        consumer.start()
        for _ in range(3):
            await publisher.send(*events)
        await all_taken_in(consumer)
        await consumer.stop()
        assert await complete(facts)
    assert await kept(station.dsn) == {f"client-{n}": [*range(1, 41)] for n in range(5)}
    assert await gate(station.dsn, "client-0") == 40


async def test_what_is_missing_is_known_at_once_and_fetched_when_the_publisher_answers(
    station: Station, publisher: Publisher
) -> None:
    events = [publisher.make("a") for _ in range(6)]
    publisher.away = True
    async with keeper(station.dsn, publisher, set()) as (facts, _):
        consumer = station.consumer(facts)
        consumer.start()
        await publisher.send(events[0], events[4], events[5], publisher.make("b"))
        await all_taken_in(consumer)  # nobody waits for what is missing
        assert await kept(station.dsn) == {"a": [1, 5, 6], "b": [1]}
        assert await facts.open_gaps() == [(publisher.topic, "a", 1, 6)]
        await consumer.stop()

    async with keeper(station.dsn, publisher, set()) as (facts, _):  # a gap outlives the process
        consumer = station.consumer(facts)
        consumer.start()
        publisher.away = False
        await eventually(lambda: complete(facts), "the gap is filled though nothing new comes")
        await consumer.stop()
    assert await kept(station.dsn) == {"a": [1, 2, 3, 4, 5, 6], "b": [1]}
    assert await gate(station.dsn, "a") == 6


async def test_the_order_of_arrival_means_nothing(station: Station, publisher: Publisher) -> None:
    events = [publisher.make("a") for _ in range(5)]
    publisher.made.clear()  # the publisher cannot help
    async with keeper(station.dsn, publisher, set()) as (facts, _):
        consumer = station.consumer(facts, batch=1)
        consumer.start()
        await publisher.send(events[2], events[0], events[4], events[1], events[3])
        await all_taken_in(consumer)
        publisher.made["a"] = events
        await eventually(lambda: complete(facts), "the gate closes up")
        await consumer.stop()
    assert await kept(station.dsn) == {"a": [1, 2, 3, 4, 5]}


async def test_batches_that_wait_are_written_together_and_one_does_not_spoil_the_others(
    station: Station, publisher: Publisher
) -> None:
    """Each batch is of another partition, and all of them are at hand at once."""

    def record(envelope: Envelope, offset: int) -> Received:
        key, value, headers = to_kafka(envelope)
        return Received(publisher.topic, 0, offset, key, value, tuple(headers), 0.0)

    made = [[publisher.make(f"client-{n}", "bad" if (n, m) == (3, 1) else "count") for m in range(4)] for n in range(8)]
    batches = [[record(envelope, n * 10 + m) for m, envelope in enumerate(some)] for n, some in enumerate(made)]
    async with keeper(station.dsn, publisher, {"bad"}) as (facts, parking):
        await asyncio.gather(*(facts.take(batch, Progress()) for batch in batches))
        assert [parked.key for parked in await parking.listed(0, 10)] == ["client-3"]
    assert await kept(station.dsn) == {f"client-{n}": [1, 3, 4] if n == 3 else [1, 2, 3, 4] for n in range(8)}
    assert [await gate(station.dsn, f"client-{n}") for n in (2, 3, 4)] == [4, 1, 4]


async def test_a_poisoned_fact_is_parked_alone_and_holds_its_gate_back(station: Station, publisher: Publisher) -> None:
    poison = {"bad"}
    events = [publisher.make("a", does) for does in ("count", "bad", "count", "count")]
    unknown = publisher.make("b", type="conveyor.leads.SomethingNew", schema_version=99)
    async with keeper(station.dsn, publisher, poison) as (facts, parking):
        consumer = station.consumer(facts)
        consumer.start()
        await publisher.send(*events, unknown)
        await all_taken_in(consumer)
        assert await kept(station.dsn) == {"a": [1, 3, 4], "b": [1]}
        assert await facts.open_gaps() == [(publisher.topic, "a", 1, 4)]
        [parked] = await parking.listed(0, 10)
        assert (parked.key, parked.sequence) == ("a", 2)
        still = await facts.redrive(parked.id)
        assert still is not None
        assert (still.handled, still.left) == (0, 1)
        poison.clear()  # the fix
        done = await facts.redrive(parked.id)
        assert done is not None
        assert (done.handled, done.left, done.reason) == (1, 0, None)
        await eventually(lambda: complete(facts), "the gate closes up")
        await consumer.stop()
    assert await kept(station.dsn) == {"a": [1, 2, 3, 4], "b": [1]}


async def test_why_a_fact_is_parked_says_nothing_of_what_stands_in_it(station: Station, publisher: Publisher) -> None:
    async with keeper(station.dsn, publisher, set()) as (facts, parking):
        consumer = station.consumer(facts)
        consumer.start()
        await publisher.send(publisher.make("a", data={"line": 7, "offer_id": "o", "name": "Udo Kern"}))
        await all_taken_in(consumer)
        [parked] = await parking.listed(0, 10)
        still = await facts.redrive(parked.id)
        assert still is not None
        await consumer.stop()
    for reason in (parked.reason, str(still.reason)):
        assert "line (string_type)" in reason
        assert "Udo Kern" not in reason


async def test_bytes_that_cannot_be_read_are_replaced_by_the_publishers_copy(
    station: Station, publisher: Publisher
) -> None:
    first, second, third = (publisher.make("a") for _ in range(3))
    broken = Outgoing(publisher.topic, b"a", b"{", to_kafka(second)[2])
    async with keeper(station.dsn, publisher, set()) as (facts, parking):
        consumer = station.consumer(facts)
        consumer.start()
        await publisher.send(first)
        await publisher.send_raw(broken, Outgoing(publisher.topic, b"\x00", b"", []))
        await publisher.send(third)
        await all_taken_in(consumer)
        assert await kept(station.dsn) == {"a": [1, 3]}
        for parked in await parking.listed(0, 10):
            assert await facts.redrive(parked.id) is not None
        assert await parking.listed(0, 10) == []
        [thrown] = await skipping.listed(parking, 0, 10)  # what had no place: that it was thrown away is remembered
        assert (thrown.by, thrown.parked.sequence < 0) == ("redrive", True)
        await eventually(lambda: complete(facts), "the gate closes up")
        await consumer.stop()
    assert await kept(station.dsn) == {"a": [1, 2, 3]}


async def test_a_fact_that_is_passed_over_no_longer_holds_the_gate_back(station: Station, publisher: Publisher) -> None:
    events = [publisher.make("a", does) for does in ("count", "bad", "count", "count")]
    async with keeper(station.dsn, publisher, {"bad"}) as (facts, parking):
        consumer = station.consumer(facts)
        consumer.start()
        await publisher.send(*events)
        await all_taken_in(consumer)
        [parked] = await parking.listed(0, 10)
        assert await facts.skip(99_999, "rosa", "no such event") is None
        done = await facts.skip(parked.id, "rosa", "a test of the publisher")
        assert done is not None
        assert (done.handled, done.left) == (0, 0)
        await eventually(lambda: complete(facts), "the gate closes up")
        await publisher.send(events[1])  # it comes once more, and stays passed over
        await all_taken_in(consumer)
        assert await parking.listed(0, 10) == []
        [said] = await skipping.listed(parking, 0, 10)
        assert (said.by, said.because, said.parked.sequence) == ("rosa", "a test of the publisher", 2)
        await consumer.stop()
    assert await kept(station.dsn) == {"a": [1, 3, 4]}


async def test_a_strangers_record_beyond_the_end_of_a_key_can_be_passed_over(
    station: Station, publisher: Publisher
) -> None:
    """Nothing it claims to follow on will ever come: neither a redrive nor a wait would get rid of it."""
    first, second = publisher.make("a"), publisher.make("a")
    far = [to_kafka(publisher.make(key, sequence=place))[2] for key, place in (("a", 9), ("nobody", 7))]
    publisher.made = {"a": [first, second]}
    async with keeper(station.dsn, publisher, set()) as (facts, parking):
        consumer = station.consumer(facts, watch_every=60.0)
        consumer.start()
        await publisher.send(first)
        strange = [
            Outgoing(publisher.topic, key, b"{", about) for key, about in zip((b"a", b"nobody"), far, strict=True)
        ]
        await publisher.send_raw(*strange)
        await all_taken_in(consumer)
        for parked in await parking.listed(0, 10):
            assert (await facts.redrive(parked.id)) is not None
            done = await facts.skip(parked.id, "rosa", "a test of somebody")
            assert done is not None
            assert done.left == 0
        assert await kept(station.dsn) == {"a": [1, 2]}  # what its publisher has was fetched on the way
        assert await complete(facts)
        await consumer.stop()
        station.group += "again"
        consumer = station.consumer(facts, watch_every=60.0)
        consumer.start()
        await publisher.send(publisher.make("a"))
        await all_taken_in(consumer)
        assert await parking.listed(0, 10) == []  # read again, they stay passed over
        await consumer.stop()
    assert await kept(station.dsn) == {"a": [1, 2, 3]}
    assert await gate(station.dsn, "a") == 3
