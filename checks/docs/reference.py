"""docs/api/<service>.md: every door of a service, what it takes and answers; its OpenAPI for people to read."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from checks.docs.apps import app, services
from conveyor_events.catalog import CATALOG, TOPICS

HEAD = """\
# API: {name}

{about}

What every service has in common is told once: which [errors](../errors.md) there are, what opens which door
([roles](../roles.md), [scopes](../services.md#scopes)), how [events](../events.md) are read. The same as here for
machines: [OpenAPI](../openapi/{name}.json).

"""
SHAPES = """\
## Shapes

Bodies and replies, by name. Unknown members of a body are refused; a reply may gain members.

"""
PROBLEMS = """\
## Problems

What a door can answer instead: a document whose `code` says which of these it is. All of them with their meaning are in
[errors](../errors.md).

"""
METHODS = ("get", "post", "put", "delete")


def page(name: str) -> str:
    """One service."""
    document = app(name).openapi()
    doors: dict[str, list[str]] = defaultdict(list)
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                doors[item[method]["tags"][0]].append(_door(method, path, item[method]))
    text = HEAD.format(name=name, about=document["info"]["description"])
    text += _tells(name)
    for tag in document["tags"]:
        text += f"## {tag['name'].capitalize()}\n\n{tag['description']}\n\n" + "".join(doors[tag["name"]])
    text += SHAPES + "".join(_shape(each, document) for each in sorted(_used(document)))
    text += PROBLEMS + "".join(_problem(each) for _, each in _problems(document))
    return text.rstrip() + "\n"


def twice(text: str) -> set[str]:
    """Headings of a page that stand in it more than once: a link could mean either."""
    counted = Counter(anchor(title) for title in re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE))
    return {title for title, count in counted.items() if count > 1}


def anchor(title: str) -> str:
    """How a heading is linked to."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _tells(name: str) -> str:
    """The events it publishes, each linked where its name alone says which."""
    counted = Counter(entry.model.__name__ for entry in CATALOG)
    text = "".join(
        f"* `{topic.name}`: {', '.join(_event(entry.model.__name__, topic.name, counted) for entry in entries)}\n"
        for topic in TOPICS.values()
        if topic.publisher == name and (entries := [entry for entry in CATALOG if entry.topic == topic.name])
    )
    heard = next(service.topics for service in services() if service.name == name)
    listens = ", ".join(f"[`{topic}`](../events.md#{anchor(topic)})" for topic in heard) or "nothing"
    return f"Commands at these doors are told to the others as events:\n\n{text}\nIt listens to {listens}.\n\n"


def _event(event: str, topic: str, counted: Mapping[str, int]) -> str:
    return f"[{event}](../events.md#{anchor(event if counted[event] == 1 else topic)})"


def _door(method: str, path: str, door: Mapping[str, Any]) -> str:
    text = f"### `{method.upper()} {path}`\n\n{door['description']}\n\n{_opens(door)}\n\n"
    asked = [one for one in door.get("parameters", []) if one["in"] in ("path", "query")]
    headers = [f"`{one['name']}`" for one in door.get("parameters", []) if one["in"] == "header"]
    if asked:
        text += "| in | name | what | |\n|---|---|---|---|\n"
        text += "".join(
            f"| {one['in']} | `{one['name']}`{' (needed)' if one['required'] and one['in'] != 'path' else ''} "
            f"| {_kind(one['schema'])} | {_cell('' if one['in'] == 'path' else _told(one) or _told(one['schema']))} |\n"
            for one in asked
        )
        text += "\n"
    if headers:
        text += f"Headers: {', '.join(headers)}.\n\n"
    if "requestBody" in door:
        text += f"Takes {_contents(door['requestBody'])}.\n\n"
    return text + _answers(door) + "\n"


def _opens(door: Mapping[str, Any]) -> str:
    ways = [" and ".join(f"`{scope}`" for scope in way["bearer"]) for way in door.get("security", [])]
    if not ways:
        return "Any valid token opens it." if "401" in door["responses"] else "Open to all."
    return f"Opened by {' or '.join(ways)}."


def _answers(door: Mapping[str, Any]) -> str:
    text, problems = "", []
    for status, answer in door["responses"].items():
        if "$ref" in answer:
            problems.append(f"[{status}](#{status})")
            continue
        told = f": {_contents(answer)}" if answer.get("content") else ""
        text += f"* **{status}** {answer['description']}{told}\n"
    return text + (f"* Problems: {', '.join(problems)}\n" if problems else "")


def _contents(part: Mapping[str, Any]) -> str:
    kinds = []
    for media, content in part.get("content", {}).items():
        schema = content.get("schema", {})
        shown = _kind(schema) if schema else "text"
        kinds.append(shown if media == "application/json" else f"{shown} as `{media}`")
    return " or ".join(dict.fromkeys(kinds)) + (f" ({part['description']})" if "content" in part and "required" in part
                                                and part.get("description") else "")  # fmt: skip


def _shape(name: str, document: Mapping[str, Any]) -> str:
    schema = document["components"]["schemas"][name]
    text = f"### {name}\n\n" + (f"{schema['description']}\n\n" if schema.get("description") else "")
    if "properties" not in schema:
        return text + f"{_kind(schema)}\n\n"
    text += "| field | what | |\n|---|---|---|\n"
    needed = set(schema.get("required", ()))
    for field, told in schema["properties"].items():
        must = " (needed)" if field in needed and name.endswith("Body") else ""
        text += f"| `{field}`{must} | {_kind(told)} | {_cell(_told(told))} |\n"
    return text + "\n"


def _told(schema: Mapping[str, Any]) -> str:
    """What is said of a value, where it stands or in the one kind that it has besides nothing."""
    if schema.get("description"):
        return str(schema["description"])
    return next((str(one["description"]) for one in schema.get("anyOf", ()) if one.get("description")), "")


def _kind(schema: Mapping[str, Any]) -> str:
    """A value in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema or "oneOf" in schema:
        kinds = [_kind(one) for one in schema.get("anyOf", schema.get("oneOf", ()))]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "nothing")) + (
            ", or nothing" if "nothing" in kinds else ""
        )
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema.get('items', {}))}" + _most(schema, "maxItems")
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"by name: {_kind(schema['additionalProperties'])}"
        case "null":
            return "nothing"
        case "string":
            return {"date-time": "instant", "date": "day", "uuid": "UUID"}.get(schema.get("format", ""), "text")
        case "integer" | "number" as kind:
            least, most = schema.get("minimum"), schema.get("maximum")
            bounds = f" {least} to {most}" if least is not None and most is not None else ""
            return ("whole number" if kind == "integer" else "number") + bounds
        case "boolean":
            return "yes or no"
        case "object":
            return "object"
        case _:
            return "anything"


def _most(schema: Mapping[str, Any], name: str) -> str:
    return f", at most {schema[name]}" if name in schema else ""


def _used(document: Mapping[str, Any]) -> set[str]:
    """The shapes that doors name, and those that these name."""
    found: set[str] = set()
    waiting = set(_named(document["paths"]))
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(_named(document["components"]["schemas"][name])) - found
    return found - {"Problem"}


def _named(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if str(part.get("$ref", "")).startswith("#/components/schemas/"):
            yield part["$ref"].rpartition("/")[2]
        for one in part.values():
            yield from _named(one)
    elif isinstance(part, list):
        for one in part:
            yield from _named(one)


def _problems(document: Mapping[str, Any]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """The problems of this service, by status."""
    found = document["components"]["responses"].values()
    return sorted(((_status(one), one) for one in found), key=lambda pair: pair[0])


def _problem(answer: Mapping[str, Any]) -> str:
    meant, _, codes = answer["description"].partition(". Codes: ")
    return f"### {_status(answer)}\n\n{meant}: {codes}\n\n"


def _status(answer: Mapping[str, Any]) -> int:
    (content,) = answer["content"].values()
    return int(content["schema"]["allOf"][1]["properties"]["status"]["const"])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
