"""Kafka lets in whom it knows, and allows each what stands in the table: seen from both sides, on a real broker."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from guarded import Authority, Guarded, started

from belt.io.kafka.access import Access
from belt.io.kafka.brokers import Brokers, Unreachable
from belt.io.kafka.reader import Reader
from belt.io.kafka.records import Outgoing, Partition
from belt.io.kafka.sender import Sender
from belt.io.kafka.surveyor import Surveyor
from belt.io.kafka.topics import create_topics
from checks.access import __main__ as check
from checks.access.kafka import PARTNERS, PAY, PAYROLL, Rule, rules
from checks.access.users import manifest, read
from conveyor_events.catalog import TOPICS, Topic
from conveyor_local.kafka import Kafka

pytestmark = [pytest.mark.contract, pytest.mark.timeout(180)]
LEADS, DEALS, STAFF = "conveyor.leads.v1", "conveyor.deals.v1", "conveyor.staff.v1"
WITHIN = 15.0


# -- the table, and what is made from it


def test_the_manifest_gives_exactly_what_the_table_says() -> None:
    assert read((check.ROOT / check.PLACE).read_text()) == check.table()


def test_a_manifest_that_was_changed_by_hand_is_found(tmp_path: Path) -> None:
    path = tmp_path / check.PLACE
    assert check.difference(tmp_path) == f"{check.PLACE}: missing"
    path.parent.mkdir(parents=True)
    path.write_text(manifest(check.table()))
    assert check.difference(tmp_path) is None
    path.write_text(manifest(check.table()).replace("Write", "All", 1))
    assert check.difference(tmp_path) == f"{check.PLACE}: differs from the table"


def test_each_topic_has_one_writer_and_pay_is_for_payroll() -> None:
    found = check.table()
    writers = {rule.name: rule.user for rule in found if "Write" in rule.operations}
    assert writers == {name: topic.publisher for name, topic in TOPICS.items()}
    assert {rule.user for rule in found if rule.name == PAY and "Read" in rule.operations} == {PAYROLL}
    assert {rule.name for rule in found if rule.user == PAYROLL and rule.resource == "topic"} == {PAY}


def test_nobody_makes_or_changes_topics_and_groups_do_not_overlap() -> None:
    found = check.table()
    assert {operation for rule in found for operation in rule.operations} == {"Read", "Write", "Describe"}
    assert {rule.resource for rule in found} == {"topic", "group"}, "nothing with the cluster"
    groups = [rule for rule in found if rule.resource == "group"]
    assert len({rule.user for rule in groups}) == len(groups)
    reach = {
        rule.user: re.compile(re.escape(rule.name) + (".*" if rule.pattern == "prefix" else "")) for rule in groups
    }
    for user, may in reach.items():
        assert [rule.user for rule in groups if may.fullmatch(rule.name)] == [user]


def test_a_new_topic_or_subscription_is_in_the_table_by_itself() -> None:
    topic = Topic("conveyor.new.v1", "new", "lead-gen", ("conversion",), 3, "")
    found = rules({"lead-gen": (), "conversion": (topic.name,)}, {topic.name: topic}, partners=())
    assert Rule("lead-gen", "topic", topic.name, "literal", ("Write", "Describe")) in found
    assert Rule("conversion", "topic", topic.name, "literal", ("Read", "Describe")) in found


# -- on a real broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Knows every user of the table, and what each may."""
    made = started(tmp_path_factory.mktemp("kafka"))
    try:
        made.make_topics(dict.fromkeys(TOPICS, 1))
        made.admit({rule.user: f"password of {rule.user}" for rule in check.table()})
        made.allow(check.table())
        yield made
    finally:
        made.kafka.stop()


async def test_a_service_writes_its_own_topics_and_no_others(broker: Guarded) -> None:
    async with sender(broker.brokers("lead-gen")) as mine:
        assert await mine.send_batches([record(LEADS), record(STAFF)]) == 2
        with pytest.raises(Unreachable, match=f"refused: this user may not do that with the topic {DEALS}"):
            await mine.send_batches([record(DEALS)])
    async with sender(broker.brokers("conversion")) as other:
        assert await other.send_batches([record(DEALS)]) == 1
        with pytest.raises(Unreachable, match=f"refused: this user may not do that with the topic {LEADS}"):
            await other.send_batches([record(LEADS)])  # which it may read


async def test_of_two_users_one_may_read_a_topic_and_the_other_may_not(broker: Guarded) -> None:
    async with sender(broker.brokers("compensation")) as pay:
        await pay.send_batches([record(PAY)])
    assert await read_one(broker.brokers(PAYROLL), f"{PAYROLL}.june", PAY) == b"value"
    [partner] = PARTNERS
    with pytest.raises(Unreachable, match=f"refused: this user may not do that with the topic {PAY}"):
        await read_one(broker.brokers(partner), f"{partner}.june", PAY)
    assert await read_one(broker.brokers(partner), f"{partner}.june", LEADS) == b"value"


async def test_nobody_reads_in_the_group_of_another(broker: Guarded) -> None:
    for user in (*PARTNERS, "lead-gen"):
        with pytest.raises(Unreachable, match="refused: this user may not be in the group account-mgmt"):
            await read_one(broker.brokers(user), "account-mgmt", DEALS)


async def test_a_partner_only_reads(broker: Guarded) -> None:
    [partner] = PARTNERS
    with pytest.raises(Unreachable, match="refused"):
        async with sender(broker.brokers(partner)) as intruder:
            await intruder.send_batches([record(LEADS)])


