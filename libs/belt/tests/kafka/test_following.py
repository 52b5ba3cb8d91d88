"""Streams of the feed: what Kafka has, one tail for all of them, so many and no more, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from feed_service import PAY, Service, lines, served
from wire import drained, eventually, fetchval, publish, read_all

from belt.core.decider import Refused
from belt.io.http.tail import Pages
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.relay import relay
from belt.io.telemetry import FEED_READS, REGISTRY

STREAM = {"accept": "text/event-stream"}
LEADS = "conveyor.leads.v1"


@pytest.fixture
async def service(database: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with served(database, tmp_path) as running:
        yield running


class Reader:
    """One open stream, read as far as one likes."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer, self.status = answer, answer.status_code
        self._lines = answer.aiter_lines()
        self.told: list[dict[str, Any]] = []

    async def first(self, number: int) -> list[dict[str, Any]]:
        """Events until there are so many, or the stream has ended."""
        while len(self.told) < number:
            try:
                text = await anext(self._lines)
            except StopAsyncIteration:
                break
            if text.startswith("data: "):
                self.told.append(json.loads(text.removeprefix("data: ")))
        return self.told

    async def refusal(self) -> tuple[int, str, int]:
        document = json.loads(await self.answer.aread())
        return self.status, document["code"], int(self.answer.headers["retry-after"])


@asynccontextmanager
async def following(
    service: Service, *scopes: str, sub: str = "rosa", after: int = 0, query: str = ""
) -> AsyncIterator[Reader]:
    """An open stream."""
    token = service.token("events:read", *scopes, sub=sub)
    headers = STREAM | {"authorization": f"Bearer {token}", "last-event-id": str(after)}
    async with (
        asyncio.timeout(30),
        httpx.AsyncClient(base_url=service.address) as client,
        client.stream("GET", f"/v1/events{query}", headers=headers) as answer,
    ):
        yield Reader(answer)


async def test_the_feed_and_kafka_carry_the_same_bytes(service: Service, brokers: Brokers, topic: str) -> None:
    await publish(service.dsn, [(topic, "client-ü"), (topic, "client-2"), (topic, "client-ü")])
    carrier = relay(service.dsn, brokers, name="same")
    carrier.start()
    try:
        await eventually(lambda: drained(service.dsn), "carried to Kafka")
    finally:
        await carrier.stop(5)
    raw = (await service.get(f"/v1/events?topic={topic}", "events:read")).content
    async with following(service, query=f"?topic={topic}") as answer:
        streamed = await answer.first(3)
    told = [json.loads(line) for line in raw.splitlines()]
    assert streamed == told
    records = {record.headers["ce_id"]: record for record in await read_all(brokers.servers, topic)}
    assert len(records) == len(told) == 3
    for line, event in zip(raw.splitlines(), told, strict=True):
        record = records[event["id"]]
        assert line.endswith(b'"data": ' + record.value + b"}"), "the data is the record's value, byte for byte"
        heads = {name.removeprefix("ce_"): value for name, value in record.headers.items() if name.startswith("ce_")}
        mine = {name: value for name, value in event.items() if name not in ("data", "datacontenttype", "position")}
        # CloudEvents writes integers as text in headers and as numbers in JSON; all else is the same text.
        assert {name: str(value) for name, value in mine.items()} == heads
        assert record.key == event["subject"] == event["partitionkey"]
        assert record.headers["content-type"].startswith(event["datacontenttype"])


async def test_a_stream_shows_pay_only_to_who_may_see_all_of_it_and_that_is_written_down(service: Service) -> None:
    await publish(service.dsn, [(LEADS, "a"), (PAY, "ana"), (LEADS, "b")])
    async with following(service) as answer:
        assert [event["subject"] for event in await answer.first(2)] == ["a", "b"]
    async with following(service, query=f"?topic={PAY}") as answer:
        assert answer.status == 403
    rows = "select coalesce(string_agg(person || ' ' || kind || ' ' || whose::text, ';' order by id), '') from audit"
    assert await fetchval(service.dsn, rows) == ""
    async with following(service, "pay:read:all", sub="pia") as answer:
        assert [event["subject"] for event in await answer.first(3)] == ["a", "ana", "b"]
    assert await fetchval(service.dsn, rows) == "pia pay {ana}"
    page = lines(await service.get("/v1/events", "events:read", "pay:read:all"))
    assert len(page) == 3
    assert await fetchval(service.dsn, rows) == "pia pay {ana};rosa pay {ana}"


