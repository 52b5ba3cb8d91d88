"""Requests that cannot be valid: each is made plausible first, by the description, and then gets one certain defect.

So nothing that is sent here may change anything, and every answer is known in kind: a refusal, or a page that was read.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from belt.io.http.paging import encode_cursor

JSON = "application/json"
BIG = 256 * 1024
LINES = "application/x-ndjson"
MOST_LINES = 10_000
BROKEN = (
    b"{\n",
    b"[]\n",
    b"null\n",
    b"7\n",
    b"\xff\n",
    b'{"a":NaN}\n',
    b"{}{}\n",
    b'"x"\n',
    b'{"":1}\n',
    b"[" * 50 + b"\n",
    b"\n",
)
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
SPECIAL = (
    "north",
    "ana",
    "x",
    "0",
    "-1",
    "null",
    "ä",
    "Ω" * 30,
    "a" * 5_000,
    "%2e%2e%2f",
    "%F0%9F%92%A9",
    "' or 1=1--",
)
PLACES: tuple[tuple[str | int | None, ...], ...] = (
    ("never", "x"),
    ("0001-01-01T00:00:00+01:00", "x"),
    ("x",),
    (9**30,),
    (-1,),
    (None, None),
)
"""Cursors that were never given out."""
KINDS: dict[str, Any] = {"object": {"$ne": 1}, "array": [[]], "integer": 7, "string": "x", "boolean": True}
Schema = Mapping[str, Any]


@dataclass
class Wanted:
    """A request, what is wrong with it, and which answers are right."""

    defect: str
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes | None
    right: frozenset[int]
    operation: Mapping[str, Any] | None
    refused_lines: bool = False
    """Answered with 200 and, line by line, nothing but refusals."""


@dataclass
class Operation:
    """One operation of a description."""

    method: str
    path: str
    told: Mapping[str, Any]
    schemas: Mapping[str, Any]
    verbs: frozenset[str]

    @property
    def body(self) -> Schema | None:
        """The schema of its JSON body, if it takes one."""
        content = self.told.get("requestBody", {}).get("content", {})
        return self.resolved(content[JSON]["schema"]) if JSON in content else None

    @property
    def versioned(self) -> bool:
        """Whether it knows If-Match."""
        return any(one["name"] == "If-Match" for one in self.told.get("parameters", ()))

    def resolved(self, schema: Schema) -> Schema:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.schemas[name] if name else schema


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Those that ask for a token: the others take nothing."""
    schemas = document["components"]["schemas"]
    return [
        Operation(verb.upper(), path, told, schemas, frozenset(name.upper() for name in methods))
        for path, methods in document["paths"].items()
        for verb, told in methods.items()
        if told["security"]
    ]


