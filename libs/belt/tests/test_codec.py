"""Private fields are sealed where they say something, and read as erased without their key."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from counting import COUNTER
from hypothesis import given
from hypothesis import strategies as st

from belt.core.decider import ERASED, Private
from belt.io.store.codec import Codec
from belt.io.store.seal import seal

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Noted:
    at: datetime
    outcome: str
    note: Private[str | None] = None
    names: Private[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Met:
    name: Private[str]
    note: Private[str | None] = None


CODEC = Codec(replace(COUNTER, events=(Noted, Met), upcast={}))
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20) | st.just('"sealed"')
notes = st.builds(Noted, st.just(AT), words, st.none() | words, st.lists(words, max_size=2).map(tuple))
events = notes | st.builds(Met, words, st.none() | words)


def written(event: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CODEC.write(event, "client-1", KEY))
    return found


def read(event: object, text: str, key: bytes | None = KEY) -> object:
    return CODEC.read(type(event).__name__, 1, text, "client-1", key)


@given(events)
def test_an_event_is_read_as_it_was_written(event: Any) -> None:
    assert read(event, CODEC.write(event, "client-1", KEY)) == event


@given(events)
def test_without_its_key_every_private_field_says_nothing(event: Any) -> None:
    nothing = {"note": None, "names": ()} if isinstance(event, Noted) else {"name": ERASED, "note": None}
    assert read(event, CODEC.write(event, "client-1", KEY), None) == replace(event, **nothing)


@given(events)
def test_no_private_word_is_kept_in_the_clear(event: Any) -> None:
    kept = written(event)
    open_ones = {name: value for name, value in kept.items() if name in ("name", "note", "names")}
    assert [value for value in open_ones.values() if value not in (None, [], ERASED)] == []


def test_where_private_fields_say_nothing_nothing_is_sealed() -> None:
    assert written(Noted(AT, "no answer")) == {
        "at": "2026-03-01T09:00:00Z", "outcome": "no answer", "note": None, "names": [],
    }  # fmt: skip


@pytest.mark.parametrize("said", [{"note": "call again"}, {"note": ""}, {"names": ("Zoë",)}])
def test_a_word_in_one_of_them_seals_all(said: dict[str, Any]) -> None:
    assert written(replace(Noted(AT, "no answer"), **said)).keys() == {"at", "outcome", "sealed"}


def test_what_was_sealed_though_it_says_nothing_is_read() -> None:
    """As earlier releases did."""
    sealed = seal(KEY, "client-1", {"note": None, "names": []})
    text = json.dumps({"at": "2026-03-01T09:00:00Z", "outcome": "no answer", "sealed": sealed})
    assert read(Noted(AT, ""), text) == read(Noted(AT, ""), text, None) == Noted(AT, "no answer")


def test_an_event_with_private_fields_needs_a_holder_whatever_they_say() -> None:
    with pytest.raises(ValueError, match="Noted has private fields but no holder"):
        CODEC.write(Noted(AT, "no answer"), None, None)
