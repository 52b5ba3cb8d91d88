"""Spans of our own: one trace from a command at a door, over the relay and Kafka, to what follows at other stations.

Whether a trace is recorded is decided once, where it begins and before anything is made for it: at a door (as the
caller's `traceparent` says, else one in so many) and when a timer goes off. Everybody else only goes on with what was
begun. The context of the command that appended an event is stored with it and stays with it: no header of Kafka's is
added or changed. The provider is ours alone, never the global one, so that no library begins to trace by itself.
"""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from belt.core.decider import Refused, Step

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
KEEP_TRYING = 5.0  # seconds that one export may take
EXPORT_EVERY = 1_000.0  # milliseconds
MOST_LINKS = 128
MOST_STEPS = 10
STALE = 3_600.0  # seconds after it was sent that an event is read again, not taken in: its trace is history

Attributes = Mapping[str, str | int | float | bool | Sequence[str]]
Opening = AbstractContextManager[Span | None]


@dataclass
class _Setup:
    """How this process traces; without a tracer it does not."""

    tracer: Tracer | None = None
    provider: TracerProvider | None = None
    ratio: float = 0.0


_setup = _Setup()
_NOTHING: Opening = nullcontext()


def begin(service: str, ratio: float, endpoint: str | None = None, processor: SpanProcessor | None = None) -> None:
    """From now on this process traces, if spans have somewhere to go: to an OTLP endpoint, or to a given processor."""
    if endpoint is None and processor is None:
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    resource = Resource({"service.name": service, "service.namespace": "conveyor"})
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor or _exporting(f"{endpoint}".rstrip("/") + "/v1/traces"))
    _setup.provider, _setup.tracer, _setup.ratio = provider, provider.get_tracer("belt"), ratio


def _exporting(address: str) -> SpanProcessor:
    """Sends in batches from a thread of its own. When the receiver is away, spans are dropped, nothing else."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(address, timeout=KEEP_TRYING), schedule_delay_millis=EXPORT_EVERY)


async def end(within: float) -> None:
    """Sends what is left, for so long at most."""
    provider, _setup.provider, _setup.tracer = _setup.provider, None, None
    if provider is None:
        return
    closing = threading.Thread(target=provider.shutdown, daemon=True, name="tracing-end")
    closing.start()
    await asyncio.to_thread(closing.join, within)


# -- contexts --------------------------------------------------------------------------------------------------------


def parsed(traceparent: str | None) -> SpanContext | None:
    """The context that a `traceparent` names, if it is well-formed."""
    found = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def written(span: Span) -> str:
    """The span's context as a `traceparent`."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def trace_id(traceparent: str | None) -> str | None:
    """The trace that a `traceparent` belongs to, recorded or not."""
    found = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return found[1] if found else None


def _sampled(traceparent: str | None) -> SpanContext | None:
    context = parsed(traceparent)
    return context if context is not None and context.trace_flags.sampled else None


def on() -> bool:
    """Whether this process traces at all."""
    return _setup.tracer is not None


# -- where a trace begins --------------------------------------------------------------------------------------------


def request(headers: Iterable[tuple[bytes, bytes]]) -> Opening:
    """A request at a door. Its caller's context decides; where there is none, chance does."""
    if _setup.tracer is None:
        return _NOTHING
    for name, value in headers:
        if name == b"traceparent":
            parent = parsed(value.decode("latin-1"))
            if parent is not None:
                return _open("request", SpanKind.SERVER, parent) if parent.trace_flags.sampled else _NOTHING
            break
    return _open("request", SpanKind.SERVER, None) if _lucky() else _NOTHING


def answered(span: Span, method: str, route: str, status: int, request_id: str) -> None:
    """What is known of a request only when it was answered."""
    span.update_name(f"{method} {route}")
    told: dict[str, str | int] = {"http.request.method": method, "http.route": route}
    span.set_attributes(told | {"http.response.status_code": status, "conveyor.request_id": request_id})
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def timer(name: str, attributes: Attributes) -> Opening:
    """A timer goes off: nobody's trace goes on."""
    return _open(f"timer {name}", SpanKind.INTERNAL, None, attributes) if _lucky() else _NOTHING


def _lucky() -> bool:
    return _setup.tracer is not None and random.random() < _setup.ratio  # noqa: S311 (no secret hangs on it)


# -- where it goes on ------------------------------------------------------------------------------------------------


