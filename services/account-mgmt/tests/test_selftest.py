"""The self-tests: how answers become a score, what an attempt is, and that nothing of it leaves the person."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce

import pytest
from account_story import at, refusal
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from account_mgmt.main import SELFTEST
from account_mgmt.papers.selftest import (
    Answer,
    AttemptMade,
    Attempts,
    Band,
    TakeTest,
    decide,
    evolve,
    profile,
    score,
)
from account_mgmt.papers.selftest.score import STRAIGHT_LINE, band
from account_mgmt.papers.selftest.text import ORDER, REVERSED, SCALE, STATEMENTS, TESTS, SelfTest, current
from account_mgmt.papers.texts import Language, read
from belt.core.decider import Refused
from conveyor_events.catalog import CATALOG

LISTENING = current("listening")
assert LISTENING is not None
TURNED = LISTENING.turned
IDS = sorted(LISTENING.ids)
BERLIN = "Europe/Berlin"
values = st.lists(st.integers(1, 5), min_size=10, max_size=10)


def answers(*given: int) -> dict[str, int]:
    return dict(zip(IDS, given * 10 if len(given) == 1 else given, strict=True))


def take(
    when: datetime, given: Mapping[str, int] | None = None, attempt: str = "a1", test: str = "listening"
) -> TakeTest:
    said = tuple(Answer(statement, value) for statement, value in (given or answers(3)).items())
    return TakeTest(when, "clara", attempt, test, 1, said, BERLIN)


def after(*commands: TakeTest) -> Attempts:
    return reduce(lambda state, command: reduce(evolve, decide(command, state), state), commands, Attempts())


# --- texts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("test", ORDER)
def test_each_of_the_ten_tests_has_ten_statements_in_both_languages_three_of_them_reversed(test: str) -> None:
    for text in TESTS[test].values():
        assert len(text.statements) == STATEMENTS
        assert len(text.turned) == REVERSED
        for one in (*text.statements, text.title, text.about):
            assert one.en.isascii() or set(one.en) - set("“”’–…") <= set(map(chr, range(128)))
            assert any("а" <= letter <= "я" for letter in one.ru.lower())
            assert not any("a" <= letter <= "z" for letter in one.ru.lower()), "no Latin letter hides in the Russian"
        assert all(one.en.endswith(".") and one.ru.endswith(".") for one in text.statements)


def test_there_are_ten_tests_and_no_statement_stands_twice() -> None:
    newest = [text for name in ORDER if (text := current(name))]
    assert len(newest) == 10
    for language in Language:
        said = [one.within(language) for text in newest for one in text.statements]
        assert len(set(said)) == 100
        assert len({text.title.within(language) for text in newest}) == 10
    assert [point.en for point in SCALE.points.values()][::4] == ["almost never", "almost always"]


GOOD = LISTENING.model_dump()
STATEMENT = {"id": "s99", "en": "I wait.", "ru": "Я жду.", "reversed": False}


@pytest.mark.parametrize(
    "wrong",
    [
        {"statements": GOOD["statements"][:9]},
        {"statements": [*GOOD["statements"], STATEMENT]},
        {"statements": [*GOOD["statements"][:9], STATEMENT | {"id": "s01"}]},
        {"statements": [*GOOD["statements"][:9], STATEMENT | {"en": GOOD["statements"][0]["en"]}]},
        {"statements": [{**one, "reversed": False} for one in GOOD["statements"]]},
        {"statements": [{**one, "reversed": True} for one in GOOD["statements"]]},
        {"statements": [*GOOD["statements"][:9], {"id": "s10", "en": "I wait."}]},
        {"title": {"en": "Listening", "ru": " "}},
        {"version": 0},
        {"version": "1"},
        {"surprise": True},
    ],
)
def test_a_text_that_is_not_whole_is_refused_when_it_is_read(wrong: dict[str, object]) -> None:
    SelfTest.model_validate(GOOD)
    with pytest.raises(ValidationError):
        SelfTest.model_validate(GOOD | wrong)


def test_a_key_written_twice_is_refused() -> None:
    with pytest.raises(Exception, match="twice"):
        read(SelfTest, "test: listening\ntest: needs\n")


# --- score ----------------------------------------------------------------------------------------------------------


def test_all_threes_give_fifty() -> None:
    assert score(TURNED, answers(3)).score == Decimal("50.00")
    assert str(score(TURNED, answers(3)).score) == "50.00"


def test_all_fives_give_seventy_and_are_a_straight_line() -> None:
    found = score(TURNED, answers(5))
    assert (found.raw, str(found.score), found.band, found.flags) == (38, "70.00", Band.HIGH, (STRAIGHT_LINE,))


def test_the_best_and_the_worst_are_a_hundred_and_nothing() -> None:
    best = {statement: 1 if statement in TURNED else 5 for statement in IDS}
    worst = {statement: 6 - value for statement, value in best.items()}
    assert (str(score(TURNED, best).score), score(TURNED, best).raw) == ("100.00", 50)
    assert (str(score(TURNED, worst).score), score(TURNED, worst).raw) == ("0.00", 10)
    assert score(TURNED, best).flags == ()


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ("0", Band.LOW),
        ("39.99", Band.LOW),
        ("40", Band.MIDDLE),
        ("69", Band.MIDDLE),
        ("69.5", Band.MIDDLE),
        ("69.99", Band.MIDDLE),
        ("70", Band.HIGH),
        ("100", Band.HIGH),
    ],
)
def test_bands_are_half_open_and_nothing_is_rounded_up(points: str, expected: Band) -> None:
    assert band(Decimal(points)) is expected


@given(values)
def test_a_score_lies_within_0_and_100_in_steps_of_two_and_a_half(given: list[int]) -> None:
    found = score(TURNED, answers(*given))
    assert 0 <= found.score <= 100
    assert found.score % Decimal("2.5") == 0
    assert found.score.as_tuple().exponent == -2
    assert 10 <= found.raw <= 50


@given(values)
def test_answers_turned_round_mirror_the_score(given: list[int]) -> None:
    mirrored = score(TURNED, answers(*(6 - value for value in given)))
    assert score(TURNED, answers(*given)).score + mirrored.score == 100


@given(values)
def test_a_reversed_statement_counts_as_its_opposite_would(given: list[int]) -> None:
    said = answers(*given)
    turned = {statement: 6 - value if statement in TURNED else value for statement, value in said.items()}
    assert score(TURNED, said).raw == score(frozenset(), turned).raw


@given(values, st.permutations(IDS))
def test_the_order_of_the_answers_does_not_matter(given: list[int], order: list[str]) -> None:
    said = answers(*given)
    (one,) = decide(take(at(3, 1), said), Attempts())
    (other,) = decide(take(at(3, 1), {statement: said[statement] for statement in order}), Attempts())
    assert one == other


@given(values, st.integers(0, 9))
def test_a_better_answer_never_lowers_the_score(given: list[int], place: int) -> None:
    said = answers(*given)
    statement = IDS[place]
    step = -1 if statement in TURNED else 1
    if 1 <= said[statement] + step <= 5:
        better = said | {statement: said[statement] + step}
        assert score(TURNED, better).score == score(TURNED, said).score + Decimal("2.50")


# --- attempts -------------------------------------------------------------------------------------------------------


def test_an_attempt_pins_the_version_and_the_day_of_the_next() -> None:
    (made,) = decide(take(at(3, 1)), Attempts())
    assert (made.test, made.version, made.retake_on) == ("listening", 1, date(2026, 3, 31))
    assert made.result == score(TURNED, answers(3))


def test_a_retake_waits_thirty_calendar_days_in_the_companys_zone() -> None:
    first = datetime(2026, 3, 1, 22, 30, tzinfo=at(3, 1).tzinfo)  # 23:30 in Berlin
    taken = after(take(first))
    early = datetime(2026, 3, 30, 21, 59, 59, tzinfo=first.tzinfo)  # 23:59:59 in Berlin, summer time since the 29th
    with pytest.raises(Refused) as refused:
        decide(take(early, attempt="a2"), taken)
    assert (refusal(refused), refused.value.facts) == ("self-test.too-soon", {"retake_on": "2026-03-31"})
    (again,) = decide(take(early + timedelta(seconds=1), attempt="a2"), taken)
    assert again.retake_on == date(2026, 4, 30)


def test_another_test_need_not_wait() -> None:
    taken = after(take(at(3, 1)))
    assert decide(take(at(3, 1), attempt="a2", test="needs"), taken)


def test_an_attempt_written_down_late_does_not_slip_in_before_another() -> None:
    taken = after(take(at(3, 1)))
    with pytest.raises(Refused) as refused:
        decide(take(at(2, 20), attempt="a0"), taken)
    assert refusal(refused) == "self-test.too-soon"


def test_the_same_attempt_said_twice_changes_nothing_and_no_attempt_can_be_altered() -> None:
    taken = after(take(at(3, 1)))
    assert decide(take(at(3, 2)), taken) == []
    for other in (take(at(3, 2), answers(4)), take(at(3, 2), test="needs"), replace(take(at(3, 2)), version=2)):
        with pytest.raises(Refused) as refused:
            decide(other, taken)
        assert refusal(refused) == "attempt.id-taken"


def test_an_attempt_is_scored_by_the_version_that_was_read_even_when_there_is_a_newer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the next version other statements are reversed: the first and not the third."""
    statements = [dict(one) for one in GOOD["statements"]]
    statements[0]["reversed"], statements[2]["reversed"] = True, False
    newer = SelfTest.model_validate(GOOD | {"version": 2, "statements": statements})
    monkeypatch.setitem(TESTS, "listening", {1: LISTENING, 2: newer})
    said = answers(3) | {"s01": 5}
    (old,) = decide(take(at(3, 1), said), Attempts())
    (new,) = decide(replace(take(at(3, 1), said), version=2), Attempts())
    assert old.result is not None
    assert new.result is not None
    assert (old.version, str(old.result.score)) == (1, "55.00")
    assert (new.version, str(new.result.score)) == (2, "45.00")
    assert current("listening") is newer


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (take(at(3, 1), test="singing"), "self-test.unknown"),
        (replace(take(at(3, 1)), version=2), "self-test.version-unknown"),
        (take(at(3, 1), dict.fromkeys(IDS[:9], 3)), "self-test.answers-do-not-fit"),
        (take(at(3, 1), answers(3) | {"s11": 3}), "self-test.answers-do-not-fit"),
        (take(at(3, 1), answers(3) | {"s01": 6}), "self-test.answers-do-not-fit"),
        (take(at(3, 1), answers(3) | {"s01": 0}), "self-test.answers-do-not-fit"),
        (
            replace(take(at(3, 1)), answers=(*take(at(3, 1)).answers, Answer("s01", 1))),
            "self-test.answers-do-not-fit",
        ),
    ],
)
def test_answers_must_fit_the_version_that_was_read(command: TakeTest, code: str) -> None:
    with pytest.raises(Refused) as refused:
        decide(command, Attempts())
    assert refusal(refused) == code


