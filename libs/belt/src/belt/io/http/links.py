"""Where to go next: links (OpenAPI) from an operation whose answer names ids to those whose paths ask for them.

An operation is linked if its path's parts are all known: from the path before, or as `<part>` or `<part>_id` in the
answer. Commands link by their reply, lists by their first item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

PART = re.compile(r"\{(\w+)\}")
Operations = list[tuple[str, str, dict[str, Any]]]


def linked(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its links."""
    operations = [(path, verb, told) for path, methods in document["paths"].items() for verb, told in methods.items()]
    schemas = document["components"]["schemas"]
    for path, verb, told in operations:
        for status, response in told["responses"].items():
            schema = response.get("content", {}).get("application/json", {}).get("schema")
            if not status.startswith("2") or schema is None or (status == "200" and "201" in told["responses"]):
                continue
            ids = _ids(_resolved(schema, schemas), schemas, first=verb == "get")
            found = dict(_links(path, verb, ids, operations))
            if found:
                response["links"] = found
    return document


def _links(
    path: str, verb: str, ids: Mapping[str, str], operations: Operations
) -> Iterator[tuple[str, dict[str, Any]]]:
    own = set(PART.findall(path))
    for other, method, told in operations:
        parts = PART.findall(other)
        below = other.startswith(f"{path}/{{")
        given = {part: f"$request.path.{part}" if part in own else _known(part, ids, below=below) for part in parts}
        if (other, method) == (path, verb) or own.issuperset(parts) or not all(given.values()):
            continue
        yield told["operationId"], {"operationId": told["operationId"], "parameters": given}


def _known(part: str, ids: Mapping[str, str], *, below: bool) -> str | None:
    """Where the answer has this part; a plain `id` speaks of the addresses just below."""
    return ids.get(part) or ids.get(f"{part}_id") or (ids.get("id") if below else None)


def _ids(shape: Mapping[str, Any], schemas: Mapping[str, Any], *, first: bool) -> dict[str, str]:
    """Names of texts in an answer, or in the first item of its list, with where each stands."""
    if not first:
        return {name: f"$response.body#/{name}" for name in _texts(shape, schemas)}
    rows = shape.get("properties", {}).get("items", {}).get("items", {})
    return {name: f"$response.body#/items/0/{name}" for name in _texts(_resolved(rows, schemas), schemas)}


def _texts(shape: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    for name, told in shape.get("properties", {}).items():
        kinds = [_resolved(one, schemas) for one in told.get("anyOf", [told])]
        if any(kind.get("type") in ("string", "integer") and "enum" not in kind for kind in kinds):
            yield name


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return schemas[name] if name else schema
