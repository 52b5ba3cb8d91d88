from typing import Any

import pytest

from conveyor_events import CATALOG, UnknownEvent, entry, from_json, wire_type
from conveyor_events import open as open_event
from conveyor_events.leads import ProspectVerified
from conveyor_events.upcast import UPCASTERS, lift, upcaster

WIRE = wire_type(ProspectVerified)


def recorded(version: int, data: dict[str, Any], wire: str = WIRE) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "019cad9c-9140-7279-a94b-c356292d9d9c",
        "type": wire,
        "source": "/conveyor/lead-gen",
        "subject": "client-1",
        "time": "2019-03-02T08:40:00Z",
        "recordedtime": "2019-03-02T08:40:00Z",
        "schemaversion": version,
        "partitionkey": "client-1",
        "sequence": "0000000002",
        "correlationid": "c",
        "commandid": "d",
        "data": data,
    }


@pytest.fixture
def third_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The present model as if it were the third version of its event."""
    monkeypatch.setattr(ProspectVerified, "VERSION", 3)
    for version in (1, 2):
        monkeypatch.delitem(UPCASTERS, (WIRE, version), raising=False)

    @upcaster(WIRE, 1)
    def one_scout_name_becomes_a_seat(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "sourced_by": {"person": data.pop("scout"), "role": "scout"}}

    @upcaster(WIRE, 2)
    def one_text_becomes_a_list(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "checks": data["checks"].split(",")}

    monkeypatch.setitem(UPCASTERS, (WIRE, 1), one_scout_name_becomes_a_seat)
    monkeypatch.setitem(UPCASTERS, (WIRE, 2), one_text_becomes_a_list)


@pytest.mark.usefixtures("third_version")
def test_an_old_record_opens_as_the_present_model() -> None:
    old = {"line": "berlin", "scout": "ana", "checks": "reachable_phone,legal_active"}
    event = open_event(from_json(recorded(1, old)))
    assert isinstance(event, ProspectVerified)
    assert event.sourced_by.person == "ana"
    assert event.checks == ["reachable_phone", "legal_active"]
    assert old == {"line": "berlin", "scout": "ana", "checks": "reachable_phone,legal_active"}


@pytest.mark.usefixtures("third_version")
def test_a_record_enters_the_chain_at_its_own_version() -> None:
    data = {"line": "berlin", "sourced_by": {"person": "ana", "role": "scout"}, "checks": "legal_active"}
    event = open_event(from_json(recorded(2, data)))
    assert isinstance(event, ProspectVerified)
    assert event.checks == ["legal_active"]


@pytest.mark.usefixtures("third_version")
def test_a_step_has_one_upcaster() -> None:
    with pytest.raises(ValueError, match="already"):
        upcaster(WIRE, 1)(dict)


def test_a_missing_step_is_an_unknown_event() -> None:
    with pytest.raises(UnknownEvent, match="version 1"):
        lift("conveyor.leads.Nothing", 1, 2, {})


@pytest.mark.parametrize(("wire", "version"), [(WIRE, 2), (WIRE, 0), ("conveyor.leads.LeadTasted", 1), ("x", 1)])
def test_a_type_or_version_from_the_future_is_unknown(wire: str, version: int) -> None:
    data = {"line": "berlin", "sourced_by": {"person": "ana", "role": "scout"}, "checks": []}
    with pytest.raises(UnknownEvent):
        open_event(from_json(recorded(version, data, wire)))


def test_a_field_from_the_future_does_no_harm() -> None:
    data = {"line": "berlin", "sourced_by": {"person": "ana", "role": "scout", "desk": 4}, "checks": [], "mood": "good"}
    event = open_event(from_json(recorded(1, data)))
    assert isinstance(event, ProspectVerified)
    assert event.sourced_by.person == "ana"


def test_every_older_version_has_its_upcaster() -> None:
    for one in CATALOG:
        assert entry(one.wire, one.model.VERSION) is one
        assert all((one.wire, version) in UPCASTERS for version in range(1, one.model.VERSION))
