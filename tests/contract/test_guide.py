"""The programs of docs/consumers.md do what the guide says: on a real Kafka, with records that our relay has sent."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from foreign import ran, running
from published_samples import history, tell, tell_again

from checks.node import node_program
from conveyor_events import Envelope, golden
from conveyor_events.generate import CHECKOUT, GOLDEN
from conveyor_local import Stack

pytestmark = pytest.mark.contract

GUIDE = (CHECKOUT / "docs/consumers.md").read_text(encoding="utf-8")
TOPICS = ("conveyor.leads.v1", "conveyor.deals.v1")
SOLD = "conveyor.deals.DealClosed"
ERASED = "conveyor.leads.PersonalDataErased"


def program(language: str, number: int = 0) -> str:
    """A program of the guide, to the letter."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return found[number]


@dataclass(frozen=True)
class Told:
    """What lies on Kafka: the history twice, since the relay was cut off and began again."""

    brokers: str
    prefix: str
    events: list[tuple[str, Envelope]]

    def environment(self, **more: str) -> dict[str, str]:
        group, topics = f"g{uuid4().hex}", " ".join(self.prefix + topic for topic in TOPICS)
        return os.environ | {"KAFKA_BROKERS": self.brokers, "TOPICS": topics, "GROUP": group} | more

    def lines(self) -> Counter[tuple[str, str, str]]:
        """(type, subject, sequence) of every event."""
        return Counter((env.type, env.subject, str(env.sequence)) for _, env in self.events)


@pytest.fixture(scope="module")
def told(stack: Stack) -> Iterator[Told]:
    """Leads and deals; the last event is of a version from the future."""
    name, prefix = f"guide_{uuid4().hex[:8]}", f"g{uuid4().hex[:8]}."
    events = history(TOPICS)
    topic, last = events[-1]
    events.append((topic, replace(last, id=uuid4(), type=SOLD, schema_version=99, sequence=last.sequence + 1)))

    async def make() -> None:
        dsn = await stack.create_database(name)
        await tell(stack, dsn, events, prefix)
        await tell_again(stack, dsn)

    asyncio.run(make())
    yield Told(stack.brokers, prefix, events)
    asyncio.run(stack.drop_database(name))
    asyncio.run(stack.delete_topics(*(prefix + topic for topic in TOPICS)))


def client_of(told: Told, wire: str) -> str:
    return next(env.subject for _, env in told.events if env.type == wire)


