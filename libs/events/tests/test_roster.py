from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor_events.leads import ProspectReleased
from conveyor_events.roster import Roster, evolve
from conveyor_events.staff import AbsenceSet, LineStaffed, RoleGranted, RoleRevoked, StaffHired, StaffLeft
from conveyor_events.words import VARIANTS, Event, Role, Seat, Station, UnknownVariant

INSTANT_BEFORE = timedelta(microseconds=1)


def day(number: int, month: int = 3) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


NEW_YEAR = day(1, 1)


def fold(*events: Event) -> Roster:
    roster = Roster()
    for event in events:
        roster = evolve(roster, event)
    return roster


def hired(person: str, on: date = date(2026, 1, 1)) -> StaffHired:
    return StaffHired(person=person, hired_on=on)


def granted(person: str, role: str, since: datetime = NEW_YEAR, until: datetime | None = None) -> RoleGranted:
    return RoleGranted(person=person, role=role, since=since, until=until)


def left(person: str, at: datetime) -> StaffLeft:
    return StaffLeft(person=person, last_day=at.date() - timedelta(days=1), left_at=at)


def staffed(since: datetime = NEW_YEAR, variant: str = "scout-hunter-farmer", **changes: Any) -> LineStaffed:
    teams = {"lead-gen": ["ana", "egor"], "conversion": ["boris", "dina"], "account-mgmt": ["clara"]}
    teams.update(changes.pop("teams", {}))
    return LineStaffed.model_validate(
        {
            "line": "berlin",
            "variant": variant,
            "since": since,
            "zone": "Europe/Berlin",
            "currency": "EUR",
            "teams": {station: {"team": f"{station}-team", "members": members} for station, members in teams.items()},
            "managers": ["olga"],
            **changes,
        }
    )


ROLES = {"ana": "scout", "egor": "scout", "boris": "hunter", "dina": "hunter", "clara": "farmer", "olga": "manager"}


def everybody() -> Iterable[Event]:
    for person, role in ROLES.items():
        yield hired(person)
        yield granted(person, role)


FULL = fold(*everybody(), staffed())


def test_members_come_in_the_order_of_the_team() -> None:
    assert FULL.members("berlin", Station.LEAD_GEN, day(5)) == ("ana", "egor")
    swapped = evolve(FULL, staffed(day(10), teams={"lead-gen": ["egor", "ana", "egor"]}))
    assert swapped.members("berlin", Station.LEAD_GEN, day(10)) == ("egor", "ana")


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_members_hold_the_role_that_the_variant_wants(variant: str) -> None:
    mixed = {station: sorted(ROLES) for station in Station}
    roster = evolve(FULL, staffed(day(1, 2), variant, teams=mixed))
    for station in Station:
        wanted = roster.role_at("berlin", station, day(5))
        assert wanted is VARIANTS[variant][station]
        assert {ROLES[person] for person in roster.members("berlin", station, day(5))} == {wanted}


def test_nobody_works_on_an_unknown_line() -> None:
    assert FULL.line("paris", day(5)) is None
    assert FULL.role_at("paris", Station.LEAD_GEN, day(5)) is None
    assert FULL.members("paris", Station.LEAD_GEN, day(5)) == ()
    assert not FULL.works_at("ana", "paris", Station.LEAD_GEN, day(5))
    assert not FULL.manages("olga", "paris", day(5))


def test_a_station_without_team_has_no_members() -> None:
    data = staffed().model_dump(mode="json")
    del data["teams"]["account-mgmt"]
    roster = fold(*everybody(), LineStaffed.model_validate(data))
    assert roster.members("berlin", Station.ACCOUNT_MGMT, day(5)) == ()


def test_a_variant_without_a_row_is_an_error() -> None:
    with pytest.raises(UnknownVariant):
        evolve(FULL, staffed(day(2), "farmer")).role_at("berlin", Station.LEAD_GEN, day(5))


def test_a_role_holds_from_its_first_instant_to_before_its_last() -> None:
    roster = fold(hired("ana"), granted("ana", "scout", day(2), day(9)))
    assert not roster.holds("ana", "scout", day(2) - INSTANT_BEFORE)
    assert roster.holds("ana", "scout", day(2))
    assert roster.holds("ana", "scout", day(9) - INSTANT_BEFORE)
    assert not roster.holds("ana", "scout", day(9))
    assert not roster.holds("ana", "hunter", day(5))


