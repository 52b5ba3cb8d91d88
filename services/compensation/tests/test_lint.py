"""Each finding has a plan that shows it and a repaired one that does not; what ships sets nobody against anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from belt.core.decider import Refused
from compensation import approval
from compensation.cases import load_case
from compensation.conflict import Case, Claim, conflicts
from compensation.documents import load
from compensation.lint import LOOKS, Finding, blocking, fitting, lint
from compensation.plan import Plan, parse, shipped
from conveyor_events.words import VARIANTS

FILES = sorted((Path(__file__).parent.parent / "lint").glob("*.yaml"), key=lambda path: int(path.stem[1:]))
CASES = Path(__file__).parent.parent / "cases"
REFERENCE = [shipped(name) for name in ("ref-scout", "ref-hunter", "ref-farmer")]
FULL = "scout-hunter-farmer"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def told(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = load(file.read_text(encoding="utf-8"))
    return content


def found(documents: list[Any], variant: str) -> list[Finding]:
    return lint([parse(document) for document in documents], variant)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bad_plan_is_found_and_its_repaired_twin_is_not(file: Path) -> None:
    case = told(file)
    code = case["finding"]
    mine = [finding for finding in found(case["bad"], case["variant"]) if finding.code == code]
    assert mine
    for finding in mine:
        assert finding.level == case["level"]
        assert finding.between
        assert finding.message
        assert finding.example
    assert code not in {finding.code for finding in found(case["repaired"], case["variant"])}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_repaired_plan_has_nothing_else_that_blocks(file: Path) -> None:
    case = told(file)
    assert [one for one in found(case["repaired"], case["variant"]) if one.level == "block"] == []


def test_every_finding_of_the_plans_has_its_file() -> None:
    assert [file.stem for file in FILES] == [f"L{n}" for n in range(1, 15)]
    assert len(LOOKS) == len(FILES)


def test_the_reference_plans_set_nobody_against_anybody() -> None:
    assert lint(REFERENCE, FULL, accept_within_hours=8) == []


def test_an_offer_without_a_deadline_is_found() -> None:
    assert [finding.code for finding in lint(REFERENCE, FULL, accept_within_hours=0)] == ["L10"]


def test_a_cliff_is_told_to_the_cent() -> None:
    (cliff,) = [one for one in found(told(FILES[7])["bad"], FULL) if one.code == "L8"]
    assert cliff.example == "9999.99 → 10000.00 jumps 600.00 → 800.00"


def test_a_cliff_at_a_part_of_a_quota_is_told_in_money() -> None:
    (bad, *others) = told(FILES[7])["bad"]
    steps = [{"from": "0", "percent": "6"}, {"from": "80", "percent": "8"}]
    bands = {"mode": "whole", "quota": "12500", "steps": steps}
    rules = [{**rule, "bands": bands} if "bands" in rule else rule for rule in bad["rules"]]
    (cliff,) = [one for one in found([{**bad, "rules": rules}, *others], FULL) if one.code == "L8"]
    assert cliff.example == "9999.99 → 10000.00 jumps 600.00 → 800.00"


@pytest.mark.parametrize(("rules", "codes"), [(["H1", "G"], []), (["G"], ["L6"]), (["H1", "G", "G2"], ["L11"])])
def test_a_guarantee_is_no_salary_and_nothing_to_work_for(rules: list[str], codes: list[str]) -> None:
    kinds = {
        "H1": {"kind": "commission", "sales": "first", "percent": "6", "release": "as_paid"},
        "G": {"kind": "guarantee", "amount": "600"},
        "G2": {"kind": "guarantee", "amount": "100"},
    }
    head = {"plan": "h", "version": "1", "role": "hunter", "currency": "EUR", "effective_from": "2026-01-01"}
    plan = {**head, "salary": "500", "rules": [{"id": name, **kinds[name]} for name in rules]}
    assert [finding.code for finding in found([plan], FULL)] == codes


def test_a_hunter_is_not_paid_for_what_a_farmer_sells_unless_it_is_a_legacy_that_ends() -> None:
    hunter = json.loads(shipped("ref-hunter").model_dump_json(by_alias=True))
    share = {"id": "H2", "kind": "commission", "percent": "1", "release": "as_paid"}
    for sales, codes in (("repeat", {"L3"}), ("legacy", set())):
        plan = parse({**hunter, "rules": [*hunter["rules"], {**share, "sales": sales}]})
        assert {one.code for one in lint([plan, REFERENCE[0], REFERENCE[2]], FULL)} == codes


def test_a_plan_is_judged_in_the_variants_it_is_written_for() -> None:
    serving = shipped("olist-hunter")
    assert "scout-hunter" in fitting(serving)
    assert blocking(serving, []) == [], "there is a variant in which a hunter serves"
    in_full = parse(json.loads(serving.model_dump_json(by_alias=True)) | {"variants": [FULL]})
    assert fitting(in_full) == [FULL]
    assert {finding.code for finding in blocking(in_full, [])} == {"L3"}


def test_only_what_the_plan_itself_does_forbids_to_approve_it() -> None:
    bad = parse(told(FILES[5])["bad"][0])
    assert [finding.code for finding in blocking(bad, REFERENCE[:2])] == ["L6"]
    assert blocking(REFERENCE[0], [bad]) == []


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_nothing_is_said_of_no_plans(variant: str) -> None:
    assert lint([], variant) == []


REJECTED_AND_SOLD = """
case: a lead is refused and sold to
plans: [ref-scout, ref-hunter]
staff:
  ana: {role: scout, plan: ref-scout, since: 2026-01-01}
  boris: {role: hunter, plan: ref-hunter, since: 2026-01-01}
