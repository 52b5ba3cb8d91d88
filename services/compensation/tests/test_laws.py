"""Laws of pay over random histories, and an independent reckoning that must come to the same cent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pay_fold import closings, read
from pay_histories import ZONE, Company, company, shuffled
from pay_oracle import Oracle, as_decimal

from compensation.digest import of_statement
from compensation.facts import Fact, Part, Sale, Seat, Sold
from compensation.history import History
from compensation.laws import broken
from compensation.line import Line, total
from compensation.months import Month
from compensation.parties import pairs
from compensation.period import Close, Posted, posted
from compensation.plan import Assignment, PlanVersion, Rate, shipped
from compensation.reading import fact
from compensation.rules import Guarantee
from compensation.statement import Statement, statements
from conveyor_events import Envelope, round_half_up

MONTHS = list(Month(2026, 1).through(Month(2026, 12)))
companies = st.builds(company, st.integers(0, 2**32 - 1), st.integers(1, 7))
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stated(
    made: Company, envelopes: list[Envelope] | None = None, known_at: datetime | None = None
) -> dict[str, list[Statement]]:
    history, plans, assigned, rates = read(made, envelopes)
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


def _posted(made: Company, person: str, closes: Sequence[Close], known_at: datetime | None = None) -> Posted:
    history, plans, assigned, rates = read(made)
    return posted(history, plans, assigned, person, MONTHS[-1], known_at, rates, closes)


@often
@given(companies, closings, st.one_of(st.none(), st.integers(0, 240)))
def test_a_statement_follows_from_the_clients_whom_its_person_has_to_do_with(
    made: Company, closes: list[Close], days: int | None
) -> None:
    known_at = None if days is None else datetime.fromordinal(date(2026, 1, 1).toordinal() + days).replace(tzinfo=UTC)
    history, plans, assigned, rates = read(made)
    named = pairs(made.envelopes)
    for person in made.people:
        own = [e for e in made.envelopes if e.client_id is None or (person, e.client_id) in named]
        file, basis = read(made, own)[0], (person, MONTHS, known_at, rates, closes)
        mine = [one for one in assigned if one.person == person]
        assert statements(file, plans, mine, *basis) == statements(history, plans, assigned, *basis)


@often
@given(companies, closings)
def test_closing_changes_when_something_is_paid_but_never_how_much(made: Company, closes: list[Close]) -> None:
    for person in made.people:
        for state in ("earned", "conditional"):
            open_lines = _posted(made, person, []).lines
            lines = _posted(made, person, closes).lines
            assert total(x for x in lines if x.state == state) == total(x for x in open_lines if x.state == state)


@often
@given(companies, closings)
def test_a_closed_month_never_changes(made: Company, closes: list[Close]) -> None:
    history, plans, assigned, rates = read(made)
    for number, close in enumerate(closes):
        months = [month for month in MONTHS if month <= close.month]
        early = History((fact(e) for e in made.envelopes if e.recorded_at <= close.at), zone=ZONE)
        for person in made.people:
            then = statements(early, plans, assigned, person, months, close.at, rates, closes[: number + 1])
            now = statements(history, plans, assigned, person, months, None, rates, closes)
            for month in months:
                frozen = [line for line in then[month].lines if line.period == month and line.kind != "carry"]
                assert [line for line in now[month].lines if line.kind != "carry"] == frozen


@often
@given(companies, closings)
def test_every_law_holds_across_closes(made: Company, closes: list[Close]) -> None:
    history, plans, assigned, rates = read(made)
    all_months = list(Month(2026, 1).through(Month(2028, 1)))
    found = [
        s
        for person in made.people
        for s in statements(history, plans, assigned, person, all_months, None, rates, closes).values()
    ]
    assert broken(history, found) == []
    for statement in found:
        for line in statement.lines:
            assert line.kind != "correction" or all(line.period > c.month for c in closes if c.month == line.relates_to)
            assert line.kind != "correction" or line.causes or line.calc.note, line


def _with(line: Line, **changes: Any) -> Callable[[list[Line]], list[Line]]:
    return lambda lines: [*lines, replace(line, line_id=UUID(int=1), **changes)]


def _harmed(kind: str, sign: int = 1, **changes: Any) -> Callable[[list[Line]], list[Line]]:
    """Adds a line like the first of its kind that is above (or below) zero, with something changed."""

    def harm(lines: list[Line]) -> list[Line]:
        line = next(line for line in lines if line.kind == kind and line.amount * sign > 0)
        return _with(line, amount=line.amount * 100, **changes)(lines)

    return harm


def _twice(lines: list[Line]) -> list[Line]:
    return [*lines, lines[0]]


def _another_base(lines: list[Line]) -> list[Line]:
    line = next(line for line in lines if line.calc.base and line.calc.note != "legacy")
    return _with(line, amount=Decimal(0), person="stranger")(lines)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_twice, "exists twice"),
        (_harmed("fixed", causes=("never-received",)), "never-received was never received"),
        (_harmed("clawback", -1), "was taken back of"),
        (_harmed("release"), "was released of a commission of"),
        (_harmed("release"), "fully paid, but"),
        (_another_base, "are credited of a base of"),
    ],
)
def test_a_broken_law_is_named(harm: Callable[[list[Line]], list[Line]], says: str) -> None:
    made = company(1, 30)
    all_of_them = [s for by in stated(made).values() for s in by]
    assert broken(read(made)[0], all_of_them) == []
    lines = harm([line for s in all_of_them for line in s.lines])
    first, *rest = [replace(s, lines=()) for s in all_of_them]
    found = broken(read(made)[0], [replace(first, lines=tuple(lines)), *rest])
    assert any(says in law for law in found), found[:5]


def test_a_line_off_by_a_cent_is_named() -> None:
    made = company(7, 6)
    all_of_them = [s for by in stated(made).values() for s in by]
    place = next(i for i, s in enumerate(all_of_them) if s.lines)
    first, *rest = all_of_them[place].lines
    all_of_them[place] = replace(
        all_of_them[place], lines=(replace(first, amount=first.amount + Decimal("0.01")), *rest)
    )
    assert len([law for law in broken(read(made)[0], all_of_them) if "lines sum to" in law]) == 1


@often
@given(companies, st.integers(1, 3000), st.booleans())
def test_a_guarantee_is_kept_and_an_advance_comes_back_only_from_variable_pay(
    made: Company, amount: int, recoverable: bool
) -> None:
    history, plans, assigned, rates = read(made)
    rule = Guarantee(id="G", kind="guarantee", amount=Decimal(amount), recoverable=recoverable, months=4)
    own = [tuple(r for r in v.plan.rules if not isinstance(r, Guarantee)) for v in plans]
    assured = [
        PlanVersion(v.plan.model_copy(update={"rules": (*rules, rule)}), v.recorded_at)
        for v, rules in zip(plans, own, strict=True)
    ]
    for person in made.people:
        plain = list(statements(history, plans, assigned, person, MONTHS, None, rates).values())
        found = list(statements(history, assured, assigned, person, MONTHS, None, rates).values())
        assert broken(history, found) == []
        advanced = Decimal(0)
        for before, after in zip(plain, found, strict=True):
            added = [line.amount for line in after.lines if line.kind == "guarantee"]
            advanced += sum(added)
            assert advanced >= 0, "more came back than was advanced"
            assert [t.fixed for t in after.totals] == [t.fixed for t in before.totals]
            assert all(t.payable >= t.fixed for t in after.totals)
            if not recoverable:
                assert all(one > 0 for one in added)


@often
@given(companies, st.integers(0, 99), st.sets(st.integers(1, 8), max_size=3))
def test_a_full_replay_gives_every_digest_whatever_the_order_of_arrival(
    made: Company, seed: int, months: set[int]
) -> None:
    closes = [Close(Month(2026, n), datetime(2026, n + 1, 7, tzinfo=UTC)) for n in sorted(months)]

    def digests(envelopes: list[Envelope]) -> list[str]:
        history, plans, assigned, rates = read(made, envelopes)
        stated = [
            one.to_json()
            for person in made.people
            for one in statements(history, plans, assigned, person, MONTHS, None, rates, closes).values()
        ]
        return [of_statement(s["period"], s["person"], s["lines"], s["totals"]) for s in stated]

    assert digests(list(made.envelopes)) == digests(list(shuffled(made.envelopes * 3, seed)))