def test_a_revocation_ends_what_was_granted_before_it_was_said() -> None:
    roster = fold(
        hired("ana"),
        granted("ana", "scout"),
        granted("ana", "hunter"),
        granted("ana", "scout", day(1, 6)),
        RoleRevoked(person="ana", role="scout", until=day(10)),
    )
    assert roster.holds("ana", "scout", day(10) - INSTANT_BEFORE)
    assert not roster.holds("ana", "scout", day(10))
    assert not roster.holds("ana", "scout", day(2, 6))
    assert roster.holds("ana", "hunter", day(10))


def test_a_revocation_does_not_lengthen_a_role() -> None:
    roster = fold(
        hired("ana"),
        granted("ana", "scout", until=day(3)),
        RoleRevoked(person="ana", role="scout", until=day(10)),
    )
    assert not roster.holds("ana", "scout", day(5))


def test_a_revoked_role_can_be_granted_again() -> None:
    roster = fold(
        hired("ana"),
        granted("ana", "scout"),
        RoleRevoked(person="ana", role="scout", until=day(10)),
        granted("ana", "scout", day(20)),
    )
    assert not roster.holds("ana", "scout", day(20) - INSTANT_BEFORE)
    assert roster.holds("ana", "scout", day(20))


def test_a_role_granted_again_from_the_same_instant_is_corrected() -> None:
    roster = fold(hired("ana"), granted("ana", "scout", day(2)), granted("ana", "scout", day(2), day(4)))
    assert not roster.holds("ana", "scout", day(4))


def test_a_leaver_is_gone_at_the_end_of_the_last_day() -> None:
    roster = evolve(FULL, left("ana", day(16)))
    before = day(16) - INSTANT_BEFORE
    assert roster.active("ana", before)
    assert roster.members("berlin", Station.LEAD_GEN, before) == ("ana", "egor")
    assert not roster.active("ana", day(16))
    assert not roster.holds("ana", "scout", day(16))
    assert not roster.works_at("ana", "berlin", Station.LEAD_GEN, day(16))
    assert roster.members("berlin", Station.LEAD_GEN, day(16)) == ("egor",)


def test_a_leave_said_again_corrects_the_last_day() -> None:
    roster = fold(hired("ana"), granted("ana", "scout"), left("ana", day(16)), left("ana", day(20)))
    assert roster.holds("ana", "scout", day(20) - INSTANT_BEFORE)
    assert not roster.holds("ana", "scout", day(20))


def test_who_comes_back_is_active_but_needs_the_role_anew() -> None:
    roster = fold(hired("ana"), granted("ana", "scout"), left("ana", day(16)), hired("ana", date(2026, 3, 16)))
    assert roster.active("ana", day(16))
    assert not roster.holds("ana", "scout", day(16))
    again = evolve(roster, granted("ana", "scout", day(16)))
    assert again.holds("ana", "scout", day(16))
    assert again.holds("ana", "scout", day(15))


def test_between_two_employments_nobody_is_active() -> None:
    roster = fold(hired("ana"), left("ana", day(16)), hired("ana", date(2026, 5, 1)))
    assert not roster.active("ana", day(1, 4))
    assert roster.active("ana", day(2, 5))


def test_a_hire_said_again_corrects_the_first_day() -> None:
    roster = fold(hired("ana", date(2026, 1, 1)), hired("ana", date(2026, 2, 1)))
    assert not roster.active("ana", day(15, 1))
    assert roster.active("ana", day(1, 2))


def test_the_first_day_begins_as_soon_as_it_begins_anywhere() -> None:
    roster = fold(hired("ana", date(2026, 3, 2)))
    begins = day(2) - timedelta(hours=14)
    assert roster.active("ana", begins)
    assert not roster.active("ana", begins - INSTANT_BEFORE)


def test_a_stranger_is_nobody() -> None:
    roster = fold(left("ana", day(16)), granted("ana", "scout"), staffed())
    assert not roster.active("ana", day(5))
    assert not roster.holds("ana", "scout", day(5))
    assert not Roster().active("ana", day(5))


def test_the_absent_get_no_work_but_keep_their_place() -> None:
    roster = evolve(FULL, AbsenceSet(person="ana", since=day(5), until=day(8)))
    assert roster.members("berlin", Station.LEAD_GEN, day(5) - INSTANT_BEFORE) == ("ana", "egor")
    assert roster.members("berlin", Station.LEAD_GEN, day(5)) == ("egor",)
    assert roster.members("berlin", Station.LEAD_GEN, day(8) - INSTANT_BEFORE) == ("egor",)
    assert roster.members("berlin", Station.LEAD_GEN, day(8)) == ("ana", "egor")
    assert not roster.active("ana", day(6))
    assert roster.holds("ana", "scout", day(6))
    assert roster.works_at("ana", "berlin", Station.LEAD_GEN, day(6))


