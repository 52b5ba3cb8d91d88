"""The envelope: CloudEvents 1.0 on Kafka (binary mode) and as structured JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json as parsed

from conveyor_events.catalog import UnknownEvent, entry
from conveyor_events.upcast import lift
from conveyor_events.words import Event, Seat, instant_text, parse_instant, utc

__all__ = ["Envelope", "Malformed", "UnknownEvent", "from_json", "from_kafka", "open", "to_json", "to_kafka"]

STRUCTURED = "application/cloudevents+json"
OURS = ("ce_", "content-type")

ATTRIBUTES: dict[str, str] = {
    "specversion": "always `1.0`",
    "id": "UUID of the event; the same event may arrive more than once",
    "type": "`conveyor.<topic>.<Name>`",
    "source": "the service that published it, such as `/conveyor/lead-gen`",
    "subject": "whose history the event belongs to; also the key of the record",
    "time": "when it happened in business",
    "recordedtime": "when the service recorded it",
    "schemaversion": "version of the data",
    "partitionkey": "the subject again",
    "sequence": "1, 2, 3 … without a gap per topic and key, padded with zeros so that it sorts as text",
    "correlationid": "what belongs to one undertaking",
    "commandid": "the command that led to the event",
    "causationid": "the event that led to the command, if one did",
    "clientid": "the client, one id from prospect to regular customer",
    "journeyid": "the client's present pass along the line",
    "variant": "the variant stamped on that journey",
    "actorperson": "who did it",
    "actorrole": "in which role",
    "traceparent": "W3C trace context",
}
"""Every CloudEvents attribute and what it means."""

OPTIONAL = frozenset(
    {"causationid", "clientid", "journeyid", "variant", "actorperson", "actorrole", "traceparent"},
)
"""The attributes that an event need not have; all others are on every event."""


class Malformed(ValueError):
    """The bytes or attributes are not an event of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A public event with all that was known about it when it was recorded."""

    id: UUID
    type: str
    schema_version: int
    source: str
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    command_id: str
    correlation_id: str
    sequence: int
    data: dict[str, Any]
    actor: Seat | None = None
    causation_id: str | None = None
    client_id: str | None = None
    journey_id: str | None = None
    variant: str | None = None
    traceparent: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "occurred_at", utc(self.occurred_at))
        object.__setattr__(self, "recorded_at", utc(self.recorded_at))


def open(env: Envelope) -> Event:  # noqa: A001 - `conveyor_events.open(envelope)` is how it reads
    """The event as its typed model of today. Raises UnknownEvent for a type or version from the future."""
    found = entry(env.type, env.schema_version)
    return found.model.model_validate(lift(env.type, env.schema_version, found.model.VERSION, env.data))


def sequence_text(sequence: int) -> str:
    """CloudEvents wants a sequence that sorts as text, so it is padded with zeros."""
    return f"{sequence:010d}"


def _attributes(env: Envelope) -> dict[str, Any]:
    """Every CloudEvents attribute that has a value, as text, without the content type."""
    found = {
        "specversion": "1.0",
        "id": str(env.id),
        "type": env.type,
        "source": env.source,
        "subject": env.subject,
        "time": instant_text(env.occurred_at),
        "recordedtime": instant_text(env.recorded_at),
        "schemaversion": str(env.schema_version),
        "partitionkey": env.subject,
        "sequence": sequence_text(env.sequence),
        "correlationid": env.correlation_id,
        "commandid": env.command_id,
    }
    if env.causation_id is not None:
        found["causationid"] = env.causation_id
    if env.client_id is not None:
        found["clientid"] = env.client_id
    if env.journey_id is not None:
        found["journeyid"] = env.journey_id
    if env.variant is not None:
        found["variant"] = env.variant
    if env.actor is not None:
        found |= {"actorperson": env.actor.person, "actorrole": str(env.actor.role)}
    if env.traceparent is not None:
        found["traceparent"] = env.traceparent
    return found


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = _optional(attributes, name)
    if value is None:
        raise Malformed(f"the attribute {name} is missing")
    return value


def _optional(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"the attribute {name} is not a string")
    return value


def _number(attributes: Mapping[str, Any], name: str) -> int:
    value = attributes.get(name)
    text = str(value) if isinstance(value, int) else _text(attributes, name)
    if not (text.isascii() and text.isdigit()):
        raise Malformed(f"the attribute {name} is not a number: {text!r}")
    return int(text)


def _envelope(attributes: Mapping[str, Any], data: object) -> Envelope:
    if _text(attributes, "specversion") != "1.0":
        raise Malformed(f"specversion {attributes['specversion']!r} is not 1.0")
    if not isinstance(data, dict):
        raise Malformed("the data of an event is a JSON object")
    person, role = _optional(attributes, "actorperson"), _optional(attributes, "actorrole")
    if (person is None) != (role is None):
        raise Malformed("an actor is a person and a role")
    try:
        return Envelope(
            id=UUID(_text(attributes, "id")),
            type=_text(attributes, "type"),
            schema_version=_number(attributes, "schemaversion"),
            source=_text(attributes, "source"),
            subject=_text(attributes, "subject"),
            occurred_at=parse_instant(_text(attributes, "time")),
            recorded_at=parse_instant(_text(attributes, "recordedtime")),
            command_id=_text(attributes, "commandid"),
            correlation_id=_text(attributes, "correlationid"),
            sequence=_number(attributes, "sequence"),
            data=data,
            actor=Seat(person=person, role=role) if person is not None and role is not None else None,
            causation_id=_optional(attributes, "causationid"),
            client_id=_optional(attributes, "clientid"),
            journey_id=_optional(attributes, "journeyid"),
            variant=_optional(attributes, "variant"),
            traceparent=_optional(attributes, "traceparent"),
        )
    except Malformed:
        raise
    except ValueError as wrong:
        raise Malformed(str(wrong)) from wrong


def to_json(env: Envelope) -> dict[str, Any]:
    """CloudEvents structured JSON, as the feed serves it."""
    found: dict[str, Any] = _attributes(env)
    found["schemaversion"] = env.schema_version
    found["datacontenttype"] = "application/json"
    found["data"] = env.data
    return found


def from_json(event: Mapping[str, Any]) -> Envelope:
    """Reads CloudEvents structured JSON."""
    return _envelope(event, event.get("data"))


def to_kafka(env: Envelope) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers of the record: binary mode, the subject is the key."""
    headers = [(f"ce_{name}", value.encode()) for name, value in _attributes(env).items()]
    headers.append(("content-type", b"application/json"))
    value = json.dumps(env.data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return env.subject.encode(), value.encode(), headers


def from_kafka(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Reads a record in binary or structured mode. Headers that others add on the way may hold anything, or nothing."""
    try:
        texts = {
            name.lower(): content.decode()
            for name, content in headers
            if content is not None and name.lower().startswith(OURS)
        }
        body = parsed(value or b"")
    except ValueError as wrong:
        raise Malformed(str(wrong)) from wrong
    if texts.get("content-type", "").startswith(STRUCTURED):
        if not isinstance(body, dict):
            raise Malformed("a structured event is a JSON object")
        env = from_json(body)
    else:
        env = _envelope({name[3:]: text for name, text in texts.items() if name[:3] == "ce_"}, body)
    if key is not None and key != env.subject.encode():
        raise Malformed(f"the key {key!r} is not the subject {env.subject!r}")
    return env
