"""Who leads whom follows how lines were staffed, to the instant and to the month."""

from __future__ import annotations

from datetime import UTC, date, datetime

from pay_office import APRIL, START, at, staffed

from compensation.access import Deed, Pay, Reader, authorize
from compensation.months import Month
from compensation.teams import Teams
from conveyor_events import Event
from conveyor_events.roster import Roster, evolve
from conveyor_events.staff import RoleGranted, RoleRevoked, StaffHired, StaffLeft

NOW = datetime(2026, 5, 10, tzinfo=UTC)
LENA = Reader("lena", frozenset({"pay:read:own", "pay:read:team"}))
MARCH, APRIL_MONTH, MAY = Month(2026, 3), Month(2026, 4), Month(2026, 5)


def teams(*more: Event) -> Teams:
    roster = Roster()
    said: list[Event] = [
        StaffHired(person="lena", hired_on=date(2026, 1, 1)),
        RoleGranted(person="lena", role="manager", since=START),
        StaffHired(person="boris", hired_on=date(2026, 1, 1)),
        staffed("north", START, "lena", ["ana"], ["boris"]),
    ]
    for event in (*said, *more):
        roster = evolve(roster, event)
    return Teams(roster, "Europe/Berlin")


def sees(known: Teams, person: str, month: Month, now: datetime = NOW, reader: Reader = LENA) -> bool:
    return authorize(reader, "lines", Pay(person, month), known, now)


def test_a_manager_of_the_line_sees_its_members() -> None:
    assert sees(teams(), "boris", MARCH)
    assert sees(teams(), "ana", MARCH), "who was never said to be hired works here"
    assert not sees(teams(), "egor", MARCH)


def test_membership_ends_to_the_instant_when_the_line_is_staffed_anew() -> None:
    moved = teams(staffed("north", APRIL, "lena", ["ana"], []))
    assert sees(moved, "boris", MARCH)
    assert not sees(moved, "boris", APRIL_MONTH), "April begins at midnight in the company's zone"
    assert authorize(LENA, "deed", Deed("boris", at(3, 31, 21)), moved, NOW)
    assert not authorize(LENA, "deed", Deed("boris", APRIL), moved, NOW)


def test_a_month_with_one_day_of_membership_is_shown() -> None:
    moved = teams(staffed("north", at(4, 2), "lena", ["ana"], []))
    assert sees(moved, "boris", APRIL_MONTH)
    assert not sees(moved, "boris", MAY)


def test_who_has_left_is_no_member_any_more() -> None:
    left = teams(StaffLeft(person="boris", last_day=date(2026, 3, 15), left_at=at(3, 15, 23)))
    assert sees(left, "boris", MARCH)
    assert not sees(left, "boris", APRIL_MONTH)


def test_who_leads_no_more_sees_nothing_not_even_the_past() -> None:
    assert not sees(teams(staffed("north", at(4, 2), "otto", ["ana"], ["boris"])), "boris", MARCH)
    assert not sees(teams(RoleRevoked(person="lena", role="manager", until=at(4, 2))), "boris", MARCH)


def test_the_name_on_the_line_and_the_scope_are_both_needed() -> None:
    assert not sees(teams(), "boris", MARCH, reader=Reader("otto", LENA.scopes))
    assert not sees(teams(), "boris", MARCH, reader=Reader("lena", frozenset({"pay:read:own"})))
    assert not sees(teams(), "lena", MARCH, reader=Reader("lena", frozenset({"pay:read:team"})))