@dataclass
class Garbage:
    """Makes requests up, always the same ones for the same seed."""

    seed: int
    operations: Sequence[Operation]
    good: str
    unscoped: str
    forged: Mapping[str, str]
    _chance: random.Random = field(init=False)
    _bulk: Sequence[Operation] = field(init=False)
    _odd: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._bulk = [one for one in self.operations if one.path.endswith("/bulk")]
        self._kinds: list[tuple[int, Callable[[Operation], Wanted | None]]] = [
            (4, self._token),
            (1, self._scope),
            (6, self._text),
            (6, self._shape),
            (2, self._media),
            (1, self._size),
            (3, self._lines),
            (4, self._header),
            (3, self._method),
            (2, self._address),
            (4, self._looking),
        ]

    def requests(self, count: int) -> Iterator[Wanted]:
        """So many of them."""
        weights, kinds = zip(*self._kinds, strict=True)
        made = 0
        while made < count:
            kind = self._chance.choices(kinds, weights)[0]
            wanted = kind(self._chance.choice(self.operations))
            if wanted is not None:
                made += 1
                yield wanted

    # --- who asks

    def _token(self, operation: Operation) -> Wanted:
        name = self._chance.choice(sorted(self.forged))
        return self._wanted(
            operation, f"token: {name}", {401}, token=self.forged[name], body=self._plausible(operation)
        )

    def _scope(self, operation: Operation) -> Wanted:
        return self._wanted(operation, "no scope", {403}, token=self.unscoped, body=self._plausible(operation))

    # --- what is sent

    def _lines(self, _: Operation) -> Wanted | None:
        """At the bulk doors: too many, none, or what is no line. What can be read as lines is refused line by line."""
        if not self._bulk:
            return None
        operation = self._chance.choice(self._bulk)
        media, right, headers = LINES, {400}, list[tuple[str, str]]()
        texts: dict[str, bytes] = {
            "nothing": b"",
            "only empty lines": b"\n \n\t\n" * self._chance.randint(1, 3_000),
            "too many": b"{}\n" * (MOST_LINES + 1),
            "too many empty": b"\n" * (MOST_LINES + 1),
            "another media type": b"{}\n",
            "no media type": b"{}\n",
            "a long key": b"{}\n",
            "broken": b"".join(self._chance.choices(BROKEN, k=self._chance.randint(1, 40))),
            "a huge line": b'{"x":"' + b"a" * BIG + b'"}\n[]\n',
            "one document on many lines": b"{\n}\n",
            "carriage returns": b"[]\r[]\r[]",
        }
        defect = self._chance.choice(sorted(texts))
        match defect:
            case "too many" | "too many empty":
                right = {413}
            case "another media type":
                media, right = self._chance.choice(("text/plain", JSON, "multipart/form-data", "text/csv")), {415}
            case "no media type":
                media, right = "", {415}
            case "a long key":
                headers = [("Idempotency-Key", "k" * 252)]
            case "nothing" | "only empty lines":
                right = {400, 422}
            case _:
                right = {200}
        found = self._wanted(operation, f"lines: {defect}", right, body=texts[defect], media=media, more=headers)
        found.refused_lines = right == {200}
        return found

    def _text(self, operation: Operation) -> Wanted | None:
        """Bodies that are not JSON as it is taken here."""
        if operation.body is None:
            return None
        good = self._plausible(operation) or b"{}"
        name = self._first_name(operation)
        texts: dict[str, bytes] = {
            "cut off": good[:-1],
            "not UTF-8": b'{"%b": "\xff\xfe"}' % name,
            "NaN": b'{"%b": NaN}' % name,
            "infinite": b'{"%b": -1e999}' % name,
            "endless digits": b'{"%b": %b}' % (name, b"9" * self._chance.randint(4_400, 9_000)),
            "a name twice": b'{"%b": 1, "%b": 1}' % (name, name),
            "NUL": b'{"%b": "a\\u0000b"}' % name,
            "deep": b'{"%b": %b}' % (name, b"[" * 33 + b"]" * 33),
            "bottomless": (b"[" if self._chance.random() < 0.5 else b'{"a":') * self._chance.randint(1_000, 40_000),
            "two documents": good + good,
            "a comment": b"/* */" + good,
            "single quotes": b"{'%b': 1}" % name,
            "noise": b"\xff" + self._chance.randbytes(self._chance.randint(1, 400)),
        }
        defect = self._chance.choice(sorted(texts))
        return self._wanted(operation, f"text: {defect}", {400}, body=texts[defect])

    def _shape(self, operation: Operation) -> Wanted | None:
        """JSON that is no body of this operation."""
        schema = operation.body
        if schema is None:
            return None
        document = self._document(operation, schema)
        known, needed = schema.get("properties", {}), list(schema.get("required", ()))
        defects = ["not an object"]
        defects += ["an unknown field"] if schema.get("additionalProperties") is False else []
        wrong = {
            name: value for name in known if (value := self._wrong(operation, schema["properties"][name])) is not None
        }
        defects += ["a wrong type"] if wrong else []
        defects += ["a missing field"] if needed else []
        defect = self._chance.choice(defects)
        if defect == "not an object":
            return self._sent(operation, defect, self._chance.choice([[], [document], "x", 7, True, None, 1.5]))
        if defect == "an unknown field":
            return self._sent(
                operation, defect, document | {self._chance.choice(["stage", "role", "__proto__", ""]): 1}
            )
        if defect == "a missing field":
            gone = self._chance.choice(needed)
            return self._sent(operation, f"{defect}: {gone}", {k: v for k, v in document.items() if k != gone})
        name = self._chance.choice(sorted(wrong))
        return self._sent(operation, f"{defect}: {name}", document | {name: wrong[name]})

    def _sent(self, operation: Operation, defect: str, document: Any) -> Wanted:
        return self._wanted(operation, f"shape: {defect}", {422}, body=json.dumps(document).encode())

    def _media(self, operation: Operation) -> Wanted | None:
        if operation.body is None:
            return None
        kinds = [
            "text/plain",
            "application/xml",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "json",
            "",
        ]
        kind = self._chance.choice(kinds)
        body = self._plausible(operation) or b"{}"
        return self._wanted(operation, f"media: {kind}", {415}, body=body, media=kind)

    def _size(self, operation: Operation) -> Wanted | None:
        if operation.body is None:
            return None
        body = (self._plausible(operation) or b"{}") + b" " * BIG
        return self._wanted(operation, "too large", {413}, body=body)

    # --- how it is sent

    def _header(self, operation: Operation) -> Wanted | None:
        """Headers that are no key and no version; and a version that no stream has."""
        if operation.path == "/v1/events":
            given = self._chance.choice(["x", "-1", "9" * 20, "1.5", "0x10", "١"])
            stream = [("Accept", "text/event-stream"), ("Last-Event-ID", given)]
            return self._wanted(operation, f"Last-Event-ID: {given}", {422}, more=stream)
        if not operation.versioned:
            return None
        keys = ["k" * 256, '""', '"open', '"' + "k" * 256 + '"', "kä"]
        headers: list[tuple[list[tuple[str, str]], set[int]]] = [
            ([("Idempotency-Key", self._chance.choice(keys))], {400}),
            ([("Idempotency-Key", "one"), ("Idempotency-Key", "two")], {400}),
            ([("If-Match", self._chance.choice(["12", "latest", '"1", "2"', '"', "W/12"]))], {400}),
            ([("If-Match", self._chance.choice(['"999999999999999999"', 'W/"1"', '"abc"']))], {412}),
        ]
        given_headers, right = self._chance.choice(headers)
        # What the operation itself finds wrong may come first: then that is the answer.
        return self._wanted(
            operation,
            f"header: {given_headers}"[:90],
            right | {400, 403, 404, 409, 422},
            more=given_headers,
            body=self._plausible(operation),
        )

    def _method(self, operation: Operation) -> Wanted:
        verb = self._chance.choice([one for one in VERBS if one not in operation.verbs])
        path = self._path(operation)
        found = self._wanted(operation, f"method: {verb}", {404, 405}, body=self._plausible(operation), path=path)
        found.method, found.operation = verb, None
        return found

    def _address(self, operation: Operation) -> Wanted:
        """Addresses with what no address has, and those that nobody lives at."""
        bad = self._chance.choice(["%00", "%01", "%0a", "%7f", "%ff", "%ed%a0%80", "%c0%ae"])
        path = self._path(operation)
        nowhere = ["/v1", "/v2" + path[3:], path + "/", path + "/x/y/z", "//" + path, "/admin", "/v1/../../etc/passwd"]
        if "{" in operation.path and self._chance.random() < 0.6:
            path = re.sub(r"\{\w+\}", lambda _: f"a{bad}", operation.path, count=1)
            path = re.sub(r"\{\w+\}", "x", path)
        else:
            path = self._chance.choice(nowhere)
        found = self._wanted(operation, f"address: {path}"[:90], {404}, body=self._plausible(operation), path=path)
        found.operation = None
        return found

    def _looking(self, operation: Operation) -> Wanted | None:
        """Questions with nonsense in them: whatever is answered, nobody is told of a fault of ours."""
        if operation.method != "GET" or "event-stream" in json.dumps(operation.told["responses"]["200"]):
            return None
        asked = [one["name"] for one in operation.told.get("parameters", ()) if one["in"] == "query"]
        values = [
            "",
            "0",
            "-1",
            "201",
            "1e9",
            "9" * 30,
            "null",
            "[]",
            "%00",
            "%ff",
            "ä",
            "a" * 900,
            "1;drop",
            "true",
            "😀",
        ]
        values += [encode_cursor(*place) for place in PLACES]
        names = self._chance.choices([*asked, "limit", "cursor", "zz", "limit[]", ""], k=self._chance.randint(1, 4))
        query = "&".join(f"{quote(name)}={_encoded(self._chance.choice(values))}" for name in names)
        path = f"{self._path(operation)}?{query}"
        # A question about nothing is answered with a list of nothing, and what is not asked for is passed over.
        return self._wanted(operation, f"looking: {query}"[:90], {200, 403, 404, 409, 422}, path=path)

    # --- what is plausible

    def _wanted(
        self,
        operation: Operation,
        defect: str,
        right: set[int],
        *,
        token: str | None = None,
        body: bytes | None = None,
        media: str = JSON,
        more: Sequence[tuple[str, str]] = (),
        path: str | None = None,
    ) -> Wanted:
        authorization = f"Bearer {self.good}" if token is None else token
        headers = [("Authorization", authorization)] if authorization.strip() else []
        if body is not None and media:
            headers.append(("Content-Type", media))
        address = self._path(operation) if path is None else path
        if path is None and self._odd:  # then the address may be what is refused first
            right = right | {404, 405, 422}
        return Wanted(defect, operation.method, address, [*headers, *more], body, frozenset(right), operation.told)

    def _path(self, operation: Operation) -> str:
        parts: dict[str, Schema] = {
            one["name"]: one["schema"] for one in operation.told.get("parameters", ()) if one["in"] == "path"
        }
        self._odd = False
        return re.sub(r"\{(\w+)\}", lambda found: self._part(parts[found[1]]), operation.path)

    def _part(self, schema: Schema) -> str:
        if schema.get("type") == "integer":
            self._odd = True
            return str(self._chance.choice([0, 1, 2, 2**63, -5]))
        if self._chance.random() < 0.8:
            return "north-client-1"
        self._odd = True
        return _encoded(self._chance.choice(SPECIAL))

    def _plausible(self, operation: Operation) -> bytes | None:
        schema = operation.body
        return None if schema is None else json.dumps(self._document(operation, schema)).encode()

    def _document(self, operation: Operation, schema: Schema) -> dict[str, Any]:
        found = schema.get("examples")
        if found:
            return dict(found[0])
        needed = schema.get("required", ())
        return {name: self._value(operation, schema["properties"][name]) for name in needed}

    def _value(self, operation: Operation, schema: Schema) -> Any:
        """Something of the right kind; the certain defect is put in elsewhere."""
        schema = operation.resolved(schema)
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        for one in schema.get("anyOf", ()):
            return self._value(operation, one)
        match schema.get("type"):
            case "integer":
                return schema.get("minimum", 1)
            case "boolean":
                return True
            case "array":
                return [self._value(operation, schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
            case "object":
                return self._document(operation, schema)
            case _:
                dates = {"date-time": "2026-03-02T10:00:00Z", "date": "2026-03-02"}
                return dates.get(schema.get("format", ""), "1" if "pattern" in schema else "word")

    def _wrong(self, operation: Operation, schema: Schema) -> Any:
        """Of a type that no alternative of the field has; None if there is no such type."""
        kinds = self._types(operation, schema)
        others = [value for kind, value in KINDS.items() if kind not in kinds]
        return self._chance.choice(others) if others and kinds and "any" not in kinds else None

    def _types(self, operation: Operation, schema: Schema) -> set[str]:
        schema = operation.resolved(schema)
        if "anyOf" in schema:
            return {kind for one in schema["anyOf"] for kind in self._types(operation, one)}
        kind = schema.get("type", "any")
        return {kind, "integer"} if kind == "number" else {kind}

    def _first_name(self, operation: Operation) -> bytes:
        return str(next(iter((operation.body or {}).get("properties", {})), "x")).encode()


def _encoded(text: str) -> str:
    return text if text.startswith("%") else quote(text, safe="")
