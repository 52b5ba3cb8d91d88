"""One client's way under each variant: the same events, other people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from journey_firm import Firm, plans

import conveyor_events
from conveyor.line import Line
from conveyor.processes import Wish, passing
from conveyor.running import Running
from conveyor_events.words import VARIANTS, Role, Station

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

SHAPE = [
    "AccountAccepted",
    "AccountOffered",
    "DealClosed",
    "FirstTouchMade",
    "LeadAccepted",
    "LeadHandedOver",
    "LeadQualified",
    "NeedIdentified",
    "OpportunityOpened",
    "PaymentReceived",
    "PaymentReceived",
    "ProposalSent",
    "ProspectRegistered",
    "RepeatSale",
    "SeatAssigned",
]
BY_THE_CLOCK = {"AccountAtRiskFlagged", "CustomerLapsed", "CustomerReturned"}
"""The story is history by now: the services' clock notices the silence after it at any time, amid it or afterwards."""

SEATS = {"sourced_by": Station.LEAD_GEN, "converted_by": Station.CONVERSION, "served_by": Station.ACCOUNT_MGMT}


async def the_way(line: Line, variant: str) -> Firm:
    """One client's way under a variant, from cold call to repeat sale; its shape and seats are looked at."""
    await plans(line)
    firm = Firm(line, f"way-{variant}", variant)
    await firm.open()
    client, deal = await firm.deal("2026-03-10T10:00:00+01:00", "1000.00")
    await firm.paid(deal, "2026-03-11T10:00:00+01:00", "1000.00")
    await firm.served(client, "2026-03-12T10:00:00+01:00")
    await firm.repeat(client, "2026-03-20T10:00:00+01:00", "500.00")
    await line.drained()
    events = (await line.get("compensation", f"/v1/journeys/{client}"))["events"]
    names = [e["type"].rpartition(".")[2] for e in events]
    assert sorted(name for name in names if name not in BY_THE_CLOCK) == SHAPE
    assert {e["variant"] for e in events} == {variant}
    sale = next(e for e in events if e["type"].endswith("RepeatSale"))["data"]["sale"]
    for seat, station in SEATS.items():
        assert sale[seat] == {"person": firm.seat(station), "role": VARIANTS[variant][station]}
    return firm


@pytest.mark.parametrize("variant", sorted(VARIANTS))
async def test_the_way_has_one_shape_and_the_seats_follow_the_variant(running: Running, variant: str) -> None:
    async with Line.of(running) as line:
        firm = await the_way(line, variant)
        lines = (await firm.statement(firm.hunter, "2026-03"))["lines"]
        assert [x["amount"] for x in lines if x["kind"] == "release" and x["rule"] == "H1"] == ["60.00"]


FIFTH = {Station.LEAD_GEN: Role.SCOUT, Station.CONVERSION: Role.FARMER, Station.ACCOUNT_MGMT: Role.FARMER}


@pytest.fixture
def running_with_five(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Services as they are, with one row more in the published language's table of variants."""
    package = Path(conveyor_events.__file__).parent
    copied = shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    row = ", ".join(f"Station.{station.name}: Role.{role.name}" for station, role in FIFTH.items())
    with (copied / "words.py").open("a") as words:
        words.write(f'\nVARIANTS["scout-farmer"] = {{{row}}}\n')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(VARIANTS, "scout-farmer", FIFTH)
    with passing(Wish("five"), lambda _: None) as services:
        yield services


async def test_a_fifth_variant_is_a_row_in_the_table_and_nothing_else(running_with_five: Running) -> None:
    async with Line.of(running_with_five) as line:
        firm = await the_way(line, "scout-farmer")
        assert firm.hunter == firm.farmer == "way-scout-farmer-farmer"
        assert await firm.payable(firm.scout, "2026-03") == "1020.00"
        assert await firm.payable(firm.farmer, "2026-03") == "2010.00"
