"""A month begins at midnight of the company: from then on everything knows it, wherever the servers' day stands."""

from __future__ import annotations

from datetime import UTC, datetime

from pay_office import Office

from belt.io.clock import DrivenClock

APRIL_BEGINS = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # half past midnight in Berlin


async def test_a_line_of_the_new_month_is_explained_from_its_first_hour_on(own_office: Office) -> None:
    await own_office.open()
    assert isinstance(own_office.desk.clock, DrivenClock)
    own_office.desk.clock.set(APRIL_BEGINS)
    (salary,) = (await own_office.json("/v1/statements/boris/2026-04", "boris"))["lines"]
    shown = await own_office.json(f"/v1/lines/{salary['line_id']}", "boris")
    assert shown["period"] == "2026-04"
    earned = (await own_office.json("/v1/people", "boris"))["people"]["boris"]
    assert "2026-04" in earned["earned"]
