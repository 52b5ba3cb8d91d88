"""Plans that keep to the letter of a finding and mean the opposite: each is found all the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from belt.core.decider import Refused
from compensation import approval
from compensation.lint import blocking, lint, meet
from compensation.plan import Plan, parse, shipped

AT = datetime(2026, 1, 1, tzinfo=UTC)
FULL, SERVING = "scout-hunter-farmer", "scout-hunter"
TAKEN = {"kind": "bounty", "seat": "sourced_by", "once_per": ["client", "need"], "amount": "20"}
ACCEPTED = {"on": ["LeadAccepted"], **TAKEN}
EXPIRED = {"on": ["LeadOfferExpired"], **TAKEN}
BOTH = {"on": ["LeadAccepted", "LeadOfferExpired"], **TAKEN}
OFFERED = {"on": ["LeadQualified"], **TAKEN}
VERIFIED = {"on": ["ProspectVerified"], **TAKEN}
CLOSER = {"kind": "bounty", "on": ["LeadAccepted"], "seat": "converted_by", "once_per": ["offer"], "amount": "20"}
FIRST = {"kind": "commission", "sales": "first", "release": "as_paid"}
REPEAT = {"kind": "commission", "sales": "repeat", "release": "as_paid"}
PROSPECTS = {"kind": "growth", "metric": "prospect_base", "amount": "3"}
BUYERS = {"kind": "growth", "metric": "buyer_base", "amount": "50"}
UNPAID = {"amount": "0"}
OVER = {"valid": {"until": "2025-12-31"}}
"""Before the plan begins."""


def plan(role: str, *rules: dict[str, Any], **more: Any) -> Plan:
    """A plan of the role with a salary and these rules, R1, R2 and so on."""
    head = {"plan": role, "version": "1", "role": role, "currency": "EUR", "effective_from": "2026-01-01"}
    named = [{"id": f"R{number}", **rule} for number, rule in enumerate(rules, 1)]
    return parse({**head, "salary": "1000", "rules": named, **more})


def codes(*plans: Plan, variant: str = FULL) -> list[str]:
    return [finding.code for finding in lint(plans, variant)]


def bands(*steps: tuple[str, str], mode: str = "marginal") -> dict[str, Any]:
    return {"bands": {"mode": mode, "steps": [{"from": start, "percent": percent} for start, percent in steps]}}


# --- L2: whichever of two is approved last ----------------------------------------------------------------------------

PAIRS = {
    "a bounty each": (plan("scout", BOTH), plan("hunter", CLOSER, {**FIRST, "percent": "6"})),
    "the buyer base twice": (plan("scout", BOTH, BUYERS), plan("hunter", BUYERS, {**FIRST, "percent": "6"})),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("last", [0, 1], ids=["scout last", "hunter last"])
def test_whichever_of_two_is_approved_last_is_the_one_forbidden(pair: tuple[Plan, Plan], last: int) -> None:
    mine, other = pair[last], pair[1 - last]
    assert blocking(mine, []) == []
    assert [(finding.code, finding.plan) for finding in blocking(mine, [other])] == [("L2", mine.plan)]


@pytest.mark.parametrize("last", [0, 1], ids=["scout last", "hunter last"])
def test_a_second_full_price_for_one_event_is_not_approved(last: int) -> None:
    pair = shipped("ref-scout"), PAIRS["a bounty each"][1]
    mine, other = pair[last], pair[1 - last]
    drafted = approval.PlanDrafted(AT, mine.plan, 1, mine.role, "EUR", AT.date(), "{}", "pia")
    book = approval.evolve(approval.PlanBook(), drafted)
    with pytest.raises(Refused, match=r"plan\.blocked") as refused:
        approval.decide(approval.Approve(mine.plan, 1, "otto", AT, tuple(blocking(mine, [other]))), book)
    assert [one["code"] for one in refused.value.facts["findings"]] == ["L2"]


def test_a_role_that_two_plans_leave_with_nothing_to_gain_is_told_to_the_last() -> None:
    first, last = plan("farmer"), plan("farmer", plan="farmer-too")
    assert [(finding.code, finding.plan) for finding in blocking(last, [first])] == [("L6", "farmer-too")]


def test_plans_of_variants_that_no_line_has_together_do_not_meet() -> None:
    scout, hunter = shipped("ref-scout"), PAIRS["a bounty each"][1]
    assert meet(scout, hunter)
    assert not meet(scout, hunter.model_copy(update={"variants": ("hunter-farmer",)}))


def test_two_roles_that_each_count_every_buyer_are_paid_twice_for_one() -> None:
    scout, hunter = PAIRS["the buyer base twice"]
    (finding,) = lint([scout, hunter], FULL)
    assert (finding.code, finding.rule, finding.between) == ("L2", "R1", ("scout", "hunter"))
    assert finding.message == "a first payment pays scout by scout/R2 and hunter by hunter/R1"
    assert finding.example == "one event costs 50.00 EUR and 50.00 EUR"


def test_three_roles_that_count_every_buyer_are_three_pairs() -> None:
    farmer = plan("farmer", {**REPEAT, "percent": "2"}, BUYERS)
    assert codes(*PAIRS["the buyer base twice"], farmer).count("L2") == 3


def test_who_counts_buyers_for_nothing_is_not_paid_for_them() -> None:
    scout, _ = PAIRS["the buyer base twice"]
    assert codes(scout, plan("hunter", {**BUYERS, **UNPAID}, {**FIRST, "percent": "6"})) == []


# --- L3: repeats worth as much as first sales -------------------------------------------------------------------------

DEARER = {
    "flat against flat": ({"flat": "100"}, {"flat": "500"}),
    "as much, flat": ({"flat": "100"}, {"flat": "100"}),
    "flat against a percentage": ({"percent": "6"}, {"flat": "5000"}),
    "a percentage against flat": ({"flat": "100"}, {"percent": "2"}),
    "flat against the lowest band": (bands(("0", "1"), ("30000", "10")), {"flat": "200"}),
    "the highest band against flat": ({"flat": "500"}, bands(("0", "0"), ("20000", "50"))),
    "a first sale that is capped": ({"flat": "500", "cap": {"amount": "100"}}, {"flat": "200"}),
}


@pytest.mark.parametrize(("first", "repeat"), DEARER.values(), ids=DEARER)
def test_a_repeat_that_pays_as_much_as_a_first_sale_is_found(first: dict[str, Any], repeat: dict[str, Any]) -> None:
    assert codes(plan("hunter", {**FIRST, **first}, {**REPEAT, **repeat}), variant=SERVING) == ["L3"]


def test_the_sample_sale_is_told_at_what_both_pay() -> None:
    (finding,) = lint([plan("hunter", {**FIRST, "percent": "6"}, {**REPEAT, "flat": "5000"})], SERVING)
    assert finding.message == "a repeat sale pays 5000.00 EUR, a first sale from 6 % on"
    assert finding.example == "10000 sold again pay 5000.00 EUR, won anew 600.00 EUR"


def test_a_small_flat_amount_for_a_repeat_is_not_found() -> None:
    assert codes(plan("hunter", {**FIRST, "flat": "500"}, {**REPEAT, "flat": "100"}), variant=SERVING) == []
    assert codes(plan("hunter", {**FIRST, "percent": "6"}, {**REPEAT, "flat": "100"}), variant=SERVING) == []


def test_a_cap_is_told_where_it_is_what_a_first_sale_pays() -> None:
    capped = {**FIRST, "percent": "6", "cap": {"amount": "100"}}
    (finding,) = lint([plan("hunter", capped, {**REPEAT, "percent": "2"})], SERVING)
    assert finding.message == "a repeat sale pays 2 %, a first sale from 100.00 EUR on"


JULY = {"valid": {"from": "2026-07-01", "until": "2026-07-31"}}
HALF = {"valid": {"until": "2026-06-30"}}
REST = {"valid": {"from": "2026-07-01"}}
FAIR: dict[str, list[dict[str, Any]]] = {
    "a bonus of a month on top of first sales": [{**FIRST, "percent": "1", **JULY}, {**FIRST, "percent": "6"}],
    "so much for each, on top": [{**FIRST, "percent": "6"}, {**FIRST, "flat": "50", **JULY}],
    "another rate later": [{**FIRST, "percent": "2.5", **HALF}, {**FIRST, "percent": "6", **REST}],
    "a cap on both": [{**FIRST, "percent": "6", "cap": {"amount": "400"}}],
}
REPEATS: dict[str, list[dict[str, Any]]] = {
    "another rate later": [{**REPEAT, "percent": "1", **HALF}, {**REPEAT, "percent": "3", **REST}],
    "a cap on both": [{**REPEAT, "percent": "4", "cap": {"amount": "200"}}],
}


@pytest.mark.parametrize("case", FAIR)
def test_what_is_paid_on_top_of_a_first_sale_makes_no_repeat_dear(case: str) -> None:
    repeats: list[dict[str, Any]] = REPEATS.get(case, [{**REPEAT, "percent": "2"}])
    mine = plan("hunter", *FAIR[case], *repeats, variants=[SERVING])
    assert codes(mine, variant=SERVING) in ([], ["L11"])
    assert blocking(mine, []) == []


def test_two_small_rules_for_repeats_are_one_large_one_while_both_are_in_force() -> None:
    small: list[dict[str, Any]] = [{**REPEAT, "percent": "4"}, {**REPEAT, "percent": "2", **JULY}]
    found = lint([plan("hunter", {**FIRST, "percent": "6"}, *small)], SERVING)
    assert [(one.code, one.rule) for one in found] == [("L3", "R2"), ("L3", "R3"), ("L11", "R3")]
    assert found[0].message == "a repeat sale pays 4 % and 2 %, a first sale from 6 % on, as on 2026-07-01"


NO_FIRST: dict[str, list[dict[str, Any]]] = {
    "no rule": [],
    "a rule of nothing": [{**FIRST, "percent": "0"}],
    "a rule that was over before": [{**FIRST, "percent": "6", **OVER}],
    "a rule that ends": [{**FIRST, "percent": "6", "valid": {"until": "2026-06-30"}}],
}


@pytest.mark.parametrize("first", NO_FIRST.values(), ids=NO_FIRST)
def test_who_is_paid_for_repeats_alone_hunts_no_more(first: list[dict[str, Any]]) -> None:
    repeats = plan("hunter", {**REPEAT, "percent": "2"}, *first)
    assert codes(repeats, variant=SERVING) == ["L3"]
    assert [finding.code for finding in blocking(repeats, [])] == ["L3"]


def test_the_day_is_told_from_which_no_first_sale_pays() -> None:
    (finding,) = lint([plan("hunter", {**REPEAT, "percent": "2"}, *NO_FIRST["a rule that ends"])], SERVING)
    assert finding.message == "paid for repeat sales where no first sale pays, as on 2026-07-01"


def test_repeats_paid_no_longer_than_first_sales_are_not_found() -> None:
    days = {"valid": {"until": "2026-06-30"}}
    both = plan("hunter", {**FIRST, "percent": "6", **days}, {**REPEAT, "percent": "2", **days})
    assert codes(both, variant=SERVING) == []


# --- L6: nothing to gain ----------------------------------------------------------------------------------------------

EMPTY: dict[str, dict[str, Any]] = {
    "no per cent": {**REPEAT, "percent": "0"},
    "no flat amount": {**REPEAT, "flat": "0"},
    "bands of nothing": {**REPEAT, **bands(("0", "0"), ("10000", "0"))},
    "a cap at nothing": {**REPEAT, "percent": "2", "cap": {"amount": "0"}},
    "no bounty": {"kind": "bounty", "on": ["AccountAccepted"], "seat": "served_by", "once_per": ["client"], **UNPAID},
    "no growth": {**BUYERS, **UNPAID},
    "over before the plan begins": {**REPEAT, "percent": "2", **OVER},
}


@pytest.mark.parametrize("rule", EMPTY.values(), ids=EMPTY)
def test_a_rule_that_can_only_pay_nothing_is_nothing_to_gain(rule: dict[str, Any]) -> None:
    assert codes(plan("farmer", rule)) == ["L6"]
    assert codes(plan("farmer", rule, BUYERS)) == (["L11"] if "growth" in rule.values() else [])


# --- L9: before the money ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percents", "found"),
    [([], ["L9"]), (["0"], ["L9"]), (["0", "0"], ["L9"]), (["0", "50"], []), (["100"], [])],
)
def test_a_clawback_that_takes_nothing_back_is_none(percents: list[str], found: list[str]) -> None:
    steps = [{"days": 30 * number, "percent": percent} for number, percent in enumerate(percents, 1)]
    assert codes(plan("hunter", {**FIRST, "percent": "6", "release": "at_sale", "clawback": steps})) == found


# --- L10: silence -----------------------------------------------------------------------------------------------------

SILENT: dict[str, list[dict[str, Any]]] = {
    "no amount": [ACCEPTED, {**EXPIRED, **UNPAID}],
    "capped at nothing": [ACCEPTED, {**EXPIRED, "cap": {"amount": "0"}}],
    "over before the plan begins": [ACCEPTED, {**EXPIRED, **OVER}],
    "over before acceptance is": [ACCEPTED, {**EXPIRED, "valid": {"until": "2026-03-31"}}],
    "begun after acceptance": [ACCEPTED, {**EXPIRED, "valid": {"from": "2026-03-01"}}],
    "a gap of a day": [
        ACCEPTED,
        {**EXPIRED, "valid": {"until": "2026-03-30"}},
        {**EXPIRED, "valid": {"from": "2026-04-01"}},
    ],
}


@pytest.mark.parametrize("rules", SILENT.values(), ids=SILENT)
def test_an_expiry_that_pays_nothing_pays_nobody(rules: list[dict[str, Any]]) -> None:
    assert codes(plan("scout", *rules)) == ["L10"]


def test_the_day_is_told_on_which_silence_pays_nobody() -> None:
    (finding,) = lint([plan("scout", *SILENT["a gap of a day"])], FULL)
    assert finding.message == "a lead that nobody answers pays nobody, as on 2026-03-31"


def test_an_offer_that_pays_nothing_does_not_answer_for_its_expiry() -> None:
    assert "L10" in codes(plan("scout", ACCEPTED, {**OFFERED, **UNPAID}))
    assert "L10" not in codes(plan("scout", ACCEPTED, OFFERED))


HEARD: dict[str, list[dict[str, Any]]] = {
    "one rule": [BOTH],
    "two rules": [ACCEPTED, EXPIRED],
    "one after the other": [
        {**ACCEPTED, "valid": {"from": "2026-02-01", "until": "9999-12-31"}},
        {**EXPIRED, "valid": {"from": "2026-01-01", "until": "2026-03-31"}},
        {**EXPIRED, "valid": {"from": "2026-04-01", "until": "9999-12-31"}},
    ],
    "for as long as acceptance": [
        {**ACCEPTED, "valid": {"until": "2026-03-31"}},
        {**EXPIRED, "valid": {"until": "2026-03-31"}},
    ],
    "acceptance pays nothing either": [{**ACCEPTED, **UNPAID}, PROSPECTS],
}


@pytest.mark.parametrize("rules", HEARD.values(), ids=HEARD)
def test_an_expiry_that_pays_whenever_acceptance_does_is_not_found(rules: list[dict[str, Any]]) -> None:
    assert codes(plan("scout", *rules)) == []


# --- L11: twice for the same ------------------------------------------------------------------------------------------


def test_sets_of_events_that_merely_intersect_pay_the_same_event_twice() -> None:
    (finding,) = lint([plan("scout", BOTH, {**ACCEPTED, "amount": "5"})], FULL)
    assert (finding.code, finding.rule, finding.message) == ("L11", "R2", "pays for the same as R1, on the same days")
    assert codes(plan("scout", VERIFIED, PROSPECTS)) == ["L11"], "the base grows by who is verified"


def test_events_that_differ_or_days_that_do_are_not_paid_twice() -> None:
    assert codes(plan("scout", ACCEPTED, EXPIRED, PROSPECTS)) == []
    may = {"valid": {"from": "2026-05-01", "until": "2026-05-31"}}
    assert codes(plan("scout", {**BOTH, "valid": {"until": "2026-04-30"}}, {**BOTH, **may})) == []
