"""A station takes each event in once and in order per key, whatever Kafka, its publisher or its own code do."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from small_line import Publisher, Station, all_taken_in
from structlog.testing import capture_logs
from wire import eventually, fetchval

from belt.io.kafka.brokers import Brokers
from belt.io.kafka.records import Outgoing, partition_of
from belt.io.telemetry import REGISTRY
from conveyor_events.envelope import Envelope, to_kafka

KEYS = [f"client-{n}" for n in range(12)]


@pytest.fixture
def publisher(brokers: Brokers, topic: str) -> Publisher:
    return Publisher(brokers, topic)


@pytest.fixture
def station(database: str, brokers: Brokers, publisher: Publisher) -> Station:
    return Station(database, brokers, publisher)


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"conveyor_{name}", labels) or 0.0


def far_apart() -> tuple[str, str]:
    """Two keys on different partitions of three."""
    other = next(key for key in KEYS if partition_of(key.encode(), 3) != partition_of(KEYS[0].encode(), 3))
    return KEYS[0], other


async def test_every_record_three_times_has_the_same_effects_as_once(station: Station, publisher: Publisher) -> None:
    events = [publisher.make(KEYS[n % 12]) for n in range(240)]
    async with station.works(batch=50) as (_, consumer):
        for _ in range(3):
            await publisher.send(*events)
        await all_taken_in(consumer)
    assert await station.effects() == {key: [*range(1, 21)] for key in KEYS}
    assert counted("consumed_total", topic=publisher.topic, outcome="applied") == 240
    assert counted("consumed_total", topic=publisher.topic, outcome="duplicate") == 480


async def test_lost_offsets_cost_work_and_nothing_else(station: Station, publisher: Publisher) -> None:
    await publisher.send(*[publisher.make(KEYS[n % 3]) for n in range(30)])
    for group in ("before", "after"):  # the second membership begins at the earliest record again
        station.group = station.group + group
        async with station.works() as (_, consumer):
            await all_taken_in(consumer)
    assert await station.effects() == {key: [*range(1, 11)] for key in KEYS[:3]}


async def test_an_offset_is_committed_and_the_next_membership_goes_on_from_it(
    station: Station, publisher: Publisher
) -> None:
    await publisher.send(*[publisher.make("a") for _ in range(10)])
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    before = counted("consumed_total", topic=publisher.topic, outcome="duplicate")
    await publisher.send(publisher.make("a"))
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    assert counted("consumed_total", topic=publisher.topic, outcome="duplicate") == before
    assert await station.effects() == {"a": [*range(1, 12)]}


async def test_members_that_come_and_go_repeat_and_never_double(station: Station, publisher: Publisher) -> None:
    """Rebalances in the middle of the work; offsets are hardly ever committed."""
    chance = random.Random(11)
    events = [publisher.make(KEYS[n % 12]) for n in range(1_200)]
    async with station.works(batch=20, commit_every=0.5) as (_, consumer):
        for n in range(0, 1_200, 300):
            await publisher.send(*events[n : n + 300])
            async with station.works(batch=chance.randint(5, 30), commit_every=5.0):
                await eventually(lambda: len(consumer.partitions()) < 3, "the other member has a share")
            await eventually(lambda: len(consumer.partitions()) == 3, "the share came back")
        await all_taken_in(consumer)
    assert await station.effects() == {key: [*range(1, 101)] for key in KEYS}


async def test_what_is_missing_is_fetched_from_the_publisher(station: Station, publisher: Publisher) -> None:
    events = [publisher.make("a") for _ in range(9)]
    await publisher.send(*events[:2], *events[5:7], events[8], publisher.make("b"))
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    assert await station.effects() == {"a": [*range(1, 10)], "b": [1]}
    assert counted("sequence_gaps_total", topic=publisher.topic) == 2
    assert publisher.asked == 2


async def test_while_the_publisher_is_away_only_the_partition_with_the_gap_waits(
    station: Station, publisher: Publisher
) -> None:
    gapped, other = far_apart()
    publisher.away = True
    publisher.make(gapped)
    await publisher.send(publisher.make(gapped), publisher.make(other))
    async with station.works(stuck_after=0.5) as (_, consumer):
        await eventually(lambda: publisher.asked > 3, "the publisher is asked again and again")
        assert await station.effects() == {other: [1]}
        await publisher.send(publisher.make(other))

        async def other_goes_on() -> bool:
            return (await station.effects()).get(other) == [1, 2]

        await eventually(other_goes_on, "the other partition goes on")
        assert not (await consumer.taken_in()).drained
        publisher.away = False
        await all_taken_in(consumer)
    assert await station.effects() == {gapped: [1, 2], other: [1, 2]}
    assert station.stuck == []  # it waits for somebody else: ending the process would not help


async def test_what_even_the_publisher_lost_parks_the_key(station: Station, publisher: Publisher) -> None:
    first, second, third = (publisher.make("a") for _ in range(3))
    publisher.made["a"].remove(second)
    await publisher.send(first, third, publisher.make("b"))
    async with station.works() as (reactions, consumer):
        await all_taken_in(consumer)
        assert await station.effects() == {"a": [1], "b": [1]}
        publisher.made["a"].insert(1, second)
        redriven = await reactions.redrive(await parked_id(station, "a", 3))
        assert redriven is not None
        assert (redriven.handled, redriven.left, redriven.reason) == (1, 0, None)
    assert await station.effects() == {"a": [1, 2, 3], "b": [1]}


async def parked_id(station: Station, key: str, sequence: int) -> int:
    sql = "select id from parked where key = $1 and sequence = $2"
    found = await fetchval(station.dsn, sql, key, sequence)
    assert isinstance(found, int), f"{key} {sequence} is not parked"
    return found


async def parked(station: Station) -> dict[str, list[int]]:
    """Per key the sequences that are parked."""
    connection = await asyncpg.connect(station.dsn)
    rows = await connection.fetch("select key, sequence from parked order by key, sequence")
    await connection.close()
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["key"], []).append(row["sequence"])
    return found


async def test_poison_parks_its_key_and_redrive_runs_it_in_order(station: Station, publisher: Publisher) -> None:
    station.faulty = {"bad"}
    same = next(key for key in KEYS[1:] if partition_of(key.encode(), 3) == partition_of(KEYS[0].encode(), 3))
    poisoned = [publisher.make(KEYS[0], does) for does in ("count", "bad", "count", "bad", "count")]
    await publisher.send(*poisoned, *[publisher.make(same) for _ in range(4)])
    async with station.works() as (reactions, consumer):
        await all_taken_in(consumer)
        assert await station.effects() == {KEYS[0]: [1], same: [1, 2, 3, 4]}
        assert await parked(station) == {KEYS[0]: [2, 3, 4, 5]}
        assert counted("parked_keys", topic=publisher.topic) == 1

        await publisher.send(publisher.make(KEYS[0]), *poisoned)  # a later one, and all of them once more
        await all_taken_in(consumer)
        assert await parked(station) == {KEYS[0]: [2, 3, 4, 5, 6]}

        still = await reactions.redrive(await parked_id(station, KEYS[0], 5))
        assert still is not None
        assert (still.handled, still.left) == (0, 5)
        assert "Poisoned" in str(still.reason)

        station.faulty = set()  # the fix
        done = await reactions.redrive(await parked_id(station, KEYS[0], 4))
        assert done is not None
        assert (done.handled, done.left, done.reason) == (5, 0, None)
        assert await reactions.redrive(1_000_000) is None
        await publisher.send(publisher.make(KEYS[0]))
        await all_taken_in(consumer)
    assert await station.effects() == {KEYS[0]: [1, 2, 3, 4, 5, 6, 7], same: [1, 2, 3, 4]}
    assert counted("parked_keys", topic=publisher.topic) == 0


async def test_a_fix_of_one_poison_stops_at_the_next(station: Station, publisher: Publisher) -> None:
    station.faulty = {"bad", "worse"}
    await publisher.send(*[publisher.make("a", does) for does in ("bad", "count", "worse", "count")])
    async with station.works() as (reactions, consumer):
        await all_taken_in(consumer)
        station.faulty = {"worse"}
        redriven = await reactions.redrive(await parked_id(station, "a", 1))
        assert redriven is not None
        assert (redriven.handled, redriven.left) == (2, 2)
    assert await station.effects() == {"a": [1, 2]}
    assert await parked(station) == {"a": [3, 4]}


async def test_a_version_from_the_future_parks_and_an_unknown_kind_is_passed_over(
    station: Station, publisher: Publisher
) -> None:
    await publisher.send(
        publisher.make("a"),
        publisher.make("a", type="conveyor.leads.SomethingNew"),
        publisher.make("a"),
        publisher.make("b", schema_version=99),
        publisher.make("b"),
        publisher.make("c", type="conveyor.leads.SomethingNew", schema_version=99),
    )
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    assert await station.effects() == {"a": [1, 3]}
    assert await parked(station) == {"b": [1, 2], "c": [1]}


async def test_data_that_does_not_fit_parks(station: Station, publisher: Publisher) -> None:
    """Of the wrong shape, or with characters that no database takes."""
    for key, need in (("b", "\x00"), ("c", "\ud800")):
        publisher.make(key)
        data = {"line": "north", "offer_id": "count-elsewhere", "need_id": need, "reason": None}
        headers = publisher.make(key, data=data), json.dumps(data).encode()
        publisher.make(key)
        sent = Outgoing(publisher.topic, key.encode(), headers[1], headers_of(headers[0]))
        await publisher.send(publisher.made[key][0])
        await publisher.send_raw(sent)
        await publisher.send(publisher.made[key][2])
    await publisher.send(publisher.make("a", data={"line": 7}), publisher.make("a"))
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    assert await station.effects() == {"b": [1], "c": [1]}
    assert await parked(station) == {"a": [1, 2], "b": [2, 3], "c": [2, 3]}


def headers_of(envelope: Envelope) -> list[tuple[str, bytes]]:
    return to_kafka(replace(envelope, data={}))[2]


async def test_bytes_that_nobody_can_read_are_kept_and_block_nothing_they_do_not_name(
    station: Station, publisher: Publisher
) -> None:
    first, second, third = (publisher.make("a") for _ in range(3))
    known_place = Outgoing(publisher.topic, b"a", b"{not json", headers_of(second))
    await publisher.send(first)
    await publisher.send_raw(
        Outgoing(publisher.topic, b"\xff\xfe\x00", b"\x00\x01", [("ce_id", b"\xff")]),
        Outgoing(publisher.topic, b"k" * 5_000, b"{}", [("ce_sequence", b"-5")]),
        known_place,
    )
    await publisher.send(third, publisher.make("b"))
    async with station.works() as (reactions, consumer):
        await all_taken_in(consumer)
        assert await station.effects() == {"a": [1], "b": [1]}
        held = await parked(station)
        assert held["a"] == [2, 3]
        assert len(held) == 3
        # its place is known: a good copy comes from the publisher
        redriven = await reactions.redrive(await parked_id(station, "a", 3))
        assert redriven is not None
        assert (redriven.handled, redriven.left) == (2, 0)
        for key in held.keys() - {"a"}:
            thrown = await reactions.redrive(await parked_id(station, key, held[key][0]))
            assert thrown is not None
            assert thrown.left == 0
        kept = await fetchval(station.dsn, "select count(*) from skipped where skipped_by = 'redrive'")
        assert kept == 2  # that they were thrown away is remembered
    assert await station.effects() == {"a": [1, 2, 3], "b": [1]}
    assert await parked(station) == {}


async def test_headers_without_a_value_or_of_others_mean_nothing(station: Station, publisher: Publisher) -> None:
    empty: Any = None  # no bytes at all, as any producer may send it
    first, second = publisher.make("a"), publisher.make("a")
    about = [*headers_of(first), ("x-trace", b"\xff\xfe"), ("x-empty", empty), ("ce_causationid", empty)]
    await publisher.send_raw(
        Outgoing(publisher.topic, b"a", to_kafka(first)[1], about, at_most=0),
        Outgoing(publisher.topic, b"b", b"{}", [("x-empty", empty), ("ce_id", empty)], at_most=0),
    )
    await publisher.send(second)
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
        assert await station.effects() == {"a": [1, 2]}
        assert (await parked(station)).keys() == {"b"}


async def test_why_an_event_is_parked_says_nothing_of_what_stands_in_it(station: Station, publisher: Publisher) -> None:
    async with station.works() as (_, consumer):
        with capture_logs() as logged:
            await publisher.send(publisher.make("a", data={"line": 7, "name": "Udo Kern"}))
            await all_taken_in(consumer)
    reason = str(await fetchval(station.dsn, "select reason from parked"))
    assert "line (string_type)" in reason
    assert any(line["event"] == "intake.parked" for line in logged)
    assert "Udo Kern" not in reason + str(logged)


async def test_a_strangers_record_that_is_passed_over_takes_nobodys_place(
    station: Station, publisher: Publisher
) -> None:
    first = publisher.make("a")
    next_one, far = publisher.make("a", data={"line": 7}), publisher.make("b", sequence=2**62)
    publisher.made = {"a": [first]}
    unreadable = Outgoing(publisher.topic, b"b", b"{", headers_of(far))
    async with station.works() as (reactions, consumer):
        await publisher.send(first, next_one)
        await publisher.send_raw(unreadable)
        await all_taken_in(consumer)
        for key, sequence in (("a", 2), ("b", 2**62)):
            async with asyncio.timeout(5):
                done = await reactions.skip(await parked_id(station, key, sequence), "rosa", "a test of somebody")
            assert done is not None
            assert (done.handled, done.left) == (0, 0)
    station.group += "again"
    async with station.works() as (_, consumer):
        await publisher.send(publisher.make("a"), publisher.make("b"))
        await all_taken_in(consumer)
    assert await station.effects() == {"a": [1, 2], "b": [1]}
    assert await parked(station) == {}
    assert counted("sequence_reused_total", topic=publisher.topic) == 0


async def test_an_event_that_is_passed_over_lets_those_behind_it_go_on(station: Station, publisher: Publisher) -> None:
    station.faulty = {"bad"}
    events = [publisher.make("a", does) for does in ("count", "bad", "count")]
    async with station.works() as (reactions, consumer):
        await publisher.send(*events)
        await all_taken_in(consumer)
        done = await reactions.skip(await parked_id(station, "a", 2), "rosa", "nobody needs it")
        assert done is not None
        assert (done.handled, done.left) == (1, 0)
        await publisher.send(*events, publisher.make("a"))
        await all_taken_in(consumer)
    assert await station.effects() == {"a": [1, 3, 4]}
    assert await parked(station) == {}


async def test_a_refused_reaction_is_handled_without_effect(station: Station, publisher: Publisher) -> None:
    kinds = ("count", "object", "object-and-record", "nothing", "count")
    await publisher.send(*[publisher.make("a", does) for does in kinds])
    await publisher.send(publisher.make("b", "reserve"))
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
        await publisher.send(publisher.make("c", "reserve"), publisher.make("c"))  # what it claims is b's
        await all_taken_in(consumer)
    assert await station.effects() == {"a": [1, 5], "c": [2]}
    assert [await station.gate(key) for key in "abc"] == [5, 1, 2]
    assert await parked(station) == {}


async def test_a_renumbered_publisher_raises_the_alarm(station: Station, publisher: Publisher) -> None:
    await publisher.send(publisher.make("a"), publisher.make("a"))
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
        impostor = publisher.make("a", sequence=2)
        await publisher.send(impostor, publisher.make("a", sequence=3))
        await all_taken_in(consumer)
    assert await station.effects() == {"a": [1, 2, 3]}
    assert await parked(station) == {"a": [2]}
    assert counted("sequence_reused_total", topic=publisher.topic) == 1


async def test_a_database_that_drops_connections_costs_retries_only(station: Station, publisher: Publisher) -> None:
    events = [publisher.make(KEYS[n % 12]) for n in range(600)]
    async with station.works(batch=20) as (_, consumer):
        for n in range(0, 600, 100):
            await publisher.send(*events[n : n + 100])
            await fetchval(
                station.dsn,
                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()",
            )
        await all_taken_in(consumer)
    assert await station.effects() == {key: [*range(1, 51)] for key in KEYS}
