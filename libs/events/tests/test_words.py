from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from conveyor_events.words import (
    VARIANTS,
    Instant,
    Role,
    Seat,
    Station,
    UnknownVariant,
    changes_hands,
    instant_text,
    parse_instant,
    role_at,
)

FIRST = (Station.LEAD_GEN, Station.CONVERSION)
SECOND = (Station.CONVERSION, Station.ACCOUNT_MGMT)


@pytest.mark.parametrize(
    ("variant", "first", "second"),
    [
        ("scout-hunter-farmer", True, True),
        ("hunter-farmer", False, True),
        ("scout-hunter", True, False),
        ("hunter", False, False),
    ],
)
def test_hands_change_where_the_role_changes(variant: str, first: bool, second: bool) -> None:
    assert changes_hands(variant, *FIRST) is first
    assert changes_hands(variant, *SECOND) is second


def test_every_variant_staffs_every_station_and_never_with_a_manager() -> None:
    for row in VARIANTS.values():
        assert set(row) == set(Station)
        assert Role.MANAGER not in row.values()


def test_a_fifth_variant_is_only_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {Station.LEAD_GEN: Role.FARMER, Station.CONVERSION: Role.HUNTER, Station.ACCOUNT_MGMT: Role.FARMER}
    monkeypatch.setitem(VARIANTS, "farmer-hunter-farmer", row)
    assert role_at("farmer-hunter-farmer", Station.LEAD_GEN) is Role.FARMER
    assert changes_hands("farmer-hunter-farmer", *FIRST)


def test_an_unknown_variant_is_an_error() -> None:
    with pytest.raises(UnknownVariant):
        role_at("farmer-farmer", Station.LEAD_GEN)


def test_a_seat_is_a_value() -> None:
    assert Seat(person="ana", role=Role.SCOUT) == Seat(person="ana", role="scout")
    assert len({Seat(person="ana", role="scout"), Seat(person="ana", role="scout")}) == 1


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_survives_the_wire_to_the_microsecond(at: datetime) -> None:
    try:
        text = instant_text(at)
    except ValueError:  # the first and last day of the calendar have no UTC time in some zones
        return
    assert parse_instant(text) == at.astimezone(UTC)
    assert text.endswith("Z")
    assert len(text) == len("2026-03-10T09:30:00.000000Z")


def test_offsets_and_short_fractions_are_read() -> None:
    expected = datetime(2026, 3, 10, 8, 30, 0, 500000, tzinfo=UTC)
    assert parse_instant("2026-03-10T09:30:00.5+01:00") == expected
    assert parse_instant("2026-03-10t08:30:00.500z") == expected
    assert instant_text(expected.astimezone(timezone(timedelta(hours=5)))) == "2026-03-10T08:30:00.500000Z"


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_a_time_beyond_the_calendar_is_refused_as_any_other_wrong_one(text: str) -> None:
    with pytest.raises(ValueError, match="before the first or after the last"):
        parse_instant(text)
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python(text)


@pytest.mark.parametrize("text", ["2026-03-10", "2026-03-10T09:30:00", "2026-03-10 09:30:00Z", "1773135000", ""])
def test_a_time_without_zone_or_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        parse_instant(text)
