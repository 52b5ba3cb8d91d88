"""Inside a version of an event only additions: the published language is held against its last release.

`python -m checks.compatible` names each break. `python -m checks.compatible --release` keeps the present language as
`libs/events/released/<version of conveyor-events>/`: what is new or has changed since the release before, and the whole
catalog. Nobody edits those folders afterwards; every sample in them stays readable for ever.

Two questions, both put to jsoncompat, which compares sets of documents. Schemas on paper are open, and a field with a
default may be absent, so each is first made into what it means in that question:

* Does a reader of the release accept what is written now? Such a reader relies on every field that it knows, since all
  are always written; what is written now has the fields of the present schema and no others.
* Does present code read what was written? That had the fields of its own schema and no others, perhaps not all.

jsoncompat looks at neither formats, patterns nor defaults; those must be as they were.
"""

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsoncompat import check_compat
from packaging.version import Version

from conveyor_events import CATALOG, TOPICS, from_json
from conveyor_events import open as open_event

ROOT = Path(__file__).parent.parent
EVENTS = "libs/events"
RELEASED = f"{EVENTS}/released"
KINDS = ("schemas", "samples")
BLIND = ("format", "pattern")

Schema = dict[str, Any]


@dataclass(frozen=True)
class Language:
    """What others rely on: topics and events with what must never change about them, and a schema a version."""

    topics: dict[str, dict[str, Any]]
    events: dict[str, dict[str, Any]]
    schemas: dict[str, Schema]


def breaks(old: Language, new: Language) -> Iterator[str]:
    """What somebody who relies on the old one would stumble over in the new one."""
    for about, before, after in (("topic", old.topics, new.topics), ("event", old.events, new.events)):
        for name, facts in before.items():
            if name not in after:
                yield f"{name}: the {about} is gone"
                continue
            for fact, was in facts.items():
                now = after[name][fact]
                if now != was and not (fact == "version" and now > was):
                    yield f"{name}: its {fact} was {was} and is {now}"
    for name, schema in old.schemas.items():
        if name in new.schemas:
            yield from (f"{name}: {trouble}" for trouble in _schema_breaks(schema, new.schemas[name]))
        else:
            yield f"{name}: the schema is gone"


def _schema_breaks(old: Schema, new: Schema) -> Iterator[str]:
    if not _old_readers_accept(old, new):
        yield f"a reader of the release may refuse what is written now{_where(old, new, _old_readers_accept)}"
    if not _new_readers_accept(old, new):
        yield f"present code may refuse what the release wrote{_where(old, new, _new_readers_accept)}"
    yield from _unjudged(old, new, "")


def _old_readers_accept(old: Schema, new: Schema) -> bool:
    return check_compat(json.dumps(_full(old)), json.dumps(_closed(_full(new))), "serializer")


def _new_readers_accept(old: Schema, new: Schema) -> bool:
    return check_compat(json.dumps(_closed(old)), json.dumps(_plain(new)), "deserializer")


def _plain(schema: Schema) -> Schema:
    """Without its name, which is no part of its shape and which jsoncompat takes for an address."""
    return {keyword: value for keyword, value in schema.items() if keyword != "$id"}


def _full(schema: Schema) -> Schema:
    """Every field of every object is there."""
    full: Schema = _each_object(_plain(schema), lambda shape: {"required": list(shape["properties"])})
    return full


def _closed(schema: Schema) -> Schema:
    """No object has a field that is not named."""
    closed: Schema = _each_object(_plain(schema), lambda _: {"additionalProperties": False})
    return closed


def _each_object(shape: Any, more: Any) -> Any:
    if isinstance(shape, list):
        return [_each_object(one, more) for one in shape]
    if not isinstance(shape, dict):
        return shape
    inner = {keyword: _each_object(value, more) for keyword, value in shape.items()}
    return inner | more(inner) if inner.get("type") == "object" and "properties" in inner else inner


def _where(old: Schema, new: Schema, accepts: Any) -> str:
    """The fields that are to blame, each looked at alone."""
    fields = dict.fromkeys([*old["properties"], *new["properties"]])
    blamed = [field for field in fields if not accepts(_only(old, field), _only(new, field))]
    return f" ({', '.join(blamed)})" if blamed else ""


def _only(schema: Schema, field: str) -> Schema:
    properties = {name: shape for name, shape in schema["properties"].items() if name == field}
    required = [name for name in schema.get("required", []) if name == field]
    return schema | {"properties": properties, "required": required}


