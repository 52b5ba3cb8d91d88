"""Lists by keyset: the cursor names the last row seen, so pages neither skip nor repeat while rows come and go."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any, TypeVar

from fastapi import Query

from belt.core.decider import Refused
from conveyor_events.words import parse_instant

MOST = 200
_VERSION = 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and halves of characters

Limit = Annotated[int, Query(ge=1, le=MOST, description="rows at most")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="`next` of the page before")]
Row = TypeVar("Row")
Part = str | int | None


def encode_cursor(*parts: Part) -> str:
    """An opaque text for the sort key of the last row."""
    text = json.dumps([_VERSION, *parts], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The parts again, each of its kind; anything else is refused."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, *parts = json.loads(raw.decode())
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise Refused("invalid-cursor") from None
    fits = len(parts) == len(kinds) and all(type(p) is kind for p, kind in zip(parts, kinds, strict=False))
    if version != _VERSION or not fits or not all(map(_storable, parts)):
        raise Refused("invalid-cursor")
    return tuple(parts)


def _storable(part: Part) -> bool:
    """Whether a database could hold it, and so could have given it out."""
    return not _UNSTORABLE.search(part) if isinstance(part, str) else part is None or abs(part) < 2**63


def instant_in(text: str) -> datetime:
    """An instant that a cursor named."""
    try:
        return parse_instant(text)
    except ValueError:
        raise Refused("invalid-cursor") from None


def page(rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Part]]) -> tuple[Sequence[Row], str | None]:
    """A page of `limit` rows and the cursor of the next. Ask the database for limit + 1."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_cursor(*key(rows[limit - 1]))


def cut(
    rows: Iterable[Row],
    limit: int,
    cursor: str | None,
    key: Callable[[Row], Sequence[Part]],
    *kinds: type,
    newest_first: bool = False,
) -> tuple[Sequence[Row], str | None]:
    """A page of rows that are all at hand, in the order of their keys, whose parts are of these kinds.

    Leave out first what the reader may not see: then neither the page nor its cursor tells that there is more.
    """
    seen = None if cursor is None else decode_cursor(cursor, *kinds)
    placed = sorted(((tuple(key(row)), row) for row in rows), key=itemgetter(0), reverse=newest_first)
    left = [row for place, row in placed if seen is None or (place < seen if newest_first else place > seen)]
    return page(left, limit, key)
