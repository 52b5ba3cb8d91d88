"""Writes what follows from the catalog and the samples: `python -m conveyor_events.generate [--check]`.

Schemas, docs/events.md, libs/events/asyncapi.json, the golden records, and the topics for Kubernetes.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conveyor_events.asyncapi import document
from conveyor_events.catalog import CATALOG, TOPICS, Entry, Topic, topic_of
from conveyor_events.envelope import ATTRIBUTES, Envelope, from_json
from conveyor_events.envelope import open as open_event
from conveyor_events.golden import as_text
from conveyor_events.manifest import manifest
from conveyor_events.schemas import name, schema

CHECKOUT = Path(__file__).parents[4]

SAMPLES = "libs/events/samples"
SCHEMAS = "libs/events/schemas"
GOLDEN = "libs/events/src/conveyor_events/golden"


def from_catalog() -> dict[str, str]:
    """Every file that follows from the models alone, by its path in the checkout."""
    files = {f"{SCHEMAS}/{name(entry, entry.model.VERSION)}": _text(schema(entry)) for entry in CATALOG}
    return {**files, "docs/events.md": handbook(), "deploy/k8s/components/strimzi/topics.yaml": manifest()}


def from_samples(checkout: Path) -> dict[str, str]:
    """Every file that shows events as they are on the wire."""
    samples = [_read(checkout, version) for version in versions()]
    files = {"libs/events/asyncapi.json": _text(document(samples))}
    for topic in TOPICS:
        records = [as_text(topic, env) for env in samples if topic_of(open_event(env)) == topic]
        files[f"{GOLDEN}/{topic}.json"] = _text(records)
    return files


def versions() -> dict[str, Entry]:
    """Every version of every event, by the name of its files; an event's oldest version first."""
    return {name(entry, version): entry for entry in CATALOG for version in range(1, entry.model.VERSION + 1)}


def _text(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _read(checkout: Path, version: str) -> Envelope:
    return from_json(json.loads((checkout / SAMPLES / version).read_text(encoding="utf-8")))


def differences(checkout: Path) -> Iterator[str]:
    """What in the checkout is not as the catalog wants it, one line each."""
    generated = from_catalog()
    yield from _differing(checkout, generated)
    known = versions()
    for folder in (SCHEMAS, SAMPLES):
        kept = {file.name for file in (checkout / folder).glob("*")}
        yield from (f"{folder}/{stray}: no such event in the catalog" for stray in sorted(kept - known.keys()))
    for version in known:
        path = f"{SCHEMAS}/{version}"
        if path not in generated and not (checkout / path).is_file():
            yield f"{path}: missing"
    unreadable = list(troubles(checkout))
    yield from unreadable or _differing(checkout, from_samples(checkout))


def _differing(checkout: Path, generated: dict[str, str]) -> Iterator[str]:
    for path, text in generated.items():
        file = checkout / path
        if not file.is_file():
            yield f"{path}: missing"
        elif file.read_text(encoding="utf-8") != text:
            yield f"{path}: differs"


def troubles(checkout: Path) -> Iterator[str]:
    """Samples that are missing, or that nobody can read."""
    for version, entry in versions().items():
        yield from _sample(checkout, f"{SAMPLES}/{version}", entry)


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
[`libs/events/samples`](../libs/events/samples), topics and messages for machines in
[AsyncAPI](../libs/events/asyncapi.json). How to consume them, in Python, JavaScript and a shell:
[consumers.md](consumers.md).

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
    ears = f"Heard by {', '.join(topic.subscribers)}." if topic.subscribers else "None of our services hears it."
    about = f"{topic.about} Published by {topic.publisher}, {topic.partitions} partitions. {ears}"
    head = f"## {topic.name}\n\n{about}\n\n"
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
        files = from_catalog()
        if not list(troubles(options.checkout)):
            files |= from_samples(options.checkout)
        for path, text in files.items():
            (options.checkout / path).parent.mkdir(parents=True, exist_ok=True)
            (options.checkout / path).write_text(text, encoding="utf-8")
    found = list(differences(options.checkout))
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
