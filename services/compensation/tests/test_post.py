"""A person's place under a plan: days at work, and the months that its sales belong to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pay_histories import ZONE, Company, company

from compensation.history import History
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate, parse
from compensation.reading import fact
from compensation.statement import statements

MONTHS = list(Month(2026, 1).through(Month(2026, 12)))
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
