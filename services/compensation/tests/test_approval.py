"""The versions of a plan: what stays the same from one to the next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import reduce

import pytest

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


def test_a_zone_that_nobody_approved_can_be_mended() -> None:
    book = told(draft(1, "Europe/Berlin"), draft(1, "Europe/Vienna"), draft(2, "Europe/Vienna"), approve(1), approve(2))
    assert all(one.approved is not None for one in book.versions.values())


def test_a_draft_said_again_is_nothing_new_even_in_another_zone() -> None:
    first, second = draft(1, "Europe/Berlin"), draft(2, "America/New_York")
    book = told(first, second, approve(1))
    assert decide(second, book) == []
    with pytest.raises(Refused):
        decide(replace(second, document=draft(2, "America/New_York", "otherwise").document), book)
