"""What a process remembers is bounded, whatever it is asked for."""

from __future__ import annotations

from belt.io.store.remembered import EVENTS_EACH, Remembered
from belt.io.store.unit import Entry


def entry(version: int) -> Entry:
    return Entry(version, f"state {version}")


def test_whoever_was_not_asked_for_longest_is_forgotten_first() -> None:
    held = Remembered(2)
    held.keep("a", entry(1))
    held.keep("b", entry(1))
    assert held.find("a") == entry(1)
    held.keep("c", entry(1))
    assert held.find("b") is None
    assert held.find("a") == held.find("c") == entry(1)


def test_a_long_stream_takes_the_place_of_many_short_ones() -> None:
    held = Remembered(10)
    for name in "abcdefgh":
        held.keep(name, entry(1))
    held.keep("long", entry(10 * EVENTS_EACH - 3))
    assert len(held) == 4
    assert held.find("e") is None
    assert held.find("h") == entry(1)
    held.keep("longer", entry(100 * EVENTS_EACH))
    assert len(held) == 1
    assert held.find("longer") is not None, "it is the one that is worked on"


def test_a_stream_that_grows_counts_once() -> None:
    held = Remembered(10)
    for version in range(1, 10 * EVENTS_EACH - 1):
        held.keep("a", entry(version))
    held.keep("b", entry(1))
    assert len(held) == 2
    held.forget(["a", "nobody"])
    for name in "cdefghij":
        held.keep(name, entry(EVENTS_EACH))
    assert len(held) == 9
    held.clear()
    held.keep("z", entry(10 * EVENTS_EACH))
    assert held.find("z") is not None


def test_what_was_read_earlier_does_not_replace_what_is_known_later() -> None:
    held = Remembered(10)
    held.keep("a", entry(3))
    held.keep("a", entry(2))
    assert held.find("a") == entry(3)
