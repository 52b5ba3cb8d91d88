"""What bodies and answers of all doors share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Column, ColumnElement, Select, Table, select
from sqlalchemy.engine import RowMapping
from starlette.responses import Response

from belt.io.desk import Desk
from belt.io.headers import etag, json_response
from belt.io.paging import decode_cursor, page
from belt.io.unit import Entry

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217 code")]
Filter = Annotated[str | None, Query(max_length=100)]


class Holder(BaseModel):
    """A person in a role."""

    person: str
    role: str


class Holding(BaseModel):
    """A seat from an instant on, until the next one begins."""

    holder: Holder
    since: datetime


def shown(entry: Entry, document: dict[str, Any]) -> Response:
    """One stream as it stands, with its version as the ETag."""
    return json_response({**document, "version": entry.version}, headers={"etag": etag(entry.version)})


async def listed(
    desk: Desk,
    table: Table,
    key: Column[str],
    limit: int,
    cursor: str | None,
    filters: Sequence[tuple[Column[Any], str | None]],
    *always: ColumnElement[bool],
) -> Response:
    """A page of a read model in the order of its key."""
    wanted: Select[Any] = select(table).where(*always).order_by(key).limit(limit + 1)
    for column, value in filters:
        if value is not None:
            wanted = wanted.where(column == value)
    if cursor is not None:
        wanted = wanted.where(key > decode_cursor(cursor, str)[0])
    rows, following = page(await desk.rows(wanted), limit, lambda row: [row[key.name]])
    return json_response({"items": [_columns(row) for row in rows], "next": following})


def _columns(row: RowMapping) -> dict[str, Any]:
    """The row as it stands, without what concerns the store."""
    return {name: value for name, value in row.items() if name != "shape"}