def _unjudged(old: Any, new: Any, path: str) -> Iterator[str]:
    """Formats, patterns and defaults that are not what they were, wherever both schemas have the place."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return
    for keyword in BLIND:
        if old.get(keyword) != new.get(keyword):
            yield f"the {keyword} of {path} was {old.get(keyword)} and is {new.get(keyword)}"
    if "default" in old and "default" in new and old["default"] != new["default"]:
        yield f"the default of {path} was {old['default']} and is {new['default']}: older records would change"
    for places in ("properties", "$defs"):
        for name, shape in old.get(places, {}).items():
            yield from _unjudged(shape, new.get(places, {}).get(name), f"{path}.{name}".lstrip("."))
    for place in ("items", "additionalProperties"):
        yield from _unjudged(old.get(place), new.get(place), path)
    for before, after in zip(old.get("anyOf", ()), new.get("anyOf", ()), strict=False):
        yield from _unjudged(before, after, path)


def present(root: Path) -> Language:
    """The language as the catalog and the committed schemas say it."""
    return Language(
        topics={
            topic.name: {"publisher": topic.publisher, "partitions": topic.partitions} for topic in TOPICS.values()
        },
        events={
            entry.wire: {"topic": entry.topic, "subject": entry.subject, "version": entry.model.VERSION}
            for entry in CATALOG
        },
        schemas={path.name: json.loads(path.read_text()) for path in (root / EVENTS / "schemas").glob("*.json")},
    )


def releases(root: Path) -> list[Path]:
    """The folders of all releases, the first one first."""
    return sorted((root / RELEASED).iterdir(), key=lambda folder: Version(folder.name))


def released(root: Path) -> Language:
    """The language of the last release: its catalog, and of each schema the latest that was kept."""
    schemas = {
        path.name: json.loads(path.read_text())
        for folder in releases(root)
        for path in sorted((folder / "schemas").glob("*.json"))
    }
    catalog = json.loads((releases(root)[-1] / "catalog.json").read_text())
    return Language(catalog["topics"], catalog["events"], schemas)


def damaged(root: Path) -> Iterator[str]:
    """Kept files that are not as they were kept, and kept samples that present code cannot read."""
    for folder in releases(root):
        kept = json.loads((folder / "catalog.json").read_text())["files"]
        there = {f"{kind}/{path.name}": path for kind in KINDS for path in sorted((folder / kind).glob("*"))}
        for name in sorted(kept.keys() | there.keys()):
            if name not in there or _digest(there[name]) != kept.get(name):
                yield f"{RELEASED}/{folder.name}/{name}: not as it was released"
        for name, path in there.items():
            if name.startswith("samples/"):
                yield from (f"{RELEASED}/{folder.name}/{name}: {trouble}" for trouble in _unreadable(path))


def _unreadable(sample: Path) -> Iterator[str]:
    try:
        open_event(from_json(json.loads(sample.read_text(encoding="utf-8"))))
    except (ValueError, LookupError) as wrong:
        yield f"cannot be read any more: {' '.join(str(wrong).split())}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def release(root: Path) -> Path:
    """Keeps the present language under the version that conveyor-events has now."""
    version: str = tomllib.loads((root / EVENTS / "pyproject.toml").read_text())["project"]["version"]
    folder = root / RELEASED / version
    if any(Version(version) <= Version(earlier.name) for earlier in releases(root)):
        raise SystemExit(f"{version} is released already; raise the version of {EVENTS}/pyproject.toml")
    kept = {
        (kind, path.name): path for earlier in releases(root) for kind in KINDS for path in (earlier / kind).glob("*")
    }
    files = {}
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for path in sorted((root / EVENTS / kind).glob("*.json")):
            before = kept.get((kind, path.name))
            if before is None or before.read_bytes() != path.read_bytes():
                (folder / kind / path.name).write_bytes(path.read_bytes())
                files[f"{kind}/{path.name}"] = _digest(path)
    now = present(root)
    catalog = {"topics": now.topics, "events": now.events, "files": files}
    (folder / "catalog.json").write_text(json.dumps(catalog, indent=2) + "\n")
    return folder


def main(arguments: list[str]) -> int:
    """Exit code 1 if anything breaks; each break on a line of its own."""
    parser = argparse.ArgumentParser(prog="python -m checks.compatible")
    parser.add_argument("--release", action="store_true", help="keep the present language as that of a release")
    options = parser.parse_args(arguments)
    found = [*breaks(released(ROOT), present(ROOT)), *damaged(ROOT)]
    print("\n".join(found))
    if found:
        return 1
    if options.release:
        print(f"kept: {release(ROOT).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
