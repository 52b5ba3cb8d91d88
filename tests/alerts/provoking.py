"""Brings a line into every state that somebody is to be told of, one scene after the other, and scrapes it there.

Nothing is pretended to the services: people work or do not, records in Kafka are lost, doubled and spoilt, tables are
locked and rows damaged by hand, servers are killed, processes frozen. Only compensation's clock is put ahead, where
people would be waited for.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from journey_firm import Firm, plans, post
from scraping import Scrape, scraped
from stations import produce, with_headers
from watched_line import Process, Watched, until

from belt.io.kafka.clients import Outgoing
from conveyor.exits import Problem, Unreachable
from conveyor_events.catalog import TOPICS
from conveyor_events.words import Station

AHEAD = timedelta(days=40)  # so much compensation's clock is put ahead: a dispute is overdue, this month has ended
LEADS, DEALS, STAFF, PAY = (f"conveyor.{name}.v1" for name in ("leads", "deals", "staff", "pay"))
ALWAYS_OPEN = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "opens": "00:00", "closes": "23:59"}
SOON = timedelta(seconds=6)
APART = 6.5  # seconds between two scrapes of a scene: longer than whatever is measured takes to be measured again
IMPATIENT = """
from functools import partial
import belt.io.http.discovery as parts
from conversion.main import SERVICE
from belt.io.service import run
parts.KeySet = partial(parts.KeySet, min_interval=1.0)
run(SERVICE)
"""
"""Conversion as it is, but that it asks for the issuer's keys again after a second; else it waits for thirty."""
BREAKS = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass
class Stage:
    """The line, and what was seen on it."""

    watched: Watched
    metrics: Collection[str]
    firm: Firm | None = None
    ordinary: Scrape = field(default_factory=lambda: Scrape(0.0))
    scenes: dict[str, list[Scrape]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)

    async def look(self) -> Scrape:
        return await scraped(self.watched.targets, self.metrics)

    async def shows(self, name: str, holds: Callable[[float], bool], **labels: str) -> None:
        """Waits until the sum of what has these labels is such."""

        async def there() -> bool:
            found = (await self.look()).of(name, **labels)
            return found is not None and holds(found)

        await until(there, f"{name} {labels}")

    async def seen(self, scene: str, scrapes: int = 2) -> None:
        """Scrapes it as it is, twice, some seconds apart."""
        found = self.scenes.setdefault(scene, [])
        for number in range(scrapes):
            if number:
                await asyncio.sleep(APART)
            found.append(await self.look())


def _text(at: datetime) -> str:
    return at.isoformat()


# -- the ordinary line -----------------------------------------------------------------------------------------------


async def ordinary(stage: Stage) -> None:
    """Somebody is hired and finds a client: the line moves, and nothing is the matter."""
    line, today = stage.watched.line, datetime.now(UTC).date()
    await post(line, "lead-gen", "/v1/staff", {"person": "olga", "hired_on": str(today)})
    since = f"{today}T00:00:00Z"
    await post(line, "lead-gen", "/v1/staff/olga/roles", {"role": "hunter", "since": since})
    teams = {station: {"team": f"calm-{station}", "members": ["olga"]} for station in Station}
    staffed = {"variant": "hunter", "since": since, "zone": "UTC", "currency": "EUR", "teams": teams}
    await post(line, "lead-gen", "/v1/lines/calm/staffing", staffed)
    client = {"client_id": "calm-1", "line": "calm", "name": "Calm", "source": "fair", "by": "olga"}
    await post(line, "lead-gen", "/v1/prospects", client)
    await line.drained(30)
    for service in stage.watched.line.addresses:
        await stage.shows("conveyor_unpublished_seconds", lambda v: v == 0, app_kubernetes_io_name=service)
    await stage.shows("conveyor_consumer_lag_seconds", lambda v: v == 0)
    await stage.shows("conveyor_pay_facts_unread", lambda v: v == 0)
    await stage.shows("conveyor_things_in_hand", lambda v: v == 1, line="calm")
    await stage.seen("ordinary")
    stage.ordinary = stage.scenes["ordinary"][-1]


# -- people who are late, and pay that waits for them ----------------------------------------------------------------


