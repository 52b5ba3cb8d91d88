"""One client's way under each variant: the same events, other people."""

from __future__ import annotations

import pytest
from journey_firm import Firm, plans

from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.words import VARIANTS, Station

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

SHAPE = [
    "AccountAccepted",
    "AccountOffered",
    "DealClosed",
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


@pytest.mark.parametrize("variant", sorted(VARIANTS))
async def test_the_way_has_one_shape_and_the_seats_follow_the_variant(running: Running, variant: str) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, f"way-{variant}", variant)
        await firm.open()
        client, deal = await firm.deal("2026-03-10T10:00:00+01:00", "1000.00")
        await firm.paid(deal, "2026-03-11T10:00:00+01:00", "1000.00")
        await firm.served(client, "2026-03-12T10:00:00+01:00")
        await firm.repeat(client, "2026-03-20T10:00:00+01:00", "500.00")
        await line.drained()
        events = (await line.get("compensation", f"/v1/journeys/{client}"))["events"]
        assert sorted(e["type"].rpartition(".")[2] for e in events) == SHAPE
        assert {e["variant"] for e in events} == {variant}
        sale = next(e for e in events if e["type"].endswith("RepeatSale"))["data"]["sale"]
        seats = {"sourced_by": Station.LEAD_GEN, "converted_by": Station.CONVERSION, "served_by": Station.ACCOUNT_MGMT}
        for seat, station in seats.items():
            assert sale[seat] == {"person": firm.seat(station), "role": VARIANTS[variant][station]}
        lines = (await firm.statement(firm.hunter, "2026-03"))["lines"]
        assert [x["amount"] for x in lines if x["kind"] == "release" and x["rule"] == "H1"] == ["60.00"]
