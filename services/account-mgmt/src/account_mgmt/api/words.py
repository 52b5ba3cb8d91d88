"""What bodies and answers of all doors share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Column, ColumnElement, Select, Table, and_, func, or_, select
from sqlalchemy.engine import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from belt.core.replacing import replace
from belt.io.http.desk import Desk
from belt.io.http.headers import etag, json_response
from belt.io.http.paging import decode_cursor, instant_in, page
from belt.io.store.unit import Entry
from conveyor_events.words import instant_text

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217 code")]
Filter = Annotated[str | None, Query(max_length=100)]
Counts = Annotated[dict[str, int] | None, Field(description="with `counts=true`: stage and how many")]


class Holder(BaseModel):
    """A person in a role."""

    person: str
    role: str


def shown(entry: Entry, document: dict[str, Any]) -> Response:
    """One stream as it stands, with its version as the ETag."""
    return json_response({**document, "version": entry.version}, headers={"etag": etag(entry.version)})


async def disclosed(desk: Desk, request: Request, entry: Entry, document: dict[str, Any], private: bool) -> Response:
    """One stream as it stands; that its sealed part was read is written down before it is answered."""
    if private:
        await desk.tell(request, "personal", document["client_id"])
    return shown(entry, document)


@dataclass(frozen=True)
class Listing:
    """A read model in the order of its key, or of an instant and then its key. Rows without the instant come last."""

    table: Table
    key: Column[str]
    by: Column[datetime] | None = None
    newest: bool = False
    where: tuple[ColumnElement[bool], ...] = ()

    def only(self, *conditions: ColumnElement[bool]) -> Listing:
        return replace(self, where=(*self.where, *conditions))

    def equal(self, *filters: tuple[Column[Any], str | None]) -> Listing:
        """Where the column is what was asked for, if anything was."""
        return self.only(*(column == value for column, value in filters if value is not None))

    async def answer(
        self, desk: Desk, limit: int, cursor: str | None, stage: tuple[Column[Any], str | None], counts: bool
    ) -> Response:
        """A page of the stage that is asked for; how many there are in each stage, if that is asked for as well."""
        rows, following = page(await desk.rows(self._page(limit, cursor, stage)), limit, self._place)
        answer: dict[str, Any] = {"items": [_columns(row) for row in rows], "next": following}
        if counts:
            column = stage[0]
            asked = select(column, func.count().label("number")).where(*self.where).group_by(column).order_by(column)
            answer["counts"] = {row[column.name]: row["number"] for row in await desk.rows(asked)}
        return json_response(answer)

    def _page(self, limit: int, cursor: str | None, stage: tuple[Column[Any], str | None]) -> Select[Any]:
        wanted = select(self.table).where(*self.equal(stage).where).limit(limit + 1)
        if self.by is None:
            wanted = wanted.order_by(self.key)
            return wanted if cursor is None else wanted.where(self.key > decode_cursor(cursor, str)[0])
        wanted = (
            wanted.order_by(self.by.desc().nulls_last(), self.key.desc())
            if self.newest
            else wanted.order_by(self.by.asc().nulls_last(), self.key)
        )
        return wanted if cursor is None else wanted.where(self._beyond(self.by, *decode_cursor(cursor, str, str)))

    def _beyond(self, by: Column[datetime], text: str, key: str) -> ColumnElement[bool]:
        """What comes after the last row that was seen."""
        later = self.key < key if self.newest else self.key > key
        if not text:
            return and_(by.is_(None), later)
        at = instant_in(text)
        return or_(by < at if self.newest else by > at, and_(by == at, later), by.is_(None))

    def _place(self, row: RowMapping) -> list[str]:
        if self.by is None:
            return [row[self.key.name]]
        at = row[self.by.name]
        return ["" if at is None else instant_text(at), row[self.key.name]]


def _columns(row: RowMapping) -> dict[str, Any]:
    """The row as it stands, without what concerns the store."""
    return {name: value for name, value in row.items() if name != "shape"}
