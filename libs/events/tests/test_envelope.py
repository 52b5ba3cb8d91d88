import json
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from conveyor_events import Envelope, Malformed, Seat, from_json, from_kafka, to_json, to_kafka

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=30)
INSTANT = st.datetimes(datetime(1990, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ENVELOPES = st.builds(
    Envelope,
    id=st.uuids(),
    type=st.text(string.ascii_letters, min_size=1).map(lambda name: f"conveyor.leads.{name}"),
    schema_version=st.integers(1, 99),
    source=st.just("/conveyor/lead-gen"),
    subject=TEXT,
    occurred_at=INSTANT,
    recorded_at=INSTANT,
    command_id=TEXT,
    correlation_id=TEXT,
    sequence=st.integers(1, 2**31 - 1),
    data=st.dictionaries(TEXT, JSON, min_size=1, max_size=4),
    actor=st.none() | st.builds(Seat, person=TEXT, role=TEXT),
    causation_id=st.none() | TEXT,
    client_id=st.none() | TEXT,
    journey_id=st.none() | TEXT,
    variant=st.none() | TEXT,
    traceparent=st.none() | TEXT,
)
ONE = Envelope(
    id=UUID("019cb83f-0f44-7e34-b7a9-8d23ba2748ef"),
    type="conveyor.leads.ProspectReleased",
    schema_version=1,
    source="/conveyor/lead-gen",
    subject="client-1",
    occurred_at=datetime(2026, 3, 16, 23, tzinfo=UTC),
    recorded_at=datetime(2026, 3, 16, 23, 0, 0, 400, tzinfo=UTC),
    command_id="command-1",
    correlation_id="correlation-1",
    sequence=7,
    data={"line": "berlin", "sourced_by": {"person": "ana", "role": "scout"}},
)


def as_the_sdk_sees(env: Envelope) -> kafka.KafkaMessage:
    key, value, headers = to_kafka(env)
    return kafka.KafkaMessage(headers=dict(headers), key=key, value=value)


def as_we_see(message: kafka.KafkaMessage) -> Envelope:
    key = message.key.encode() if isinstance(message.key, str) else message.key
    return from_kafka(key, message.value, list(message.headers.items()))


def sdk_event(env: Envelope) -> CloudEvent:
    attributes = {name: value for name, value in to_json(env).items() if name != "data"}
    return CloudEvent({**attributes, "time": env.occurred_at}, env.data)


@given(ENVELOPES)
def test_kafka_and_back_is_the_same_envelope(env: Envelope) -> None:
    assert from_kafka(*to_kafka(env)) == env


@given(ENVELOPES)
def test_structured_json_and_back_is_the_same_envelope(env: Envelope) -> None:
    assert from_json(json.loads(json.dumps(to_json(env)))) == env


@given(ENVELOPES)
def test_the_cloudevents_sdk_reads_our_records(env: Envelope) -> None:
    read: BaseCloudEvent = kafka.from_kafka(as_the_sdk_sees(env), JSONFormat())
    assert read.get_data() == env.data
    assert read.get_time() == env.occurred_at
    assert (read.get_id(), read.get_type(), read.get_subject()) == (str(env.id), env.type, env.subject)
    expected = {name: str(value) for name, value in to_json(env).items() if name not in ("data", "time")}
    assert {name: value for name, value in read.get_attributes().items() if name != "time"} == expected


@given(ENVELOPES)
def test_the_cloudevents_sdk_reads_our_structured_json(env: Envelope) -> None:
    read = JSONFormat().read(None, json.dumps(to_json(env)).encode())
    assert read.get_data() == env.data
    assert read.get_time() == env.occurred_at
    assert read.get_extension("partitionkey") == env.subject


@pytest.mark.parametrize("write", [kafka.to_binary_event, kafka.to_structured_event])
@given(env=ENVELOPES)
def test_we_read_what_the_cloudevents_sdk_writes(
    write: Callable[[BaseCloudEvent], kafka.KafkaMessage], env: Envelope
) -> None:
    assert as_we_see(write(sdk_event(env))) == env


def test_the_headers_are_those_of_the_contract() -> None:
    full = replace(
        ONE,
        actor=Seat(person="ana", role="scout"),
        causation_id="cause-1",
        client_id="client-1",
        journey_id="journey-1",
        variant="hunter",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    key, value, headers = to_kafka(full)
    assert key == b"client-1"
    assert json.loads(value) == ONE.data
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"019cb83f-0f44-7e34-b7a9-8d23ba2748ef",
        "ce_type": b"conveyor.leads.ProspectReleased",
        "ce_source": b"/conveyor/lead-gen",
        "ce_subject": b"client-1",
        "ce_time": b"2026-03-16T23:00:00.000000Z",
        "ce_recordedtime": b"2026-03-16T23:00:00.000400Z",
        "ce_schemaversion": b"1",
        "ce_partitionkey": b"client-1",
        "ce_sequence": b"0000000007",
        "ce_correlationid": b"correlation-1",
        "ce_commandid": b"command-1",
        "ce_causationid": b"cause-1",
        "ce_clientid": b"client-1",
        "ce_journeyid": b"journey-1",
        "ce_variant": b"hunter",
        "ce_actorperson": b"ana",
        "ce_actorrole": b"scout",
        "ce_traceparent": b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "content-type": b"application/json",
    }


def test_what_is_not_known_has_no_header() -> None:
    absent = {"ce_causationid", "ce_clientid", "ce_journeyid", "ce_variant", "ce_actorperson", "ce_traceparent"}
    assert absent.isdisjoint(dict(to_kafka(ONE)[2]))


def test_sequences_sort_as_text_the_way_they_sort_as_numbers() -> None:
    texts = [to_json(replace(ONE, sequence=n))["sequence"] for n in (2, 9, 10, 11, 100)]
    assert texts == sorted(texts)


def test_times_become_utc() -> None:
    env = replace(ONE, occurred_at=datetime.fromisoformat("2026-03-17T01:00:00+02:00"))
    assert env == ONE
    assert env.occurred_at.tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        replace(ONE, occurred_at=datetime(2026, 3, 16))  # noqa: DTZ001 - the naive time is the point


@pytest.mark.parametrize("missing", ["specversion", "id", "type", "source", "subject", "time", "recordedtime"])
def test_a_missing_attribute_is_named(missing: str) -> None:
    event = {name: value for name, value in to_json(ONE).items() if name != missing}
    with pytest.raises(Malformed, match=missing):
        from_json(event)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("id", "not-a-uuid"),
        ("id", 5),
        ("time", "yesterday"),
        ("time", "2026-03-16T23:00:00"),
        ("sequence", "first"),
        ("schemaversion", None),
        ("subject", 7),
        ("actorperson", "ana"),
        ("data", "text"),
        ("data", None),
    ],
)
def test_a_wrong_attribute_is_refused(attribute: str, value: Any) -> None:
    with pytest.raises(Malformed):
        from_json({**to_json(ONE), attribute: value})


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"\xff"])
def test_a_record_without_json_object_is_refused(value: bytes | None) -> None:
    key, _, headers = to_kafka(ONE)
    with pytest.raises(Malformed):
        from_kafka(key, value, headers)


def test_a_key_that_is_not_the_subject_is_refused() -> None:
    _, value, headers = to_kafka(ONE)
    with pytest.raises(Malformed, match="client-2"):
        from_kafka(b"client-2", value, headers)
    assert from_kafka(None, value, headers) == ONE


def test_data_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_kafka(replace(ONE, data={"rate": float("nan")}))
