"""What can be seen from outside: the names of all metrics, and logs as JSON lines without personal data."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"conveyor_{name}", meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(f"conveyor_{name}", meaning, labels, registry=REGISTRY)


def _histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = FAST) -> Histogram:
    return Histogram(f"conveyor_{name}", meaning, labels, registry=REGISTRY, buckets=buckets)


def gauge(name: str, meaning: str, *labels: str) -> Gauge:
    """A gauge of a service's own, in its own words: set by a Reading (see `watching`)."""
    return _gauge(name, meaning, *labels)


# The doors
HTTP_REQUESTS = _counter("http_requests", "Requests answered", "method", "route", "status")
HTTP_SECONDS = _histogram("http_request_seconds", "Time to the answer", "method", "route")
HTTP_IN_FLIGHT = _gauge("http_in_flight", "Requests being worked on")
PROBLEMS = _counter("problems", "Refusals and errors given to callers", "code")
TOKENS = _counter("tokens_verified", "Tokens looked at: cached, valid, invalid", "outcome")
KEYSET_FETCHES = _counter("keyset_fetches", "Fetches of the issuer's keys: ok, failed", "outcome")

AUDITED = _counter(
    "reads_audited", "Reads of pay or personal data that were written down: pay, personal, audit", "kind"
)
AUDIT_FAILED = _counter("reads_refused", "Reads that were not answered because they could not be written down")
STREAMS_OPEN = _gauge("feed_streams", "Streams of the feed that are open")
FEED_READS = _counter("feed_reads", "Queries of the public log for streams: tail, stream", "by")
CONNECTIONS_STALLED = _counter("connections_stalled", "Connections cut because their caller did not read")

# The store
COMMANDS = _counter("commands", "Commands by outcome: done, refused, replayed, conflict, waits, failed", "outcome")
APPEND_SECONDS = _histogram("append_seconds", "One ordered append of a batch")
APPEND_UNITS = _histogram("append_units", "Units that shared one commit", buckets=SIZES)
APPENDED_EVENTS = _counter("appended_events", "Private events appended")
APPEND_RETRIES = _counter("append_retries", "Units decided again after they lost a race")
WAITING_COMMANDS = _gauge("waiting_commands", "Commands that wait for the next commit")
PUBLIC_EVENTS = _counter("public_events", "Events told to others: the line moves; some are deadlines missed", "type")
REFOLDED_EVENTS = _counter("refolded_events", "Stored events folded again: into a state, a view, the books", "into")
POOL_CONNECTIONS = _gauge("pool_connections", "Connections in use, of the pools for lists and for the feed", "pool")
POOL_WAIT_SECONDS = _histogram("pool_wait_seconds", "How long a connection is waited for, tried now and then", "pool")

# The public log and its relay
PUBLISHED_POSITION = _gauge("published_position", "Head of the public log")
RELAYED_POSITION = _gauge("relayed_position", "Position up to which Kafka has everything")
UNPUBLISHED_RECORDS = _gauge("unpublished_records", "Records of the public log that Kafka does not have yet")
UNPUBLISHED_SECONDS = _gauge("unpublished_seconds", "Age of the oldest record that Kafka does not have yet")
RELAYED_RECORDS = _counter("relayed_records", "Records acknowledged by Kafka", "topic")
RELAY_ACTIVE = _gauge("relay_active", "1 where this process relays")
RELAY_RESTARTS = _counter("relay_restarts", "Producers abandoned after a failure")
TOPIC_PARTITIONS_WRONG = _gauge(
    "topic_partitions_wrong", "1: other partitions than the catalog says; keys move", "topic"
)
TOPIC_RECORDS_MISSING = _gauge("topic_records_missing", "Records Kafka acknowledged and does not have", "topic")

# Consumers
CONSUMED = _counter(
    "consumed", "Events by outcome: applied, duplicate, ignored, refused, parked, skipped", "topic", "outcome"
)
CONSUMER_LAG_SECONDS = _gauge("consumer_lag_seconds", "Age of the oldest event not yet taken in", "topic")
CONSUMER_LAG_RECORDS = _gauge("consumer_lag_records", "Records not yet taken in", "topic")
SEQUENCE_GAPS = _counter("sequence_gaps", "Gaps found in a key's sequence", "topic")
SEQUENCE_REUSED = _counter("sequence_reused", "Events not above their key's gate that were never handled", "topic")
PARKED_KEYS = _gauge("parked_keys", "Keys whose events wait to be redriven", "topic")
INCOMPLETE_KEYS = _gauge("incomplete_keys", "Keys of which events are known to be missing, up to 100", "topic")

