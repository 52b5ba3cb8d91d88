"""Whether a trace is recorded is decided once, before anything is made for it; then it goes with the work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from counting import STREAMS, Object, Raise, Remind
from doorways import Place
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from belt.core.decider import Refused, Step
from belt.io import tracing
from belt.io.clock import SystemClock
from belt.io.store.engines import engine_at
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.store.timers import Ticker
from belt.io.store.unit import Meta

SECRET = b"a secret for tests only, 32 bytes"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ASKED = f"00-{TRACE}-00f067aa0ba902b7-01"
NOT_ASKED = ASKED[:-2] + "00"
DUE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
async def writer(counters: str) -> AsyncIterator[Writer]:
    made = Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")
    made.start()
    yield made
    await made.stop()


async def stored(dsn: str) -> list[str | None]:
    """The contexts that went into the public log, in its order."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select attributes from published order by position")
    await connection.close()
    return [json.loads(row["attributes"]).get("traceparent") for row in rows]


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = [span for span in spans.get_finished_spans() if span.name == name]
    return found


def ids(span: ReadableSpan) -> tuple[str, str]:
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


async def test_a_callers_word_decides(place: Place, spans: InMemorySpanExporter) -> None:
    tracing.begin("test", 1.0, processor=SimpleSpanProcessor(spans))
    await place.post("/v1/things/t1/turn", {}, traceparent=NOT_ASKED)
    assert not spans.get_finished_spans()
    tracing.begin("test", 0.0, processor=SimpleSpanProcessor(spans))
    await place.post("/v1/things/t1/turn", {}, traceparent=ASKED)
    span = named(spans, "POST /v1/things/{thing}/turn")
    assert ids(span)[0] == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert span.kind is SpanKind.SERVER
    told = dict(span.attributes or {})
    assert (told["http.route"], told["http.response.status_code"]) == ("/v1/things/{thing}/turn", 201)


async def test_without_a_callers_word_chance_decides(place: Place, spans: InMemorySpanExporter) -> None:
    for ratio, recorded in ((0.0, 0), (1.0, 3)):
        tracing.begin("test", ratio, processor=SimpleSpanProcessor(spans))
        for given in ({}, {"traceparent": "nonsense"}, {"traceparent": f"00-{'0' * 32}-{'b' * 16}-01"}):
            await place.post("/v1/things/t1/turn", {}, **given)
        assert len(spans.get_finished_spans()) == recorded


async def test_probes_and_scrapes_are_never_traced(place: Place, spans: InMemorySpanExporter) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        await place.get(path, traceparent=ASKED)
    assert not spans.get_finished_spans()


async def test_a_fault_of_ours_is_a_failed_span_and_a_refusal_is_not(place: Place, spans: InMemorySpanExporter) -> None:
    for thing, fails in (("fault", True), ("refused", False)):
        spans.clear()
        await place.post(f"/v1/things/{thing}/turn", {}, traceparent=ASKED)
        (span,) = spans.get_finished_spans()
        assert (span.status.status_code is StatusCode.ERROR) is fails
        assert "hunter2" not in span.to_json()


async def test_nobody_else_is_made_to_trace(spans: InMemorySpanExporter) -> None:
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


async def test_events_carry_the_context_of_their_command_and_a_batch_links_its_commands(
    counters: str, spans: InMemorySpanExporter
) -> None:
    writer = Writer(counters, STREAMS, Vault(SECRET), SystemClock(), "/test")

    async def asked(key: str) -> None:
        with tracing.request([(b"traceparent", ASKED.encode())]):
            await writer.handle(Step("counter", key, Raise(who=key)))

    together = asyncio.gather(asked("a"), asked("b"), writer.handle(Step("counter", "c", Raise(who="c"))))
    await asyncio.sleep(0)
    writer.start()  # all three wait by now: one commit
    await together
    await writer.stop()
    commands = [span for span in spans.get_finished_spans() if span.name == "counter Raise"]
    assert await stored(counters) == [*(f"00-{TRACE}-{ids(span)[1]}-01" for span in commands), None]
    commit = named(spans, "commit")
    assert {f"{link.context.span_id:016x}" for link in commit.links} == {ids(span)[1] for span in commands}
    assert commit.parent is not None
    assert commit.parent.span_id in {link.context.span_id for link in commit.links}
    assert (commit.attributes or {})["conveyor.units"] == 3


@pytest.mark.parametrize("given", [ASKED, NOT_ASKED, None])
async def test_who_does_not_record_passes_the_callers_context_on(
    counters: str, writer: Writer, given: str | None
) -> None:
    with tracing.request([(b"traceparent", (given or "").encode())]) as span:
        await writer.handle(Step("counter", "a", Raise()), meta=Meta(traceparent=given))
    assert span is None
    assert await stored(counters) == [given]


async def test_a_refused_command_is_told_by_its_code(writer: Writer, spans: InMemorySpanExporter) -> None:
    with tracing.request([(b"traceparent", ASKED.encode())]), pytest.raises(Refused):
        await writer.handle(Step("counter", "a", Object(keep=False)))
    span = named(spans, "counter Object")
    assert (span.attributes or {})["conveyor.refused"] == "counter.objected"
    assert span.status.status_code is StatusCode.UNSET


async def test_a_timer_begins_a_trace_of_its_own(counters: str, writer: Writer, spans: InMemorySpanExporter) -> None:
    tracing.begin("test", 1.0, processor=SimpleSpanProcessor(spans))
    await writer.handle(Step("counter", "a", Remind(DUE)))
    engine = engine_at(counters)
    assert await Ticker(writer, engine, SystemClock()).fire_due(DUE) == 1
    await engine.dispose()
    timer, ring = named(spans, "timer ring"), named(spans, "counter Ring")
    assert timer.parent is None
    assert ring.parent is not None
    assert f"{ring.parent.span_id:016x}" == ids(timer)[1]


async def test_a_receiver_that_is_away_costs_spans_and_nothing_else(counters: str, writer: Writer) -> None:
    tracing.begin("test", 1.0, "http://127.0.0.1:1")
    with tracing.request([]):
        await writer.handle(Step("counter", "a", Raise()))
    began = asyncio.get_running_loop().time()
    await tracing.end(0.5)
    assert asyncio.get_running_loop().time() - began < 3
    assert not tracing.on()
    assert len(await stored(counters)) == 1


def test_work_for_several_fails_for_each(spans: Any) -> None:
    def both() -> None:
        with tracing.together(tracing.after(ASKED, name, SpanKind.PRODUCER) for name in "ab"):
            raise OSError("who wrote this")

    with pytest.raises(OSError, match="who wrote"):
        both()
    assert [span.status.description for span in spans.get_finished_spans()] == ["OSError", "OSError"]
