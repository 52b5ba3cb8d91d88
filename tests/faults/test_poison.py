"""An event that cannot be taken in holds up its client at that station only; once mended, nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from stations import (
    changed,
    eventually,
    fetch,
    header,
    metric,
    parked,
    produce,
    redriven,
    stack_of,
    standing_in,
    with_headers,
)  # fmt: skip
from story import Story, undisturbed

from belt.io.kafka.records import Outgoing
from conveyor.addresses import SERVICES
from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.catalog import CATALOG
from conveyor_events.schemas import name as sample_name

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
SAMPLES = Path(__file__).parents[2] / "libs/events/samples"
LEADS = "conveyor.leads.v1"


@pytest.fixture(scope="module")
async def truth(running: Running) -> list[Any]:
    async with Line.of(running) as line:
        return await undisturbed(line, "without-fault")


async def blocked(story: Story, client: str) -> None:
    """Conversion has not heard of the client's lead."""
    with pytest.raises(Problem) as unknown:
        await story.firm.line.get("conversion", f"/v1/offers/{story.offers[client]}")
    assert unknown.value.status == 404


async def wait_for_parked(line: Line, service: str, client: str) -> list[dict[str, Any]]:
    async def found() -> list[dict[str, Any]]:
        return [item for item in await parked(line, service) if item["key"] == client]

    return list(await eventually(found, f"{service} parks the events of {client}"))


BUG = """
from dataclasses import replace
from conversion.main import SERVICE as TRUE
def react(event, envelope):
    if envelope.subject.startswith("bug-") and envelope.subject.endswith("-client-1"):
        raise LookupError("a bug")
    return TRUE.react(event, envelope)
SERVICE = replace(TRUE, react=react)
"""


async def test_a_bug_that_meets_one_client_holds_up_no_other(running: Running, truth: list[Any]) -> None:
    async with Line.of(running) as line:
        story = await Story.begun(line, "bug")
        async with changed(running, "conversion", BUG):
            await story.found()
            ill, well = story.clients
            await story.sold(well)
            held = await wait_for_parked(line, "conversion", ill)
            await blocked(story, ill)
            assert "LookupError: a bug" in held[0]["reason"]
            assert {item["key"] for item in await parked(line, "conversion")} == {ill}
            assert await metric(running.addresses["conversion"], "conveyor_parked_keys", topic=LEADS) == 1
            await redriven(line, "conversion")
            assert [item["sequence"] for item in await parked(line, "conversion")] == [i["sequence"] for i in held]
        assert [item["sequence"] for item in held] == sorted(item["sequence"] for item in held)
        assert len(held) > 1, "nothing queued behind the first"
        assert await redriven(line, "conversion") == []
        await story.sold(ill)
        await story.comes_to(truth)
        assert await metric(running.addresses["conversion"], "conveyor_parked_keys") == 0


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b'{"line": "corr', id="cut-off"),
        pytest.param(b"\xff\x00\xfe", id="no-text"),
        pytest.param(b'{"by": 7}', id="does-not-fit"),
    ],
)
async def test_a_damaged_record_is_replaced_by_its_publishers(
    running: Running, truth: list[Any], damage: bytes
) -> None:
    async with Line.of(running) as line:
        story = await Story.begun(line, f"damaged-{damage[2:4].hex()}")
        async with standing_in(running, "lead-gen") as relay:
            await story.found()
            ill, well = story.clients
            records = await relay.taken()
            last = [n for n, record in enumerate(records) if record.key == ill.encode()][-1]
            assert header(records[last], "type").endswith("LeadQualified")
            await relay.send([*records[:last], records[last]._replace(value=damage), *records[last + 1 :]])
        await story.sold(well)
        for service in ("conversion", "compensation"):
            (held,) = await wait_for_parked(line, service, ill)
            assert held["sequence"] == int(header(records[last], "sequence"))
        await blocked(story, ill)
        for service in ("conversion", "account-mgmt", "compensation"):
            assert await redriven(line, service) == []
        await story.sold(ill)
        await story.comes_to(truth)


async def test_a_strangers_record_takes_nobodys_place(running: Running, truth: list[Any]) -> None:
    """Somebody else writes to the topic: a record with the next sequence of a client, of no use to anybody."""
    async with Line.of(running) as line:
        story = await Story.begun(line, "stranger")
        async with standing_in(running, "lead-gen") as relay:
            await story.found()
            records = await relay.taken()
            await relay.send(records)
            ill, well = story.clients
            last = [record for record in records if record.key == ill.encode()][-1]
            following = f"{int(header(last, 'sequence')) + 1:010d}"
            await relay.send([with_headers(last, id=str(uuid4()), sequence=following)._replace(value=b'{"x": 1}')])
        await wait_for_parked(line, "conversion", ill)
        for client in (well, ill):
            await story.sold(client)
        await line.drained()
        for service in ("conversion", "account-mgmt", "compensation"):
            assert await redriven(line, service) == []
        await story.comes_to(truth)
        (told,) = [e async for e in line.events_of("lead-gen", LEADS, ill) if e["sequence"] == following]
        (gate,) = await fetch(
            running, "conversion", "select sequence from gates where topic = $1 and key = $2", LEADS, ill
        )
        assert gate["sequence"] == int(told["sequence"])


OLD = """
from conveyor_events import catalog
catalog._BY_WIRE[{wire!r}].model.VERSION = 0
import {package}.main
SERVICE = {package}.main.SERVICE
"""