async def people(stage: Stage) -> None:
    """An offer waits, another was not answered, two claim one client, a dispute is not decided, a close waits."""
    line, now = stage.watched.line, datetime.now(UTC)
    await plans(line)
    firm = Firm(line, "west", "scout-hunter-farmer")
    stage.firm = firm
    await firm.open(more={"west-second": "scout"})
    await _impatient_line(firm)
    await firm.offered(_text(now))
    last = (now.replace(day=1) - timedelta(days=1)).replace(day=12)
    client, deal = await firm.deal(_text(last), "1000.00")
    await firm.paid(deal, _text(last), "1000.00")
    await firm.served(client, _text(last))
    await _claimed_twice(firm)
    await line.drained(30)
    missing = asyncio.create_task(_missed(stage, firm))
    await _disputed(stage, firm, f"{last:%Y-%m}")
    stage.watched.set_clock(AHEAD.total_seconds())
    await stage.shows("conveyor_disputes_open", lambda v: v == 1, overdue="yes")
    first = (now.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    await post(line, "compensation", f"/v1/periods/{now:%Y-%m}/close", {"cutoff": f"{first}T12:00:00Z"})
    await stage.shows("conveyor_close_waits_for", lambda v: v > 0)
    stage.watched.set_clock((AHEAD + timedelta(hours=2)).total_seconds())
    await stage.shows("conveyor_close_seconds", lambda v: v > 3_600)
    await missing
    await stage.shows("conveyor_conflicts_open", lambda v: v > 0, kind="C1")
    await stage.shows("conveyor_deadline_seconds", lambda v: 0 < v <= 3_600, person=firm.hunter)
    await stage.seen("people", 1)


async def _impatient_line(firm: Firm) -> None:
    teams = {station: {"team": f"west-{station}", "members": [firm.seat(station)]} for station in Station}
    teams[Station.LEAD_GEN]["members"] = [firm.scout, "west-second"]
    policy = {"calendar": ALWAYS_OPEN, "accept_within_hours": 1}
    staffed = {"variant": firm.variant, "since": "2026-01-02T00:00:00Z", "zone": "UTC", "currency": "EUR"}
    body = staffed | {"teams": teams, "policy": policy}
    await post(firm.line, "lead-gen", "/v1/lines/west/staffing", body)


async def _claimed_twice(firm: Firm) -> None:
    keys = [{"kind": "tax_no", "value": "DE811234567"}]
    client = {"line": "west", "name": "Twice", "source": "fair", "identity_keys": keys}
    await post(firm.line, "lead-gen", "/v1/prospects", client | {"by": firm.scout})
    with pytest.raises(Problem, match="client-protected"):
        await post(firm.line, "lead-gen", "/v1/prospects", client | {"by": "west-second"})


async def _missed(stage: Stage, firm: Firm) -> None:
    """Nobody answers within the hour: all but the last seconds of it have passed when the offer is told of."""
    await firm.offered(_nearly_due())
    missed = {"type": "conveyor.deals.LeadOfferExpired"}
    await stage.shows("conveyor_public_events_total", lambda v: v >= 1, **missed)


def _nearly_due() -> str:
    """When an offer was made that wants its answer in some seconds."""
    return _text(datetime.now(UTC) - timedelta(hours=1) + SOON)


async def _disputed(stage: Stage, firm: Firm, month: str) -> None:
    """The month before is closed and its statements are published; somebody objects, and nobody answers."""
    line = stage.watched.line
    await post(line, "compensation", f"/v1/periods/{month}/close", {})

    async def closed() -> bool:
        shown = await line.get("compensation", "/v1/periods")
        return any(item["period"] == month for item in shown["items"])

    await until(closed, f"{month} is closed")
    await post(line, "compensation", f"/v1/periods/{month}/publish", {})
    body = {"period": month, "text": "the deal of the 12th is too small"}
    await line.post("compensation", "/v1/disputes", body, person=firm.hunter, roles=("hunter",))


# -- records that are not as they should be --------------------------------------------------------------------------


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
    damaged = "insert into facts (event_id, type, occurred_at, envelope) values ('{}', 'damaged', now(), 'damaged')"
    await watched.execute("compensation", damaged.format(uuid4()))
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


# -- databases that are held up, and limits that are reached ---------------------------------------------------------


async def databases(stage: Stage) -> None:
    """Tables are locked or gone, a database grows, callers ask too much, and an issuer is away."""
    watched = stage.watched
    issuer = {"CONVEYOR_JWKS": "http://127.0.0.1:9/keys", "CONVEYOR_ISSUER": "http://127.0.0.1:9"}
    small = {"CONVEYOR_DATABASE_LIMIT_BYTES": "1000000", "CONVEYOR_RATE": "2", "CONVEYOR_BURST": "2"}
    await asyncio.gather(
        watched.another("conversion-door", "conversion", ("-c", IMPATIENT, "api"), **issuer),
        watched.another("account-mgmt-door", "account-mgmt", **small),
    )
    assert stage.firm is not None
    offer = await stage.firm.offered(_nearly_due())

    async def heard_of() -> bool:
        with suppress(Problem):
            return bool(await watched.line.get("conversion", f"/v1/offers/{offer}"))
        return False

    await until(heard_of, "conversion has heard of the offer")
    await watched.execute("lead-gen", "alter table prospects rename to prospects_away")
    async with (
        watched.locked("conversion", "commands"),
        watched.locked("account-mgmt", "accounts"),
        watched.locked("compensation", "gates"),
        _asking(watched, watched.targets["lead-gen"], "/v1/prospects", 1),
        _asking(watched, watched.targets["conversion"], "/v1/offers/none/accept", 4, {"by": "west-hunter"}),
        _asking(watched, watched.targets["account-mgmt"], "/v1/accounts", 4),
        _asking(watched, watched.targets["account-mgmt-door"], "/v1/offers", 2),
        _asking(watched, watched.targets["conversion-door"], "/v1/offers", 1),
        _growing(watched, "lead-gen"),
    ):
        body = {"person": "late", "hired_on": str(date.today())}  # noqa: DTZ011 (a day is enough)
        await post(watched.line, "lead-gen", "/v1/staff", body)
        for service in ("conversion", "compensation"):
            shown = {"topic": STAFF, "app_kubernetes_io_name": service}
            await stage.shows("conveyor_consumer_lag_seconds", lambda v: v > 1, **shown)
        await stage.shows("conveyor_problems_total", lambda v: v > 4, code="deadline-exceeded", pod="conversion")
        await stage.shows("conveyor_keyset_fetches_total", lambda v: v > 0, outcome="failed", pod="conversion-door")
        await stage.shows("conveyor_deadline_seconds", lambda v: v < 0, deadline="acceptance")
        await stage.shows("conveyor_storage_closed", lambda v: v == 1, pod="account-mgmt-door")
        await stage.shows("conveyor_looks_failed_total", lambda v: v > 0, pod="lead-gen")
        await stage.seen("databases")
    await watched.execute("lead-gen", "alter table prospects_away rename to prospects")
    for pod in ("conversion-door", "account-mgmt-door"):
        await watched.targets.pop(pod).end(signal.SIGKILL)


@asynccontextmanager
async def _asking(
    watched: Watched, target: Process, path: str, callers: int, body: dict[str, Any] | None = None
) -> AsyncIterator[None]:
    """So many callers ask again and again, whatever they hear."""
    token = watched.line.tokens.token("caller", ("driver",))

    async def ask(http: aiohttp.ClientSession) -> None:
        while True:
            with suppress(*BREAKS):
                method = "GET" if body is None else "POST"
                async with http.request(method, f"{target.address}{path}", json=body) as answer:
                    await answer.read()
            await asyncio.sleep(0.02)

    headers = {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=15)) as http:
        tasks = [asyncio.create_task(ask(http)) for _ in range(callers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _growing(watched: Watched, service: str) -> AsyncIterator[None]:
    """Somebody fills the database."""
    filler = "insert into filler select repeat('x', 1000) from generate_series(1, 1000)"
    await watched.execute(service, "create table filler (words text)")

    async def fill() -> None:
        while True:
            await watched.execute(service, filler)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(fill())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# -- Kafka and processes that are away -------------------------------------------------------------------------------


async def kafka(stage: Stage) -> None:
    """The broker is killed while the line works on."""
    broker = stage.watched.stack.kafka
    assert broker is not None
    assert broker.server is not None
    await asyncio.to_thread(broker.server.stop, signal.SIGKILL, 10)
    body = {"person": "later", "hired_on": str(date.today())}  # noqa: DTZ011 (a day is enough)
    await post(stage.watched.line, "lead-gen", "/v1/staff", body)
    mine = {"app_kubernetes_io_name": "lead-gen"}
    await stage.shows("conveyor_unpublished_seconds", lambda v: v > 0, **mine)
    await stage.shows("conveyor_relay_active", lambda v: v == 0, **mine)
    await stage.seen("kafka", 1)
    before = stage.scenes["kafka"][0]
    age, restarts = (
        before.of("conveyor_unpublished_seconds", **mine),
        before.of("conveyor_relay_restarts_total", **mine),
    )
    assert age is not None
    assert restarts is not None
    await stage.shows("conveyor_unpublished_seconds", lambda v: v > age + 3, **mine)
    await stage.shows("conveyor_relay_restarts_total", lambda v: v > restarts, **mine)
    await stage.seen("kafka", 1)


async def processes(stage: Stage) -> None:
    """One is frozen, one is gone with its pod, one dies again and again."""
    targets, watch = stage.watched.targets, stage.watched.watch
    targets["lead-gen"].send(signal.SIGSTOP)
    await targets.pop("account-mgmt").end(signal.SIGKILL)
    dying = targets["conversion"]
    for _ in range(3):
        await stage.seen("processes", 1)
        await dying.end(signal.SIGKILL)
        dying.start(watch)
        await dying.ready()
    await stage.seen("processes", 1)
    targets["lead-gen"].send(signal.SIGCONT)


SCENES: tuple[Callable[[Stage], Awaitable[None]], ...] = (ordinary, people, records, databases, kafka, processes)


async def provoke(stage: Stage) -> None:
    """Everything, in this order: what is spoilt in one scene is still spoilt in the next."""
    for scene in SCENES:
        begun = time.monotonic()
        await scene(stage)
        stage.took[scene.__name__] = round(time.monotonic() - begun, 1)
        print(f"  {scene.__name__}: {stage.took[scene.__name__]} s", file=sys.stderr, flush=True)


__all__ = ["Stage", "provoke", "replace"]
