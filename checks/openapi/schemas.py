"""What breaks between two JSON Schemas of one place, as OpenAPI 3.1 writes them.

A request breaks if something that was accepted is refused now; an answer, if something may come now that could not
come before, or what was always there may be missing. Unknown fields in answers are to be ignored, so new ones are free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Schema = Mapping[str, Any]
Direction = Literal["request", "answer"]
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
SAME = ("pattern", "format", "uniqueItems", "multipleOf")


@dataclass
class Comparison:
    """Compares schemas of two documents; `old` and `new` are their `components.schemas`."""

    old: Mapping[str, Schema]
    new: Mapping[str, Schema]
    _within: set[tuple[str, str, str]] = field(default_factory=set)

    def breaks(self, was: Schema, is_now: Schema, direction: Direction, at: str) -> Iterator[str]:
        """One line for each break."""
        pair = was.get("$ref", ""), is_now.get("$ref", ""), direction
        if all(pair):
            if pair in self._within:
                return
            self._within.add(pair)
        try:
            before, after = _resolved(was, self.old), _resolved(is_now, self.new)
            yield from self._alternatives(before, after, direction, at)
        finally:
            if all(pair):
                self._within.discard(pair)

    def _alternatives(self, was: Schema, is_now: Schema, direction: Direction, at: str) -> Iterator[str]:
        """Each value that counts must find a place among the alternatives of the other side."""
        before, after = _branches(was), _branches(is_now)
        if len(before) == len(after) == 1:
            yield from self._plain(before[0], after[0], direction, at)
            return
        needing, offering = (before, after) if direction == "request" else (after, before)
        for one in needing:
            tried = []
            for other in offering:
                pair = (one, other) if direction == "request" else (other, one)
                tried.append(list(self.breaks(*pair, direction, at)))
            if all(tried):
                closest = min(tried, key=len, default=[])
                gone = "is no longer taken" if direction == "request" else "may come now"
                yield closest[0] if len(closest) == 1 else f"{at}: {_name(one)} {gone}"

    def _plain(self, was: Schema, is_now: Schema, direction: Direction, at: str) -> Iterator[str]:
        was, is_now = _merged(_resolved(was, self.old), self.old), _merged(_resolved(is_now, self.new), self.new)
        if len(_branches(was)) > 1 or len(_branches(is_now)) > 1:
            yield from self._alternatives(was, is_now, direction, at)
            return
        yield from _values(was, is_now, direction, at)
        yield from _bounds(was, is_now, direction, at)
        yield from self._members(was, is_now, direction, at)
        for name in ("items", "additionalProperties"):
            inner = was.get(name), is_now.get(name)
            if isinstance(inner[0], Mapping) and isinstance(inner[1], Mapping):
                yield from self.breaks(inner[0], inner[1], direction, f"{at}/{'*' if name == 'items' else '{}'}")

    def _members(self, was: Schema, is_now: Schema, direction: Direction, at: str) -> Iterator[str]:
        before, after = was.get("properties", {}), is_now.get("properties", {})
        needed, needs = set(was.get("required", ())), set(is_now.get("required", ()))
        closed = is_now.get("additionalProperties") is False
        if direction == "request":
            yield from (f"{at}/{name}: must be given now" for name in sorted(needs - needed))
            if closed and was.get("type") == "object":
                yield from (f"{at}/{name}: is no longer taken" for name in sorted(before.keys() - after.keys()))
                if was.get("additionalProperties", True) is not False:
                    yield f"{at}: takes no further fields any more"
        else:
            gone = before.keys() - after.keys()
            yield from (f"{at}/{name}: is gone from the answer" for name in sorted(gone))
            yield from (f"{at}/{name}: may be missing now" for name in sorted(needed - needs - gone))
        for name in sorted(before.keys() & after.keys()):
            yield from self.breaks(before[name], after[name], direction, f"{at}/{name}")


def _values(was: Schema, is_now: Schema, direction: Direction, at: str) -> Iterator[str]:
    """Types and lists of values: those of the narrower side must be among those of the wider one."""
    narrow, wide = (was, is_now) if direction == "request" else (is_now, was)
    kinds, allowed = _types(narrow), _types(wide)
    word = "is no longer taken" if direction == "request" else "may come now"
    if allowed and not kinds:
        yield f"{at}: anything {word}"
    yield from (f"{at}: {kind} {word}" for kind in sorted(kinds - allowed) if allowed and not _within(kind, allowed))
    values, known = _enum(narrow), _enum(wide)
    if known is not None:
        if values is None:
            yield f"{at}: other values than the listed ones: {word}"
        else:
            yield from (f"{at}: {value!r} {word}" for value in values if value not in known)


def _bounds(was: Schema, is_now: Schema, direction: Direction, at: str) -> Iterator[str]:
    """Bounds of what is sent may be widened only; what is answered keeps its form."""
    for name in SAME:
        before, after = was.get(name), is_now.get(name)
        if before != after and (after is not None if direction == "request" else before is not None):
            yield f"{at}: {name} was {before!r}, is {after!r}"
    if direction == "answer":
        return
    for name in (*UPPER, *LOWER):
        before, after = was.get(name), is_now.get(name)
        if after is None or (name in LOWER and after == 0):
            continue
        if before is None or (after < before if name in UPPER else after > before):
            yield f"{at}: {name} was {before!r}, is {after!r}"


def _within(kind: str, allowed: set[str]) -> bool:
    return kind == "integer" and "number" in allowed


def _types(schema: Schema) -> set[str]:
    kind = schema.get("type")
    if kind is None and ("const" in schema or "enum" in schema):
        return set()
    return set(kind) if isinstance(kind, list) else {kind} if kind is not None else set()


def _enum(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    found = schema.get("enum")
    return list(found) if found is not None else None


def _branches(schema: Schema) -> list[Schema]:
    """The alternatives of a schema; one, if there is no choice."""
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return list(schema[name])
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else [schema]


def _merged(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """All parts of an allOf in one."""
    if "allOf" not in schema:
        return schema
    whole: dict[str, Any] = {name: told for name, told in schema.items() if name != "allOf"}
    for part in schema["allOf"]:
        one = _merged(_resolved(part, schemas), schemas)
        properties = {**whole.get("properties", {}), **one.get("properties", {})}
        required = [*whole.get("required", ()), *one.get("required", ())]
        whole = {**whole, **one, "properties": properties, "required": required}
    return whole


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    return schemas[name] if name else schema


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "").rpartition("/")[2] or schema.get("type") or "a value")
