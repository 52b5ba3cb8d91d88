"""The feed gives every event once, in order, to those who may see it; what is parked can be seen and redriven."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from feed_service import PAY, Service, lines, served
from small_line import Publisher, Station, all_taken_in
from wire import AT, publish

from belt.io.intake.missing import PublisherAway, PublisherFeed
from belt.io.kafka.brokers import Brokers
from conveyor_events.envelope import Envelope, from_json, to_json
from conveyor_local.fixtures import NewDatabase


@pytest.fixture
async def service(database: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with served(database, tmp_path) as running:
        yield running


async def test_a_reader_that_remembers_its_position_sees_every_event_once(service: Service) -> None:
    ids = await publish(service.dsn, [("conveyor.leads.v1", f"client-{n % 3}") for n in range(25)])
    seen: list[str] = []
    position = "0"
    while page := lines(await service.get(f"/v1/events?after={position}&limit=10", "events:read")):
        assert len(page) <= 10
        seen += [event["id"] for event in page]
        position = page[-1]["position"]
    assert seen == ids


async def test_a_line_is_a_cloud_event_that_the_language_reads(service: Service) -> None:
    [event_id] = await publish(service.dsn, [("conveyor.leads.v1", "client-1")])
    [event] = lines(await service.get("/v1/events", "events:read"))
    envelope = from_json(event)
    assert (str(envelope.id), envelope.sequence, envelope.subject) == (event_id, 1, "client-1")
    assert (envelope.recorded_at, envelope.data["line"], event["schemaversion"]) == (AT, "north", 1)


async def test_one_key_from_a_sequence_on(service: Service) -> None:
    await publish(service.dsn, [("conveyor.leads.v1", f"client-{n % 3}") for n in range(30)])
    path = "/v1/events?topic=conveyor.leads.v1&key=client-1&after_sequence=4&limit=3"
    found = lines(await service.get(path, "events:read"))
    assert [(event["subject"], int(event["sequence"])) for event in found] == [("client-1", n) for n in (5, 6, 7)]
    for half in ("key=a", "topic=t&key=a", "after_sequence=1", "key=a&after_sequence=1"):
        assert (await service.get(f"/v1/events?{half}", "events:read")).status_code == 422


async def test_an_answer_is_bounded_in_bytes_and_never_empty_before_the_end(service: Service) -> None:
    await publish(service.dsn, [("conveyor.leads.v1", "a")] * 12, size=800_000)
    sizes, position = [], "0"
    while page := lines(await service.get(f"/v1/events?limit=1000&after={position}", "events:read")):
        sizes.append(len(page))
        position = page[-1]["position"]
    assert sizes == [3, 3, 3, 3]


async def test_pay_is_for_payroll_only(service: Service) -> None:
    await publish(service.dsn, [("conveyor.leads.v1", "a"), (PAY, "plan"), ("conveyor.leads.v1", "b")])
    common = lines(await service.get("/v1/events", "events:read"))
    assert [event["subject"] for event in common] == ["a", "b"]
    assert (await service.get(f"/v1/events?topic={PAY}", "events:read")).status_code == 403
    all_of_it = lines(await service.get("/v1/events", "events:read", "pay:read:all"))
    assert [event["subject"] for event in all_of_it] == ["a", "plan", "b"]
    assert (await service.get("/v1/events", "deals:read")).status_code == 403


async def test_a_stream_goes_on_where_its_reader_left(service: Service) -> None:
    ids = await publish(service.dsn, [("conveyor.leads.v1", "a")] * 3)
    headers = {
        "authorization": f"Bearer {service.token('events:read')}",
        "accept": "text/event-stream",
        "last-event-id": "1",
    }
    got: list[tuple[str, str]] = []
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient(base_url=service.address) as client,
        client.stream("GET", "/v1/events", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        position = ""
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                position = line.removeprefix("id: ")
            elif line.startswith("data: "):
                got.append((position, json.loads(line.removeprefix("data: "))["id"]))
                if len(got) == 2:
                    ids += await publish(service.dsn, [("conveyor.leads.v1", "b")])
                if len(got) == 3:
                    break
    assert got == [("2", ids[1]), ("3", ids[2]), ("4", ids[3])]
    wrong = await service.get("/v1/events", "events:read", accept="text/event-stream", **{"last-event-id": "x"})
    assert wrong.status_code == 422


async def test_a_stream_ends_with_the_token_that_opened_it(service: Service) -> None:
    token = service.issuer.issue("rosa", scopes=["events:read"], ttl=2)
    asked = {"authorization": f"Bearer {token}", "accept": "text/event-stream", "last-event-id": "9999"}
    async with asyncio.timeout(10), httpx.AsyncClient(base_url=service.address) as http:
        async with http.stream("GET", "/v1/events", headers=asked) as answer:
            assert answer.status_code == 200
            await answer.aread()
        assert (await http.get("/v1/events", headers=asked)).status_code == 401


async def test_a_gap_is_filled_through_the_publishers_real_feed(
    service: Service, new_database: NewDatabase, brokers: Brokers, topic: str
) -> None:
    """The publisher's log has 450 events, Kafka only the last of them."""
    publisher = Publisher(brokers, topic)
    for _ in range(450):
        publisher.make("a")
    connection = await asyncpg.connect(service.dsn)
    rows = [_row(n, topic, event) for n, event in enumerate(publisher.made["a"], 1)]
    await connection.copy_records_to_table("published", records=rows)
    await connection.close()

    by_http = PublisherFeed({topic: service.address}, lambda: service.token("events:read"))
    station = Station(await new_database(), brokers, publisher, fetch=by_http)
    await publisher.send(publisher.made["a"][-1])
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    assert await station.effects() == {"a": [*range(1, 451)]}


