"""One event on its way in, wherever it comes from: Kafka, the publisher's feed, or the parked ones of our own store."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from opentelemetry.trace import SpanKind

from belt.core.ids import derived
from belt.io import tracing
from belt.io.kafka.records import Received
from conveyor_events.envelope import Envelope, Malformed, from_json, from_kafka, to_json

PLACES = 4_096  # more partitions than any topic of ours will have
LONGEST_KEY = 255
LAST = 2**63 - 1


@dataclass(slots=True)  # not frozen: there are very many, and freezing costs most of making one
class Arrival:
    """An event at our door. `envelope` is None if it cannot be read, `wrong` then says why.

    A record whose sequence cannot be read has no place in its key's order; its own is below zero.
    """

    topic: str
    key: str
    sequence: int
    event_id: UUID
    envelope: Envelope | None
    wrong: str | None = None
    sent_at: float | None = None  # when Kafka got it, seconds since 1970
    raw: tuple[str, str] | None = None  # attributes and value of what cannot be read, as texts

    def about(self) -> dict[str, Any]:
        """What the log says of it: ids."""
        told: dict[str, Any] = {"topic": self.topic, "event_id": str(self.event_id)}
        if self.envelope is None:
            return told
        told |= {"type": self.envelope.type, "subject": self.envelope.subject, "client_id": self.envelope.client_id}
        return told | {"trace_id": tracing.trace_id(self.envelope.traceparent)}

    def process(self) -> tracing.Opening:
        """Its being taken in, as part of its own trace; not when history is read again."""
        envelope = self.envelope
        if envelope is None or not tracing.on() or (self.sent_at or time.time()) < time.time() - tracing.STALE:
            return tracing.after(None, "", SpanKind.CONSUMER)
        told = {"messaging.system": "kafka", "messaging.destination.name": self.topic}
        told |= {"cloudevents.event_id": str(self.event_id), "cloudevents.event_type": envelope.type}
        told |= {"cloudevents.event_subject": envelope.subject}
        return tracing.after(envelope.traceparent, f"process {self.topic}", SpanKind.CONSUMER, told)

    @property
    def texts(self) -> tuple[str, str]:
        """Attributes and value, as they are parked."""
        if self.envelope is None:
            return self.raw or ("{}", "")
        attributes = to_json(self.envelope)
        data = attributes.pop("data")
        return json.dumps(attributes), json.dumps(data)


def from_record(record: Received) -> Arrival:
    """A record from Kafka. Never raises: what cannot be read is an arrival too."""
    try:
        envelope = from_kafka(record.key, record.value, record.headers)
    except (Malformed, ValueError, RecursionError) as wrong:
        return _unreadable(record, str(wrong))
    if len(envelope.subject) > LONGEST_KEY or not envelope.subject.isprintable():
        return _unreadable(record, f"a subject is at most {LONGEST_KEY} printable characters")
    if not 0 < envelope.sequence <= LAST:
        return _unreadable(record, f"{envelope.sequence} is no sequence")
    return from_envelope(record.topic, envelope, record.at)


def from_envelope(topic: str, envelope: Envelope, sent_at: float | None = None) -> Arrival:
    return Arrival(topic, envelope.subject, envelope.sequence, envelope.id, envelope, sent_at=sent_at)


def from_parked(row: Mapping[str, Any]) -> Arrival:
    """A parked row, read again: what was unreadable for older code may be readable now."""
    try:
        envelope = from_json(json.loads(row["attributes"]) | {"data": json.loads(row["value"])})
    except (Malformed, ValueError, TypeError, RecursionError) as wrong:
        raw = row["attributes"], row["value"]
        return Arrival(row["topic"], row["key"], row["sequence"], row["event_id"], None, str(wrong), raw=raw)
    return from_envelope(row["topic"], envelope)


def _unreadable(record: Received, wrong: str) -> Arrival:
    headers = {name: _text(content or b"") for name, content in record.headers}
    attributes = json.dumps({name.removeprefix("ce_"): text for name, text in headers.items()})
    try:
        sequence = int(headers["ce_sequence"])
    except (KeyError, ValueError):
        sequence = 0
    if not 0 < sequence <= LAST:
        sequence = -1 - record.offset * PLACES - record.partition
    event_id = UUID(derived(record.topic, record.partition, record.offset))
    raw = attributes, _text(record.value or b"")
    return Arrival(record.topic, _text(record.key or b"")[:LONGEST_KEY], sequence, event_id, None, wrong, raw=raw)


def _text(content: bytes) -> str:
    """As text if it is text that a database takes, else as base64."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\x00"
    return text if "\x00" not in text else "base64:" + base64.b64encode(content).decode()
