"""What people do with one client, told as public events: the words that stories of conflicts are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from conveyor_events import Envelope, Event, Seat, accounts, deals, leads, wire_type
from conveyor_events.sale import Sale, SplitPart

LINE = "line"
ANA, EGOR = Seat(person="ana", role="scout"), Seat(person="egor", role="scout")
BORIS, DINA = Seat(person="boris", role="hunter"), Seat(person="dina", role="hunter")
CLARA, DORA = Seat(person="clara", role="farmer"), Seat(person="dora", role="farmer")
HOUSE = Seat(person="house", role="scout")
VERA = Seat(person="vera", role="manager")
MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)
NUMBERS = count(1)


def day(number: float) -> datetime:
    return MARCH + timedelta(days=number)


def said(
    event: Event, at: datetime, actor: Seat | None = None, journey: str = "j1", written: datetime | None = None
) -> Envelope:
    number = next(NUMBERS)
    return Envelope(
        id=UUID(int=number),
        type=wire_type(event),
        schema_version=1,
        source="/conveyor/test",
        subject="acme",
        occurred_at=at,
        recorded_at=written or at,
        command_id="c",
        correlation_id="c",
        sequence=number,
        data=event.model_dump(mode="json"),
        client_id="acme",
        journey_id=journey,
        variant="scout-hunter-farmer",
        actor=actor,
    )


def registered() -> Envelope:
    return said(leads.ProspectRegistered(line=LINE, source="fair", sourced_by=ANA), day(0), ANA)


def refused(by: Seat, reason: str, held_by: Seat = ANA) -> Envelope:
    event = leads.RegistrationRefused(line=LINE, attempted_by=by, held_by=held_by, reason=reason)
    return said(event, day(9), by)


def offered(offer: str = "o1", at: float = 1, credit: float = 91) -> Envelope:
    event = leads.LeadQualified(
        line=LINE, offer_id=offer, need_id="n1", attempt=1, sourced_by=ANA, to=BORIS, team="t", mode="offer",
        credit_until=day(credit),
    )  # fmt: skip
    return said(event, day(at), ANA)


def rejected(offer: str = "o1", at: float = 2, by: Seat = BORIS) -> Envelope:
    event = deals.LeadRejected(
        line=LINE, offer_id=offer, need_id="n1", attempt=1, sourced_by=ANA, rejected_by=by, reason="no_need_evidence"
    )
    return said(event, day(at), by)


def closed(at: float, by: Seat = BORIS, sourced_by: Seat = HOUSE, sale_id: str = "d1", journey: str = "j1") -> Envelope:
    sale = Sale(
        sale_id=sale_id, kind="first", line=LINE, net=Decimal(5000), currency="EUR", sold_at=day(at),
        sourced_by=sourced_by, converted_by=by,
    )  # fmt: skip
    event = deals.DealClosed(
        sale=sale, deal_id=sale_id, opportunity_id=f"op-{sale_id}", tax=Decimal(0), payment_schedule=[]
    )
    return said(event, day(at), by, journey)


def opened(opportunity: str, at: float, by: Seat, *needs: str) -> Envelope:
    event = deals.OpportunityOpened(
        line=LINE, opportunity_id=opportunity, need_ids=list(needs), sourced_by=ANA, converted_by=by
    )
    return said(event, day(at), by)


def seated(at: float, by: Seat, written: float | None = None) -> Envelope:
    seat = accounts.SeatAssigned(line=LINE, seat="served_by", holder=by, since=day(at))
    return said(seat, day(at), by, written=None if written is None else day(written))


def served(at: float = 20, by: Seat = CLARA) -> list[Envelope]:
    accepted = accounts.AccountAccepted(line=LINE, offer_id="a1", served_by=by, mode="accepted")
    return [said(accepted, day(at), by), seated(at, by)]


def met(at: float, by: Seat) -> Envelope:
    event = deals.MeetingHeld(line=LINE, opportunity_id="op-d1", meeting_id="m", objective_met="no", converted_by=by)
    return said(event, day(at), by)


def repeat(at: float, actor: Seat, *parts: Seat, written: float | None = None, sale_id: str = "r1") -> Envelope:
    splits = [SplitPart(person=part.person, role=part.role, weight=Decimal(1)) for part in parts]
    sale = Sale(
        sale_id=sale_id, kind="repeat", line=LINE, net=Decimal(2000), currency="EUR", sold_at=day(at), sourced_by=ANA,
        converted_by=BORIS, served_by=CLARA, splits=splits,
    )  # fmt: skip
    noted = None if written is None else day(written)
    return said(accounts.RepeatSale(sale=sale, tax=Decimal(0)), day(at), actor, written=noted)


def tried(by: Seat, served_by: Seat | None = CLARA, at: float = 30) -> Envelope:
    event = deals.DealRefused(
        line=LINE, attempted_by=by, served_by=served_by, reason="existing-customer", net=Decimal(5000), currency="EUR"
    )
    return said(event, day(at), by)


def lost(opportunity: str, at: float) -> Envelope:
    return said(deals.OpportunityLost(line=LINE, opportunity_id=opportunity, reason="price"), day(at), BORIS)


def overdue() -> Envelope:
    return said(leads.HandoverOverdue(line=LINE, need_id="n1", sourced_by=ANA), day(3))


def accepted_after(at: float, offer: str = "o2", mode: str = "accepted") -> Envelope:
    event = deals.LeadAccepted(
        line=LINE,
        offer_id=offer,
        need_id="n1",
        attempt=2,
        sourced_by=ANA,
        converted_by=BORIS,
        mode=mode,
        reroutes=0,
    )
    return said(event, day(at), BORIS)
