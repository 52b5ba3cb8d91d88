"""Simulations at the doors: asked once, watched, stopped."""

from __future__ import annotations

from pay_office import Office

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
