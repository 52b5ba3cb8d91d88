"""The columns of an append as they are sent, held against what PostgreSQL reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from belt.io.store.calls import BETWEEN, NULL, Batch, column_of

# PostgreSQL takes no NUL; everything else may be in an id that somebody else chose.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from([BETWEEN, NULL]))
COLUMNS = st.one_of(
    st.tuples(st.just("text"), st.lists(TEXT | st.none(), min_size=1)),
    st.tuples(st.just("int"), st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1)),
    st.tuples(st.just("bigint"), st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1)),
    st.tuples(st.just("uuid"), st.lists(st.uuids().map(str), min_size=1)),
    st.tuples(st.just("bytea"), st.lists(st.binary() | st.none(), min_size=1)),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=COLUMNS)
async def test_a_column_arrives_as_it_is(counters: str, column: tuple[str, list[Any]]) -> None:
    kind, values = column
    connection = await asyncpg.connect(counters)
    try:
        form, argument = column_of(kind, values)
        came = await connection.fetchval(f"select {form.format(1)}", argument)
    finally:
        await connection.close()
    assert [str(value) for value in came] == values if kind == "uuid" else came == values


@pytest.mark.parametrize(
    "values", [[""], [None], ["", ""], [None, None], [BETWEEN], [NULL], ["a", NULL, None], [NULL, None]]
)
async def test_what_could_be_mistaken_arrives_as_it_is(counters: str, values: list[str | None]) -> None:
    connection = await asyncpg.connect(counters)
    form, argument = column_of("text", values)
    assert await connection.fetchval(f"select {form.format(1)}", argument) == values
    await connection.close()


def test_lists_without_rows_are_not_sent() -> None:
    sql, arguments = Batch(units=[("k", None, None)]).call(datetime(2026, 3, 2, tzinfo=UTC))
    assert len(arguments) == 4
    assert "case when" not in sql
