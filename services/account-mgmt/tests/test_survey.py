"""The questionnaire: how answers become gaps, who may be asked, and every command in every stage."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Any

import pytest
from account_story import (
    ANA,
    BORIS,
    CLARA,
    CLIENT,
    DAY,
    JOURNEY,
    LINE,
    MARIA,
    ROSTER,
    VARIANT,
    WON,
    at,
    refusal,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from account_mgmt.account import Account, AccountOpened, FlagRisk, RiskCause, SeatTaken
from account_mgmt.account import evolve as account_evolve
from account_mgmt.papers.survey import (
    Answer,
    Answered,
    AnswerSurvey,
    Command,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Contact,
    Event,
    Expire,
    Expired,
    Invite,
    Invited,
    RecordConsent,
    Result,
    Stage,
    Survey,
    Via,
    WithdrawConsent,
    decide,
    evolve,
    follow,
    publish,
    score,
    timers,
    trend,
)
from account_mgmt.papers.survey.text import GROUPS, QUESTIONNAIRES, Questionnaire
from account_mgmt.papers.survey.views import survey as project
from account_mgmt.papers.texts import Language
from belt.core.decider import Refused, Step
from conveyor_events.surveys import SurveyAnswered

OPENED = account_evolve(Account(), AccountOpened(WON, CLIENT, JOURNEY, VARIANT, LINE, ANA, BORIS))
SERVED = account_evolve(OPENED, SeatTaken(WON + DAY, "offer-1", CLARA, CLARA, WON))
TEXT = QUESTIONNAIRES[1]
ITEMS = tuple(TEXT.group_of)
WEBER = Contact("Erika Weber", "head of purchasing", "+49 30 1234567")
ASKED = at(4, 1)
OVER = datetime(2026, 5, 1, 22, tzinfo=ASKED.tzinfo)  # 00:00 of 2 May in Berlin: the 30th day counts whole
SAID = ASKED + DAY


def answers(promises: Any = 0, speed: Any = 0, competence: Any = 0, care: Any = 0, materials: Any = 0) -> list[Answer]:
    """Gaps by group: one for all three items, or one for each item that was answered."""
    made = []
    for group, gaps in zip(GROUPS, (promises, speed, competence, care, materials), strict=True):
        for number, gap in enumerate((gaps,) * 3 if isinstance(gaps, int) else gaps, 1):
            made.append(Answer(f"{group}_{number}", 7 - max(gap, 0), 7 + min(gap, 0)))
    return made


GIVEN = tuple(answers(-1, 0, -1, 0, (0, 1)))


def scored(given: Sequence[Answer], recommend: int | None = 9, weights: dict[str, Decimal] | None = None) -> Result:
    return score(given, recommend, weights or TEXT.weights, TEXT.group_of)


def invite(**more: Any) -> Invite:
    about: dict[str, Any] = {
        "survey_id": "s1",
        "client": CLIENT,
        "survey_version": 1,
        "weights": (),
        "contact": WEBER,
        "via": Via.PHONE,
        "agreed": False,
        "valid_days": 30,
    }
    return Invite(**{"at": ASKED, "by": "clara", **about, **more})


def answer(
    when: datetime = SAID, given: Sequence[Answer] = GIVEN, recommend: int | None = 9, **more: Any
) -> AnswerSurvey:
    return AnswerSurvey(when, "clara", tuple(given), recommend, **more)


AGREE = RecordConsent(SAID, "clara", agreed=True, via=Via.MAIL)
DECLINE = RecordConsent(SAID, "clara", agreed=False, via=Via.MAIL)
WITHDRAW = WithdrawConsent(SAID, "clara", Via.MAIL)


def run(*commands: Command, start: Survey | None = None) -> Survey:
    return reduce(
        lambda state, command: reduce(evolve, decide(command, state, SERVED, ROSTER), state),
        commands,
        start or Survey(),
    )


def happens(command: Command, state: Survey, account: Account = SERVED) -> list[type]:
    return [type(event) for event in decide(command, state, account, ROSTER)]


def code_of(command: Command, state: Survey, account: Account = SERVED) -> str:
    with pytest.raises(Refused) as refused:
        decide(command, state, account, ROSTER)
    return refusal(refused)


# --- texts ----------------------------------------------------------------------------------------------------------


def test_there_are_five_groups_of_three_items_in_both_languages_and_the_weights_make_a_hundred() -> None:
    for text in QUESTIONNAIRES.values():
        assert len(text.group_of) == 15
        assert sum(text.weights.values()) == 100
        for language in Language:
            said = [item.within(language) for group in text.groups for item in group.items]
            assert len(set(said)) == 15
        russian = "".join(item.ru for group in text.groups for item in group.items).lower()
        assert not any("a" <= letter <= "z" for letter in russian)
    assert [str(weight) for weight in TEXT.weights.values()] == ["30", "25", "20", "15", "10"]


GOOD = TEXT.model_dump()


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": GOOD["groups"][:4]},
        {"groups": GOOD["groups"][::-1]},
        {"groups": [GOOD["groups"][0] | {"weight": "31"}, *GOOD["groups"][1:]]},
        {"groups": [GOOD["groups"][0] | {"weight": 30}, *GOOD["groups"][1:]]},
        {"groups": [GOOD["groups"][0] | {"items": GOOD["groups"][0]["items"][:2]}, *GOOD["groups"][1:]]},
        {"groups": [GOOD["groups"][0] | {"items": GOOD["groups"][1]["items"]}, *GOOD["groups"][1:]]},
        {"points": {1: {"en": "x", "ru": "х"}}},
        {"points": GOOD["points"] | {8: {"en": "x", "ru": "х"}}},
        {"recommend": {"en": "Would you?"}},
        {"version": 0},
        {"surprise": True},
    ],
)
def test_a_questionnaire_that_is_not_whole_is_refused_when_it_is_read(wrong: dict[str, Any]) -> None:
    Questionnaire.model_validate(GOOD)
    with pytest.raises(ValidationError):
        Questionnaire.model_validate(GOOD | wrong)


# --- score ----------------------------------------------------------------------------------------------------------


def test_the_example_gives_minus_0_45() -> None:
    found = scored(GIVEN)
    assert [str(one.gap) for one in found.gaps] == ["-1.00", "0.00", "-1.00", "0.00", "0.50"]
    assert [str(one.weight) for one in found.gaps] == ["30", "25", "20", "15", "10"]
    assert (str(found.total), found.answered, found.alert) == ("-0.45", 14, False)


@pytest.mark.parametrize(
    ("given", "recommend", "alerts"),
    [
        (answers(-1, -1, -1, -1, -1), 9, ()),  # -1.00 is not below -1.00
        (answers(-1, -1, -1, -1, (-1, -1, -2)), 9, ("total",)),  # -1.03
        (answers(0, 0, 0, 0, (-1, -2)), 9, ()),  # -1.50 is not below -1.50
        (answers(0, 0, 0, 0, (-2, -1, -2)), 9, ("group:materials",)),  # -1.67
        (answers(), 7, ()),
        (answers(), 6, ("recommend",)),
        (answers(), 0, ("recommend",)),
        (answers(), None, ()),
        (answers(-2, -2, 0, 0, 0), 1, ("total", "group:promises", "group:speed", "recommend")),
    ],
)
def test_an_alert_says_why(given: list[Answer], recommend: int | None, alerts: tuple[str, ...]) -> None:
    found = scored(given, recommend)
    assert (found.alerts, found.alert) == (alerts, bool(alerts))


def test_alerts_compare_what_is_exact_and_not_what_is_shown() -> None:
    """A third of the smallest weight moves the total by less than a cent, and still below the limit."""
    weights = {"promises": Decimal("99.60"), **dict.fromkeys(GROUPS[1:], Decimal("0.10"))}
    found = scored(answers(-1, -1, -1, -1, (-1, -1, -2)), 9, weights)
    assert (str(found.total), found.alerts) == ("-1.00", ("total",))


def test_under_twelve_of_fifteen_nothing_is_scored_and_at_twelve_it_is() -> None:
    eleven, twelve = answers(-6, -6, -6, -6, ())[:11], answers(-6, -6, -6, -6, ())
    assert len(twelve) == 12
    few = scored(eleven)
    assert (few.answered, few.total, [one.gap for one in few.gaps], few.alert) == (11, None, [None] * 5, False)
    assert scored(eleven, 3).alerts == ("recommend",), "whoever would not recommend us is heard all the same"
    enough = scored(twelve)
    assert (enough.answered, str(enough.total), enough.gaps[4].gap) == (12, "-6.00", None)


def test_a_group_without_an_answer_leaves_its_weight_to_the_others() -> None:
    assert str(scored(answers(-1, -1, -1, -1, ())).total) == "-1.00"
    assert str(scored(answers(-1, 0, 0, 0, ())).total) == "-0.33"  # 30 of 90


items = st.lists(st.tuples(st.sampled_from(ITEMS), st.integers(1, 7), st.integers(1, 7)), unique_by=lambda one: one[0])


@given(items, st.permutations(ITEMS))
def test_the_order_of_the_answers_does_not_matter(said: list[tuple[str, int, int]], order: list[str]) -> None:
    given_ = [Answer(*one) for one in said]
    assert scored(given_) == scored(sorted(given_, key=lambda one: order.index(one.item)))


@given(items)
def test_expected_and_received_exchanged_mirror_the_total_to_the_cent(said: list[tuple[str, int, int]]) -> None:
    there = scored([Answer(item, expected, received) for item, expected, received in said])
    back = scored([Answer(item, received, expected) for item, expected, received in said])
    assert there.total == (None if back.total is None else -back.total)
    assert all(str(one.gap) != "-0.00" for one in (*there.gaps, *back.gaps))


@given(items)
def test_the_total_is_what_paper_and_pencil_give(said: list[tuple[str, int, int]]) -> None:
    found = scored([Answer(*one) for one in said])
    if len(said) < 12:
        assert found.total is None
        return
    top = bottom = Fraction(0)
    for group in TEXT.groups:
        gaps = [received - expected for item, expected, received in said if item.startswith(group.group)]
        if gaps:
            top += Fraction(group.weight) * Fraction(sum(gaps), len(gaps))
            bottom += Fraction(group.weight)
    assert found.total is not None
    assert abs(Fraction(found.total) - top / bottom) <= Fraction(1, 200)
    assert -6 <= found.total <= 6


# --- every command in every stage -----------------------------------------------------------------------------------

STAGES: dict[Stage, Survey] = {
    Stage.NONE: Survey(),
    Stage.INVITED: run(invite()),
    Stage.AGREED: run(invite(), AGREE),
    Stage.ANSWERED: run(invite(), AGREE, answer()),
    Stage.DECLINED: run(invite(), DECLINE),
    Stage.EXPIRED: run(invite(), Expire(OVER)),
    Stage.WITHDRAWN: run(invite(), AGREE, answer(), WITHDRAW),
}
COMMANDS: dict[str, Command] = {
    "invite": invite(),
    "agree": AGREE,
    "decline": DECLINE,
    "withdraw": WITHDRAW,
    "answer": answer(),
    "late": answer(OVER),
    "expire": Expire(OVER),
}
TABLE: dict[str, list[Any]] = {
    # none, invited, agreed, answered, declined, expired, withdrawn
    "invite": [[Invited], [], [], [], [], [], []],
    "agree": [
        "survey.unknown",
        [ConsentGiven],
        [],
        "survey.wrong-stage",
        "survey.wrong-stage",
        [ConsentGiven],
        "survey.wrong-stage",
    ],
    "decline": [
        "survey.unknown",
        [ConsentRefused],
        "survey.wrong-stage",
        "survey.wrong-stage",
        [],
        [ConsentRefused],
        "survey.wrong-stage",
    ],
    "withdraw": [
        "survey.unknown",
        "survey.no-consent",
        [ConsentWithdrawn],
        [ConsentWithdrawn],
        "survey.no-consent",
        "survey.no-consent",
        [],
    ],
    "answer": [
        "survey.unknown",
        "survey.no-consent",
        [Answered],
        [],
        "survey.no-consent",
        "survey.no-consent",
        "survey.no-consent",
    ],
    "late": [
        "survey.unknown",
        "survey.expired",
        "survey.expired",
        [],
        "survey.no-consent",
        "survey.expired",
        "survey.no-consent",
    ],
    "expire": [[], [Expired], [Expired], [], [], [], []],
}


def test_the_stages_are_what_they_are_called() -> None:
    assert {stage: survey.stage for stage, survey in STAGES.items()} == {stage: stage for stage in Stage}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_every_stage(name: str, stage: Stage) -> None:
    command, state, expected = COMMANDS[name], STAGES[stage], TABLE[name][list(Stage).index(stage)]
    if isinstance(expected, str):
        assert code_of(command, state) == expected
    else:
        assert happens(command, state) == expected


def test_a_survey_that_nobody_was_asked_for_is_unknown_whosever_client_it_might_be() -> None:
    with pytest.raises(Refused) as refused:
        decide(AGREE, Survey())
    assert refusal(refused) == "survey.unknown"


# --- consent --------------------------------------------------------------------------------------------------------


def test_whoever_says_yes_at_once_has_agreed() -> None:
    assert [type(event) for event in decide(invite(agreed=True), Survey(), SERVED, ROSTER)] == [Invited, ConsentGiven]


def test_an_invitation_holds_until_the_end_of_its_last_day() -> None:
    survey = STAGES[Stage.AGREED]
    assert [(due.name, due.at) for due in timers(survey)] == [("expire", OVER)]
    assert happens(answer(OVER - timedelta(microseconds=1)), survey) == [Answered]
    with pytest.raises(Refused) as refused:
        decide(answer(OVER), survey, SERVED, ROSTER)
    assert (refusal(refused), refused.value.record) == ("survey.expired", (Expired(OVER),))
    assert not timers(STAGES[Stage.ANSWERED])


def test_what_was_said_in_time_counts_even_if_it_is_written_down_late() -> None:
    expired = run(invite(), AGREE, Expire(OVER))
    assert expired.stage is Stage.EXPIRED
    assert run(answer(), start=expired).stage is Stage.ANSWERED
    asked = run(invite(), Expire(OVER))
    assert run(AGREE, answer(), start=asked).stage is Stage.ANSWERED


def test_nobody_answers_before_they_agreed() -> None:
    survey = STAGES[Stage.AGREED]
    assert code_of(answer(SAID - timedelta(seconds=1)), survey) == "survey.no-consent"


def test_a_survey_is_answered_once() -> None:
    survey = STAGES[Stage.ANSWERED]
    assert happens(answer(given=GIVEN[::-1]), survey) == [], "the same in another order is the same"
    assert code_of(answer(recommend=8), survey) == "survey.answered-already"
    assert code_of(answer(given=GIVEN[1:]), survey) == "survey.answered-already"


@pytest.mark.parametrize("stage", [Stage.DECLINED, Stage.WITHDRAWN])
def test_without_consent_neither_the_person_nor_the_answers_are_known(stage: Stage) -> None:
    survey = STAGES[stage]
    assert survey.answered is None
    assert survey.agreed_at is None
    assert survey.invited is not None
    assert survey.invited.contact is None
    assert "Weber" not in repr(survey)


def test_a_withdrawn_survey_leaves_nothing_in_its_row() -> None:
    events: list[Event] = []
    state = Survey()
    row = None
    for command in (invite(), AGREE, answer(recommend=2), WITHDRAW):
        for event in decide(command, state, SERVED, ROSTER):
            state, row = evolve(state, event), project(row, event)
            events.append(event)
            if isinstance(event, Answered):
                assert row is not None
                assert (row["stage"], row["total"], row["alert"]) == ("answered", Decimal("-0.45"), True)
    assert row is not None
    assert (row["stage"], {row[name] for name in ("total", "recommend", "alert")}) == ("withdrawn", {None})
    assert row["gaps"] is None
    assert "Weber" not in repr(row)


# --- who asks, and what is asked ------------------------------------------------------------------------------------


def test_whoever_may_act_for_the_account_may_ask() -> None:
    for person, seat in (("clara", CLARA), ("boris", BORIS), ("maria", MARIA)):
        (asked,) = decide(invite(by=person), Survey(), SERVED, ROSTER)
        assert isinstance(asked, Invited)
        assert asked.by == seat
    assert code_of(invite(by="ana"), Survey()) == "account.not-yours"
    assert code_of(replace(AGREE, by="ana"), STAGES[Stage.INVITED]) == "account.not-yours"
    assert code_of(invite(), Survey(), Account()) == "account.unknown"


def test_another_survey_under_the_same_id_is_refused() -> None:
    survey = STAGES[Stage.INVITED]
    assert code_of(invite(contact=replace(WEBER, name="Max Klein")), survey) == "survey.id-taken"
    assert code_of(invite(via=Via.MAIL), survey) == "survey.id-taken"
    assert happens(invite(weights=tuple(TEXT.weights.items())), survey) == [], "the usual weights, said aloud"


def weights(*given: str) -> tuple[tuple[str, Decimal], ...]:
    return tuple(zip(GROUPS, map(Decimal, given), strict=False))


@pytest.mark.parametrize(
    "wrong",
    [
        weights("30", "25", "20", "15", "11"),
        weights("30", "25", "20", "15", "9.99"),
        weights("50", "50", "0", "0", "0"),
        weights("140", "-10", "-10", "-10", "-10"),
        weights("30", "25", "20", "25"),
        (*weights("30", "25", "20", "15", "10")[:4], ("price", Decimal(10))),
        (*weights("30", "25", "20", "15", "10"), ("price", Decimal(10))),
        (*weights("30", "25", "20", "15", "10"), ("care", Decimal(15))),
    ],
)
def test_weights_are_one_for_each_group_above_zero_and_a_hundred_in_all(wrong: Any) -> None:
    assert code_of(invite(weights=wrong), Survey()) == "survey.weights-do-not-fit"


def test_a_survey_may_have_weights_of_its_own() -> None:
    survey = run(invite(weights=weights("20", "20", "20", "20", "20")[::-1]), AGREE, answer())
    assert survey.answered is not None
    assert str(survey.answered.result.total) == "-0.30"
    assert code_of(invite(survey_version=9), Survey()) == "survey.version-unknown"


@pytest.mark.parametrize(
    "wrong",
    [
        answer(given=[*GIVEN, Answer("price_1", 5, 5)]),
        answer(given=[*GIVEN, GIVEN[0]]),
        answer(given=[Answer("care_1", 8, 5)]),
        answer(given=[Answer("care_1", 5, 0)]),
        answer(recommend=11),
        answer(recommend=-1),
        answer(given=[], recommend=None),
    ],
)
def test_answers_must_fit_the_questionnaire(wrong: AnswerSurvey) -> None:
    assert code_of(wrong, STAGES[Stage.AGREED]) == "survey.answers-do-not-fit"


# --- the account ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recommend", [0, 6, 7, 10, None])
def test_an_alert_flags_the_account_and_nothing_else_does(recommend: int | None) -> None:
    before = STAGES[Stage.AGREED]
    (event,) = decide(answer(recommend=recommend), before, SERVED, ROSTER)
    flag = Step("account", CLIENT, FlagRisk(SAID, RiskCause.LOW_SCORE, "s1"))
    assert list(follow(event, evolve(before, event))) == ([flag] if recommend in (0, 6) else [])
    (withdrawn,) = decide(WITHDRAW, STAGES[Stage.ANSWERED], SERVED, ROSTER)
    assert not follow(withdrawn, STAGES[Stage.WITHDRAWN])


# --- what others are told -------------------------------------------------------------------------------------------


def test_others_are_told_what_it_came_to_and_nothing_of_the_person() -> None:
    before = STAGES[Stage.AGREED]
    (event,) = decide(answer(recommend=6, comment="Mr Klein never calls back"), before, SERVED, ROSTER)
    (told,) = publish(event, evolve(before, event))
    assert isinstance(told.data, SurveyAnswered)
    assert (told.subject, told.client_id, told.journey_id, told.variant) == (CLIENT, CLIENT, JOURNEY, VARIANT)
    assert (told.at, told.actor) == (SAID, CLARA)
    data = told.data.model_dump(mode="json")
    gaps = data.pop("gaps")
    assert data == {
        "line": LINE,
        "survey_id": "s1",
        "survey_version": 1,
        "answered": 14,
        "total": "-0.45",
        "recommend": 6,
        "alert": True,
        "alerts": ["recommend"],
    }
    assert gaps[0] == {"group": "promises", "weight": "30", "gap": "-1.00"}
    assert not any(word in told.data.model_dump_json() for word in ("Weber", "Klein", "promises_1", "+49"))


def test_only_answers_are_told() -> None:
    for command, stage in ((invite(), Stage.NONE), (AGREE, Stage.INVITED), (WITHDRAW, Stage.ANSWERED)):
        for event in decide(command, STAGES[stage], SERVED, ROSTER):
            assert publish(event, evolve(STAGES[stage], event)) == ()


# --- trend ----------------------------------------------------------------------------------------------------------


def row(total: str | None, recommend: int | None, **gaps: str | None) -> dict[str, Any]:
    told = [{"group": group, "weight": "20", "gap": gap} for group, gap in gaps.items()]
    return {"total": None if total is None else Decimal(total), "recommend": recommend, "gaps": told}


def test_the_trend_is_the_newest_against_the_one_before() -> None:
    seen = trend([row("-0.45", 8, care="0.50", speed="-1.00"), row("-1.20", 6, care="-0.25"), row("3", 1)])
    assert (seen.total, seen.recommend) == (Decimal("0.75"), 2)
    assert seen.gaps == {"care": Decimal("0.75"), "speed": None}


def test_there_is_no_trend_where_a_number_is_missing() -> None:
    assert trend([row("1", 1)]).total is None
    assert trend([]).recommend is None
    assert trend([row(None, None, care=None), row("1", 3, care="1")]).gaps == {"care": None}
