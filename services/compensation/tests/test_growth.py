"""Growth of a base: what a capped month says of itself, and what a cap leaves alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compensation.cases import load_case
from compensation.facts import Fact, Invalidated, Milestone, Seat
from compensation.history import History
from compensation.line import Line
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, shipped
from compensation.rules import Cap, Growth, Scale, window_key
from compensation.statement import statements

CASE = Path(__file__).parent.parent / "cases/47-capped-growth.yaml"
MONTHS = list(Month(2026, 1).through(Month(2026, 12)))
START = datetime(2026, 1, 1, tzinfo=UTC)
ANA = Seat("ana", "scout")


@pytest.mark.parametrize(
    ("month", "amount", "calc"),
    [
        (1, "12.00", {"exact": "18.00", "units": 6, "gained": 6, "lost": 0, "uncapped": "18.00"}),
        (2, "0.00", {"exact": "0.00", "units": 0, "gained": 1, "lost": 3}),
        (3, "12.00", {"exact": "18.00", "units": 6, "gained": 8, "lost": 0, "carried": -2, "uncapped": "18.00"}),
        (4, "12.00", {"exact": "12.00", "units": 4, "gained": 4, "lost": 0}),
    ],
    ids=["capped", "below zero", "carried and capped", "just reached"],
)
def test_a_month_of_growth_says_what_it_would_be_without_the_cap(month: int, amount: str, calc: dict[str, Any]) -> None:
    (scene,) = load_case(CASE)[1]
    statement = scene.statements(scene.history, "ana", [Month(2026, month)], None)[Month(2026, month)]
    (line,) = [line.to_json() for line in statement.lines if line.rule == "S2"]
    assert line["amount"] == amount
    assert line["calc"] == {"each": "3.00", **calc}


def _moves(prospects: list[tuple[int, int | None]]) -> Iterator[Fact]:
    """Each prospect is verified in a month and, if there is a second one, turns out to be none in that."""
    for n, (verified, gone) in enumerate(prospects):
        at = datetime(2026, verified, 10, 12, tzinfo=UTC)
        yield Fact(f"v{n}", "ProspectVerified", at, at, f"c{n}", None, Milestone("line", {"sourced_by": ANA}))
        if gone is not None:
            at = datetime(2026, max(gone, verified), 20, 12, tzinfo=UTC)
            yield Fact(f"i{n}", "ProspectInvalidated", at, at, f"c{n}", None, Invalidated("line", ANA, True))


def _growth(prospects: list[tuple[int, int | None]], cap: Cap | None) -> list[Line]:
    """Ana's lines of S2, 3.00 for each, in the order of months."""
    plan = shipped("ref-scout")
    rules = tuple(r.model_copy(update={"cap": cap}) if isinstance(r, Growth) else r for r in plan.rules)
    capped = [PlanVersion(plan.model_copy(update={"rules": rules}), START)]
    assigned = [Assignment("ana", "ref-scout", "scout", date(2026, 1, 1), START)]
    found = statements(History(_moves(prospects), zone="Europe/Berlin"), capped, assigned, "ana", MONTHS)
    return [line for statement in found.values() for line in statement.lines if line.rule == "S2"]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.none() | st.integers(1, 12)), max_size=30),
    st.integers(0, 20),
    st.sampled_from(["month", "quarter", "year"]),
)
def test_a_cap_takes_from_what_is_paid_and_never_from_what_is_carried(
    prospects: list[tuple[int, int | None]], most: int, per: Scale
) -> None:
    paid: dict[str, Decimal] = {}
    without, within = _growth(prospects, None), _growth(prospects, Cap(amount=Decimal(most), per=per))
    for free, line in zip(without, within, strict=True):
        window = window_key(per, line.period)
        before = paid.get(window, Decimal(0))
        assert line.amount == min(free.amount, most - before)
        uncapped = None if line.amount == free.amount else free.amount
        assert line == replace(free, amount=line.amount, calc=replace(free.calc, uncapped=uncapped))
        paid[window] = before + line.amount