def _row(position: int, topic: str, envelope: Envelope) -> tuple[Any, ...]:
    about = to_json(envelope)
    data = about.pop("data")
    about = {k: str(v) for k, v in about.items() if k not in ("sequence", "recordedtime", "datacontenttype")}
    place = position, topic, envelope.subject, envelope.sequence, envelope.id
    return (*place, json.dumps(about), json.dumps(data), envelope.recorded_at)


async def test_a_publisher_that_does_not_answer_well_is_away(service: Service, topic: str) -> None:
    known = {topic: service.address, "nobody": "http://127.0.0.1:9"}
    for name, scope in ((topic, "deals:read"), ("nobody", "events:read"), ("unknown", "events:read")):
        asked = PublisherFeed(known, lambda scope=scope: service.token(scope), deadline=2.0)  # type: ignore[misc]
        with pytest.raises(PublisherAway):
            await asked(name, "a", 0, 1)


async def test_what_is_parked_is_listed_and_redriven(
    database: str, brokers: Brokers, topic: str, tmp_path: Path
) -> None:
    publisher = Publisher(brokers, topic)
    station = Station(database, brokers, publisher, faulty={"bad"})
    await publisher.send(*[publisher.make(key, does) for key in ("a", "b") for does in ("bad", "count", "count")])
    async with station.works() as (reactions, consumer), served(database, tmp_path, reactions) as service:
        await all_taken_in(consumer)
        first = (await service.get("/v1/parked?limit=4", "parked:write")).json()
        second = (await service.get(f"/v1/parked?limit=4&cursor={first['next']}", "parked:write")).json()
        assert [len(first["items"]), len(second["items"]), second["next"]] == [4, 2, None]
        item = next(row for row in first["items"] if row["key"] == "a" and row["sequence"] == 1)
        assert item["type"] == "conveyor.leads.LeadWithdrawn"
        assert "Poisoned" in item["reason"]

        path = f"/v1/parked/{item['id']}/redrive"
        assert (await service.ask("POST", path, "events:read")).status_code == 403
        still = (await service.ask("POST", path, "parked:write")).json()
        assert (still["handled"], still["left"]) == (0, 3)
        station.faulty = set()
        done = await service.ask("POST", path, "parked:write")
        assert done.json() == {"handled": 3, "left": 0, "reason": None}
        for gone in (path, "/v1/parked/99999/redrive", "/v1/parked/0/redrive"):
            assert (await service.ask("POST", gone, "parked:write")).status_code == 404
    assert await station.effects() == {"a": [1, 2, 3]}


async def test_what_can_never_be_taken_in_is_passed_over_with_a_reason_that_is_kept(
    database: str, brokers: Brokers, topic: str, tmp_path: Path
) -> None:
    publisher = Publisher(brokers, topic)
    station = Station(database, brokers, publisher, faulty={"bad"})
    await publisher.send(*[publisher.make("a", does) for does in ("count", "bad", "count", "bad", "count")])
    async with station.works() as (reactions, consumer), served(database, tmp_path, reactions) as service:
        await all_taken_in(consumer)
        listed = (await service.get("/v1/parked", "parked:write")).json()["items"]
        first, behind = listed[0], listed[1]
        shown = (await service.get(f"/v1/parked/{first['id']}", "parked:write")).json()
        assert (shown["event"]["data"]["offer_id"], shown["raw"]) == ("bad", None)

        path, why = f"/v1/parked/{first['id']}/skip", {"reason": "the client never existed"}
        assert (await service.ask("POST", path, "events:read", body=why)).status_code == 403
        assert (await service.ask("POST", path, "parked:write", body={"reason": ""})).status_code == 422
        early = await service.ask("POST", f"/v1/parked/{behind['id']}/skip", "parked:write", body=why)
        assert (early.status_code, early.json()["code"]) == (409, "parked.not-first")

        done = (await service.ask("POST", path, "parked:write", body=why)).json()
        assert (done["handled"], done["left"]) == (1, 2)  # up to the next that fails
        assert (await service.ask("POST", path, "parked:write", body=why)).status_code == 404
        [left] = [
            row for row in (await service.get("/v1/parked", "parked:write")).json()["items"] if row["sequence"] == 4
        ]
        await service.ask("POST", f"/v1/parked/{left['id']}/skip", "parked:write", body=why)
        kept = (await service.get("/v1/parked/skipped", "parked:write")).json()["items"]
        assert [(row["sequence"], row["skipped_by"], row["because"]) for row in kept] == [
            (2, "rosa", "the client never existed"),
            (4, "rosa", "the client never existed"),
        ]
        station.faulty = set()
        await publisher.send(publisher.made["a"][1], publisher.make("a"))  # what was passed over comes once more
        await all_taken_in(consumer)
        assert (await service.get("/v1/parked", "parked:write")).json()["items"] == []
    assert await station.effects() == {"a": [1, 3, 5, 6]}
