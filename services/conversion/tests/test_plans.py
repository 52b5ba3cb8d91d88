"""The two working papers of a hunter: the meeting plan and the negotiation plan."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from conversion_stories import (
    BARGAIN,
    LATER,
    MONDAY,
    OPPORTUNITY,
    PAPER,
    SOLD,
    Bench,
    accept,
    bench,
    found,
    meeting,
    negotiation_planned,
    on,
    outcome,
    planned,
    proposal,
    received,
)
from hypothesis import given
from hypothesis import strategies as st

from belt.core.decider import Step
from conversion.opportunity import ScheduleMeeting, StartNegotiation
from conversion.papers.meeting_plan import Question, ReadyMeetingPlan, WriteMeetingPlan
from conversion.papers.negotiation_plan import (
    Issue,
    Paper,
    ReadyNegotiationPlan,
    ScoreNegotiation,
    WriteNegotiationPlan,
    score,
)


def working() -> Bench:
    there = bench()
    there.do(received())
    there.do(accept())
    return there


def write(paper: Any = PAPER, plan: str = "plan-1", by: str = "boris", opportunity: str = OPPORTUNITY) -> Step:
    return Step("meetingplan", plan, WriteMeetingPlan(MONDAY, by, plan, opportunity, paper))


def ready(plan: str = "plan-1", by: str = "boris") -> Step:
    return Step("meetingplan", plan, ReadyMeetingPlan(MONDAY, by))


# --- meetings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("less", "missing"),
    [
        ({"goal": ""}, ["goal"]),
        ({"fallback": ""}, ["fallback"]),
        ({"theirs": ()}, ["theirs"]),
        ({"questions": PAPER.questions[:2]}, ["questions"]),
        ({"next_step": ""}, ["next_step"]),
        ({"goal": "", "questions": ()}, ["goal", "questions"]),
    ],
)
def test_a_plan_that_lacks_something_is_not_ready_and_says_what(less: Any, missing: list[str]) -> None:
    there = working()
    there.do(write(replace(PAPER, **less)))
    assert there.refusal(ready()) == "meeting-plan.incomplete"
    assert list(there.state("meetingplan", "plan-1").missing) == missing


def test_a_meeting_is_made_with_a_plan_that_is_ready() -> None:
    there = working()
    schedule = on(OPPORTUNITY, ScheduleMeeting(MONDAY, "boris", "m", SOLD, "plan-1"))
    assert there.refusal(schedule) == "meeting.plan-not-ready"
    there.do(write())
    assert there.refusal(schedule) == "meeting.plan-not-ready"
    there.do(ready())
    there.do(schedule)
    there.do(on(OPPORTUNITY, replace(meeting(), meeting="m", at=SOLD)))
    plan = there.state("meetingplan", "plan-1")
    assert (plan.stage, plan.used.meeting, plan.used.objective_met) == ("used", "m", "full")
    assert there.refusal(write(replace(PAPER, goal="more"))) == "meeting-plan.wrong-stage"
    assert there.refusal(on(OPPORTUNITY, ScheduleMeeting(SOLD, "boris", "n", LATER, "plan-1"))) == (
        "meeting.plan-not-ready"
    )


def test_a_plan_serves_its_own_opportunity() -> None:
    there = working()
    there.do(found("boris", "own-1", needs=("need-2",)))
    for step in planned("plan-2", opportunity="own-1"):
        there.do(step)
    stolen = on(OPPORTUNITY, ScheduleMeeting(MONDAY, "boris", "m", SOLD, "plan-2"))
    assert there.refusal(stolen) == "meeting.plan-not-ready"
    assert there.refusal(write(plan="plan-2")) == "meeting-plan.id-taken"


def test_a_plan_that_is_written_anew_is_a_draft_again() -> None:
    there = working()
    for step in planned():
        there.do(step)
    assert outcome(there, write()) == "."
    there.do(write(replace(PAPER, goal="two machines")))
    assert there.state("meetingplan", "plan-1").stage == "draft"


def test_plans_are_the_hunters_and_the_managers() -> None:
    there = working()
    assert there.refusal(write(by="dina")) == "meeting-plan.not-yours"
    there.do(write(by="maria"))
    assert there.refusal(ready(by="dina")) == "meeting-plan.not-yours"
    assert there.refusal(write(opportunity="nothing")) == "opportunity.unknown"
    assert there.refusal(ready("nothing")) == "meeting-plan.unknown"


def test_questions_are_of_four_kinds() -> None:
    odd = replace(PAPER, questions=(Question("trick", "Who is your cousin?"),))
    assert working().refusal(write(odd)) == "meeting-plan.question-unknown"


# --- negotiations ---------------------------------------------------------------------------------------------------


def bargain(paper: Paper = BARGAIN, by: str = "boris") -> Step:
    return Step("negotiationplan", "n", WriteNegotiationPlan(MONDAY, by, "n", OPPORTUNITY, paper))


def changed(number: int, **fields: Any) -> Paper:
    issues = list(BARGAIN.issues)
    issues[number] = replace(issues[number], **fields)
    return replace(BARGAIN, issues=tuple(issues))


@pytest.mark.parametrize(
    ("paper", "code"),
    [
        (changed(0, weight=Decimal(59)), "negotiation-plan.weights"),
        (changed(1, name="price"), "negotiation-plan.issue-twice"),
        (changed(0, limit=Decimal(10_000)), "negotiation-plan.no-room"),
        (changed(0, opening=Decimal(8_999)), "negotiation-plan.opens-below-limit"),
        (changed(0, limit=Decimal("8499.99")), "negotiation-plan.limit-below-alternative"),
        (changed(1, limit=Decimal(46)), "negotiation-plan.limit-below-alternative"),
        (changed(1, opening=Decimal(31)), "negotiation-plan.opens-below-limit"),
    ],
)
def test_a_paper_that_makes_no_sense_is_refused(paper: Paper, code: str) -> None:
    assert working().refusal(bargain(paper)) == code


def test_a_limit_may_be_as_bad_as_the_alternative() -> None:
    working().do(bargain(changed(0, limit=Decimal(8_500))))


def test_a_paper_is_ready_with_issues_an_alternative_and_an_exit() -> None:
    there = working()
    there.do(bargain(replace(BARGAIN, ours=None, exit_sentence="")))
    assert there.refusal(Step("negotiationplan", "n", ReadyNegotiationPlan(MONDAY, "boris"))) == (
        "negotiation-plan.incomplete"
    )
    assert there.state("negotiationplan", "n").paper.missing == ("best_alternative", "exit_sentence")


def used() -> Bench:
    there = working()
    there.do(on(OPPORTUNITY, proposal()))
    for step in negotiation_planned("n"):
        there.do(step)
    there.do(on(OPPORTUNITY, StartNegotiation(MONDAY + timedelta(hours=1), "boris", "n")))
    return there


def results(price: str, days: str) -> Step:
    told = {"price": Decimal(price), "days to pay": Decimal(days)}
    return Step("negotiationplan", "n", ScoreNegotiation(LATER, "boris", told))


@pytest.mark.parametrize(
    ("price", "days", "expected"),
    [
        ("10000", "14", "100.00"),
        ("9000", "30", "0.00"),
        ("12000", "7", "100.00"),
        ("8000", "60", "0.00"),
        ("9500", "30", "30.00"),
        ("9000", "22", "20.00"),
        ("9333.33", "25", "32.50"),
    ],
)
def test_the_score_weighs_how_far_each_result_lies_between_limit_and_target(
    price: str, days: str, expected: str
) -> None:
    there = used()
    there.do(results(price, days))
    assert there.state("negotiationplan", "n").scored.score == Decimal(expected)


def test_results_name_exactly_the_issues_and_come_after_the_negotiation_began() -> None:
    there = used()
    half = Step("negotiationplan", "n", ScoreNegotiation(LATER, "boris", {"price": Decimal(1)}))
    assert there.refusal(half) == "negotiation-plan.results"
    early = working()
    early.do(bargain())
    assert early.refusal(results("1", "1")) == "negotiation-plan.wrong-stage"


amounts = st.integers(-1_000, 1_000).map(Decimal)


@given(
    target=amounts, limit=amounts, first=amounts, second=amounts, weight=st.integers(1, 99).map(Decimal), other=amounts
)
def test_a_better_result_never_scores_less_and_every_score_lies_between_0_and_100(
    target: Decimal, limit: Decimal, first: Decimal, second: Decimal, weight: Decimal, other: Decimal
) -> None:
    if target == limit:
        return
    issues = (Issue("a", weight, target, target, limit), Issue("b", 100 - weight, target, target, limit))
    better, worse = (max(first, second), min(first, second)) if target > limit else (
        min(first, second), max(first, second)
    )  # fmt: skip
    high = score(Paper(issues), {"a": better, "b": other})
    low = score(Paper(issues), {"a": worse, "b": other})
    assert 0 <= low <= high <= 100
