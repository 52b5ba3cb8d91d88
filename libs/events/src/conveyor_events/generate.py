"""Writes the JSON Schemas and docs/events.md from the catalog: `python -m conveyor_events.generate [--check]`."""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from conveyor_events.catalog import CATALOG, TOPICS, Entry, Topic
from conveyor_events.envelope import ATTRIBUTES, from_json
from conveyor_events.envelope import open as open_event

CHECKOUT = Path(__file__).parents[4]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Untitled(GenerateJsonSchema):
    """A field's title would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is pydantic's
        """Never."""
        return False


def name(entry: Entry, version: int) -> str:
    """The file name of one version of an event, such as leads.LeadQualified.v1.json."""
    return f"{entry.wire.removeprefix('conveyor.')}.v{version}.json"


def schema(entry: Entry) -> dict[str, Any]:
    """The JSON Schema 2020-12 of the event's data."""
    own = entry.model.model_json_schema(schema_generator=Untitled)
    return {
        "$schema": DIALECT,
        "$id": f"urn:{entry.wire.replace('.', ':')}:{entry.model.VERSION}",
        **own,
        "title": entry.wire,
        "description": meaning(entry.model),
    }


def meaning(model: type) -> str:
    """The docstring of a model in one line."""
    return " ".join((inspect.getdoc(model) or "").split())


def written() -> dict[str, str]:
    """Every generated file, by its path in the checkout."""
    files = {
        f"libs/events/schemas/{name(entry, entry.model.VERSION)}": json.dumps(schema(entry), indent=2) + "\n"
        for entry in CATALOG
    }
    return {**files, "docs/events.md": handbook()}


def differences(checkout: Path) -> Iterator[str]:
    """What in the checkout is not as the catalog wants it, one line each."""
    generated = written()
    for path, text in generated.items():
        file = checkout / path
        if not file.is_file():
            yield f"{path}: missing"
        elif file.read_text(encoding="utf-8") != text:
            yield f"{path}: differs"
    versions = {name(entry, version): entry for entry in CATALOG for version in range(1, entry.model.VERSION + 1)}
    for folder in ("libs/events/schemas", "libs/events/samples"):
        kept = {file.name for file in (checkout / folder).glob("*")}
        yield from (f"{folder}/{stray}: no such event in the catalog" for stray in sorted(kept - versions.keys()))
    for version, entry in versions.items():
        path = f"libs/events/schemas/{version}"
        if path not in generated and not (checkout / path).is_file():
            yield f"{path}: missing"
        yield from _sample(checkout, f"libs/events/samples/{version}", entry)


def _sample(checkout: Path, path: str, entry: Entry) -> Iterator[str]:
    if not (checkout / path).is_file():
        yield f"{path}: missing; samples are written by hand"
        return
    try:
        env = from_json(json.loads((checkout / path).read_text(encoding="utf-8")))
        open_event(env)
    except (ValueError, LookupError) as wrong:
        yield f"{path}: cannot be read: {' '.join(str(wrong).split())}"
        return
    if not path.endswith(f"/{name(entry, env.schema_version)}") or env.type != entry.wire:
        yield f"{path}: holds {env.type} version {env.schema_version}"


def handbook() -> str:
    """docs/events.md."""
    parts: dict[str, dict[str, Any]] = {}
    chapters = [chapter(topic, parts) for topic in TOPICS.values()]
    shared = "\n".join(
        f"### {part}\n\n{shape.get('description', '')}\n\n{table(shape)}" for part, shape in parts.items()
    )
    attributes = "\n".join(f"| `{attribute}` | {about} |" for attribute, about in ATTRIBUTES.items())
    return f"""<!-- Written by `python -m conveyor_events.generate`. Change the models, not this page. -->
# Events

Every public event, by topic: when it happens, what it carries. The promise: inside a topic version fields are only
added, unknown fields are to be ignored, lists of codes may grow, and every sample of every version stays readable.
The key of a record is its subject, so the events of one subject arrive in order; topics are not ordered among each
other. Names, phones and notes of people are never on a topic.

Schemas are in [`libs/events/schemas`](../libs/events/schemas), one sample of each event in
[`libs/events/samples`](../libs/events/samples).

## Envelope

CloudEvents 1.0. On Kafka in binary mode: each attribute is a header `ce_<name>`, the value is the data as JSON, the
header `content-type` is `application/json`. In the feed (`GET /v1/events`) the attributes are members of one object.

| attribute | meaning |
|---|---|
{attributes}

## Types

| type | on the wire |
|---|---|
| time | RFC 3339 in UTC with microseconds: `"2026-03-10T09:30:00.000000Z"` |
| date | `"2026-03-10"` |
| amount | a plain decimal **string**, `"1666.67"`; JSON numbers are refused; at most the minor units of its currency |

{"".join(chapters)}## Parts

What several events share.

{shared}"""


def chapter(topic: Topic, parts: dict[str, dict[str, Any]]) -> str:
    """One topic with its events; the shared parts they use are put into `parts`."""
    entries = [entry for entry in CATALOG if entry.topic == topic.name]
    sections = []
    for entry in entries:
        shape = schema(entry)
        for part, definition in shape.get("$defs", {}).items():
            parts.setdefault(part, definition)
        sections.append(
            f"### {entry.model.__name__}\n\n{shape['description']}\n\n"
            f"`{entry.wire}`, version {entry.model.VERSION}; the subject is the {entry.subject}. "
            f"[Sample](../libs/events/samples/{name(entry, entry.model.VERSION)})\n\n{table(shape)}\n"
        )
    head = f"## {topic.name}\n\n{topic.about} Published by {topic.publisher}, {topic.partitions} partitions.\n\n"
    return head + "".join(sections)


def table(shape: dict[str, Any]) -> str:
    """The fields of an object."""
    rows = []
    for field, about in shape.get("properties", {}).items():
        notes = [about["description"]] if "description" in about else []
        if about.get("default") is not None and not isinstance(about["default"], dict):
            notes.append(f"default {json.dumps(about['default'])}")
        rows.append(f"| `{field}` | {kind(about)} | {'; '.join(notes)} |\n")
    return "| field | type | meaning |\n|---|---|---|\n" + "".join(rows)


def kind(about: dict[str, Any]) -> str:
    """The type of a field in the words of the handbook."""
    match about:
        case {"$ref": str(ref)}:
            part = ref.rsplit("/", 1)[-1]
            return f"[{part}](#{part.lower()})"
        case {"anyOf": list(choices)}:
            return " or ".join(kind(choice) for choice in choices)
        case {"type": "array", "items": dict(items)}:
            return f"list of {kind(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"map to {kind(values)}"
        case {"type": "string", "format": "date-time"}:
            return "time"
        case {"type": "string", "format": str(form)}:
            return form
        case {"type": "string", "pattern": str(), "examples": list()}:
            return "amount"
        case {"type": str(plain)}:
            return plain
        case _:
            raise ValueError(f"no word for {about}")


def main(arguments: list[str] | None = None) -> int:
    """Writes the files, or with --check names those that are not up to date."""
    parser = argparse.ArgumentParser(prog="python -m conveyor_events.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file is not up to date")
    parser.add_argument("--checkout", type=Path, default=CHECKOUT, help="where the repository is")
    options = parser.parse_args(arguments)
    if not (options.checkout / "libs/events").is_dir():
        parser.error(f"{options.checkout} is not a checkout of the repository; say --checkout")
    if not options.check:
        for path, text in written().items():
            (options.checkout / path).parent.mkdir(parents=True, exist_ok=True)
            (options.checkout / path).write_text(text, encoding="utf-8")
    found = list(differences(options.checkout))
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
