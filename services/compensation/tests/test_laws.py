"""Laws of pay over random histories, and an independent reckoning that must come to the same cent."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pay_histories import ZONE, Company, company, shuffled
from pay_oracle import Oracle, as_decimal

from compensation.facts import Fact, Part, Sale, Seat, Sold, fact
from compensation.history import History
from compensation.laws import broken
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate, parse, shipped
from compensation.statement import Statement, statements
from conveyor_events import Envelope, round_half_up

MONTHS = list(Month(2026, 1).through(Month(2026, 12)))
companies = st.builds(company, st.integers(0, 2**32 - 1), st.integers(1, 7))
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stated(
    made: Company, envelopes: list[Envelope] | None = None, known_at: datetime | None = None
) -> dict[str, list[Statement]]:
    history = History((fact(e) for e in envelopes or made.envelopes), zone=ZONE)
    plans = [PlanVersion(parse(document), at) for document, at in made.plans]
    assigned = [Assignment(**a) for a in made.assignments]
    rates = [Rate(r["id"], "USD", "EUR", r["day"], r["rate"], r["recorded_at"]) for r in made.rates]
    return {
        person: list(statements(history, plans, assigned, person, MONTHS, known_at, rates).values())
        for person in made.people
    }


@often
@given(companies)
def test_every_law_holds(made: Company) -> None:
    history = History((fact(e) for e in made.envelopes), zone=ZONE)
    assert broken(history, [s for by in stated(made).values() for s in by]) == []


@often
@given(companies, st.integers(0, 2**32 - 1))
def test_order_of_arrival_means_nothing(made: Company, seed: int) -> None:
    assert stated(made, shuffled(made.envelopes, seed)) == stated(made)


@often
@given(companies, st.integers(0, 2**32 - 1))
def test_every_event_three_times_changes_nothing(made: Company, seed: int) -> None:
    assert stated(made, shuffled(made.envelopes * 3, seed)) == stated(made)


@often
@given(companies, st.integers(0, 240))
def test_what_was_known_then_is_what_had_arrived_by_then(made: Company, days: int) -> None:
    at = (
        datetime(2026, 1, 1, 12, tzinfo=UTC)
        + (datetime(2026, 1, 2, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC)) * days
    )
    early = replace(
        made,
        envelopes=[e for e in made.envelopes if e.recorded_at <= at],
        plans=[p for p in made.plans if p[1] <= at],
        assignments=[a for a in made.assignments if a["recorded_at"] <= at],
        rates=[r for r in made.rates if r["recorded_at"] <= at],
    )
    then = {person: [replace(s, known_at=None) for s in by] for person, by in stated(made, known_at=at).items()}
    assert then == stated(early)


@often
@given(companies, st.one_of(st.none(), st.integers(0, 240)))
def test_an_independent_reckoning_agrees_to_the_cent(made: Company, days: int | None) -> None:
    known_at = None if days is None else datetime.fromordinal(date(2026, 1, 1).toordinal() + days).replace(tzinfo=UTC)
    expected = Oracle(made, ZONE, known_at).pay(date(2026, 12, 31))
    for person, by in stated(made, known_at=known_at).items():
        for statement in by:
            total, pay = statement.total, expected[person, str(statement.period)]
            rules: dict[str, Fraction] = {}
            for line in statement.lines:
                if line.state == "earned" and line.kind not in ("fixed", "carry"):
                    rules[line.rule] = rules.get(line.rule, Fraction(0)) + Fraction(line.amount)
            where = f"{person} {statement.period}"
            assert {k: v for k, v in rules.items() if v} == {k: v for k, v in pay["rules"].items() if v}, where
            assert total.fixed == as_decimal(pay["fixed"]), where
            assert total.conditional == as_decimal(pay["conditional"]), where
            assert total.carry_out == as_decimal(pay["owed"]), where
            assert total.payable == as_decimal(pay["payable"]), where


@often
@given(
    st.decimals("0.01", "99999.99", places=2),
    st.lists(st.decimals("0.1", "9", places=1), min_size=1, max_size=5),
    st.sampled_from(["EUR", "USD"]),
)
def test_the_credited_parts_of_a_sale_are_the_whole_sale(net: Decimal, weights: list[Decimal], currency: str) -> None:
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    seat = Seat("p0", "hunter")
    parts = tuple(Part(f"p{n}", "hunter", weight) for n, weight in enumerate(weights))
    sale = Sale("d1", True, "line", net, currency, at, seat, seat, None, parts)
    history = History([Fact("e1", "DealClosed", at, at, "acme", None, Sold(sale))], zone=ZONE)
    plans = [PlanVersion(shipped("ref-hunter"), at)]
    assigned = [Assignment(part.person, "ref-hunter", "hunter", date(2026, 1, 1), at) for part in parts]
    rates = [Rate("r", "USD", "EUR", date(2026, 3, 10), Decimal("0.9251"), at)]
    by = [statements(history, plans, assigned, a.person, [Month(2026, 3)], None, rates) for a in assigned]
    lines = [line for s in by for line in s[Month(2026, 3)].lines if line.kind == "commission"]
    whole = net if currency == "EUR" else round_half_up(net * Decimal("0.9251"), "EUR")
    credited = sum((line.calc.base or Decimal(0) for line in lines), Decimal(0))
    assert credited == whole


def _line_off_by_a_cent(statement: Statement) -> Statement:
    first, *rest = statement.lines
    cent = first.amount.__class__("0.01")
    return replace(statement, lines=(replace(first, amount=first.amount + cent), *rest))


def _unknown_cause(statement: Statement) -> Statement:
    first, *rest = statement.lines
    return replace(statement, lines=(replace(first, causes=("never-received",)), *rest))


def _line_twice(statement: Statement) -> Statement:
    return replace(statement, lines=(*statement.lines, statement.lines[0]))


@pytest.mark.parametrize(
    ("harm", "says"),
    [(_line_off_by_a_cent, "lines sum to"), (_unknown_cause, "never received"), (_line_twice, "exists twice")],
)
def test_a_broken_law_is_named(harm, says) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    made = company(7, 6)
    history = History((fact(e) for e in made.envelopes), zone=ZONE)
    all_of_them = [s for by in stated(made).values() for s in by]
    place = next(i for i, s in enumerate(all_of_them) if s.lines)
    all_of_them[place] = harm(all_of_them[place])
    assert any(says in law for law in broken(history, all_of_them))
