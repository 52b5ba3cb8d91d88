"""Relay and consumers go on with the trace of an event, and leave the event as it is."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from counting import STREAMS, Raise
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from small_line import Publisher, Station, all_taken_in, keeper
from wire import drained, eventually, fetchval, read_all

from belt.core.decider import Step
from belt.io import tracing
from belt.io.clock import SystemClock
from belt.io.intake.arrival import from_record
from belt.io.kafka.brokers import Brokers
from belt.io.kafka.records import Received
from belt.io.kafka.relay import Relay
from belt.io.kafka.sender import Sender
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.telemetry import configure_logging
from conveyor_events.envelope import to_kafka

SECRET = b"a secret for tests only, 32 bytes"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ASKED = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def publisher(brokers: Brokers, topic: str) -> Publisher:
    return Publisher(brokers, topic)


@pytest.fixture
def station(database: str, brokers: Brokers, publisher: Publisher) -> Station:
    return Station(database, brokers, publisher)


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root, kept, stream = logging.getLogger(), structlog.get_config(), io.StringIO()
    before, level = root.handlers[:], root.level
    configure_logging("station", to=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**kept)


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def below(span: ReadableSpan) -> str:
    assert span.parent is not None
    return f"00-{span.parent.trace_id:032x}-{span.parent.span_id:016x}-01"


def context(span: ReadableSpan) -> str:
    found = span.get_span_context()
    assert found is not None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-01"


async def test_the_relay_sends_inside_the_trace_and_changes_no_header(
    database: str, brokers: Brokers, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    writer = Writer(database, STREAMS, Vault(SECRET), SystemClock(), "/test")
    writer.start()
    with tracing.request([(b"traceparent", ASKED.encode())]):
        await writer.handle(Step("counter", "a", Raise()))
    await writer.handle(Step("counter", "b", Raise()))
    await fetchval(database, "update published set topic = $1", topic)
    await writer.stop()
    relay = Relay(database, lambda: Sender(brokers, name="test"))
    relay.start()
    await eventually(lambda: drained(database), "the log is sent")
    await relay.stop()
    (command,) = named(spans, "counter Raise")
    (sent,) = named(spans, f"send {topic}")
    assert sent.kind is SpanKind.PRODUCER
    assert below(sent) == context(command)
    records = await read_all(brokers.servers, topic)
    assert [record.headers.get("ce_traceparent") for record in records] == [context(command), None]
    assert not any("traceparent" in record.headers for record in records)


async def test_a_reaction_is_part_of_the_events_trace(
    station: Station, publisher: Publisher, spans: InMemorySpanExporter
) -> None:
    await publisher.send(publisher.make("a", traceparent=ASKED), publisher.make("a", traceparent=ASKED[:-2] + "00"))
    await publisher.send(publisher.make("b"), publisher.make("c", "object", traceparent=ASKED))
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    taken = {str((s.attributes or {})["conveyor.outcome"]): s for s in named(spans, f"process {publisher.topic}")}
    assert taken.keys() == {"applied", "refused"}
    assert taken["applied"].kind is SpanKind.CONSUMER
    assert below(taken["applied"]) == ASKED
    (append,) = named(spans, "counter Raise")
    assert below(append) == context(taken["applied"])


async def test_facts_are_taken_inside_their_traces(
    station: Station, publisher: Publisher, spans: InMemorySpanExporter
) -> None:
    events = [publisher.make("a", traceparent=ASKED), publisher.make("b"), publisher.make("c", traceparent=ASKED)]
    await publisher.send(*events)
    async with keeper(station.dsn, publisher, set()) as (facts, _):
        consumer = station.consumer(facts)
        consumer.start()
        await all_taken_in(consumer)
        await consumer.stop()
    taken = named(spans, f"process {publisher.topic}")
    assert {(s.attributes or {})["cloudevents.event_id"] for s in taken} == {str(e.id) for e in events if e.traceparent}
    assert {below(span) for span in taken} == {ASKED}


async def test_history_that_is_read_again_is_not_traced_again(
    publisher: Publisher, spans: InMemorySpanExporter
) -> None:
    key, value, headers = to_kafka(publisher.make("a", traceparent=ASKED))
    for sent_at, traced in ((time.time(), True), (time.time() - 2 * tracing.STALE, False)):
        record = Received(publisher.topic, 0, 0, key, value, tuple(headers), sent_at)
        with from_record(record).process() as span:
            assert (span is not None) is traced


async def test_what_a_station_logs_of_an_event_names_it(
    station: Station, publisher: Publisher, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    event = publisher.make("a", "poison", traceparent=ASKED, client_id="client-7")
    station.faulty = {"poison"}
    await publisher.send(event)
    async with station.works() as (_, consumer):
        await all_taken_in(consumer)
    said = [line for line in lines() if line["event"] in ("intake.fault", "intake.parked")]
    assert len(said) == 2
    for line in said:
        assert (line["event_id"], line["client_id"], line["subject"]) == (str(event.id), "client-7", "a")
        assert line["trace_id"] == TRACE
