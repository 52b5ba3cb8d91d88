"""The relay loses nothing and overtakes nothing, whatever happens to it, to its database or to the broker."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import partitioner as library
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from wire import drained, eventually, fetchval, firsts, publish, read_all

from belt.io.kafka.brokers import Brokers, Unreachable
from belt.io.kafka.doorbell import Doorbell
from belt.io.kafka.records import Outgoing, murmur2
from belt.io.kafka.relay import LEADER, Relay
from belt.io.kafka.sender import Oversized, Sender
from belt.io.kafka.topics import TopicDiffers, create_topics
from belt.io.store.public_log import backlog
from conveyor_events.envelope import from_kafka
from conveyor_local.kafka import Kafka

LEADERS = """
select count(*) from pg_locks join pg_database on pg_database.oid = database and datname = current_database()
where locktype = 'advisory' and objid = 4712 and granted
"""


def a_relay(dsn: str, brokers: Brokers, **more: object) -> Relay:
    return Relay(dsn, lambda: Sender(brokers, name="test", start_within=3.0, send_within=4.0, close_within=0.5), **more)  # type: ignore[arg-type]


def whole(count: int) -> list[int]:
    return list(range(1, count + 1))


async def leading(dsn: str) -> bool:
    """Whether some relay of this database leads."""
    return await fetchval(dsn, LEADERS) == 1


async def test_everything_arrives_once_and_in_order_per_key(database: str, topic: str, brokers: Brokers) -> None:
    keys = [f"client-{n}" for n in range(20)]
    ids = await publish(database, [(topic, keys[n % 20]) for n in range(2_500)])
    relay = a_relay(database, brokers, batch=700)
    relay.start()
    await eventually(lambda: drained(database), "the log is sent")
    later = await publish(database, [(topic, key) for key in keys])
    await eventually(lambda: drained(database), "later events are found by polling")
    await relay.stop()

    seen = await read_all(brokers.servers, topic)
    assert len(seen) == 2_520
    assert firsts(seen) == {key: whole(126) for key in keys}
    assert {record.headers["ce_id"] for record in seen} == {*ids, *later}
    assert all(len({r.partition for r in seen if r.key == key}) == 1 for key in keys)


async def test_a_record_is_a_cloud_event_in_binary_mode(database: str, topic: str, brokers: Brokers) -> None:
    [event_id] = await publish(database, [(topic, "client-1")])
    relay = a_relay(database, brokers)
    relay.start()
    await eventually(lambda: drained(database), "the log is sent")
    await relay.stop()
    [record] = await read_all(brokers.servers, topic)
    assert record.headers["content-type"] == "application/json"
    assert record.headers["ce_traceparent"] == "00-1-2-01"
    envelope = from_kafka(b"client-1", record.value, [(n, v.encode()) for n, v in record.headers.items()])
    assert (str(envelope.id), envelope.sequence, envelope.subject) == (event_id, 1, "client-1")
    assert envelope.data["line"] == "north"


async def test_the_writer_wakes_it_without_waiting_for_a_poll(database: str, topic: str, brokers: Brokers) -> None:
    wake = asyncio.Event()
    relay = a_relay(database, brokers, wake=wake, busy=60.0, idle=60.0)
    relay.start()
    await eventually(lambda: relay.status().leading, "it leads")
    await publish(database, [(topic, "a")])
    wake.set()
    await eventually(lambda: drained(database), "woken by the event", within=5.0)

    rung = asyncio.Event()
    bell = Doorbell(database, rung)
    bell.start()
    await publish(database, [(topic, "a")])
    rung.set()
    await eventually(lambda: drained(database), "woken by the doorbell of another process", within=5.0)
    await bell.stop()
    await relay.stop()


async def test_whatever_comes_after_a_rest_little_or_much_arrives_in_order(
    database: str, topic: str, brokers: Brokers
) -> None:
    """Where little came last, little is asked for: 32 rows, and if those are there, as many as usual."""
    wake = asyncio.Event()
    relay = a_relay(database, brokers, wake=wake, batch=50, busy=60.0, idle=60.0)  # it does not look by itself
    relay.start()
    many = [1, 31, 32, 33, 81, 82, 83, 200, 1]
    for number in many:
        await publish(database, [(topic, f"k{n % 3}") for n in range(number)])
        wake.set()
        await eventually(lambda: drained(database), f"{number} are sent")
    await relay.stop()
    seen = await read_all(brokers.servers, topic)
    assert len(seen) == sum(many)
    assert firsts(seen) == {f"k{k}": whole(sum(len(range(k, number, 3)) for number in many)) for k in range(3)}


SESSIONS = "from pg_stat_activity where application_name = 'belt-relay' and datname = current_database()"


async def sessions(admin: Any) -> bool:
    return bool(await admin.fetchval(f"select count(*) {SESSIONS}"))


async def test_a_lost_session_repeats_at_most_and_a_standby_takes_over(
    database: str, topic: str, brokers: Brokers
) -> None:
    """Sessions are cut at random while it sends; two relays stand by."""
    keys = [f"k{n}" for n in range(10)]
    relays = [a_relay(database, brokers, batch=50, standby=0.05, patience=0.2) for _ in range(2)]
    for relay in relays:
        relay.start()
    chance, cuts = random.Random(7), 0
    admin = await asyncpg.connect(database)
    for _ in range(40):
        await publish(database, [(topic, chance.choice(keys)) for _ in range(100)])
        if chance.random() < 0.4:
            # A relay that was cut a moment ago has no session to cut yet.
            await eventually(lambda: sessions(admin), "a relay is connected again")
            cuts += await admin.fetchval(f"select count(pg_terminate_backend(pid)) {SESSIONS}")
    assert cuts > 5
    await eventually(lambda: drained(database), "the log is sent", within=40.0)
    sent = {
        row["key"]: row["n"] for row in await admin.fetch("select key, max(sequence) as n from published group by key")
    }
    await admin.close()
    for relay in relays:
        await relay.stop()
    seen = await read_all(brokers.servers, topic)
    assert firsts(seen) == {key: whole(count) for key, count in sent.items()}


async def process(dsn: str, brokers: Brokers) -> asyncio.subprocess.Process:
    script = Path(__file__).with_name("relay_process.py")
    return await asyncio.create_subprocess_exec(sys.executable, os.fspath(script), dsn, brokers.servers)


async def test_a_zombie_steps_down_and_can_only_repeat(database: str, topic: str, brokers: Brokers) -> None:
    """A leader is frozen in the middle, loses its session and wakes up while its successor sends."""
    keys = [f"k{n}" for n in range(5)]
    zombie = await process(database, brokers)
    await eventually(lambda: leading(database), "the first process leads")
    await publish(database, [(topic, keys[n % 5]) for n in range(20_000)])
    moved = "select position > 300 from checkpoints where name = 'relay'"

    async def in_the_middle() -> bool:
        return await fetchval(database, moved) is True

    await eventually(in_the_middle, "it has begun")
    zombie.send_signal(signal.SIGSTOP)
    assert not await drained(database), "the freeze came too late"
    await fetchval(
        database,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'belt-relay' "
        "and datname = current_database()",
    )
    successor = a_relay(database, brokers, standby=0.05)
    successor.start()
    await eventually(lambda: successor.status().leading, "the successor leads")
    zombie.send_signal(signal.SIGCONT)
    await eventually(lambda: drained(database), "the log is sent", within=60.0)
    await publish(database, [(topic, key) for key in keys])
    await eventually(lambda: drained(database), "and goes on")
    assert successor.status().leading
    zombie.kill()
    await zombie.wait()
    await successor.stop()
    seen = await read_all(brokers.servers, topic)
    assert firsts(seen) == {key: whole(4_001) for key in keys}


async def test_a_killed_process_is_followed_within_seconds(database: str, topic: str, brokers: Brokers) -> None:
    leader = await process(database, brokers)
    await eventually(lambda: leading(database), "the first process leads")
    standby = a_relay(database, brokers, standby=0.2)
    standby.start()
    await publish(database, [(topic, f"k{n % 7}") for n in range(20_000)])
    leader.kill()
    await leader.wait()
    await eventually(lambda: standby.status().leading, "the standby leads", within=10.0)
    await eventually(lambda: drained(database), "the log is sent", within=60.0)
    await standby.stop()
    assert all(run == whole(len(run)) for run in firsts(await read_all(brokers.servers, topic)).values())


async def test_a_silent_leader_is_ended_by_the_database(database: str, topic: str, brokers: Brokers) -> None:
    """A frozen process keeps its connection; the server ends a session that asks nothing for long."""
    frozen = await process(database, brokers)  # started with a silence of 2 s
    await eventually(lambda: leading(database), "the first process leads")
    frozen.send_signal(signal.SIGSTOP)
    standby = a_relay(database, brokers, standby=0.1)
    standby.start()
    await publish(database, [(topic, "a")])
    await eventually(lambda: drained(database), "the standby sends", within=10.0)
    frozen.kill()
    await frozen.wait()
    await standby.stop()


async def test_a_leader_that_falls_silent_within_a_question_is_ended_too(
    database: str, topic: str, brokers: Brokers
) -> None:
    """Between the two halves of a question (Parse, then Bind) a session is not idle, and runs no statement."""
    frozen = await a_relay(database, brokers, silence=0.5)._connect()
    assert await frozen.fetchval("select pg_try_advisory_lock($1)", LEADER)
    await frozen.prepare("select $1::int + 41")
    standby = a_relay(database, brokers, standby=0.1)
    standby.start()
    await publish(database, [(topic, "a")])
    await eventually(lambda: drained(database), "the standby sends", within=10.0)
    frozen.terminate()
    await standby.stop()


async def test_a_frozen_broker_is_waited_out(database: str, own_kafka: Kafka) -> None:
    brokers, topic = Brokers(own_kafka.brokers), "conveyor.frozen"
    await create_topics(brokers, {topic: 2})
    relay = a_relay(database, brokers, patience=0.5)
    relay.start()
    await publish(database, [(topic, f"k{n % 4}") for n in range(400)])
    await eventually(lambda: drained(database), "the log is sent")
    assert own_kafka.server is not None
    os.kill(own_kafka.server.pid, signal.SIGSTOP)
    await publish(database, [(topic, f"k{n % 4}") for n in range(400)])
    await eventually(lambda: relay.status().trouble is not None, "it gives up on the send in time", within=15.0)
    connection = await asyncpg.connect(database)
    place = await backlog(connection)
    await connection.close()
    assert (place.drained, place.head - place.position) == (False, 400)
    assert place.age > 0
    os.kill(own_kafka.server.pid, signal.SIGCONT)
    await eventually(lambda: drained(database), "it catches up", within=40.0)
    assert relay.status().trouble is None
    await relay.stop()
    assert firsts(await read_all(brokers.servers, topic)) == {f"k{n}": whole(200) for n in range(4)}


async def test_a_broker_that_is_away_costs_no_task_and_no_second(database: str) -> None:
    """Nothing of an abandoned producer goes on in the background."""
    nobody = Brokers("127.0.0.1:9")
    before = asyncio.all_tasks()
    relay = a_relay(database, nobody, patience=0.05)
    relay.start()
    await eventually(lambda: relay.status().trouble is not None, "it notices")
    async with asyncio.timeout(5.0):
        await relay.stop()
    assert asyncio.all_tasks() <= before


async def allow(brokers: Brokers, topic: str, size: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers.servers)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size)})])
    await admin.close()


async def test_a_record_the_broker_refuses_stops_the_relay_until_it_is_let_in(
    database: str, topic: str, brokers: Brokers
) -> None:
    """One rejected record spoils an idempotent producer; each try has a new one, and nothing is skipped."""
    await allow(brokers, topic, 20_000)
    relay = a_relay(database, brokers, patience=0.2)
    relay.start()
    await publish(database, [(topic, "a"), (topic, "b")])
    await eventually(lambda: drained(database), "small ones pass")
    await publish(database, [(topic, "a")], size=40_000)
    await publish(database, [(topic, "a"), (topic, "b")])
    await eventually(lambda: relay.status().trouble is not None, "it says so")
    assert not await drained(database)
    await allow(brokers, topic, 1_000_000)
    await eventually(lambda: drained(database), "all pass")
    await relay.stop()
    assert firsts(await read_all(brokers.servers, topic)) == {"a": [1, 2, 3], "b": [1, 2]}


async def test_a_record_above_the_limit_is_never_handed_to_the_producer(topic: str, brokers: Brokers) -> None:
    sender = Sender(brokers, name="test", largest=1_000)
    await sender.start()
    with pytest.raises(Oversized):
        await sender.send_batches([Outgoing(topic, b"a", b"x" * 2_000, [("ce_sequence", b"1")])])
    await sender.send_batches([Outgoing(topic, b"a", b"{}", [("ce_sequence", b"1")])])
    await sender.abandon()
    assert len(await read_all(brokers.servers, topic)) == 1


async def test_an_unknown_topic_is_an_error_within_the_deadline(brokers: Brokers) -> None:
    sender = Sender(brokers, name="test", send_within=1.0)
    await sender.start()
    with pytest.raises(Unreachable):
        await sender.send_batches([Outgoing("nowhere", b"a", b"{}", [])])
    await sender.abandon()


def test_a_key_lives_where_the_library_puts_it() -> None:
    chance = random.Random(1)
    for size in [*range(70), 255, 1_000]:
        key = chance.randbytes(size)
        assert murmur2(key) == library.murmur2(key), key


async def test_topics_are_made_once_and_never_repartitioned(brokers: Brokers, topic: str) -> None:
    assert await create_topics(brokers, {topic: 3}) == []
    with pytest.raises(TopicDiffers):
        await create_topics(brokers, {topic: 4})