def test_the_python_program_takes_each_event_once_and_puts_the_future_aside(told: Told, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(program("python"), encoding="utf-8")
    environment = told.environment(DATABASE=str(tmp_path / "customers.db"))
    with running([sys.executable, str(tmp_path / "consumer.py")], environment) as program_said:
        said = program_said.take(2 * len(told.events))
    outcomes = {outcome: Counter(tuple(rest) for first, *rest in said if first == outcome) for outcome, *_ in said}
    assert outcomes["aside"] == Counter([(SOLD, told.events[-1][1].subject, str(told.events[-1][1].sequence))])
    assert outcomes["taken"] + outcomes["aside"] == told.lines() == outcomes["again"]

    db = sqlite3.connect(tmp_path / "customers.db")
    sold = next(env for _, env in told.events if env.type == SOLD)
    assert db.execute("select client, net from customer").fetchall() == [(sold.subject, sold.data["sale"]["net"])]
    assert db.execute("select count(*) from aside").fetchone() == (1,)
    db.close()


def test_the_python_program_forgets_whom_it_is_told_to_forget(told: Told, tmp_path: Path) -> None:
    """What it had joined to the client from elsewhere goes; the money stays."""
    database, forgotten = tmp_path / "customers.db", client_of(told, ERASED)
    (tmp_path / "consumer.py").write_text(program("python"), encoding="utf-8")
    db = sqlite3.connect(database)
    db.execute("create table customer (client text primary key, net text, contact text)")
    db.execute("insert into customer values (?, '70.00', 'Erika Weber')", (forgotten,))
    db.commit()
    environment = told.environment(DATABASE=str(database))
    with running([sys.executable, str(tmp_path / "consumer.py")], environment) as program_said:
        program_said.take(2 * len(told.events))
    assert db.execute("select net, contact from customer where client = ?", (forgotten,)).fetchone() == ("70.00", None)
    db.close()


async def test_the_python_program_does_not_bring_back_whom_it_was_told_to_forget_before(
    stack: Stack, tmp_path: Path
) -> None:
    """Topics are not ordered among each other: the sale may be read after its client was forgotten."""
    name, prefix = f"guide_{uuid4().hex[:8]}", f"g{uuid4().hex[:8]}."
    leads, deals = TOPICS
    erased, sold = (next(env for _, env in history([topic]) if env.type == wire)
                    for topic, wire in ((leads, ERASED), (deals, SOLD)))  # fmt: skip
    client = erased.subject
    sale = replace(sold, subject=client, client_id=client, sequence=1)
    told = Told(stack.brokers, prefix, [(leads, replace(erased, sequence=1)), (deals, sale)])
    await tell(stack, await stack.create_database(name), told.events, prefix)
    (tmp_path / "consumer.py").write_text(program("python"), encoding="utf-8")
    for topic in TOPICS:
        environment = told.environment(TOPICS=prefix + topic, DATABASE=str(tmp_path / "customers.db"))
        with running([sys.executable, str(tmp_path / "consumer.py")], environment) as program_said:
            assert [said[0] for said in await asyncio.to_thread(program_said.take, 1)] == ["taken"]
    db = sqlite3.connect(tmp_path / "customers.db")
    found = db.execute("select client, net, contact from customer").fetchall()
    assert found == [(client, sold.data["sale"]["net"], None)]
    db.close()
    await stack.drop_database(name)
    await stack.delete_topics(*(prefix + topic for topic in TOPICS))


def test_the_python_program_stops_where_something_was_lost(told: Told, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(program("python"), encoding="utf-8")
    topic, env = next((topic, env) for topic, env in told.events if env.sequence == 1)
    db = sqlite3.connect(tmp_path / "customers.db")
    db.execute("create table place (topic text, subject text, sequence int, primary key (topic, subject))")
    db.execute("insert into place values (?, ?, 7)", (told.prefix + topic, env.subject))
    db.commit()
    db.close()
    environment = told.environment(DATABASE=str(tmp_path / "customers.db"))
    done = ran([sys.executable, str(tmp_path / "consumer.py")], environment)
    assert done.returncode == 1
    assert "something was lost" in done.stderr


def test_the_javascript_program_takes_each_event_once_and_puts_the_future_aside(told: Told, tmp_path: Path) -> None:
    with running(node_program(tmp_path, program("js")), told.environment()) as program_said:
        said = program_said.take(2 * len(told.events) + 2)
    outcomes = {outcome: Counter(tuple(rest) for first, *rest in said if first == outcome) for outcome, *_ in said}
    sold = next(env for _, env in told.events if env.type == SOLD)
    assert outcomes.pop("sold") == Counter([(sold.subject, sold.data["sale"]["net"], sold.data["sale"]["currency"])])
    assert outcomes.pop("forget") == Counter([(client_of(told, ERASED),)])
    assert outcomes["aside"] == Counter([(SOLD, told.events[-1][1].subject, str(told.events[-1][1].sequence))])
    assert {wire for wire, *_ in outcomes["taken"]} == {SOLD, ERASED}
    assert outcomes["taken"] + outcomes["passed"] + outcomes["aside"] == told.lines() == outcomes["again"]


def test_the_kcat_command_shows_key_headers_and_data(told: Told) -> None:
    if shutil.which("kcat") is None:
        pytest.skip("kcat absent: apt-get install kcat")
    environment = told.environment(TOPIC=told.prefix + "conveyor.deals.v1")
    done = ran(["bash", "-c", program("sh")], environment)
    assert done.returncode == 0, done.stderr
    shown = [line.split("\t") for line in done.stdout.splitlines()]
    deals = [env for topic, env in told.events if topic == "conveyor.deals.v1"]
    assert len(shown) == 2 * len(deals)
    records = {}
    for key, headers, value in shown:
        about = dict(one.partition("=")[::2] for one in headers.split(","))
        assert about["ce_subject"] == key
        assert value.startswith("{")
        records[about["ce_id"]] = (about["ce_type"], int(about["ce_sequence"]))
    assert records == {str(env.id): (env.type, env.sequence) for env in deals}


def test_the_golden_records_are_read_by_the_cloudevents_package_for_javascript(tmp_path: Path) -> None:
    files = sorted(str(path) for path in (CHECKOUT / GOLDEN).glob("*.json"))
    done = ran([*node_program(tmp_path, program("js", 1)), *files], os.environ)
    assert done.returncode == 0, done.stderr
    said = {tuple(line.split()) for line in done.stdout.splitlines()}
    assert said == {
        (one.topic, env.type, str(env.schema_version), str(env.id), str(len(env.data)))
        for one in golden.records()
        for env in [one.envelope]
    }