def test_an_absence_set_again_is_replaced_and_an_empty_one_cancels() -> None:
    away = fold(hired("ana"), AbsenceSet(person="ana", since=day(5), until=day(8)))
    shorter = evolve(away, AbsenceSet(person="ana", since=day(5), until=day(6)))
    assert shorter.active("ana", day(6))
    assert not shorter.active("ana", day(5))
    assert evolve(away, AbsenceSet(person="ana", since=day(5), until=day(5))).active("ana", day(5))


def test_two_absences_both_count() -> None:
    roster = fold(
        hired("ana"),
        AbsenceSet(person="ana", since=day(5), until=day(8)),
        AbsenceSet(person="ana", since=day(20), until=day(22)),
    )
    assert [roster.active("ana", day(n)) for n in (5, 8, 20, 22)] == [False, True, False, True]


def test_staffing_ahead_of_time_waits_for_its_day() -> None:
    roster = evolve(FULL, staffed(day(1, 7), "hunter", teams={"lead-gen": ["boris"]}))
    assert roster.role_at("berlin", Station.LEAD_GEN, day(1, 7) - INSTANT_BEFORE) is Role.SCOUT
    assert roster.role_at("berlin", Station.LEAD_GEN, day(1, 7)) is Role.HUNTER
    assert roster.members("berlin", Station.LEAD_GEN, day(5)) == ("ana", "egor")
    assert roster.members("berlin", Station.LEAD_GEN, day(1, 7)) == ("boris",)
    assert roster.line("berlin", day(31, 12) - timedelta(days=400)) is None


def test_the_latest_beginning_counts_whatever_the_order_of_arrival() -> None:
    versions = [staffed(day(1, 2)), staffed(day(1, 3), "hunter"), staffed(day(1, 4), "scout-hunter")]
    for order in permutations(versions):
        roster = fold(*order)
        assert [roster.line("berlin", day(15, month)) for month in (2, 3, 4)] == versions


def test_staffing_from_the_same_instant_is_a_correction() -> None:
    roster = fold(staffed(day(1)), staffed(day(1), "hunter"))
    line = roster.line("berlin", day(1))
    assert line is not None
    assert line.variant == "hunter"


def test_a_manager_is_named_by_the_line_and_holds_the_role() -> None:
    assert FULL.manages("olga", "berlin", day(5))
    assert not FULL.manages("ana", "berlin", day(5))
    assert not evolve(FULL, RoleRevoked(person="olga", role="manager", until=day(4))).manages("olga", "berlin", day(5))
    assert not evolve(FULL, left("olga", day(4))).manages("olga", "berlin", day(5))
    assert not evolve(FULL, staffed(day(2), managers=[])).manages("olga", "berlin", day(5))
    assert evolve(FULL, granted("ana", "manager")).manages("ana", "berlin", day(5)) is False


def test_a_fold_leaves_the_older_roster_as_it_was() -> None:
    later = evolve(FULL, left("ana", day(16)))
    assert FULL.active("ana", day(20))
    assert not later.active("ana", day(20))


def test_events_of_other_topics_change_nothing() -> None:
    assert evolve(FULL, ProspectReleased(line="berlin", sourced_by=Seat(person="ana", role="scout"))) is FULL


EVENTS = st.lists(
    st.one_of(
        st.builds(hired, st.just("ana"), st.dates(date(2026, 1, 1), date(2026, 1, 20))),
        st.builds(granted, st.just("ana"), st.sampled_from(["scout", "hunter"]), st.integers(1, 28).map(day)),
        st.builds(
            lambda role, until: RoleRevoked(person="ana", role=role, until=until),
            st.sampled_from(["scout", "hunter"]),
            st.integers(1, 28).map(day),
        ),
        st.builds(
            lambda since, days: AbsenceSet(person="ana", since=since, until=since + timedelta(days=days)),
            st.integers(1, 28).map(day),
            st.integers(0, 9),
        ),
        st.builds(left, st.just("ana"), st.integers(1, 28).map(day)),
        st.builds(staffed, st.integers(1, 28).map(day), st.sampled_from(sorted(VARIANTS))),
    ),
    max_size=12,
)


@given(EVENTS)
def test_the_same_event_twice_in_a_row_changes_nothing(events: list[Event]) -> None:
    doubled = [event for event in events for _ in range(2)]
    assert fold(*doubled) == fold(*events)


@given(EVENTS, st.integers(1, 28).map(day), st.sampled_from(list(Station)))
def test_members_are_those_at_work_who_are_not_away(events: list[Event], at: datetime, station: Station) -> None:
    roster = fold(staffed(), *events)
    expected = roster.works_at("ana", "berlin", station, at) and roster.active("ana", at)
    assert ("ana" in roster.members("berlin", station, at)) is expected
