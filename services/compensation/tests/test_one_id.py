"""A deal and a repeat sale may have one id: the systems that give them know nothing of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pay_fold import read
from pay_histories import Company, company

from compensation.facts import Sold, contested, sale_key
from compensation.known import Known
from compensation.laws import broken
from compensation.line import Line
from compensation.months import Month
from compensation.statement import Statement, statements
from conveyor_events import Envelope

MONTHS = list(Month(2026, 1).through(Month(2028, 1)))


def as_one(envelopes: Sequence[Envelope]) -> list[Envelope]:
    """The same, where repeat sales have the ids of deals, one each as long as there are some."""
    sales = [e.data["sale"] for e in envelopes if "sale" in e.data]
    firsts, repeats = (
        dict.fromkeys(sale["sale_id"] for sale in sales if sale["kind"] == kind) for kind in ("first", "repeat")
    )
    theirs = dict(zip(repeats, firsts, strict=False))
    assert theirs

    def told(data: dict[str, Any]) -> dict[str, Any]:
        sale = data.get("sale")
        if sale is None or sale["kind"] != "repeat":
            return data
        return {**data, "sale": {**sale, "sale_id": theirs.get(sale["sale_id"], sale["sale_id"])}}

    return [replace(e, data=told(e.data)) for e in envelopes]


def paid(made: Company, envelopes: Sequence[Envelope]) -> list[Statement]:
    history, plans, assigned, rates = read(made, envelopes)
    return [
        one
        for person in made.people
        for one in statements(history, plans, assigned, person, MONTHS, None, rates).values()
    ]


def lines(found: Sequence[Statement]) -> dict[UUID, tuple[Any, ...]]:
    all_of_them: list[Line] = [line for one in found for line in one.lines]
    return {line.line_id: (line.person, line.period, line.kind, line.state, line.amount) for line in all_of_them}


@pytest.mark.parametrize("seed", range(12))
def test_each_is_paid_as_if_it_had_an_id_of_its_own(seed: int) -> None:
    made = company(seed, 20)
    one_id = as_one(made.envelopes)
    found = paid(made, one_id)
    assert lines(found) == lines(paid(made, made.envelopes))
    assert broken(read(made, one_id)[0], found) == []


@pytest.mark.parametrize(("kind", "first"), [("C4", False), ("C6", True), ("C8", True)])
def test_a_conflict_over_the_one_leaves_the_other_alone(kind: str, first: bool) -> None:
    history = read(company(3, 20))[0]
    sold = next(fact for fact in history.facts.values() if isinstance(fact.data, Sold))
    history.add(replace(sold, event_id="case", data=contested("case", kind, "1001", None)))
    known = Known(history)
    assert known.contested(sale_key("1001", first=first)) == "case"
    assert known.contested(sale_key("1001", first=not first)) is None