facts:
  - lead rejected: {client: acme, sourced_by: ana, rejected_by: boris, reason: no_need_evidence, on: 2026-03-03}
  - first sale: {sale: d1, client: acme, net: 5000.00, sourced_by: SOURCE, converted_by: boris, on: 2026-04-20}
expect:
  - {person: boris, month: 2026-03, payable: 500.00}
"""


@pytest.mark.parametrize(("source", "codes"), [("house", ["L15"]), ("ana", [])])
def test_history_shows_who_earns_by_rejecting(tmp_path: Path, source: str, codes: list[str]) -> None:
    (tmp_path / "case.yaml").write_text(REJECTED_AND_SOLD.replace("SOURCE", source))
    (scene,) = load_case(tmp_path / "case.yaml")[1]
    said = lint(REFERENCE, FULL, cases=conflicts(scene.envelopes))
    assert [finding.code for finding in said] == codes
    for finding in said:
        assert (finding.level, finding.between) == ("warn", ("hunter", "scout"))
        assert finding.message == "boris sold to 1 clients whose leads boris had rejected"
        assert finding.example == "5000.00 EUR sold past the finder"


def test_history_shows_who_keeps_what_was_handed_over() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    clara, boris = Claim("clara", "farmer", at, "e1"), Claim("boris", "hunter", at, "e2")
    met = Case("1", "C3", "acme", "north", clara, boris, at, ("e1", "e2"))
    sold = Case("2", "C4", "acme", "north", clara, boris, at, ("e3",), "r1", Decimal(1000), "EUR")
    (said,) = lint([], FULL, cases=[met, sold])
    assert (said.code, said.level, said.between) == ("L15", "warn", ("hunter", "farmer"))
    assert said.message == "boris went on working 1 clients that somebody else serves"
    assert said.example == "1000 EUR sold past who serves"
    (only_met,) = lint([], FULL, cases=[met])
    assert only_met.example == "nothing sold yet"


def test_of_the_cases_that_ship_only_those_about_selling_what_was_rejected_show_a_habit() -> None:
    habits = {
        path.stem: [
            one.code for scene in load_case(path)[1] for one in lint([], FULL, cases=conflicts(scene.envelopes))
        ]
        for path in sorted(CASES.glob("*.yaml"))
    }
    shown = {name for name, codes in habits.items() if codes}
    assert shown == {"13-reject-and-steal", "36-decided-after-the-close", "44-rejected-again-and-sold"}
    assert {code for codes in habits.values() for code in codes} == {"L15"}


# --- draft, linted, approved ----------------------------------------------------------------------------------------

DRAFT = approval.Draft("p", 1, "hunter", "EUR", AT.date(), "{}", "pia", AT)
BAD = Finding("L9", "block", "p", "H1", ("hunter", "house"), "paid before the client pays", "600.00 EUR")
MILD = replace(BAD, code="L8", level="warn")


def book(*commands: approval.Command) -> approval.PlanBook:
    state = approval.PlanBook()
    for command in commands:
        for event in approval.decide(command, state):
            state = approval.evolve(state, event)
    return state


def test_what_blocks_forbids_to_approve_and_what_warns_does_not() -> None:
    approve = approval.Approve("p", 1, "otto", AT)
    with pytest.raises(Refused, match=r"plan\.blocked") as refused:
        approval.decide(replace(approve, findings=(MILD, BAD)), book(DRAFT))
    assert [one["code"] for one in refused.value.facts["findings"]] == ["L9"]
    approved = book(DRAFT, replace(approve, findings=(MILD,)))
    assert approved.versions[1].stage == "approved"
    assert approved.versions[1].linted is not None
    assert approved.versions[1].linted.findings == (MILD,)


def test_a_new_text_is_looked_at_anew() -> None:
    linted = book(DRAFT, approval.Lint("p", 1, (BAD,), "pia", AT))
    assert linted.versions[1].stage == "linted"
    again = book(DRAFT, approval.Lint("p", 1, (BAD,), "pia", AT), replace(DRAFT, document="[]"))
    assert again.versions[1].stage == "draft"


def test_plans_that_come_with_the_service_can_be_approved() -> None:
    for plan in (*REFERENCE, shipped("olist-scout"), shipped("olist-hunter")):
        others: list[Plan] = [one for one in REFERENCE if one.role != plan.role]
        assert blocking(plan, others) == []
