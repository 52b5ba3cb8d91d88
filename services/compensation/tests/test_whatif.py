"""What-if: another plan, variant or policy over the same history; nothing that was paid changes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pay_histories import ZONE, Company, company
from whatif_case import FLAT, scene

from belt.core.calendar import Calendar
from compensation import kept
from compensation.cases import Scene
from compensation.documents import FaultyDocument
from compensation.facts import Fact, Milestone, Rejected, Seat
from compensation.history import History
from compensation.known import Known
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate, parse, shipped
from compensation.reading import fact
from compensation.statement import statements
from compensation.whatif import (
    Basis,
    Outcome,
    Progress,
    Scenario,
    Sums,
    explain,
    explained,
    read_scenario,
    sides,
    simulate,
    sums,
)
from conveyor_events import to_json
from conveyor_events.words import VARIANTS

MARCH = {"from": "2026-03", "to": "2026-03"}
YEAR = {"from": "2026-01", "to": "2026-12"}
companies = st.builds(company, st.integers(0, 2**32 - 1), st.integers(1, 7))
often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def basis(of: Scene) -> Basis:
    facts = [fact(envelope) for envelope in of.envelopes]
    return Basis(facts, of.zone, of.plans, of.assignments, of.rates)


def outcome(of: Basis, scenario: Scenario) -> Outcome:
    last = list(simulate(of, scenario))[-1]
    assert isinstance(last, Outcome)
    return last


def ask(**more: Any) -> Scenario:
    return read_scenario(MARCH | more)


def random_basis(made: Company) -> Basis:
    return Basis(
        [fact(e) for e in made.envelopes],
        ZONE,
        [PlanVersion(parse(document), at) for document, at in made.plans],
        [Assignment(**a) for a in made.assignments],
        [Rate(r["id"], "USD", "EUR", r["day"], r["rate"], r["recorded_at"]) for r in made.rates],
    )


def test_flat_seven_per_cent_over_the_bands_gives_boris_250_less_and_the_ledger_stays() -> None:
    of = scene("02")
    before = of.statements(of.history, "boris", [Month(2026, 3)])
    known = outcome(basis(of), ask()).digest
    found = outcome(basis(of), ask(plans=[{"document": FLAT}]))
    (boris,) = found.people
    assert (boris.actual.variable, boris.simulated.variable) == (Decimal("2700.00"), Decimal("2450.00"))
    assert boris.delta == Sums(variable=Decimal(-250), conditional=Decimal(-250), payable=Decimal(-250))
    assert found.digest == known
    assert of.statements(of.history, "boris", [Month(2026, 3)]) == before


def test_the_lines_that_differ_add_up_to_the_difference() -> None:
    both = sides(basis(scene("02")), ask(plans=[{"document": FLAT}]))
    pairs = explain(both, ask(), "boris")
    assert {pair.what for pair in pairs} == {"changed"}
    releases = [pair for pair in pairs if pair.actual and pair.actual.kind == "release"]
    assert {(p.actual.sale_id, p.simulated.amount - p.actual.amount) for p in releases if p.actual and p.simulated} == {
        ("d1", Decimal(80)),
        ("d2", Decimal(-110)),
        ("d3", Decimal(-220)),
    }
    assert releases[0].to_json()["delta"] == "80.00"


@often
@given(companies)
def test_the_plan_in_force_tried_again_makes_no_difference(made: Company) -> None:
    of = random_basis(made)
    found = outcome(of, read_scenario(YEAR))
    assert all(set(one.delta.to_json("EUR").values()) == {"0.00"} for one in found.people)
    both = sides(of, read_scenario(YEAR))
    assert [explain(both, read_scenario(YEAR), person) for person in both.people] == [[]] * len(both.people)


@pytest.mark.parametrize(
    "change",
    [
        {"plans": [{"document": FLAT}]},
        {"variant": "hunter"},
        {"accept_within_hours": 1, "account_accept_within_hours": 1},
    ],
    ids=("plans", "variant", "policy"),
)
@often
@given(made=companies)
def test_only_what_a_rule_may_look_at_is_read_and_nothing_comes_out_otherwise(
    made: Company, change: dict[str, Any]
) -> None:
    rows = [(e.type, json.dumps(to_json(e))) for e in made.envelopes]
    asked: list[frozenset[str]] = []

    def read(types: frozenset[str]) -> Iterator[Fact]:
        asked.append(types)
        return kept.facts(row for name, row in rows if name in types)

    scenario = read_scenario(YEAR | change)
    assert outcome(replace(random_basis(made), facts=read), scenario) == outcome(random_basis(made), scenario)
    assert "conveyor.deals.DealClosed" in asked[0]
    assert "conveyor.deals.ProposalSent" not in asked[0]


@often
@given(companies)
def test_plans_of_one_version_drafted_again_make_no_difference(made: Company) -> None:
    only = replace(made, plans=[(document, at) for document, at in made.plans if document["version"] == "1"])
    plans = [{"document": document} for document, _ in only.plans]
    found = outcome(random_basis(only), read_scenario(YEAR | {"plans": plans}))
    assert all(one.delta == Sums() for one in found.people)


@often
@given(companies)
def test_totals_are_those_of_the_statements(made: Company) -> None:
    of = random_basis(made)
    history = History((fact(e) for e in made.envelopes), zone=ZONE)
    months = list(Month(2026, 2).through(Month(2026, 11)))
    for person in made.people:
        folded = sums(Known(history, rates=of.rates), of.plans, of.assignments, person, months)
        for month, told in statements(history, of.plans, of.assignments, person, months, rates=of.rates).items():
            for totals in told.totals:
                mine = folded.months[month, totals.currency]
                assert (mine.fixed, mine.variable, mine.conditional, mine.payable) == (
                    totals.fixed,
                    totals.variable,
                    totals.conditional,
                    totals.payable,
                )


@often
@given(companies, st.sampled_from(sorted(VARIANTS)))
def test_any_variant_can_be_tried_and_the_actual_side_stays(made: Company, variant: str) -> None:
    of = random_basis(made)
    found = outcome(of, read_scenario(YEAR | {"variant": variant, "accept_within_hours": 8}))
    assert found.digest == outcome(of, read_scenario(YEAR)).digest


@often
@given(companies)
def test_the_variant_of_the_history_makes_no_difference(made: Company) -> None:
    found = outcome(random_basis(made), read_scenario(YEAR | {"variant": "scout-hunter-farmer"}))
    assert all(one.delta.payable == 0 for one in found.people)


@often
@given(companies, st.sampled_from([*sorted(VARIANTS), None]), st.sampled_from([None, "4"]))
def test_the_lines_of_one_person_add_up_to_their_difference(
    made: Company, variant: str | None, hours: str | None
) -> None:
    of, more = random_basis(made), {"plans": [{"document": FLAT}], "variant": variant, "accept_within_hours": hours}
    scenario = read_scenario(YEAR | more)
    both = sides(of, scenario)
    for one in outcome(of, scenario).people:
        pairs = explained(of, scenario, one.person)
        assert pairs == explain(both, scenario, one.person)
        lines = [(side, sign) for pair in pairs for side, sign in ((pair.simulated, 1), (pair.actual, -1)) if side]
        moved = sum((line.amount * sign for line, sign in lines if line.state == "earned"), Decimal(0))
        assert moved == one.delta.fixed + one.delta.variable


def test_without_a_farmer_the_hunter_keeps_the_buyer() -> None:
    of = basis(scene("01"))
    found = {one.person: one for one in outcome(of, ask(variant="scout-hunter")).people}
    assert found["clara"].actual.payable == Decimal("2080.00")
    assert found["clara"].simulated.payable == Decimal("500.00")  # paid as a hunter who sold nothing
    assert found["ana"].delta.payable == 0
    assert any("earlier station" in one for one in outcome(of, ask(variant="scout-hunter")).assumes)


def offered(at: datetime, **more: Any) -> Fact:
    ana = Seat("ana", "scout")
    milestone = Milestone("line", {"sourced_by": ana}, "need", "o", "offer", at + timedelta(days=3))
    return Fact("offer", "LeadQualified", at, at, "acme", "acme", milestone, **more)


def with_facts(*facts: Fact) -> Basis:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    plan = PlanVersion(shipped("ref-scout"), start)
    return Basis(facts, ZONE, [plan], [Assignment("ana", "ref-scout", "scout", start.date(), start)])


def test_a_rejection_after_a_shorter_time_does_not_come_and_silence_pays_the_scout() -> None:
    at = datetime(2026, 3, 3, 8, tzinfo=UTC)  # Tuesday, 9:00 in Berlin
    rejected = Rejected("line", "o", "need", Seat("ana", "scout"), Seat("boris", "hunter"), "duplicate")
    no = Fact("no", "LeadRejected", at + timedelta(hours=7), at + timedelta(hours=7), "acme", "acme", rejected)
    for hours, pay in ((8, 0), (7, 0), (4, 20)):
        (ana,) = outcome(with_facts(offered(at), no), ask(accept_within_hours=hours)).people
        assert ana.delta.variable == pay
    both = sides(with_facts(offered(at), no), ask(accept_within_hours=4))
    (pair,) = explain(both, ask(), "ana")
    assert pair.what == "added"
    assert pair.simulated is not None
    assert pair.simulated.at == at + timedelta(hours=4)


def test_with_more_time_an_expired_offer_counts_when_it_was_accepted() -> None:
    at = datetime(2026, 3, 30, 7, tzinfo=UTC)
    seats = {"sourced_by": Seat("ana", "scout")}
    late, due = at + timedelta(days=3), at + timedelta(hours=4)
    silent = Milestone(line="line", seats=seats, need_id="need", offer_id="o", due_at=due)
    taken = Milestone(line="line", seats=seats, need_id="need", offer_id="o", mode="accepted")
    told = [
        offered(at),
        Fact("silent", "LeadOfferExpired", due, due, "acme", "acme", silent),
        Fact("taken", "LeadAccepted", late, late, "acme", "acme", taken),
    ]
    (ana,) = outcome(with_facts(*told), ask(accept_within_hours=40)).people
    assert ana.delta.variable == -20  # in April instead of March
    of = replace(with_facts(*told), calendars={"line": Calendar(ZONE, weekdays=(0,))})
    (ana,) = outcome(of, ask(accept_within_hours=8)).people
    assert ana.delta.variable == 0


def test_progress_goes_up_to_everybody_and_can_be_stopped() -> None:
    steps = list(simulate(basis(scene("01")), ask()))
    seen = [step for step in steps if isinstance(step, Progress)]
    assert [step.done for step in seen] == sorted(step.done for step in seen)
    assert (seen[-1].done, seen[-1].of) == (3, 3)
    running = simulate(basis(scene("01")), ask())
    next(running)
    running.close()
    assert list(running) == []


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"from": "2026-13"}, "from"),
        ({"to": "2026-01"}, ""),
        ({"to": "2099-01"}, ""),
        ({"variant": "hunters-only"}, "variant"),
        ({"accept_within_hours": "-1"}, "accept_within_hours"),
        ({"plans": [{"document": FLAT | {"salary": "1.001"}}]}, "plans[0].document"),
        ({"plans": [{"document": FLAT | {"rules": [{"id": "a", "kind": "gift"}]}}]}, "plans[0].document.rules[0]"),
        ({"weather": "fine"}, "weather"),
    ],
)
def test_nonsense_is_named_by_its_path(wrong: dict[str, Any], path: str) -> None:
    with pytest.raises(FaultyDocument) as refused:
        read_scenario(MARCH | wrong)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_a_draft_beside_the_plans_pays_on_top() -> None:
    rule = {"id": "bonus", "kind": "commission", "sales": "first", "percent": "1", "release": "as_paid"}
    bonus = {key: value for key, value in FLAT.items() if key != "salary"} | {"plan": "bonus", "rules": [rule]}
    tried = {"document": bonus, "place": "beside", "from_start": True}
    (boris,) = outcome(basis(scene("02")), ask(plans=[tried])).people
    assert boris.delta.variable == Decimal("350.00")


def test_a_line_shows_only_who_works_there() -> None:
    assert outcome(basis(scene("01")), ask(line="elsewhere")).people == ()
    assert [one.person for one in outcome(basis(scene("01")), ask(line="line")).people] == ["ana", "boris", "clara"]
