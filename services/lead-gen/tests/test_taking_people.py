"""A manager takes nobody into a team who stands in one that others manage: with membership comes sight of pay."""

from __future__ import annotations

from typing import Any

from lead_gen_office import STAFFING, Office

NORTH = "/v1/lines/north/staffing"


def north(**members: list[str]) -> dict[str, Any]:
    teams = {name: {"team": name, "members": members.get(name.partition("-")[0], [])} for name in STAFFING["teams"]}
    return STAFFING | {"teams": teams, "managers": ["olaf"]}


async def staffs(office: Office, path: str, body: Any, *, who: str = "olaf", role: str = "manager") -> tuple[int, str]:
    """What such a token is told, and the code if it is refused."""
    token = office.issuer.issue(who, roles=[role])
    answer = await office.http.post(path, json=body, headers={"authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("code", "")


async def opened(office: Office) -> None:
    """Vera manages tools, Olaf is a manager of nothing yet, and Nora works nowhere."""
    await office.opens()
    for person, role in (("olaf", "manager"), ("nora", "scout")):
        await office.done("/v1/staff", {"person": person, "hired_on": "2026-01-01"}, by="vera")
        await office.done(f"/v1/staff/{person}/roles", {"role": role, "since": "2026-01-01T00:00:00Z"}, by="vera")


async def test_a_new_line_takes_nobody_from_a_line_that_others_manage(office: Office) -> None:
    await opened(office)
    before = await office.size()
    assert await staffs(office, NORTH, north(lead=["nora"], account=["clara"])) == (403, "line.not-yours")
    assert await office.size() == before
    assert await staffs(office, NORTH, north(lead=["nora"])) == (201, "")


async def test_nor_does_it_take_them_for_the_time_before_they_changed(office: Office) -> None:
    await opened(office)
    without = {name: team | {"members": []} for name, team in STAFFING["teams"].items()}
    left = STAFFING | {"teams": without, "since": "2026-02-01T00:00:00Z"}
    await office.done("/v1/lines/tools/staffing", left, by="vera")
    assert await staffs(office, NORTH, north(account=["clara"])) == (403, "line.not-yours")
    assert await staffs(office, NORTH, north(account=["clara"]) | {"since": "2026-02-01T00:00:00Z"}) == (201, "")


async def test_who_speaks_for_others_shares_people_and_the_lines_manager_keeps_them(office: Office) -> None:
    await opened(office)
    shared = north(account=["clara"])
    assert await staffs(office, NORTH, shared, who="crm", role="integration") == (201, "")
    assert await staffs(office, NORTH, shared | {"since": "2026-03-01T00:00:00Z", "currency": "USD"}) == (201, "")
    await office.done("/v1/lines/tools/staffing", STAFFING | {"currency": "USD"}, by="vera")
