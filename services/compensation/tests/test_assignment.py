"""Who is paid by which plan: in one role, on one day and one line, by one assignment."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pay_office import Office

from belt.core.decider import Refused
from compensation.approval import PlanApproved, PlanBook, PlanDrafted
from compensation.approval import evolve as written
from compensation.assignment import Assign, Assigned, Assignments, decide, evolve
from compensation.facts import Fact, Part, Sale, Seat, Sold
from compensation.history import History
from compensation.laws import broken
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, shipped
from compensation.statement import statements

NOW = datetime(2026, 1, 1, 9, tzinfo=UTC)


def book(role: str) -> PlanBook:
    drafted = PlanDrafted(NOW, "a-plan", 1, role, "EUR", date(2026, 1, 1), "{}", "ann")
    return written(written(PlanBook(), drafted), PlanApproved(NOW, "a-plan", 1, "bob"))


def assign(
    since: str, until: str | None = None, line: str | None = None, plan: str = "p", role: str = "hunter"
) -> Assign:
    begins, ends = date.fromisoformat(since), date.fromisoformat(until) if until else None
    return Assign("boris", plan, role, begins, "pia", NOW, ends, line)


def told(*commands: Assign) -> Assignments:
    """What holds after these, each of which is accepted."""
    state = Assignments()
    for command in commands:
        state = reduce(evolve, decide(command, state, book(command.role)), state)
    return state


def test_the_house_is_nobody_who_could_be_paid() -> None:
    with pytest.raises(Refused) as refused:
        decide(replace(assign("2026-01-01"), person="house"), Assignments(), book("hunter"))
    assert refused.value.code == "person.reserved"


def in_the_way(command: Assign, *before: Assign) -> dict[str, object]:
    with pytest.raises(Refused) as refused:
        decide(command, told(*before), book(command.role))
    assert refused.value.code == "assignment.overlaps"
    standing = refused.value.facts["standing"]
    assert isinstance(standing, dict)
    return standing


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (assign("2026-01-01"), assign("2026-03-01", line="north")),
        (assign("2026-01-01", line="north"), assign("2026-03-01")),
        (assign("2026-01-01"), assign("2026-03-01")),
        (assign("2026-01-01"), assign("2026-01-01", plan="q")),
        (assign("2026-01-01", line="north"), assign("2025-06-01", plan="q", line="north")),
        (assign("2026-01-01", "2026-03-15"), assign("2026-03-15", plan="q")),
        (assign("2026-03-15"), assign("2026-01-01", "2026-03-15", plan="q")),
    ],
)
def test_nobody_is_paid_twice_in_one_role_for_one_line_and_day(first: Assign, second: Assign) -> None:
    found = in_the_way(second, first)
    assert found == {"plan": first.plan, "line": first.line, "since": first.since, "until": first.until}


def test_who_changes_plan_ends_one_and_begins_the_other_on_the_next_day() -> None:
    before = (assign("2026-01-01"), assign("2026-01-01", "2026-03-15"))
    assert len(told(*before, assign("2026-03-16", plan="q")).entries) == 2


def test_two_assignments_are_two_salaries_in_two_roles_or_on_two_lines() -> None:
    north, south = assign("2026-01-01", line="north"), assign("2026-01-01", line="south")
    farmer = assign("2026-01-01", plan="f", role="farmer")
    assert len(told(north, south, farmer).entries) == 3


def test_an_end_is_not_moved_into_what_began_after_it() -> None:
    first, second = assign("2026-01-01", "2026-03-15"), assign("2026-03-16", plan="q")
    later, never = assign("2026-01-01", "2026-03-16"), assign("2026-01-01")
    assert in_the_way(later, first, second)["plan"] == "q"
    assert in_the_way(never, first, second)["plan"] == "q"
    assert len(told(first, second, assign("2026-01-01", "2026-02-28")).entries) == 2


def test_an_assignment_said_again_is_nothing_new() -> None:
    first = assign("2026-01-01")
    assert decide(first, told(first), book("hunter")) == []


def test_a_mistake_is_withdrawn_by_an_end_before_its_beginning_and_its_days_are_free() -> None:
    mistake, withdrawn = assign("2026-03-01"), assign("2026-03-01", "2026-02-28")
    right = assign("2026-03-01", plan="q")
    assert [one.span is None for one in told(mistake, withdrawn, right).entries.values()] == [True, False]
    assert in_the_way(mistake, mistake, withdrawn, right)["plan"] == "q"
    with pytest.raises(Refused, match="ends-before-it-begins"):
        told(withdrawn)


def test_what_overlaps_from_before_can_be_ended_from_either_side() -> None:
    both = (assign("2026-01-01"), assign("2026-03-01", line="north"))
    state = Assignments()
    for one in both:
        known = Assigned(one.at, one.person, one.plan, one.role, one.since, one.until, one.line, one.by)
        state = evolve(state, known)
    for one in both:
        assert decide(one, state, book("hunter")) == []
        assert len(decide(replace(one, until=date(2026, 6, 30)), state, book("hunter"))) == 1


some_days = st.dates(date(2026, 1, 1), date(2026, 1, 12))
commands = st.builds(
    Assign,
    st.just("boris"),
    st.sampled_from(["p", "q"]),
    st.sampled_from(["hunter", "farmer"]),
    some_days,
    st.just("pia"),
    st.just(NOW),
    st.none() | some_days,
    st.sampled_from([None, "north", "south"]),
)


@given(st.lists(commands, max_size=12))
def test_whatever_is_asked_on_no_day_does_a_line_pay_a_role_twice(asked: list[Assign]) -> None:
    state = Assignments()
    for command in asked:
        try:
            state = reduce(evolve, decide(command, state, book(command.role)), state)
        except Refused:
            continue
    for day in (date(2026, 1, n) for n in range(1, 20)):
        for role in ("hunter", "farmer"):
            for line in ("north", "south"):
                holding = [
                    one
                    for one in state.entries.values()
                    if one.role == role and one.line in (None, line) and one.since <= day <= (one.until or date.max)
                ]
                assert len(holding) <= 1, [asdict(one) for one in holding]


@pytest.mark.parametrize(
    ("plan", "line", "told"),
    [
        ("ref-hunter", "north", "ref-hunter (2)"),
        ("other-hunter", None, "other-hunter (1), ref-hunter (1)"),
        ("other-hunter", "north", "other-hunter (1), ref-hunter (1)"),
    ],
)
@pytest.mark.parametrize("parts", [(), ("boris", "nobody-with-a-plan")])
def test_a_sale_paid_twice_to_one_person_breaks_a_law(
    plan: str, line: str | None, told: str, parts: tuple[str, ...]
) -> None:
    at, seat = datetime(2026, 3, 10, 12, tzinfo=UTC), Seat("boris", "hunter")
    split = tuple(Part(person, "hunter", Decimal(1)) for person in parts)
    sale = Sale("d1", True, "north", Decimal(1000), "EUR", at, seat, seat, None, split)
    history = History([Fact("e1", "DealClosed", at, at, "acme", None, Sold(sale))], zone="Europe/Berlin")
    reference = shipped("ref-hunter")
    plans = [PlanVersion(reference, at), PlanVersion(reference.model_copy(update={"plan": "other-hunter"}), at)]
    once = [Assignment("boris", "ref-hunter", "hunter", date(2026, 1, 1), at)]
    twice = [*once, Assignment("boris", plan, "hunter", date(2026, 3, 1), at, line=line)]
    found = [list(statements(history, plans, a, "boris", [Month(2026, 3)]).values()) for a in (once, twice)]
    assert broken(history, found[0]) == []
    assert f"sale d1: the part of boris is credited more than once, by {told}" in broken(history, found[1])


async def test_the_door_names_the_assignment_that_stands_in_the_way(office: Office) -> None:
    paid = {"person": "boris", "plan": "ref-hunter", "role": "hunter", "since": "2026-02-01", "line": "north"}
    answer = await office.http.post("/v1/assignments", json=paid, headers=office.token("office"))
    assert (answer.status_code, answer.json()["code"]) == (409, "assignment.overlaps")
    standing = {"plan": "ref-hunter", "line": None, "since": "2026-01-01", "until": None}
    assert answer.json()["facts"]["standing"] == standing, json.dumps(answer.json())
