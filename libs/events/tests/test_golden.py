import json
from pathlib import Path

import pytest

from conveyor_events import CATALOG, TOPICS, from_json, golden
from conveyor_events import open as open_event
from conveyor_events.envelope import ATTRIBUTES, OPTIONAL

SAMPLES = Path(__file__).parents[1] / "samples"


def test_every_version_of_every_event_has_one_golden_record() -> None:
    found = [(record.envelope.type, record.envelope.schema_version) for record in golden.records()]
    wanted = [(entry.wire, version) for entry in CATALOG for version in range(1, entry.model.VERSION + 1)]
    assert sorted(found) == sorted(wanted)


def test_a_golden_record_is_the_sample_as_a_record() -> None:
    samples = [from_json(json.loads(file.read_text(encoding="utf-8"))) for file in SAMPLES.glob("*.json")]
    assert {record.envelope.id: record.envelope for record in golden.records()} == {env.id: env for env in samples}


def test_golden_records_lie_on_the_topic_of_their_event() -> None:
    for record in golden.records():
        assert record.topic == next(entry.topic for entry in CATALOG if entry.wire == record.envelope.type)
        assert open_event(record.envelope)


def test_records_are_found_by_event_and_by_topic() -> None:
    (closed,) = golden.records("conveyor.deals.DealClosed")
    assert closed.envelope.data["deal_id"]
    assert {record.topic for record in golden.records(topic="conveyor.pay.v1")} == {"conveyor.pay.v1"}
    assert sum(len(list(golden.records(topic=topic))) for topic in TOPICS) == len(list(golden.records()))
    assert list(golden.records("conveyor.deals.PaymentReceived")) != list(
        golden.records("conveyor.accounts.PaymentReceived")
    )


def test_a_topic_that_does_not_exist_has_no_file() -> None:
    with pytest.raises(FileNotFoundError):
        next(golden.records(topic="conveyor.weather.v1"))


def test_every_header_is_an_attribute_and_only_the_optional_ones_may_be_missing() -> None:
    always = set.intersection(*({name for name, _ in record.headers} for record in golden.records()))
    ever = {name for record in golden.records() for name, _ in record.headers}
    assert ever == {f"ce_{name}" for name in ATTRIBUTES} | {"content-type"}
    assert always == {f"ce_{name}" for name in ATTRIBUTES.keys() - OPTIONAL} | {"content-type"}
