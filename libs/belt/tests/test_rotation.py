"""The choice among equals is fair, survives restarts, and is the same for the same history."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belt.core.rotation import Rotation, UnknownRouting, choose, chosen

TEAM = ("boris", "dina", "fedor")


def run(rotation: Rotation, days: Sequence[Sequence[str]]) -> tuple[Rotation, list[str]]:
    got = []
    for candidates in days:
        person = choose(rotation, candidates)
        assert person is not None
        got.append(person)
        rotation = chosen(rotation, candidates, person)
    return rotation, got


def test_each_in_turn() -> None:
    _, got = run(Rotation(), [TEAM] * 7)
    assert got == [*TEAM, *TEAM, "boris"]


def test_nobody_there_leaves_it_in_the_queue() -> None:
    assert choose(Rotation(), ()) is None


def test_the_absent_get_nothing_and_are_not_flooded_when_they_come_back() -> None:
    away = [one for one in TEAM if one != "dina"]
    _, got = run(Rotation(), [TEAM] * 3 + [away] * 10 + [TEAM] * 6)
    assert "dina" not in got[3:13]
    assert Counter(got[13:]) == dict.fromkeys(TEAM, 2)


def test_a_newcomer_starts_at_the_minimum() -> None:
    _, got = run(Rotation(), [TEAM] * 9 + [(*TEAM, "gleb")] * 4)
    assert sorted(got[9:]) == ["boris", "dina", "fedor", "gleb"]


def test_who_worked_long_ago_is_not_skipped_for_it() -> None:
    rotation, _ = run(Rotation(), [("boris",)] * 10 + [("gleb",)])
    _, got = run(rotation, [("boris", "gleb")] * 4)
    assert Counter(got) == {"boris": 2, "gleb": 2}


def test_the_least_loaded_first_then_in_turn() -> None:
    load = {"boris": 2, "dina": 1, "fedor": 1}
    assert choose(Rotation(), TEAM, routing="least_loaded", load=load) == "dina"
    once = chosen(Rotation(), TEAM, "dina")
    assert choose(once, TEAM, routing="least_loaded", load=load) == "fedor"


def test_the_named_one_or_nobody() -> None:
    assert choose(Rotation(), TEAM, routing="named", named="fedor") == "fedor"
    assert choose(Rotation(), TEAM, routing="named", named="gleb") is None
    assert choose(Rotation(), TEAM, routing="named") is None


def test_an_unknown_routing_is_refused() -> None:
    with pytest.raises(UnknownRouting):
        choose(Rotation(), TEAM, routing="loudest")


@given(n=st.integers(1, 60), size=st.integers(1, 8))
def test_among_equals_the_most_and_the_least_differ_by_one_at_most(n: int, size: int) -> None:
    team = [f"p{i}" for i in range(size)]
    counts = Counter(dict.fromkeys(team, 0))
    counts.update(run(Rotation(), [team] * n)[1])
    assert max(counts.values()) - min(counts.values()) <= 1


@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), max_size=60))
def test_whoever_comes_and_goes_the_counts_compared_stay_within_one(days: list[set[str]]) -> None:
    rotation = Rotation()
    for day in days:
        candidates = sorted(day)
        rotation, _ = run(rotation, [candidates])
        present = [rotation.counts[one] for one in candidates]
        assert max(present) - min(present) <= 1
