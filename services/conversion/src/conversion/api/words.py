"""What bodies and answers of all doors share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Column, ColumnElement, Select, Table, func, select
from sqlalchemy.engine import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from belt.io.http.body import GivenId, Strict
from belt.io.http.desk import Desk
from belt.io.http.headers import etag, json_response
from belt.io.http.paging import decode_cursor, page
from belt.io.store.unit import Entry
from conversion.deal.terms import NOTHING, Instalment, Line
from conveyor_events.money import Amount

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217 code")]
Filter = Annotated[str | None, Query(max_length=100)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Item = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,99}$")]
"""A word, never a sentence: it travels on the topic, where nothing personal may stand."""


class Holder(BaseModel):
    """A person in a role."""

    person: str
    role: str


class LineBody(Strict):
    """A position. Its net is quantity x price less the discount, rounded once."""

    sku: Item
    qty: Annotated[Amount, Field(gt=0)]
    unit_price: Annotated[Amount, Field(ge=0)]
    discount_pct: Annotated[Amount, Field(ge=0, le=100)] = NOTHING

    def line(self) -> Line:
        return Line(self.sku, self.qty, self.unit_price, self.discount_pct)


class InstalmentBody(Strict):
    due_on: date
    amount: Annotated[Amount, Field(gt=0, description="tax included")]

    def instalment(self) -> Instalment:
        return Instalment(self.due_on, self.amount)


class SplitBody(Strict):
    person: GivenId
    weight: Annotated[Amount, Field(gt=0, description="relative to the other parts")]


class LineTold(BaseModel):
    sku: str
    qty: Amount
    unit_price: Amount
    discount_pct: Amount


class InstalmentTold(BaseModel):
    due_on: date
    amount: Amount


def lines_told(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {"sku": line.sku, "qty": line.qty, "unit_price": line.unit_price, "discount_pct": line.discount_pct}
        for line in lines
    ]


def schedule_told(schedule: Sequence[Instalment]) -> list[dict[str, Any]]:
    return [{"due_on": part.due_on, "amount": part.amount} for part in schedule]


def shown(entry: Entry, document: dict[str, Any]) -> Response:
    """One stream as it stands, with its version as the ETag."""
    return json_response({**document, "version": entry.version}, headers={"etag": etag(entry.version)})


async def disclosed(desk: Desk, request: Request, entry: Entry, document: dict[str, Any], private: bool) -> Response:
    """One stream as it stands; that its sealed part was read is written down before it is answered."""
    if private:
        await desk.tell(request, "personal", document["client_id"])
    return shown(entry, document)


async def listed(
    desk: Desk,
    table: Table,
    key: Column[str],
    limit: int,
    cursor: str | None,
    filters: Sequence[tuple[Column[Any], Any]],
    seen: ColumnElement[bool],
) -> Response:
    """A page of what is seen of a read model, in the order of its key."""
    wanted: Select[Any] = select(table).where(seen).order_by(key).limit(limit + 1)
    for column, value in filters:
        if value is not None:
            wanted = wanted.where(column == value)
    if cursor is not None:
        wanted = wanted.where(key > decode_cursor(cursor, str)[0])
    rows, following = page(await desk.rows(wanted), limit, lambda row: [row[key.name]])
    return json_response({"items": [columns(row) for row in rows], "next": following})


async def counted(
    desk: Desk, column: Column[str], filters: Sequence[tuple[Column[Any], Any]], seen: ColumnElement[bool]
) -> Response:
    """How many rows are seen of each value of a column."""
    wanted: Select[Any] = select(column.label("of"), func.count().label("n"))  # type: ignore[assignment]
    wanted = wanted.where(seen).group_by(column).order_by(column)
    for other, value in filters:
        if value is not None:
            wanted = wanted.where(other == value)
    rows = await desk.rows(wanted)
    counts = {row["of"]: row["n"] for row in rows}
    return json_response({"counts": counts, "total": sum(counts.values())})


class Counts(BaseModel):
    counts: dict[str, int]
    total: int


def columns(row: RowMapping) -> dict[str, Any]:
    """The row as it stands, without what concerns the store."""
    return {name: value for name, value in row.items() if name != "shape"}
