import json
from pathlib import Path

import pytest

from conveyor_events import CATALOG, Envelope, from_json, from_kafka, to_json, to_kafka, wire_type
from conveyor_events import open as open_event
from conveyor_events.schemas import name

SAMPLES = Path(__file__).parents[1] / "samples"
PRESENT = {name(entry, entry.model.VERSION): entry for entry in CATALOG}


def sample(file: str) -> Envelope:
    return from_json(json.loads((SAMPLES / file).read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", sorted(file.name for file in SAMPLES.glob("*.json")))
def test_every_sample_of_every_version_opens(file: str) -> None:
    env = sample(file)
    assert wire_type(open_event(env)) == env.type
    assert from_kafka(*to_kafka(env)) == env


@pytest.mark.parametrize("file", sorted(PRESENT))
def test_a_present_sample_is_what_the_model_writes(file: str) -> None:
    env = sample(file)
    event = open_event(env)
    assert event.model_dump(mode="json") == env.data
    fields = PRESENT[file].model.model_fields
    assert set(env.data) == {field.alias or name for name, field in fields.items()}
    assert to_json(env) == json.loads((SAMPLES / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", sorted(PRESENT))
def test_the_subject_of_a_sample_is_what_the_catalog_says(file: str) -> None:
    env, subject = sample(file), PRESENT[file].subject
    assert env.subject == (env.client_id if subject == "client" else env.data[subject])
