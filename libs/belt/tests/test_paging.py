"""A list in pages: nothing is skipped, nothing comes twice, while rows come and go."""

from __future__ import annotations

import base64
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belt.core.decider import Refused
from belt.io.http.paging import cut, encode_cursor

Rows = set[tuple[str, int]]
rows = st.sets(st.tuples(st.text("abc", max_size=2), st.integers(0, 3)), max_size=30)


def walk(known: Rows, limit: int, changes: list[tuple[Rows, Rows]], *, newest_first: bool) -> list[tuple[str, int]]:
    """Every page to the end; between two pages some rows come and some go."""
    read: list[tuple[str, int]] = []
    following: str | None = None
    for number in count():
        found, following = cut(known, limit, following, lambda row: row, str, int, newest_first=newest_first)
        read += found
        if following is None:
            return read
        assert len(found) == limit
        come, go = changes[number] if number < len(changes) else (set(), set())
        known = known - go | come
    raise AssertionError


@given(rows, st.integers(1, 7), st.lists(st.tuples(rows, rows), max_size=5), st.booleans())
def test_what_stays_is_read_once_and_in_order(
    known: Rows, limit: int, changes: list[tuple[Rows, Rows]], newest_first: bool
) -> None:
    read = walk(known, limit, changes, newest_first=newest_first)
    assert read == sorted(set(read), reverse=newest_first)
    gone = {row for _, go in changes for row in go}
    assert known - gone <= {*read}


HALF_A_CHARACTER = base64.urlsafe_b64encode(b'[1,"\\ud800",1]').decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "☃",
        encode_cursor("a"),
        encode_cursor(1, "a"),
        encode_cursor("a", None),
        encode_cursor("a", 2**63),
        "W10",
        encode_cursor("a\x00", 1),
        HALF_A_CHARACTER,
        "W1sx" * 90,
    ],
)
def test_a_cursor_of_another_list_is_refused_even_if_there_are_no_rows(cursor: str) -> None:
    with pytest.raises(Refused, match="invalid-cursor"):
        cut([], 5, cursor, lambda row: row, str, int)
