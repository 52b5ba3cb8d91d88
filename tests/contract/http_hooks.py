"""For schemathesis: what it does not know by itself. Bulk doors take and give JSON lines, described line by line."""

from __future__ import annotations

import json
from typing import Any

import schemathesis

LINES = "application/x-ndjson"


@schemathesis.serializer(LINES)
def to_lines(_context: Any, value: Any) -> Any:
    """A document as the only line; what is already text goes as it is."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.deserializer(LINES)
def first_line(_context: Any, response: Any) -> Any:
    """The first line stands for all: each has the described shape."""
    return json.loads(response.content.partition(b"\n")[0] or b"null")
