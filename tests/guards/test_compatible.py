"""Inside a version only additions: each way to break a reader is found, and what harms nobody is let pass."""

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks import compatible
from checks.__main__ import CHECKS
from checks.compatible import Language, breaks, damaged, present, release, released

QUALIFIED = "leads.LeadQualified.v1.json"
RESOLVED = "pay.DisputeResolved.v1.json"
STAFFED = "staff.LineStaffed.v1.json"

Change = Callable[[dict[str, Any]], Any]


def changed(file: str, change: Change) -> Language:
    now = released(compatible.ROOT)
    schema = copy.deepcopy(now.schemas[file])
    change(schema)
    return replace(now, schemas=now.schemas | {file: schema})


def new_field(schema: dict[str, Any], shape: dict[str, Any], *, required: bool) -> None:
    schema["properties"]["mood"] = shape
    if required:
        schema["required"].append("mood")


def without(schema: dict[str, Any], field: str) -> None:
    del schema["properties"][field]
    schema["required"] = [name for name in schema["required"] if name != field]


WORDS = {"type": "string", "default": "good"}
NUMBER = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
ADDITIONS: list[tuple[str, Change]] = [
    (QUALIFIED, lambda s: new_field(s, WORDS, required=False)),
    (QUALIFIED, lambda s: new_field(s, NUMBER, required=False)),
    (QUALIFIED, lambda s: new_field(s["$defs"]["Seat"], WORDS, required=False)),
    (QUALIFIED, lambda s: s["properties"]["team"].update(description="said better")),
    (STAFFED, lambda s: s["$defs"]["Policy"]["properties"].update(patience=NUMBER)),
]
BREAKS: dict[str, tuple[str, Change, str]] = {
    "a removed field": (QUALIFIED, lambda s: without(s, "team"), "(team)"),
    "a removed field that had a default": (QUALIFIED, lambda s: without(s, "to"), "(to)"),
    "a removed field of a part": (QUALIFIED, lambda s: without(s["$defs"]["Seat"], "role"), "(sourced_by, to)"),
    "a changed type": (QUALIFIED, lambda s: s["properties"]["attempt"].update(type="string"), "(attempt)"),
    "a wider type": (QUALIFIED, lambda s: s["properties"]["attempt"].update(type="number"), "(attempt)"),
    "an amount as a number": (
        RESOLVED,
        lambda s: s["properties"]["period"].update(type="number"),
        "(period)",
    ),
    "a field that may now be null": (
        QUALIFIED,
        lambda s: s["properties"].update(team={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "(team)",
    ),
    "a field that may no longer be null": (
        QUALIFIED,
        lambda s: s["properties"].update(to={"$ref": "#/$defs/Seat"}),
        "(to)",
    ),
    "a new required field": (QUALIFIED, lambda s: new_field(s, {"type": "string"}, required=True), "(mood)"),
    "a default taken away": (QUALIFIED, lambda s: s["required"].append("to"), "(to)"),
    "another default": (QUALIFIED, lambda s: s["properties"]["to"].update(default="queue"), "the default of to"),
    "a narrowed list": (RESOLVED, lambda s: s["properties"]["outcome"]["enum"].remove("partly"), "(outcome)"),
    "a closed list that grows": (RESOLVED, lambda s: s["properties"]["outcome"]["enum"].append("later"), "(outcome)"),
    "an open string that becomes a list": (
        QUALIFIED,
        lambda s: s["properties"]["mode"].update(enum=["offer", "self"]),
        "(mode)",
    ),
    "a new bound": (QUALIFIED, lambda s: s["properties"]["attempt"].update(minimum=1), "(attempt)"),
    "another format": (
        QUALIFIED,
        lambda s: s["properties"]["credit_until"].update(format="date"),
        "the format of credit_until",
    ),
    "another pattern": (RESOLVED, lambda s: s["properties"]["period"].update(pattern="^.*$"), "the pattern of period"),
}


def test_the_present_language_breaks_nobody() -> None:
    assert list(breaks(released(compatible.ROOT), present(compatible.ROOT))) == []
    assert list(damaged(compatible.ROOT)) == []
    assert CHECKS["compat"][-1] == "checks.compatible"


@pytest.mark.parametrize(("file", "change"), ADDITIONS)
def test_an_addition_passes(file: str, change: Change) -> None:
    assert list(breaks(released(compatible.ROOT), changed(file, change))) == []


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_found_and_its_field_named(name: str) -> None:
    file, change, blamed = BREAKS[name]
    found = list(breaks(released(compatible.ROOT), changed(file, change)))
    assert found, name
    assert all(line.startswith(f"{file}: ") for line in found)
    assert any(blamed in line for line in found), found


def test_an_event_a_topic_or_a_schema_that_is_gone_is_found() -> None:
    old = released(compatible.ROOT)
    events = {wire: facts for wire, facts in old.events.items() if wire != "conveyor.leads.LeadQualified"}
    topics = {name: facts for name, facts in old.topics.items() if name != "conveyor.pay.v1"}
    schemas = {file: schema for file, schema in old.schemas.items() if file != QUALIFIED}
    assert list(breaks(old, Language(topics, events, schemas))) == [
        "conveyor.pay.v1: the topic is gone",
        "conveyor.leads.LeadQualified: the event is gone",
        f"{QUALIFIED}: the schema is gone",
    ]


@pytest.mark.parametrize(
    ("table", "name", "fact", "value"),
    [
        ("topics", "conveyor.leads.v1", "partitions", 16),
        ("topics", "conveyor.leads.v1", "publisher", "conversion"),
        ("events", "conveyor.leads.LeadQualified", "subject", "line"),
        ("events", "conveyor.leads.LeadQualified", "topic", "conveyor.deals.v1"),
        ("events", "conveyor.leads.LeadQualified", "version", 0),
    ],
)
def test_what_must_never_change_is_watched(table: str, name: str, fact: str, value: Any) -> None:
    old = released(compatible.ROOT)
    seeded = copy.deepcopy(getattr(old, table))
    seeded[name][fact] = value
    (found,) = breaks(old, replace(old, **{table: seeded}))
    assert found.startswith(f"{name}: its {fact} was ")


def test_a_new_event_and_a_new_version_pass() -> None:
    old = released(compatible.ROOT)
    tasted = {"conveyor.leads.LeadTasted": {"topic": "conveyor.leads.v1", "subject": "client", "version": 1}}
    raised = {"conveyor.leads.LeadQualified": old.events["conveyor.leads.LeadQualified"] | {"version": 2}}
    another: dict[str, dict[str, Any]] = {"leads.LeadTasted.v1.json": {}, "leads.LeadQualified.v2.json": {}}
    assert list(breaks(old, Language(old.topics, old.events | tasted | raised, old.schemas | another))) == []


# --- the folders of releases


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("released", "schemas", "samples"):
        shutil.copytree(compatible.ROOT / compatible.EVENTS / folder, tmp_path / compatible.EVENTS / folder)
    shutil.copy(compatible.ROOT / compatible.EVENTS / "pyproject.toml", tmp_path / compatible.EVENTS)
    return tmp_path


def test_a_released_file_that_was_edited_removed_or_added_is_found(checkout: Path) -> None:
    folder = compatible.releases(checkout)[-1]
    (folder / "schemas" / QUALIFIED).write_text("{}")
    (folder / "schemas" / RESOLVED).unlink()
    (folder / "schemas" / "leads.LeadTasted.v1.json").write_text("{}")
    assert [line.split("/")[-1] for line in damaged(checkout)] == [
        f"{QUALIFIED}: not as it was released",
        "leads.LeadTasted.v1.json: not as it was released",
        f"{RESOLVED}: not as it was released",
    ]


def test_a_released_sample_that_nobody_can_read_any_more_is_found(checkout: Path) -> None:
    folder = compatible.releases(checkout)[-1]
    sample = folder / "samples" / QUALIFIED
    event = json.loads(sample.read_text())
    del event["data"]["team"]
    sample.write_text(json.dumps(event))
    assert any("cannot be read any more" in line for line in damaged(checkout))


def test_a_release_keeps_what_has_changed_and_nothing_else(checkout: Path) -> None:
    for before in compatible.releases(checkout):  # without what was added since the last one
        for kind in ("schemas", "samples"):
            shutil.copytree(before / kind, checkout / compatible.EVENTS / kind, dirs_exist_ok=True)
    with pytest.raises(SystemExit, match="released already"):
        release(checkout)
    project = checkout / compatible.EVENTS / "pyproject.toml"
    project.write_text(project.read_text().replace('version = "0.1.0"', 'version = "99.0.0"'))
    schema = json.loads((checkout / compatible.EVENTS / "schemas" / QUALIFIED).read_text())
    new_field(schema, {"type": "string", "default": "good"}, required=False)
    (checkout / compatible.EVENTS / "schemas" / QUALIFIED).write_text(json.dumps(schema))
    folder = release(checkout)
    assert folder.name == "99.0.0"
    assert [path.name for path in sorted(folder.rglob("*.json"))] == ["catalog.json", QUALIFIED]
    assert released(checkout).schemas[QUALIFIED] == schema
    assert list(damaged(checkout)) == []
    taken_back = compatible.present(compatible.ROOT)
    assert [line.split(":")[0] for line in breaks(released(checkout), taken_back)] == [QUALIFIED]