def step(name: str, attributes: Attributes | None = None, causes: Iterable[str | None] = ()) -> Opening:
    """A part of the work in hand, if that is recorded. `causes`: traceparents of what it comes from."""
    if _setup.tracer is None:
        return _NOTHING
    here = trace.get_current_span()
    if not here.is_recording():
        return _NOTHING
    return _open(name, SpanKind.INTERNAL, here.get_span_context(), attributes, causes)


def recorded() -> bool:
    """Whether the work in hand is."""
    return _setup.tracer is not None and trace.get_current_span().is_recording()


def command(steps: Sequence[Step]) -> Opening:
    """A unit on its way through the writer. The context of its span goes with the events that it appends."""
    if not recorded():
        return _NOTHING
    some = steps[:MOST_STEPS]
    names = [f"{one.category} {type(one.command).__name__}" for one in some]
    streams = [one.stream_id for one in some]
    return step(names[0] if names else "mark", {"conveyor.commands": names, "conveyor.streams": streams})


def after(traceparent: str | None, name: str, kind: SpanKind, attributes: Attributes | None = None) -> Opening:
    """Work that follows from an event, if the event's trace is recorded."""
    if _setup.tracer is None or traceparent is None:
        return _NOTHING
    parent = _sampled(traceparent)
    return _open(name, kind, parent, attributes) if parent is not None else _NOTHING


@contextmanager
def together(openings: Iterable[Opening]) -> Iterator[list[Span]]:
    """Several spans over one piece of work, none of them current. They end with it, and know if it failed."""
    # Nothing is entered before everything is known: most of the time there is nothing.
    spans = [span for opening in openings if isinstance(opening, _Opening) for span in (opening.start(),)]
    try:
        yield spans
    except BaseException as wrong:
        for span in spans:
            _failed(span, wrong)
        raise
    finally:
        for span in spans:
            span.end()


def merged(name: str, spans: Sequence[Span], attributes: Attributes) -> Opening:
    """One piece of work for several spans at once: a part of the first, with a link to each."""
    if _setup.tracer is None or not spans:
        return _NOTHING
    links = [Link(span.get_span_context()) for span in spans[:MOST_LINKS]]
    return _Opening(name, SpanKind.INTERNAL, spans[0].get_span_context(), attributes, links)


def point_to(causes: Iterable[str | None]) -> None:
    """The work in hand comes from these: its span gets a link to each."""
    here = trace.get_current_span()
    if here.is_recording():
        for context in _contexts(causes):
            here.add_link(context)


def refused(code: str) -> None:
    """The work in hand was refused; that is no fault of ours."""
    here = trace.get_current_span()
    if here.is_recording():
        here.set_attribute("conveyor.refused", code)


class _Opening:
    """A span that begins when it is entered, is current inside, and ends with it."""

    def __init__(
        self,
        name: str,
        kind: SpanKind,
        parent: SpanContext | None,
        attributes: Attributes | None,
        links: Sequence[Link] = (),
    ) -> None:
        self._name, self._kind, self._parent = name, kind, parent
        self._attributes, self._links = attributes, links

    def start(self) -> Span:
        context = trace.set_span_in_context(trace.NonRecordingSpan(self._parent or trace.INVALID_SPAN_CONTEXT))
        tracer = _setup.tracer or trace.NoOpTracer()
        return tracer.start_span(
            self._name, context, kind=self._kind, attributes=dict(self._attributes or {}), links=self._links
        )

    def __enter__(self) -> Span:
        self._span = self.start()
        self._current = trace.use_span(self._span, record_exception=False, set_status_on_exception=False)
        self._current.__enter__()
        return self._span

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, place: object) -> None:
        self._current.__exit__(None, None, None)
        if wrong is not None:
            _failed(self._span, wrong)
        self._span.end()


def _open(
    name: str,
    kind: SpanKind,
    parent: SpanContext | None,
    attributes: Attributes | None = None,
    causes: Iterable[str | None] = (),
) -> Opening:
    return _Opening(name, kind, parent, attributes, [Link(context) for context in _contexts(causes)])


def _contexts(causes: Iterable[str | None]) -> list[SpanContext]:
    found = {cause: context for cause in causes if (context := parsed(cause)) is not None}
    return list(found.values())[:MOST_LINKS]


def _failed(span: Span, wrong: BaseException) -> None:
    """The kind of error only: its words may quote what a person wrote. A refusal is an answer, not an error."""
    if isinstance(wrong, Refused):
        return
    span.set_status(Status(StatusCode.ERROR, type(wrong).__name__))
    span.set_attribute("error.type", type(wrong).__name__)
