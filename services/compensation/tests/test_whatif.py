"""The same history under another plan, another variant, another policy: who would have earned what."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pay_histories import ZONE, Company, company

from compensation.cases import Scene, load_case
from compensation.documents import FaultyDocument
from compensation.facts import Fact, Milestone, Rejected, Seat, fact
from compensation.history import History
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate, parse, shipped
from compensation.whatif import Compared, Scenario, compared, differences, prepared, read_scenario

CASES = Path(__file__).parent.parent / "cases"
FLAT: dict[str, Any] = {
    "plan": "flat-hunter",
    "version": "1",
    "role": "hunter",
    "currency": "EUR",
    "effective_from": "2026-01-01",
    "salary": "500.00",
    "rules": [{"id": "H1", "kind": "commission", "sales": "first", "percent": "7", "release": "as_paid"}],
}


def scene(name: str, branch: str = "") -> Scene:
    return next(one for one in load_case(CASES / f"{name}.yaml")[1] if one.name == branch)


def told(scene: Scene, first: str, last: str, **change: Any) -> dict[str, Compared]:
    scenario = read_scenario(first, last, change.pop("plans", []), **change)
    history = scene.history
    actual, simulated, people = prepared(history, scene.plans, scene.assignments, scene.rates, scenario, None)
    return {one.person: one for person in people for one in compared(actual, simulated, person, scenario)}


def test_a_flat_plan_over_the_bands_costs_boris_two_hundred_and_fifty() -> None:
    bands = scene("02-bands")
    boris = told(bands, "2026-03", "2026-03", plans=[FLAT])["boris"]
    fixed = Decimal("500.00")
    assert (boris.actual - fixed, boris.simulated - fixed, boris.delta) == (
        Decimal("2700.00"),
        Decimal("2450.00"),
        Decimal("-250.00"),
    )


def test_the_lines_that_differ_say_why() -> None:
    bands = scene("02-bands")
    scenario = read_scenario("2026-03", "2026-03", [FLAT])
    actual, simulated, _ = prepared(bands.history, bands.plans, bands.assignments, bands.rates, scenario, None)
    found = list(differences(actual, simulated, "boris", scenario))
    pairs = [(one.actual.amount, one.simulated.amount) for one in found if one.actual and one.simulated]
    assert sorted(pairs) == [
        (Decimal("480.00"), Decimal("560.00")),
        (Decimal("1060.00"), Decimal("840.00")),
        (Decimal("1160.00"), Decimal("1050.00")),
    ]
    assert all(one.simulated is None or one.simulated.version == 2 for one in found)


def test_months_outside_the_range_are_paid_as_they_were() -> None:
    assert told(scene("02-bands"), "2026-04", "2026-04", plans=[FLAT])["boris"].delta == 0


def test_one_hunter_for_everything_is_paid_for_what_three_did() -> None:
    found = told(scene("01-the-line-pays"), "2026-03", "2026-03", variant="hunter")
    assert found["ana"].simulated > found["ana"].actual, "whoever found the client keeps it, and is paid as a hunter"
    assert (found["boris"].simulated, found["boris"].actual) == (Decimal("500.00"), Decimal("1100.00"))


def lead(event: str, name: str, at: datetime, data: Any) -> Fact:
    return Fact(event, name, at, at, "acme", "j1", data)


@pytest.mark.parametrize(
    ("hours", "answer", "delta"),
    [(8, "rejected", "20.00"), (80, "rejected", "0"), (8, "accepted", "0"), (8, "silent", "0")],
)
def test_an_answer_that_would_have_come_too_late_is_silence_which_pays_the_scout(
    hours: int, answer: str, delta: str
) -> None:
    offered, answered = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 4, 9, tzinfo=UTC)
    ana, boris = Seat("ana", "scout"), Seat("boris", "hunter")
    facts = [lead("e1", "LeadQualified", offered, Milestone("north", {"sourced_by": ana}, "n1", "o1"))]
    if answer == "rejected":
        facts.append(lead("e2", "LeadRejected", answered, Rejected("north", "o1", "n1", ana, boris, "duplicate")))
    elif answer == "accepted":
        seats = {"sourced_by": ana, "converted_by": boris}
        facts.append(lead("e2", "LeadAccepted", answered, Milestone("north", seats, "n1", "o1", "accepted")))
    since = datetime(2026, 1, 1, tzinfo=UTC)
    plans = [PlanVersion(shipped("ref-scout"), since)]
    assigned = [Assignment("ana", "ref-scout", "scout", since.date(), since)]
    scenario = read_scenario("2026-03", "2026-03", [], None, hours)
    actual, simulated, _ = prepared(History(facts, zone="Europe/Berlin"), plans, assigned, [], scenario, None)
    (ana_earned,) = compared(actual, simulated, "ana", scenario)
    assert ana_earned.delta == Decimal(delta)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.builds(company, st.integers(0, 2**32 - 1), st.integers(1, 6)))
def test_the_plan_in_force_makes_no_difference(made: Company) -> None:
    history = History((fact(envelope) for envelope in made.envelopes), zone=ZONE)
    plans = [PlanVersion(parse(document), at) for document, at in made.plans]
    assigned = [Assignment(**one) for one in made.assignments]
    rates = [Rate(r["id"], "USD", "EUR", r["day"], r["rate"], r["recorded_at"]) for r in made.rates]
    first, last = Month(2026, 6), Month(2026, 8)
    in_force = [
        max(
            (v.plan for v in plans if v.plan.plan == name and v.plan.effective_from <= first.first_day),
            key=lambda plan: plan.version,
            default=None,
        )
        for name in dict.fromkeys(v.plan.plan for v in plans)
    ]
    later = {v.plan.plan for v in plans if v.plan.effective_from > first.first_day}
    drafts = [plan for plan in in_force if plan is not None and plan.plan not in later]
    scenario = Scenario(first, last, tuple(drafts), "scout-hunter-farmer" if not drafts else None)
    actual, simulated, people = prepared(history, plans, assigned, rates, scenario, None)
    sums = [one for person in people for one in compared(actual, simulated, person, scenario)]
    assert [one for one in sums if one.delta and one.person in made.people] == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("2026-13", "2026-03", []), "from: '2026-13' is not a month"),
        (("2026-04", "2026-03", []), "to: the range ends before it begins"),
        (("2026-03", "2026-03", []), "nothing is to be otherwise"),
        (("2026-03", "2026-03", [{"plan": "x"}]), "plans[0].version: this key is missing"),
    ],
)
def test_a_scenario_that_makes_no_sense_says_where(asked: tuple[Any, ...], says: str) -> None:
    with pytest.raises(FaultyDocument) as faulty:
        read_scenario(*asked)
    assert any(str(fault).startswith(says) for fault in faulty.value.faults), faulty.value.faults


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(FaultyDocument, match="there is no variant 'hunters'"):
        read_scenario("2026-03", "2026-03", [], "hunters")
