"""The AsyncAPI document is one in the eyes of the AsyncAPI project's own parser; its examples are what it describes."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign import ran
from jsonschema import Draft7Validator, FormatChecker

from checks.node import node_program
from conveyor_events import CATALOG, TOPICS
from conveyor_events.generate import CHECKOUT

pytestmark = pytest.mark.contract

VALIDATE = (Path(__file__).parent / "validate_asyncapi.mjs").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = json.loads((CHECKOUT / "libs/events/asyncapi.json").read_text(encoding="utf-8"))
QUALIFIED = "leads.LeadQualified.v1"

Change = Callable[[dict[str, Any]], Any]


def changed(change: Change, document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    seeded = copy.deepcopy(document)
    change(seeded)
    return seeded


def small() -> dict[str, Any]:
    """The same with one topic only, which is quicker to look through."""
    document = copy.deepcopy(DOCUMENT)
    parts = document["components"]
    document["channels"] = {name: one for name, one in document["channels"].items() if ".leads." in name}
    document["operations"] = {name: one for name, one in document["operations"].items() if name.endswith(".leads")}
    parts["messages"] = {name: one for name, one in parts["messages"].items() if name.startswith("leads.")}
    return document


BROKEN: dict[str, Change] = {
    "a channel that is not there": lambda d: d["channels"].pop("conveyor.leads.v1"),
    "an operation that does neither": lambda d: d["operations"]["lead-gen.sends.leads"].update(action="gossip"),
    "no partitions": lambda d: d["channels"]["conveyor.leads.v1"]["bindings"]["kafka"].update(partitions=0),
    "a part that is not there": lambda d: d["components"]["schemas"].pop("Seat"),
}


def test_the_parser_of_asyncapi_finds_nothing_in_it_and_each_planted_fault(tmp_path: Path) -> None:
    documents = {"whole": DOCUMENT, "small": small()}
    documents |= {name: changed(change, small()) for name, change in BROKEN.items()}
    files = {name: tmp_path / f"{number}.json" for number, name in enumerate(documents)}
    for name, file in files.items():
        file.write_text(json.dumps(documents[name]))
    done = ran([*node_program(tmp_path, VALIDATE), *map(str, files.values())], os.environ)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said[str(files["whole"])] == {
        "findings": [],
        "version": "3.1.0",
        "channels": len(TOPICS),
        "messages": len(CATALOG),
    }
    assert said[str(files["small"])]["findings"] == []
    for name in BROKEN:
        assert said[str(files[name])]["findings"], name


# --- the examples, which that parser does not look into


def misfits(document: dict[str, Any]) -> Iterator[str]:
    """Where an example is not as its message describes it: headers (its own and those that all share) and data."""
    shared = document["components"]["messageTraits"]["cloudEvent"]["headers"]
    for name, message in document["components"]["messages"].items():
        (example,) = message["examples"]
        for part, shapes in (("headers", [shared, message["headers"]]), ("payload", [message["payload"]])):
            schema = {"allOf": shapes, "components": document["components"]}
            for wrong in Draft7Validator(schema, format_checker=FormatChecker()).iter_errors(example[part]):
                yield f"{name} {part}: {wrong.message}"


def example(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["messages"][QUALIFIED]["examples"][0]
    return found


MISFITS: dict[str, Change] = {
    "data of another type": lambda d: example(d)["payload"].update(attempt="first"),
    "a seat without a role": lambda d: example(d)["payload"]["sourced_by"].pop("role"),
    "a field that is missing": lambda d: example(d)["payload"].pop("team"),
    "a header that is missing": lambda d: example(d)["headers"].pop("ce_sequence"),
    "an id that is none": lambda d: example(d)["headers"].update(ce_id="the first"),
    "the header of another event": lambda d: example(d)["headers"].update(ce_type="conveyor.leads.LeadTasted"),
    "the header of another version": lambda d: example(d)["headers"].update(ce_schemaversion="2"),
}


def test_every_example_is_what_its_message_describes() -> None:
    assert list(misfits(DOCUMENT)) == []


@pytest.mark.parametrize("name", MISFITS)
def test_an_example_that_is_not_is_found(name: str) -> None:
    assert [line.split()[0] for line in misfits(changed(MISFITS[name]))] == [QUALIFIED]
