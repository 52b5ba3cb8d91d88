"""Plans are documents: numbers stay as written, and every fault names its path."""

import json
from decimal import Decimal

import pytest

from compensation.documents import FaultyDocument
from compensation.plan import Plan, parse, shelf, shipped
from compensation.rules import Bounty, Cap, Commission, Growth, Salary

HEAD = "plan: p\nversion: 1\nrole: hunter\ncurrency: EUR\neffective_from: 2026-01-01\n"
H1 = "{id: H1, kind: commission, sales: first, release: as_paid, "
B1 = "{id: B1, kind: bounty, on: [LeadAccepted], seat: sourced_by, once_per: [client], amount: 20.00, "
S2 = "{id: S2, kind: growth, metric: prospect_base, amount: 3.00, "


def test_what_ships_is_valid() -> None:
    assert shelf() == ["olist-hunter", "olist-scout", "ref-farmer", "ref-hunter", "ref-scout"]
    assert {shipped(name).plan for name in shelf()} == set(shelf())


def test_numbers_never_become_floats() -> None:
    plan = parse(HEAD + "salary: 0.10\nrules: [" + H1 + "percent: 7.25}]")
    commission, salary = plan.rules
    assert isinstance(commission, Commission)
    assert commission.percent == Decimal("7.25")
    assert isinstance(salary, Salary)
    assert str(salary.amount) == "0.10"


@pytest.mark.parametrize("rule", [B1, S2, H1 + "percent: 1, "], ids=["bounty", "growth", "commission"])
def test_whatever_pays_by_what_is_done_may_have_a_cap_and_it_is_of_a_month_unless_said_otherwise(rule: str) -> None:
    (capped,) = parse(HEAD + "rules: [" + rule + "cap: {amount: 30.00}}]").rules
    assert isinstance(capped, Bounty | Growth | Commission)
    assert capped.cap == Cap(amount=Decimal("30.00"), per="month")


def test_a_plan_reads_back_from_its_own_json() -> None:
    for name in shelf():
        plan = shipped(name)
        text = plan.model_dump_json(by_alias=True)
        assert parse(text) == plan
        assert parse(json.loads(text)) == plan


def test_decoded_json_must_write_amounts_as_strings() -> None:
    document = json.loads(shipped("ref-hunter").model_dump_json(by_alias=True))
    document["rules"][-1]["amount"] = 500.0
    with pytest.raises(FaultyDocument) as caught:
        parse(document)
    assert str(caught.value) == "rules[1].amount: an amount is a decimal string, never a JSON number"


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("salry: 1\nrules: []", "salry: this key is not known here"),
        ("salary: 1.005", "rules: salary: 1.005 has more digits than EUR has"),
        ("salary: .nan", "salary: an amount is a plain decimal string such as '1666.67'"),
        ("salary: -1", "salary: Input should be greater than or equal to 0"),
        ("rules: []", "rules: a plan without a rule pays nothing"),
        ("rules: [" + H1 + "percent: 101}]", "rules[0].percent: Input should be less than or equal to 100"),
        ("rules: [" + H1 + "percent: 1, flat: 1}]", "rules[0]: give exactly one of flat, percent and bands"),
        ("rules: [" + H1 + "percent: 1}, " + H1 + "percent: 2}]", "rules: two rules have the id H1"),
        ("rules: [{id: X, kind: tips}]", "rules[0]: Input tag 'tips' found using 'kind' does not match"),
        (
            "rules: [" + H1 + "bands: {mode: marginal, steps: [{from: 5, percent: 1}]}}]",
            "rules[0].bands.steps: the first band begins at 0",
        ),
        (
            "rules: [" + H1 + "bands: {mode: marginal, steps: [{from: 0, percent: 1}, {from: 0, percent: 2}]}}]",
            "rules[0].bands.steps: the band from 0 does not begin above 0",
        ),
        (
            "rules: [" + H1 + "bands: {mode: whole, steps: [{from: 0, percent: 2}, {from: 9, percent: 1}]}}]",
            "rules[0].bands: in mode whole a higher band cannot have a lower rate",
        ),
        (
            "rules: [" + H1 + "bands: {mode: marginal, quota: 1.005, steps: [{from: 0, percent: 1}]}}]",
            "rules: H1: 1.005 has more digits than EUR has",
        ),
        (
            "rules: [" + H1 + "percent: 1, clawback: [{days: 90, percent: 100}, {days: 90, percent: 50}]}]",
            "rules[0].clawback: the step up to day 90 does not come after day 90",
        ),
        (
            "rules: [{id: B, kind: bounty, on: [SelfTestTaken], seat: sourced_by, once_per: [client], amount: 1}]",
            "rules[0]: on: SelfTestTaken is not an event that pays",
        ),
        (
            "rules: [{id: B, kind: bounty, on: [LeadOfferExpired], seat: served_by, once_per: [client], amount: 1}]",
            "rules[0]: seat: LeadOfferExpired has no seat served_by",
        ),
        (
            "rules: [" + S2 + "cap: {amount: 30.005}}]",
            "rules: S2: 30.005 has more digits than EUR has",
        ),
        ("rules: [" + S2 + "cap: 30.00}]", "rules[0].cap: this is not a mapping of keys to values"),
        (
            "rules: [{id: X, kind: salary, amount: 1, cap: {amount: 1}}]",
            "rules[0]: cap: a salary is the same every month: write the amount that is meant",
        ),
        (
            "rules: [{id: G, kind: guarantee, amount: 1, cap: {amount: 1}}]",
            "rules[0]: cap: a guarantee is the least that is paid: a cap belongs to the rule that pays more",
        ),
        ("zone: Europe/Nowhere\nsalary: 1", "zone: 'Europe/Nowhere' is not an IANA time zone"),
    ],
)
def test_a_fault_names_its_path(rest: str, says: str) -> None:
    with pytest.raises(FaultyDocument) as caught:
        parse(HEAD + rest)
    assert any(str(fault).startswith(says) for fault in caught.value.faults), caught.value.faults


def test_an_unknown_currency_is_a_fault() -> None:
    with pytest.raises(FaultyDocument, match="currency: unknown currency 'EUX'"):
        parse(HEAD.replace("EUR", "EUX") + "salary: 1")


def test_minor_units_follow_the_currency() -> None:
    assert isinstance(parse(HEAD.replace("EUR", "KWD") + "salary: 1.005"), Plan)
    with pytest.raises(FaultyDocument, match=r"1\.5 has more digits than JPY has"):
        parse(HEAD.replace("EUR", "JPY") + "salary: 1.5")
