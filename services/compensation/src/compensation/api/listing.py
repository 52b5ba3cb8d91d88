"""Lists out of one table, page after page, without the rows that their reader may not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, literal, tuple_
from sqlalchemy.engine import RowMapping

from belt.io.http.desk import Desk
from belt.io.http.paging import decode_cursor, instant_in, page
from conveyor_events.words import instant_text

AT_ONCE = 500
Place = tuple[Any, ...]


@dataclass(frozen=True)
class Listing:
    """What is wanted, by columns that together are unique: texts, and instants."""

    wanted: Select[Any]
    by: tuple[Column[Any], ...]
    newest_first: bool = False

    async def page(
        self, desk: Desk, limit: int, cursor: str | None, sees: Callable[[RowMapping], bool] | None = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """A page of what may be seen, and its `next`. Both are the same whether there are hidden rows or not."""
        found: list[RowMapping] = []
        after = None if cursor is None else self._place(cursor)
        size = limit + 1 if sees is None else AT_ONCE
        while len(found) <= limit:
            rows = await desk.rows(self._beyond(after).limit(size))
            found += [row for row in rows if sees is None or sees(row)]
            if len(rows) < size:
                break
            after = tuple(rows[-1][column.name] for column in self.by)
        shown, following = page(found, limit, self._cursor)
        return [
            {name: value for name, value in row.items() if name not in ("version", "shape")} for row in shown
        ], following

    def _beyond(self, after: Place | None) -> Select[Any]:
        """What comes after a place."""
        ordered = self.wanted.order_by(*(column.desc() if self.newest_first else column for column in self.by))
        if after is None:
            return ordered
        here = tuple_(*self.by)
        there = tuple_(*(literal(value, column.type) for value, column in zip(after, self.by, strict=True)))
        return ordered.where(here < there if self.newest_first else here > there)

    def _cursor(self, row: RowMapping) -> list[str]:
        values = [row[column.name] for column in self.by]
        return [instant_text(value) if isinstance(value, datetime) else value for value in values]

    def _place(self, cursor: str) -> Place:
        texts = decode_cursor(cursor, *(str for _ in self.by))
        return tuple(
            instant_in(text) if column.type.python_type is datetime else text
            for text, column in zip(texts, self.by, strict=True)
        )
