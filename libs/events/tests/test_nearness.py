"""Who stands near: by team, by seat, as manager, for others; not any more after the last day, and not yet before."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor_events.nearness import Matter, Near, lines_near, nearness, present
from conveyor_events.roster import Roster, evolve
from conveyor_events.staff import LineStaffed, RoleGranted, StaffHired, StaffLeft, StationTeam
from conveyor_events.words import Event, Station

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
BEFORE = datetime(2025, 6, 1, tzinfo=UTC)
PEOPLE = {"ana": "scout", "boris": "hunter", "egor": "scout", "maria": "manager", "olaf": "manager", "gone": "scout"}


def staffed(line: str, manager: str, *scouts: str) -> LineStaffed:
    teams = {station: StationTeam(team=station, members=[]) for station in Station}
    teams[Station.LEAD_GEN] = StationTeam(team="finders", members=list(scouts))
    teams[Station.CONVERSION] = StationTeam(team="closers", members=["boris"] if line == "north" else [])
    return LineStaffed(
        line=line,
        variant="scout-hunter-farmer",
        since=SINCE,
        zone="UTC",
        currency="EUR",
        teams=teams,
        managers=[manager],
    )


def company() -> Roster:
    told: list[Event] = []
    for person, role in PEOPLE.items():
        told.append(StaffHired(person=person, hired_on=date(2026, 1, 1)))
        told.append(RoleGranted(person=person, role=role, since=SINCE))
    told.append(StaffLeft(person="gone", last_day=date(2026, 3, 9), left_at=datetime(2026, 3, 10, tzinfo=UTC)))
    told += [staffed("north", "maria", "ana", "gone"), staffed("south", "olaf", "egor")]
    roster = Roster()
    for event in told:
        roster = evolve(roster, event)
    return roster


ROSTER = company()
MATTER = Matter("north", frozenset({"ana", "gone", "guest"}))


@pytest.mark.parametrize(
    ("person", "scopes", "near"),
    [
        ("ana", (), Near.OWN),  # a seat
        ("boris", (), Near.PEER),  # another station of the line
        ("egor", (), Near.STRANGER),  # another line
        ("maria", ("manager",), Near.OWN),
        ("maria", (), Near.STRANGER),  # a token without the scope makes nobody a manager
        ("olaf", ("manager",), Near.STRANGER),  # of another line
        ("gone", ("manager",), Near.STRANGER),  # left yesterday, seat and team notwithstanding
        ("guest", (), Near.OWN),  # has a seat, and the roster has not heard of them yet
        ("nobody", ("manager",), Near.STRANGER),
        ("crm", ("act_for",), Near.OWN),
    ],
)
def test_how_near_somebody_stands(person: str, scopes: tuple[str, ...], near: Near) -> None:
    assert nearness(person, scopes, MATTER, ROSTER, NOW) is near


def test_before_the_first_day_nobody_is_here() -> None:
    assert not present("ana", ROSTER, BEFORE)
    assert nearness("ana", (), MATTER, ROSTER, BEFORE) is Near.STRANGER


@given(
    person=st.sampled_from([*PEOPLE, "guest", "nobody"]),
    scopes=st.frozensets(st.sampled_from(["manager", "act_for", "pii:read"])),
    line=st.sampled_from(["north", "south", "west"]),
    people=st.frozensets(st.sampled_from([*PEOPLE, "guest"])),
    now=st.sampled_from([BEFORE, NOW]),
)
def test_a_list_holds_what_one_by_one_is_seen(
    person: str, scopes: frozenset[str], line: str, people: frozenset[str], now: datetime
) -> None:
    near = nearness(person, scopes, Matter(line, people), ROSTER, now)
    lines = lines_near(person, scopes, ROSTER, now)
    listed = lines is None or line in lines.lines or (lines.present and person in people)
    assert listed is (near >= Near.PEER)