async def test_what_is_newer_than_the_code_waits_for_the_upgrade(running: Running, truth: list[Any]) -> None:
    """A station's release is one behind: it does not know this version of LeadQualified."""
    async with Line.of(running) as line:
        story = await Story.begun(line, "newer")
        async with changed(
            running, "conversion", OLD.format(package="conversion", wire="conveyor.leads.LeadQualified")
        ):
            await story.found()
            first, _ = story.clients
            held = await wait_for_parked(line, "conversion", first)
            assert "newer than this code" in held[0]["reason"]

            async def both_are_told() -> bool:
                return await metric(running.addresses["conversion"], "conveyor_parked_keys", topic=LEADS) == 2

            await eventually(both_are_told, "both clients' keys are parked, and the gauge says so")
        assert await redriven(line, "conversion") == []
        for client in story.clients:
            await story.sold(client)
        await story.comes_to(truth)


async def test_compensation_keeps_what_it_cannot_read_yet(running: Running, truth: list[Any]) -> None:
    async with Line.of(running) as line:
        story = await Story.begun(line, "unread")
        async with changed(
            running, "compensation", OLD.format(package="compensation", wire="conveyor.deals.DealClosed")
        ):
            await story.found()
            for client in story.clients:
                await story.sold(client)
            await line.drained()
            behind = await story.told()
            assert behind != truth
            assert await parked(line, "compensation") == []
        await story.comes_to(truth)


@pytest.mark.parametrize("fault", ["reordered", "missing"])
async def test_what_is_out_of_order_or_missing_is_fetched_from_its_publisher(
    running: Running, truth: list[Any], fault: str
) -> None:
    async with Line.of(running) as line:
        conversion = running.addresses["conversion"]
        gaps = await metric(conversion, "conveyor_sequence_gaps_total", topic=LEADS)
        story = await Story.begun(line, fault)
        async with standing_in(running, "lead-gen") as relay:
            await story.found()
            await relay.send(disturbed(await relay.taken(), fault))

        async def noticed() -> bool:
            return await metric(conversion, "conveyor_sequence_gaps_total", topic=LEADS) > gaps

        await eventually(noticed, "the gap is noticed", 10.0)
        for client in story.clients:
            await story.sold(client)
        await story.comes_to(truth)
        await eventually(lambda: complete(running, LEADS, story.clients), "nothing is missing anywhere")
        for service in SERVICES:
            assert await parked(line, service) == []


def disturbed(records: Sequence[Outgoing], fault: str) -> list[Outgoing]:
    """Each client's records back to front; or each client's second one is left out."""
    if fault == "reordered":
        return list(reversed(records))
    return [record for record in records if record.topic != LEADS or int(header(record, "sequence")) != 2]


async def complete(running: Running, topic: str, keys: Sequence[str]) -> bool:
    """Whether every consumer of the topic stands, for these keys, where its publisher's log ends."""
    last = "select key, max(sequence) as n from published where topic = $1 and key = any($2::text[]) group by 1"
    ends = {row["key"]: row["n"] for row in await fetch(running, "lead-gen", last, topic, keys)}
    wanted = "select key, sequence from gates where topic = $1 and key = any($2::text[]) and consumer = $3"
    for service in ("conversion", "account-mgmt", "compensation"):
        gates = {row["key"]: row["sequence"] for row in await fetch(running, service, wanted, topic, keys, service)}
        if {key: gates.get(key, 0) for key in ends} != ends:
            return False
    return True


async def test_every_sample_of_every_version_is_taken_in_also_with_fields_nobody_knows(running: Running) -> None:
    """All that was ever on the wire comes by the real topics, once as it is and once with more in it."""
    records, keys = [], set()
    for entry in CATALOG:
        for version in range(1, entry.model.VERSION + 1):
            sample = json.loads((SAMPLES / sample_name(entry, version)).read_text())
            for more in ({}, {"field_of_tomorrow": {"a": [1, "x"]}}):
                key = f"sample-{uuid4().hex[:12]}"
                about = {n: str(v) for n, v in sample.items() if n not in ("data", "datacontenttype")}
                about |= {"id": str(uuid4()), "subject": key, "partitionkey": key, "sequence": "0000000001"}
                headers = [(f"ce_{n}", text.encode()) for n, text in about.items()]
                headers += [("ce_attributeoftomorrow", b"7"), ("content-type", b"application/json")]
                value = json.dumps(sample["data"] | more).encode()
                records.append(Outgoing(entry.topic, key.encode(), value, headers))
                keys.add((entry.topic, key))
    await produce(stack_of(running).brokers, records)

    async with Line.of(running) as line:
        await line.drained()
        for service, topics in HEARD.items():
            wanted = {key for topic, key in keys if topic in topics}
            sql = "select key from gates where key = any($1::text[]) and consumer = $2 and sequence = 1"

            async def all_here(service: str = service, wanted: set[str] = wanted, sql: str = sql) -> bool:
                return {row["key"] for row in await fetch(running, service, sql, sorted(wanted), service)} == wanted

            await eventually(all_here, f"{service} takes all samples in", 20.0)
            assert not [item for item in await parked(line, service) if item["key"].startswith("sample-")]


HEARD = {
    "conversion": {"conveyor.staff.v1", LEADS, "conveyor.accounts.v1"},
    "account-mgmt": {"conveyor.staff.v1", LEADS, "conveyor.deals.v1"},
    "compensation": {"conveyor.staff.v1", LEADS, "conveyor.deals.v1", "conveyor.accounts.v1"},
}
