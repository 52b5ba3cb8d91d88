"""Lists without pages: a door that answers with `items` takes `limit`, at most 200, and a place to go on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST = 200
FEW = {
    "/v1/self-tests": "the ten tests",
    "/v1/self-test-profile": "one row for each of the ten tests",
}
"""Lists that have an end by themselves."""


def unpaged(document: Mapping[str, Any]) -> Iterator[str]:
    """One line for each list of the document that can grow without end."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        told = methods.get("get")
        answer = _answer(told, schemas) if told is not None else {}
        if answer.get("items", {}).get("type") != "array" or path in FEW:
            continue
        asked = {one["name"]: one["schema"] for one in told.get("parameters", ())}
        if not 1 <= asked.get("limit", {}).get("maximum", 0) <= MOST:
            yield f"GET {path}: a list without a limit of at most {MOST}"
        if not asked.keys() & {"cursor", "after"} or "next" not in answer:
            yield f"GET {path}: a list that cannot be read to its end: it needs cursor and next"


def _answer(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of what is answered."""
    schema = told["responses"]["200"].get("content", {}).get("application/json", {}).get("schema", {})
    found = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    fields: Mapping[str, Any] = found.get("properties", {})
    return fields
