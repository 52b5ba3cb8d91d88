"""Who works where: said once, said twice, said wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lead_gen_story import SINCE, Company, at, staffed

from belt.core.decider import Refused
from conveyor_events.staff import Policy, StationTeam
from conveyor_events.words import HOUSE, VARIANTS, Role, Station
from lead_gen import staffing as s


@pytest.fixture
def company() -> Company:
    return Company()


def state(company: Company) -> s.Staffing:
    found: s.Staffing = company.states["staffing-company"]
    return found


HIRE = s.Hire("ida", "Ida Berg", date(2026, 3, 1), "vera", at(1))
EACH = [
    HIRE,
    s.GrantRole("ana", "hunter", at(1), at(20), "vera", at(1)),
    s.RevokeRole("ana", "scout", at(10), "vera", at(1)),
    s.SetAbsence("ana", at(5), at(6), "vera", at(1)),
    s.Leave("ana", date(2026, 3, 15), "vera", at(1)),
    staffed("hunter", since=at(9)),
]


@pytest.mark.parametrize("command", EACH, ids=lambda command: type(command).__name__)
def test_said_twice_it_is_said_once(company: Company, command: s.Command) -> None:
    assert len(company.staff(command)) == 1
    assert company.staff(command) == []


@pytest.mark.parametrize(
    "command",
    [
        s.GrantRole("nobody", "scout", at(1), None, "vera", at(1)),
        s.RevokeRole("nobody", "scout", at(1), "vera", at(1)),
        s.SetAbsence("nobody", at(5), at(6), "vera", at(1)),
        s.Leave("nobody", date(2026, 3, 15), "vera", at(1)),
        replace(staffed("hunter"), managers=("nobody",)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_nothing_is_said_of_people_who_were_never_hired(company: Company, command: s.Command) -> None:
    with pytest.raises(Refused, match=r"person\.unknown"):
        company.staff(command)


def test_the_house_is_nobody_to_be_hired(company: Company) -> None:
    with pytest.raises(Refused, match=r"person\.reserved"):
        company.staff(replace(HIRE, person=HOUSE))


def test_a_name_can_be_corrected_and_stays_here(company: Company) -> None:
    company.staff(HIRE)
    company.told.clear()
    company.staff(replace(HIRE, name="Ida Borg"))
    assert state(company).names["ida"] == "Ida Borg"
    assert company.told == []
    company.staff(replace(HIRE, name=None, hired_on=date(2026, 2, 1)))
    assert state(company).names["ida"] == "Ida Borg"


def test_the_last_day_ends_at_midnight_in_the_zone_of_the_line(company: Company) -> None:
    [left] = company.staff(EACH[4])
    assert left.left_at == at(16, 0)
    company.staff(replace(staffed("hunter", since=datetime(2026, 3, 20, tzinfo=UTC)), zone="Asia/Tokyo"))
    [left] = company.staff(s.Leave("dina", date(2026, 3, 25), "vera", at(1)))
    assert left.left_at == datetime(2026, 3, 25, 15, tzinfo=UTC)


def test_nobody_leaves_before_the_first_day(company: Company) -> None:
    with pytest.raises(Refused, match=r"person\.not-hired-yet"):
        company.staff(s.Leave("ana", date(2025, 12, 31), "vera", at(1)))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (s.GrantRole("ana", "boss", at(1), None, "vera", at(1)), "role.unknown"),
        (s.GrantRole("ana", "hunter", at(2), at(2), "vera", at(1)), "span.empty"),
        (s.RevokeRole("ana", "farmer", at(1), "vera", at(1)), "role.not-held"),
        (s.SetAbsence("ana", at(6), at(5), "vera", at(1)), "span.empty"),
        (replace(staffed("hunter"), variant="hunter-scout"), "variant.unknown"),
        (replace(staffed("hunter"), zone="Mars/Olympus"), "zone.unknown"),
        (replace(staffed("hunter"), currency="EURO"), "currency.unknown"),
        (replace(staffed("hunter"), teams={Station.LEAD_GEN: StationTeam(team="x", members=[])}), "line.team-missing"),
        (replace(staffed("hunter"), policy=Policy(routing="by_taste")), "routing.unknown"),
        (replace(staffed("hunter"), policy=Policy(accept_within_hours=-1)), "policy.out-of-range"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused(company: Company, command: s.Command, code: str) -> None:
    before = company.states
    with pytest.raises(Refused) as refused:
        company.staff(command)
    assert refused.value.code == code
    assert company.states == before


def test_a_fifth_variant_needs_a_row_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {Station.LEAD_GEN: Role.SCOUT, Station.CONVERSION: Role.SCOUT, Station.ACCOUNT_MGMT: Role.FARMER}
    monkeypatch.setitem(VARIANTS, "scout-farmer", row)
    company = Company("scout-farmer")
    company.offered(by="ana")
    offer = company.prospect().offer
    assert offer is not None
    assert (offer.mode, offer.to.person if offer.to else None) == ("self", "ana")


def test_staffing_takes_effect_at_its_instant(company: Company) -> None:
    company.staff(staffed("hunter", since=at(9)))
    roster = state(company).roster
    assert [roster.line("tools", when).variant for when in (SINCE, at(8), at(9))] == [  # type: ignore[union-attr]
        "scout-hunter-farmer",
        "scout-hunter-farmer",
        "hunter",
    ]
