"""Deadlines count working hours of the team's calendar and zone; windows count dates in the zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from belt.core.calendar import Calendar, UnknownZone, day_start, days_between, days_later

BERLIN = Calendar("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_deadline_crosses_the_weekend_and_the_change_to_summer_time() -> None:
    friday = utc("2026-03-27T16:00+01:00")
    assert BERLIN.due(friday, 8) == utc("2026-03-30T13:00:00Z")


def test_a_deadline_crosses_the_change_to_winter_time() -> None:
    friday = utc("2026-10-23T16:00+02:00")
    assert BERLIN.due(friday, 8) == utc("2026-10-26T15:00+01:00")


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-02T09:00", 9, "2026-03-02T18:00"),  # to the last minute of the day, not to the next morning
        ("2026-03-02T09:00", 10, "2026-03-03T10:00"),
        ("2026-03-02T06:00", 1, "2026-03-02T10:00"),  # before work
        ("2026-03-02T18:00", 1, "2026-03-03T10:00"),  # at closing time nothing counts any more
        ("2026-03-02T23:59", 1, "2026-03-03T10:00"),
        ("2026-03-07T12:00", 1, "2026-03-09T10:00"),  # a Saturday
        ("2026-03-02T16:30", 3, "2026-03-03T10:30"),
        ("2026-03-02T16:30", 0, "2026-03-02T16:30"),
        ("2026-03-02T09:00", 45, "2026-03-06T18:00"),
        ("2026-03-02T09:00", 46, "2026-03-09T10:00"),
    ],
)
def test_only_working_hours_count(start: str, hours: int, due: str) -> None:
    assert BERLIN.due(utc(start + "+01:00"), hours) == utc(due + "+01:00")


def test_holidays_do_not_count() -> None:
    easter = Calendar.of("Europe/Berlin", holidays=[date(2026, 4, 3), date(2026, 4, 6)])
    assert easter.due(utc("2026-04-02T17:00+02:00"), 2) == utc("2026-04-07T10:00+02:00")


def test_a_night_shift_of_a_whole_day_loses_and_gains_the_hour_of_the_clock_change() -> None:
    always = Calendar("Europe/Berlin", tuple(range(7)), time(0), time(0))
    assert always.due(utc("2026-03-29T00:00+01:00"), 24) == utc("2026-03-30T01:00+02:00")
    assert always.due(utc("2026-10-25T00:00+02:00"), 24) == utc("2026-10-25T23:00+01:00")


def test_a_deadline_that_was_over_before_it_was_set_does_not_run() -> None:
    start = utc("2026-03-02T09:00+01:00")
    assert BERLIN.deadline(start, 8, now=start) == utc("2026-03-02T17:00+01:00")
    assert BERLIN.deadline(start, 8, now=utc("2026-03-02T17:00+01:00")) is None


def test_a_window_of_working_days_includes_its_last_day() -> None:
    wednesday = utc("2026-03-04T15:00+01:00")
    assert BERLIN.working_days_later(wednesday, 5) == utc("2026-03-12T00:00+01:00")
    assert BERLIN.working_days_later(wednesday, 0) == utc("2026-03-05T00:00+01:00")


def test_days_are_dates_in_the_zone() -> None:
    paid, refunded = utc("2026-03-15T23:30+01:00"), utc("2026-06-13T00:30+02:00")
    assert days_between("Europe/Berlin", paid, refunded) == 90
    assert refunded - paid == timedelta(days=89)
    assert days_later("Europe/Berlin", utc("2026-03-03T11:00+01:00"), 14) == utc("2026-03-17T00:00+01:00")


def test_where_midnight_is_skipped_the_day_starts_at_the_skip() -> None:
    start = day_start("America/Sao_Paulo", date(2018, 11, 4))
    assert start == utc("2018-11-04T01:00-02:00")
    assert BERLIN.day_start(date(2026, 3, 30)) - BERLIN.day_start(date(2026, 3, 29)) == timedelta(hours=23)


def test_nonsense_is_refused() -> None:
    with pytest.raises(UnknownZone):
        Calendar("Europe/Atlantis")
    with pytest.raises(UnknownZone):
        Calendar("../etc/passwd")
    with pytest.raises(ValueError, match="opens before it closes"):
        Calendar.of("UTC", opens="18:00", closes="09:00")
    with pytest.raises(ValueError, match="working days"):
        Calendar("UTC", ())
    with pytest.raises(ValueError, match="zone"):
        BERLIN.due(datetime(2026, 3, 2, 9), 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="past"):
        BERLIN.due(utc("2026-03-02T09:00Z"), -1)


STARTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(start=STARTS, hours=st.integers(1, 60), more=st.integers(1, 60))
def test_a_deadline_lies_in_working_time_and_adds_up(start: datetime, hours: int, more: int) -> None:
    due = BERLIN.due(start, hours)
    local = due.astimezone(ZoneInfo("Europe/Berlin"))
    assert BERLIN.works(local.date())
    assert time(9) < local.time() <= time(18)
    assert BERLIN.due(due, more) == BERLIN.due(start, hours + more)


# --- against a clock that is read minute by minute ------------------------------------------------------------------

OFFICE = {
    "weekdays": [0, 1, 2, 3, 4],
    "opens": "08:30",
    "closes": "17:00",
    "holidays": [date(2026, 4, 3), date(2026, 4, 6), date(2026, 12, 25), date(2027, 1, 1)],
    "breaks": [("12:00", "12:45"), ("15:00", "15:15")],
}
ABOUT = st.sampled_from([date(2026, 3, 27), date(2026, 4, 2), date(2026, 10, 23), date(2026, 12, 23), date(2026, 7, 1)])


def minute_by_minute(zone: str, start: datetime, hours: int) -> datetime:
    """Counts every minute that is worked on the wall clock. Shares nothing with the calendar."""
    wall, at, left = ZoneInfo(zone), start.astimezone(UTC), hours * 60
    while left:
        local = at.astimezone(wall)
        clock = f"{local:%H:%M}"
        open_now = local.weekday() < 5 and local.date() not in (
            date(2026, 4, 3),
            date(2026, 4, 6),
            date(2026, 12, 25),
            date(2027, 1, 1),
        )
        open_now = open_now and "08:30" <= clock < "17:00"
        if open_now and not "12:00" <= clock < "12:45" and not "15:00" <= clock < "15:15":
            left -= 1
        at += timedelta(minutes=1)
    return at


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    day=ABOUT,
    minute=st.integers(0, 5 * 24 * 60),
    hours=st.integers(1, 30),
)
def test_deadlines_are_those_of_a_clock_read_minute_by_minute(zone: str, day: date, minute: int, hours: int) -> None:
    calendar = Calendar.of(zone, **OFFICE)  # type: ignore[arg-type]
    start = datetime.combine(day, time(), UTC) + timedelta(minutes=minute)
    assert calendar.due(start, hours) == minute_by_minute(zone, start, hours)


@pytest.mark.parametrize(
    "breaks",
    [[("08:00", "09:00")], [("12:00", "12:00")], [("12:00", "13:00"), ("12:30", "14:00")], [("16:30", "17:30")]],
)
def test_breaks_lie_within_the_working_day(breaks: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="breaks"):
        Calendar.of("UTC", opens="08:30", closes="17:00", breaks=breaks)