# Room
STORAGE_USED_BYTES = _gauge("storage_used_bytes", "Size of the database, where a limit is set")
STORAGE_FREE_BYTES = _gauge("storage_free_bytes", "Room left on the volume of the database, where it is watched")
STORAGE_ROOM_BYTES = _gauge("storage_room_bytes", "Room left until commands are refused, where a limit is set")
STORAGE_CLOSED = _gauge("storage_closed", "1 while commands are refused for want of room")

# Work
THINGS_IN_HAND = _gauge(
    "things_in_hand", "What is not finished at this station: where the line waits", "thing", "line", "stage"
)
DEADLINES_NEAR = _gauge("deadlines_near", "Deadlines that fall within a day", "deadline", "line")
DEADLINE_SECONDS = _gauge(
    "deadline_seconds",
    "Time left to the nearest deadline of a person (none: of a queue), of the 100 nearest within a day",
    "deadline",
    "line",
    "person",
)
LOOK_SECONDS = _gauge("look_seconds", "How long the last look at the gauges of work took")
LOOKS_FAILED = _counter("looks_failed", "Looks at gauges of work that failed")

# Timers
TIMERS_FIRED = _counter("timers_fired", "Commands sent by the clock: deadlines that passed", "name")
TIMER_LATE_SECONDS = _histogram("timer_late_seconds", "How late the clock was", buckets=(0.1, 0.5, 1, 5, 30, 120, 600))


def exposition() -> bytes:
    """All metrics in the text format of Prometheus."""
    return generate_latest(REGISTRY)


# --- logs -----------------------------------------------------------------------------------------------------------

WITHHELD = frozenset(
    {"address", "authorization", "body", "contact", "dsn", "email", "evidence", "identity_keys", "mail", "name"}
    | {"note", "password", "phone", "secret", "statement", "summary", "token", "value"}
)
"""Keys whose values never reach a log line."""

About = Callable[[], Mapping[str, Any]]
ABOUT: ContextVar[About | None] = ContextVar("about", default=None)
"""What the work in hand is about: asked only when there is a line to log."""


@contextmanager
def about(told: About) -> Iterator[None]:
    """Every line logged inside says what it is about: `told` answers ids, never what a person wrote."""
    token = ABOUT.set(told)
    try:
        yield
    finally:
        ABOUT.reset(token)


def _tell_about(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Trace, event, request and client of the work in hand; what the line says itself goes first."""
    told = ABOUT.get()
    for key, value in told().items() if told is not None else ():
        if value is not None:
            line.setdefault(key, value)
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"], line["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return line


_VALUES_INSIDE = ("ValidationError", "JSONDecodeError", "UnicodeDecodeError", "UniqueViolationError")


def _withhold(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in WITHHELD & line.keys():
        line[key] = "[withheld]"
    return line


def _tell_error(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Type, message and places of an exception. Messages that quote their input are left out."""
    exc = line.pop("exc_info", None)
    if exc is True:
        exc = sys.exc_info()
    error = exc[1] if isinstance(exc, tuple) else exc
    if isinstance(error, BaseException):
        kinds = [kind.__name__ for kind in type(error).__mro__]
        line["error_type"] = kinds[0]
        line["error"] = "[withheld]" if any(kind in _VALUES_INSIDE for kind in kinds) else str(error)
        frames = traceback.extract_tb(error.__traceback__)
        line["error_at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return line


def configure_logging(service: str, level: str = "INFO", *, to: Any = None) -> None:
    """JSON lines on standard output, ours and those of libraries alike, each with the service's name."""

    def _service(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
        line["service"] = service
        return line

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service,
        _tell_about,
        _withhold,
        _tell_error,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(to or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in (("uvicorn.access", logging.CRITICAL), ("aiokafka", logging.WARNING)):
        logging.getLogger(name).setLevel(least)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
