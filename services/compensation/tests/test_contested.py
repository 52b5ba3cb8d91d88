"""What became contested after its month was closed: taken back, decided later, and no law is broken by it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pay_fold import closings, read
from pay_histories import Company, company

from compensation.cases import Scene, load_case
from compensation.facts import Contested, Fact, Ruled, Seat, Sold
from compensation.history import History
from compensation.laws import broken
from compensation.months import Month
from compensation.period import Close
from compensation.statement import Statement, everybody, statements

FILE = Path(__file__).parent.parent / "cases" / "39-contested-after-the-close.yaml"
OPEN = ""
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def scene(branch: str = OPEN) -> Scene:
    return next(one for one in load_case(FILE)[1] if one.name == branch)


def _everything(told: Scene) -> list[Statement]:
    months = list(Month(2026, 3).through(Month(2026, 6)))
    return [
        one
        for person in everybody(told.history, told.assignments)
        for one in told.statements(told.history, person, months).values()
    ]


@pytest.mark.parametrize("branch", [OPEN, "both were right", "halved, the odd cent to the older claim", "nobody"])
def test_a_sale_that_is_contested_after_the_close_breaks_no_law_before_or_after_the_decision(branch: str) -> None:
    told = scene(branch)
    assert broken(told.history, _everything(told)) == []


def test_the_line_that_takes_back_what_became_contested_names_the_conflict_among_its_causes() -> None:
    told = scene()
    april = told.statements(told.history, "dina", [Month(2026, 4)])[Month(2026, 4)]
    (taken,) = [one for one in april.lines if one.kind == "correction"]
    assert taken.amount == -20
    assert "ConflictDetected" in {told.history.facts[cause].name for cause in taken.causes}


@pytest.mark.parametrize("branch", ["both were right", "halved, the odd cent to the older claim"])
def test_the_law_barks_when_what_was_contested_is_decided_and_not_released(branch: str) -> None:
    told = scene(branch)
    kept = [_without(one, Month(2026, 5)) for one in _everything(told)]
    assert any("fully paid, but" in law for law in broken(told.history, kept))


def test_the_law_barks_when_a_paid_sale_that_nobody_contests_is_not_released() -> None:
    told = scene()
    uncontested = History([one for one in told.facts if not isinstance(one.data, Contested)], zone=told.zone)
    assert any("fully paid, but 0.00 was released of 20.00" in law for law in broken(uncontested, _everything(told)))


def _without(one: Statement, month: Month) -> Statement:
    """The statement; that of the month without what is earned by rules."""
    lines = tuple(line for line in one.lines if line.rule != "H1" or line.state != "earned")
    return replace(one, lines=lines) if one.period == month else one


def _contest(made: Company, history: History, seed: int) -> list[Fact]:
    """Conflicts over some of the sales, found at any time, and decided or not."""
    rnd, found = Random(seed), []
    for sale_id, file in history.sales.items():
        if not file.made or rnd.random() < 0.4:
            continue
        sold, case = file.made[0], f"case-{sale_id}"
        assert isinstance(sold.data, Sold)
        at = sold.recorded_at + timedelta(days=rnd.randint(0, 90))
        found.append(Fact(case, "ConflictDetected", at, at, sold.client_id, None, Contested(case, sale_id, None)))
        if rnd.random() < 0.7:
            seller = sold.data.sale.converted_by if sold.data.sale.first else sold.data.sale.served_by
            rivals = [person for person in made.people if seller is None or person != seller.person]
            rival = Seat(rnd.choice(rivals), seller.role if seller else "hunter")
            outcome = rnd.choice(["credit_a", "credit_b", "split", "house", "dismissed"])
            data = Ruled(case, "C6", outcome, sold.data.sale.line, rival, seller, sale_id)
            at += timedelta(days=rnd.randint(0, 90))
            found.append(Fact(f"{case}/ruled", "ConflictResolved", at, at, sold.client_id, None, data))
    return found


@often
@given(st.builds(company, st.integers(0, 2**32 - 1), st.integers(1, 7)), closings, st.integers(0, 2**32 - 1))
def test_every_law_holds_while_sales_are_contested_and_when_they_are_decided(
    made: Company, closes: list[Close], seed: int
) -> None:
    history, plans, assigned, rates = read(made)
    for one in _contest(made, history, seed):
        history.add(one)
    months = list(Month(2026, 1).through(Month(2028, 1)))
    found = [
        one
        for person in made.people
        for one in statements(history, plans, assigned, person, months, None, rates, closes).values()
    ]
    assert broken(history, found) == []
