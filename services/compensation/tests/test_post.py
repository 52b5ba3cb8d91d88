"""A person's place under a plan: days at work, and the months that its sales belong to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pay_histories import ZONE, Company, company

from compensation import kept
from compensation.history import History
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate, parse, shipped
from compensation.reading import fact
from compensation.statement import statements
from conveyor_events import Envelope, Event, staff, to_json, wire_type

MONTHS = list(Month(2026, 1).through(Month(2026, 12)))
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


def envelope(event: Event, sequence: int, number: int) -> Envelope:
    return Envelope(
        id=UUID(int=number),
        type=wire_type(event),
        schema_version=1,
        source="/conveyor/test",
        subject="boris",
        occurred_at=AT,
        recorded_at=AT,
        command_id="c",
        correlation_id="c",
        sequence=sequence,
        data=event.model_dump(mode="json"),
    )


def hired(on: date) -> Event:
    return staff.StaffHired(person="boris", hired_on=on)


def left(on: date) -> Event:
    return staff.StaffLeft(person="boris", last_day=on, left_at=datetime(on.year, on.month, on.day, 22, tzinfo=UTC))


def salaries(*events: Event, order: tuple[int, ...] = (0, 1, 2, 3)) -> dict[int, Decimal]:
    """What the reference hunter gets a month, if all of this was recorded in one instant; ids do not follow the log."""
    envelopes = [envelope(event, n + 1, order[n] + 1) for n, event in enumerate(events)]
    history = History((fact(envelopes[n]) for n in order if n < len(events)), zone=ZONE)
    plans = [PlanVersion(shipped("ref-hunter"), AT)]
    assigned = [Assignment("boris", "ref-hunter", "hunter", date(2026, 1, 1), AT)]
    found = statements(history, plans, assigned, "boris", MONTHS)
    return {month.number: one.total.fixed for month, one in found.items()}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_is_hired_again_in_one_batch_is_paid_for_the_days_at_work(order: tuple[int, ...]) -> None:
    found = salaries(hired(date(2026, 1, 1)), left(date(2026, 3, 15)), hired(date(2026, 6, 1)), order=order)
    assert [found[n] for n in range(1, 8)] == [
        Decimal("500.00"), Decimal("500.00"), Decimal("241.94"), Decimal(0), Decimal(0), Decimal("500.00"),
        Decimal("500.00"),
    ]  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_of_two_first_days_said_in_one_instant_the_later_said_holds(order: tuple[int, ...]) -> None:
    assert salaries(hired(date(2026, 1, 16)), hired(date(2026, 1, 1)), order=order)[1] == Decimal("500.00")
    assert salaries(hired(date(2026, 1, 1)), hired(date(2026, 1, 17)), order=order)[1] == Decimal("241.94")


def test_the_place_in_the_log_is_kept() -> None:
    told = envelope(hired(date(2026, 1, 1)), 7, 1)
    assert (fact(told).sequence, kept.read(json.dumps(to_json(told))).sequence) == (7, 7)


companies = st.builds(company, st.integers(0, 2**32 - 1), st.integers(1, 7))
zones = st.sampled_from([None, "America/New_York", "Pacific/Auckland", "UTC"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(companies, zones, zones, st.integers(40, 330))
def test_a_version_to_come_never_changes_a_month_before_it(
    made: Company, zone: str | None, other: str | None, day: int
) -> None:
    since = date(2026, 1, 1) + timedelta(days=day)
    plans = [PlanVersion(_in(zone, document), at) for document, at in made.plans]
    last: dict[str, Any] = {}
    for one in plans:
        last[one.plan.plan] = max(last.get(one.plan.plan, one), one, key=lambda v: v.plan.version)
    more = [
        replace(
            one,
            plan=one.plan.model_copy(
                update={"version": one.plan.version + 1, "zone": other, "effective_from": since, "rules": ()}
            ),
        )
        for one in last.values()
    ]
    history = History((fact(e) for e in made.envelopes), zone=ZONE)
    assigned = [Assignment(**a) for a in made.assignments]
    rates = [Rate(r["id"], "USD", "EUR", r["day"], r["rate"], r["recorded_at"]) for r in made.rates]
    before = [month for month in MONTHS if month.last_day < since]
    for person in made.people:
        then, now = (statements(history, p, assigned, person, before, None, rates) for p in (plans, plans + more))
        assert [one.lines for one in then.values()] == [one.lines for one in now.values()]
        assert [one.totals for one in then.values()] == [one.totals for one in now.values()]


def _in(zone: str | None, document: dict[str, Any]) -> Any:
    return parse(document | ({"zone": zone} if zone else {}))