def test_the_profile_shows_ten_directions_and_the_change_since_the_last_time() -> None:
    better = answers(*(2 if statement in TURNED else 4 for statement in IDS))
    shown = profile(after(take(at(1, 1)), take(at(3, 1), better, "a2"), take(at(2, 1), answers(5), "a3", test="use")))
    assert tuple(one.test for one in shown.directions) == ORDER
    listening, use = shown.directions[0], shown.directions[ORDER.index("use")]
    assert listening.last is not None
    assert listening.last.attempt_id == "a2"
    assert listening.last.result is not None
    assert (listening.last.result.score, listening.change) == (Decimal("75.00"), Decimal("25.00"))
    assert use.change is None
    assert shown.mean == Decimal("72.50"), "over the two that were taken"
    assert profile(Attempts()).mean is None


def test_what_was_erased_is_gone_and_the_wait_remains() -> None:
    (made,) = decide(take(at(3, 1)), Attempts())
    erased = evolve(Attempts(), replace(made, answers=(), result=None))
    assert profile(erased).mean is None
    with pytest.raises(Refused) as refused:
        decide(take(at(3, 2), attempt="a2"), erased)
    assert refusal(refused) == "self-test.too-soon"


# --- who is told ----------------------------------------------------------------------------------------------------


def test_nobody_is_told_of_a_self_test_and_no_list_shows_it() -> None:
    stream = SELFTEST
    (made,) = decide(take(at(3, 1)), Attempts())
    state = after(take(at(3, 1)))
    assert stream.view is None
    assert list(stream.publish(made, state)) == []
    assert list(stream.follow(made, state)) == []
    assert list(stream.timers(state)) == []
    names = {entry.model.__name__.lower() for entry in CATALOG}
    assert not [name for name in names if "selftest" in name or "attempt" in name]


def test_the_key_that_seals_an_attempt_is_the_persons() -> None:
    (made,) = decide(take(at(3, 1)), Attempts())
    assert isinstance(made, AttemptMade)
    assert SELFTEST.holder(made) == "person:clara"
