"""Each kind of conflict is found from what people did, once, in any order; and what is no conflict is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import pytest

from compensation.conflict import KINDS, Case, conflicts
from conveyor_events import Envelope, Event, Seat, accounts, deals, leads, wire_type
from conveyor_events.sale import Sale, SplitPart

LINE = "line"
ANA, EGOR = Seat(person="ana", role="scout"), Seat(person="egor", role="scout")
BORIS, DINA = Seat(person="boris", role="hunter"), Seat(person="dina", role="hunter")
CLARA, HOUSE = Seat(person="clara", role="farmer"), Seat(person="house", role="scout")
VERA = Seat(person="vera", role="manager")
MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)
NUMBERS = count(1)


def day(number: float) -> datetime:
    return MARCH + timedelta(days=number)


def said(event: Event, at: datetime, actor: Seat | None = None, journey: str = "j1") -> Envelope:
    number = next(NUMBERS)
    return Envelope(
        id=UUID(int=number),
        type=wire_type(event),
        schema_version=1,
        source="/conveyor/test",
        subject="acme",
        occurred_at=at,
        recorded_at=at,
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


def served(at: float = 20, by: Seat = CLARA) -> list[Envelope]:
    accepted = accounts.AccountAccepted(line=LINE, offer_id="a1", served_by=by, mode="accepted")
    seat = accounts.SeatAssigned(line=LINE, seat="served_by", holder=by, since=day(at))
    return [said(accepted, day(at), by), said(seat, day(at), by)]


def met(at: float, by: Seat) -> Envelope:
    event = deals.MeetingHeld(line=LINE, opportunity_id="op-d1", meeting_id="m", objective_met="no", converted_by=by)
    return said(event, day(at), by)


def repeat(at: float, actor: Seat, *parts: Seat) -> Envelope:
    splits = [SplitPart(person=part.person, role=part.role, weight=Decimal(1)) for part in parts]
    sale = Sale(
        sale_id="r1", kind="repeat", line=LINE, net=Decimal(2000), currency="EUR", sold_at=day(at), sourced_by=ANA,
        converted_by=BORIS, served_by=CLARA, splits=splits,
    )  # fmt: skip
    return said(accounts.RepeatSale(sale=sale, tax=Decimal(0)), day(at), actor)


def tried(by: Seat, served_by: Seat | None = CLARA) -> Envelope:
    event = deals.DealRefused(
        line=LINE, attempted_by=by, served_by=served_by, reason="existing-customer", net=Decimal(5000), currency="EUR"
    )
    return said(event, day(30), by)


def lost(opportunity: str, at: float) -> Envelope:
    return said(deals.OpportunityLost(line=LINE, opportunity_id=opportunity, reason="price"), day(at), BORIS)


def overdue() -> Envelope:
    return said(leads.HandoverOverdue(line=LINE, need_id="n1", sourced_by=ANA), day(3))


def accepted_after(at: float) -> Envelope:
    event = deals.LeadAccepted(
        line=LINE,
        offer_id="o2",
        need_id="n1",
        attempt=2,
        sourced_by=ANA,
        converted_by=BORIS,
        mode="accepted",
        reroutes=0,
    )
    return said(event, day(at), BORIS)


FOUND: dict[str, tuple[list[Envelope], tuple[str, str | None]]] = {
    "C1": ([registered(), refused(EGOR, "client-protected")], ("ana", "egor")),
    "C2": ([registered(), refused(EGOR, "existing-customer", CLARA)], ("clara", "egor")),
    "C3": ([closed(10), *served(), met(30, BORIS)], ("clara", "boris")),
    "C4": ([*served(), repeat(30, BORIS)], ("clara", "boris")),
    "C5": ([opened("one", 1, BORIS, "n1"), opened("two", 2, DINA, "n2", "n1")], ("boris", "dina")),
    "C6": ([closed(10), *served(), tried(BORIS)], ("clara", "boris")),
    "C7": ([offered(), rejected(), offered("o2", 4), rejected("o2", 5)], ("ana", "boris")),
    "C8": ([offered(), rejected(), closed(50)], ("ana", "boris")),
    "C9": ([overdue()], ("ana", None)),
}

NOT_FOUND: dict[str, list[Envelope]] = {
    "the same person tries again": [registered(), refused(ANA, "client-known")],
    "the one who serves meets the client": [closed(10), *served(), met(30, CLARA)],
    "the hunter met the client before": [met(9, BORIS), closed(10), *served()],
    "a manager meets the client": [closed(10), *served(), met(30, VERA)],
    "the one who serves sells": [*served(), repeat(30, CLARA)],
    "a part was agreed": [*served(), repeat(30, BORIS, CLARA, BORIS)],
    "the first opportunity was lost": [opened("one", 1, BORIS, "n1"), lost("one", 2), opened("two", 3, DINA, "n1")],
    "another need": [opened("one", 1, BORIS, "n1"), opened("two", 2, DINA, "n2")],
    "one's own customer": [closed(10), tried(BORIS, BORIS)],
    "rejected once": [offered(), rejected()],
    "sold after the credit window": [offered(credit=40), rejected(), closed(50)],
    "sold at the very end of the window": [offered(credit=50), rejected(), closed(50)],
    "sold by somebody else": [offered(), rejected(), closed(50, DINA)],
    "the finder has the credit": [offered(), rejected(), closed(50, sourced_by=ANA)],
    "rejected, mended and accepted": [offered(), rejected(), accepted_after(5), closed(50)],
    "a new journey": [closed(10), closed(200, DINA, sale_id="d2", journey="j2")],
}


def kinds(found: list[Case]) -> list[str]:
    return [case.kind for case in found]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_with_its_claims(kind: str) -> None:
    events, (a, b) = FOUND[kind]
    (case,) = [case for case in conflicts(events) if case.kind == kind]
    assert (case.a.person, case.b.person if case.b else None) == (a, b)
    assert set(case.events) <= {str(envelope.id) for envelope in events}
    assert case.at == max(e.occurred_at for e in events if str(e.id) in case.events)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_is_found_in_the_same_story(kind: str) -> None:
    assert kinds(conflicts(FOUND[kind][0])) == [kind]


@pytest.mark.parametrize("story", NOT_FOUND)
def test_what_is_no_conflict_is_not_found(story: str) -> None:
    assert conflicts(NOT_FOUND[story]) == []


@pytest.mark.parametrize("seed", range(20))
def test_in_any_order_and_three_times_the_same_cases_are_found(seed: int) -> None:
    events = [envelope for story, _ in FOUND.values() for envelope in story]
    again = events * 3
    Random(seed).shuffle(again)
    assert conflicts(again) == conflicts(events)


def test_a_second_first_sale_on_one_journey_is_a_case() -> None:
    (case,) = conflicts([closed(10), closed(20, DINA, sale_id="d2")])
    assert (case.kind, case.people, case.sale_id, case.net) == ("C6", ("boris", "dina"), "d2", Decimal(5000))


def test_a_case_that_goes_on_stays_the_same_case() -> None:
    def story(n: int) -> Iterator[Any]:
        for number in range(n):
            yield from (offered(f"o{number}", 2 * number), rejected(f"o{number}", 2 * number + 1))

    events = list(story(3))
    (two,), (three,) = conflicts(events[:4]), conflicts(events)
    assert two.case_id == three.case_id
    assert len(three.events) == 3