async def test_live_and_late_readers_see_every_event_once_and_in_order(service: Service) -> None:
    """Some follow from the beginning, some come when much is there already; the tail keeps only the newest bytes."""
    before = await publish(service.dsn, [(LEADS, f"client-{n % 5}") for n in range(60)], size=150_000)
    async with AsyncExitStack() as stack:
        early = [await stack.enter_async_context(following(service, sub=f"s{n}", after=n * 20)) for n in range(3)]
        reading = [asyncio.create_task(one.first(90 - n * 20)) for n, one in enumerate(early)]
        after = await publish(service.dsn, [(LEADS, f"client-{n % 5}") for n in range(30)], size=150_000)
        key = await stack.enter_async_context(
            following(service, sub="k", query=f"?topic={LEADS}&key=client-1&after_sequence=3")
        )
        found = await asyncio.gather(*reading)
        assert [[event["id"] for event in one] for one in found] == [(before + after)[n * 20 :] for n in range(3)]
        assert [int(event["sequence"]) for event in await key.first(15)] == [*range(4, 19)]


async def test_so_many_streams_and_no_more(service: Service) -> None:
    """Four of one subject, six of the process (here): then a refusal with a code; a place given back is free."""
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(following(service))
        async with following(service):
            async with following(service) as fifth:
                assert await fifth.refusal() == (429, "too-many-streams", 5)
            for sub in ("otto", "lena"):
                await stack.enter_async_context(following(service, sub=sub))
            async with following(service, sub="pia") as seventh:
                assert await seventh.refusal() == (503, "streams-full", 5)
            assert lines(await service.get("/v1/events", "events:read")) == [], "pages go on"

        async def place() -> bool:
            async with following(service) as again:
                return again.status == 200

        await eventually(place, "the place of who left is free")


async def test_a_stream_takes_no_place_of_ordinary_requests(service: Service) -> None:
    await publish(service.dsn, [(LEADS, "a")])
    async with AsyncExitStack() as stack:
        for sub in ("ana", "boris", "clara"):
            answer = await stack.enter_async_context(following(service, sub=sub))
            assert len(await answer.first(1)) == 1
        assert REGISTRY.get_sample_value("conveyor_http_in_flight") == 0
    assert REGISTRY.get_sample_value("conveyor_http_in_flight") == 0


async def test_many_readers_ask_the_database_no_more_than_one(service: Service) -> None:
    await publish(service.dsn, [(LEADS, "a")] * 3)
    async with AsyncExitStack() as stack:
        for n in range(6):
            answer = await stack.enter_async_context(following(service, sub=f"reader-{n}"))
            assert len(await answer.first(3)) == 3
        tail, streams = (FEED_READS.labels(by)._value for by in ("tail", "stream"))
        settled, since = streams.get(), tail.get()
        await eventually(lambda: bool(tail.get() >= since + 4), "the tail has looked four times")
        assert streams.get() == settled


async def test_a_stream_ends_well_when_the_service_stops_and_its_reader_goes_on(database: str, tmp_path: Path) -> None:
    ids = await publish(database, [(LEADS, "a")] * 3)
    async with served(database, tmp_path) as service, following(service) as answer:
        await answer.first(3)
        ids += await publish(database, [(LEADS, "a")] * 2)
        service.app.state.readiness.drain()
        told = await answer.first(100)  # it ends as an answer does, not as a broken connection
    assert 3 <= len(told) <= 5
    ids += await publish(database, [(LEADS, "b")])
    async with served(database, tmp_path) as service, following(service, after=int(told[-1]["position"])) as answer:
        told += await answer.first(len(ids) - len(told))
    assert [event["id"] for event in told] == ids


async def test_a_subject_has_so_many_pages_under_way_and_no_more() -> None:
    pages = Pages(at_once=2, of_subject=2, within=0.05)
    async with pages.turn("ana"), pages.turn("ana"):
        with pytest.raises(Refused) as mine:
            async with pages.turn("ana"):
                pass
        with pytest.raises(Refused) as full:
            async with pages.turn("boris"):
                pass
    assert (mine.value.code, full.value.code) == ("too-many-streams", "overloaded")
    async with pages.turn("ana"), pages.turn("boris"):
        pass


async def test_head_of_a_stream_tells_its_kind_and_takes_no_seat_for_long(service: Service) -> None:
    for _ in range(20):  # one subject has four seats
        answer = await service.ask("HEAD", "/v1/events", "events:read", **STREAM)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/event-stream")
    page = await service.get("/v1/events", "events:read")
    answer = await service.ask("HEAD", "/v1/events", "events:read")
    assert (answer.headers["content-length"], answer.content) == (page.headers["content-length"], b"")
