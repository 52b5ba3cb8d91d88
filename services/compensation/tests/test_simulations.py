"""Simulations at the doors: asked once, watched, stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pay_office import Office
from sqlalchemy.exc import DBAPIError

from compensation.clerk import simulating
from compensation.clerk.company import Company, company

ASKED = {"from": "2026-03", "to": "2026-03", "accept_within_hours": 4, "simulation_id": "s-stopped"}


async def test_a_simulation_that_is_stopped_stays_stopped(office: Office) -> None:
    for _ in range(2):
        assert (await office.post("/v1/simulations", ASKED, "pia"))["stage"] == "queued"
    shown = await office.json("/v1/simulations/s-stopped", "pia")
    assert (shown["stage"], shown["result"], shown["progress"]) == ("queued", None, None)
    for _ in range(2):
        assert (await office.post("/v1/simulations/s-stopped/cancel", {}, "pia"))["stage"] == "cancelled"
    assert (await office.json("/v1/simulations/s-stopped", "pia"))["stage"] == "cancelled"


async def test_a_simulation_id_stands_for_one_question(office: Office) -> None:
    asked = ASKED | {"simulation_id": "s-once"}
    await office.post("/v1/simulations", asked, "pia")
    headers = office.token("pia") | {"content-type": "application/json"}
    answer = await office.http.post("/v1/simulations", json=asked | {"accept_within_hours": 5}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "simulation.id-taken")


async def test_a_database_that_says_no_for_a_while_stops_neither_the_simulator_nor_what_was_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.post("/v1/simulations", ASKED | {"simulation_id": "s-patient"}, "pia")
    rows, basis, asked = office.desk.rows, company(office.desk).basis, 0

    def starting_up() -> DBAPIError:
        return DBAPIError("select", None, Exception("the database system is starting up"))

    async def rows_later(statement: Any) -> Any:
        nonlocal asked
        if asyncio.current_task() is at_work:
            asked += 1
            if asked == 1:
                raise starting_up()
        return await rows(statement)

    async def basis_later(*args: Any) -> Any:
        if asked < 3:
            raise starting_up()
        return await basis(*args)

    monkeypatch.setattr(office.desk, "rows", rows_later)
    monkeypatch.setattr(Company, "basis", lambda _self, *args: basis_later(*args))
    monkeypatch.setattr(simulating, "PATIENCE", 0.01)
    at_work = asyncio.create_task(simulating.simulator(office.desk))
    try:
        async with asyncio.timeout(20):
            while (await office.json("/v1/simulations/s-patient", "pia"))["stage"] != "done":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert not at_work.done()
    finally:
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)
