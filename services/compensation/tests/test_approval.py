"""The versions of a plan: what stays the same from one to the next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import reduce

import pytest
from pay_office import Office

from belt.core.decider import Refused
from compensation.approval import Approve, Draft, PlanBook, decide, evolve

NOW = datetime(2026, 1, 1, 9, tzinfo=UTC)


def draft(number: int, zone: str | None, title: str = "") -> Draft:
    document = json.dumps({"plan": "p", "version": number, "title": title} | ({"zone": zone} if zone else {}))
    return Draft("p", number, "hunter", "EUR", date(2026, number, 1), document, "ann", NOW)


def approve(number: int) -> Approve:
    return Approve("p", number, "bob", NOW)


def told(*commands: Draft | Approve) -> PlanBook:
    return reduce(lambda book, command: reduce(evolve, decide(command, book), book), commands, PlanBook())


ZONES = [("Europe/Berlin", "America/New_York"), (None, "Europe/Berlin"), ("Europe/Berlin", None)]


@pytest.mark.parametrize(("zone", "other"), ZONES)
def test_a_plan_keeps_its_zone_in_every_version(zone: str | None, other: str | None) -> None:
    book = told(draft(1, zone), approve(1))
    with pytest.raises(Refused) as refused:
        decide(draft(2, other), book)
    assert (refused.value.code, refused.value.facts) == ("plan.other-zone", {"plan": "p", "version": 1, "zone": zone})
    assert told(draft(1, zone), approve(1), draft(2, zone), approve(2)).versions[2].approved is not None


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_drafts_in_two_zones_one_is_approved(order: Sequence[int]) -> None:
    book = told(draft(1, "Europe/Berlin"), draft(2, "America/New_York"), approve(order[0]))
    with pytest.raises(Refused) as refused:
        decide(approve(order[1]), book)
    assert refused.value.code == "plan.other-zone"


def in_berlin(command: Draft | Approve) -> Draft | Approve:
    return replace(command, zone="Europe/Berlin")


def test_the_company_s_zone_is_the_same_whether_it_is_written_or_not() -> None:
    for zone, other in ((None, "Europe/Berlin"), ("Europe/Berlin", None)):
        said = (draft(1, zone), approve(1), draft(2, other), approve(2))
        book = told(*(in_berlin(command) for command in said))
        assert book.versions[2].approved is not None
        with pytest.raises(Refused) as refused:
            decide(in_berlin(draft(3, "Europe/Vienna")), book)
        assert refused.value.facts["zone"] == "Europe/Berlin"


def test_a_zone_that_nobody_approved_can_be_mended() -> None:
    book = told(draft(1, "Europe/Berlin"), draft(1, "Europe/Vienna"), draft(2, "Europe/Vienna"), approve(1), approve(2))
    assert all(one.approved is not None for one in book.versions.values())


def test_a_draft_said_again_is_nothing_new_even_in_another_zone() -> None:
    first, second = draft(1, "Europe/Berlin"), draft(2, "America/New_York")
    book = told(first, second, approve(1))
    assert decide(second, book) == []
    with pytest.raises(Refused):
        decide(replace(second, document=draft(2, "America/New_York", "otherwise").document), book)


async def test_a_new_version_may_write_out_the_zone_that_the_first_one_left_out(own_office: Office) -> None:
    plan = {"plan": "calls", "role": "scout", "currency": "EUR", "effective_from": "2026-01-01", "salary": "1000.00"}
    taken = {"id": "S1", "kind": "bounty", "on": ["LeadAccepted", "LeadOfferExpired"], "seat": "sourced_by"}
    rules = [{**taken, "amount": "20.00", "once_per": ["client", "need"]}]
    for number, zone in ((1, {}), (2, {"zone": "Europe/Berlin"}), (3, {})):
        await own_office.post("/v1/plans", {**plan, "version": number, "rules": rules, **zone})
        done = await own_office.post(f"/v1/plans/calls/versions/{number}/approve", {}, by="approver")
        assert done["stage"] == "approved"
    elsewhere = {**plan, "version": 4, "rules": rules, "zone": "Europe/Vienna"}
    answer = await own_office.http.post("/v1/plans", json=elsewhere, headers=own_office.token("office"))
    assert (answer.status_code, answer.json()["code"]) == (409, "plan.other-zone")
    assert answer.json()["facts"]["zone"] == "Europe/Berlin"