async def test_no_service_makes_topics(broker: Guarded) -> None:
    with pytest.raises(Unreachable, match="was not made"):
        await create_topics(broker.brokers("lead-gen"), {"conveyor.more.v1": 1})


async def test_a_service_counts_what_is_in_its_own_topics(broker: Guarded) -> None:
    surveyor = Surveyor(broker.brokers("account-mgmt"), "count")
    try:
        await surveyor.start()
        assert await surveyor.partitions(["conveyor.accounts.v1"]) == {"conveyor.accounts.v1": {0}}
        assert await surveyor.records("conveyor.accounts.v1", {0}) == 0
    finally:
        await surveyor.close()


def test_a_guarded_broker_is_found_again(broker: Guarded) -> None:
    again = Kafka.recalled(broker.kafka.home, broker.kafka.record())
    assert (again.guard, again.encrypted_brokers) == (broker.kafka.guard, broker.kafka.encrypted_brokers)
    assert again.answers()


# -- the door


async def test_a_wrong_password_is_refused_and_the_new_one_is_taken_from_the_file(
    broker: Guarded, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("a guess")
    brokers = broker.brokers("lead-gen", password_file=file)
    for client in (Sender(brokers, name="x"), Reader(brokers, "lead-gen", [DEALS]), Surveyor(brokers, "x")):
        assert await refused(client) == "refused: Kafka does not accept this user name and password"
    file.write_text("password of lead-gen\n")
    async with sender(brokers) as mine:
        assert await mine.send_batches([record(LEADS)]) == 1


async def test_a_broker_that_nobody_vouches_for_or_that_is_somebody_else_is_not_talked_to(
    broker: Guarded, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger").file
    why = await refused(Sender(broker.brokers("lead-gen", ca_file=stranger), name="x"))
    assert why.startswith("refused: the broker's certificate is not to be trusted (")
    elsewhere = replace(
        broker.brokers("lead-gen"), servers=broker.kafka.encrypted_brokers.replace("127.0.0.1", "localhost")
    )
    why = await refused(Sender(elsewhere, name="x"))
    assert why.startswith("refused: the broker's certificate is not to be trusted (")
    assert "localhost" in why


async def test_who_says_no_name_is_not_let_in(broker: Guarded) -> None:
    nameless = Access("SSL", ca_file=broker.authority.file)
    assert await refused(Sender(Brokers(broker.kafka.encrypted_brokers, nameless), name="x", start_within=3))


async def test_a_certificate_of_its_own_is_shown_where_there_is_one(broker: Guarded, tmp_path: Path) -> None:
    known = broker.authority.identity("known", "127.0.0.1")
    async with sender(broker.brokers("lead-gen", cert_file=known, key_file=known)) as mine:
        assert await mine.send_batches([record(LEADS)]) == 1
    unknown = Authority(tmp_path, "unknown").identity("unknown", "127.0.0.1")
    assert await refused(Sender(broker.brokers("lead-gen", cert_file=unknown, key_file=unknown), name="x"))


def test_in_production_what_speaks_to_kafka_does_not_start_without_tls(tmp_path: Path) -> None:
    key = tmp_path / "sealing.key"
    key.write_text("0123456789abcdef0123456789abcdef")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONVEYOR_")}
    unfit = {
        "CONVEYOR_ENVIRONMENT": "production",
        "CONVEYOR_DSN": "postgresql://nobody@127.0.0.1:1/nothing",
        "CONVEYOR_ISSUER": "https://login.example",
        "CONVEYOR_JWKS": "https://login.example/jwks",
        "CONVEYOR_KEY_FILE": str(key),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "lead_gen", "worker"],
        env=kept | unfit,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("lead-gen: not fit for production: Kafka must be spoken to over TLS")


async def test_without_tls_a_name_is_proved_all_the_same(broker: Guarded) -> None:
    clear = broker.brokers("lead-gen", protocol="SASL_PLAINTEXT", ca_file=None)
    async with sender(replace(clear, servers=broker.kafka.brokers)) as mine:
        assert await mine.send_batches([record(LEADS)]) == 1


async def test_over_tls_a_password_may_be_sent_plainly(broker: Guarded, tmp_path: Path) -> None:
    assert broker.kafka.guard is not None
    file = tmp_path / "password"
    file.write_text(broker.kafka.guard.password)
    async with sender(broker.brokers("admin", mechanism="PLAIN", password_file=file)) as administrator:
        assert await administrator.send_batches([record(LEADS)]) == 1


def record(topic: str) -> Outgoing:
    return Outgoing(topic, b"key", b"value", [])


@asynccontextmanager
async def sender(brokers: Brokers) -> AsyncIterator[Sender]:
    made = Sender(brokers, name="test", send_within=8)
    try:
        await made.start()
        yield made
    finally:
        await made.abandon()


async def read_one(brokers: Brokers, group: str, topic: str) -> bytes | None:
    """The first value of a topic."""
    reader = Reader(brokers, group, [topic], within=5)
    try:
        async with asyncio.timeout(WITHIN):
            await reader.start()
            while True:
                found = await reader.getmany([Partition(topic, 0)], 0.2, 1)
                if found:
                    return found[Partition(topic, 0)][0].value
    finally:
        await reader.close()


async def refused(client: Any) -> str:
    """Why a client is not let in; it is not kept waiting."""
    async with asyncio.timeout(WITHIN):
        try:
            with pytest.raises(Unreachable) as away:
                await client.start()
        finally:
            await (client.abandon() if isinstance(client, Sender) else client.close())
    return str(away.value).partition(" s: ")[2]
