"""What this station hears, and that hearing it twice changes nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from account_story import (
    BORIS,
    CLARA,
    CLIENT,
    CYRIL,
    DEAL,
    DUE,
    JOURNEY,
    LINE,
    NEW_YEAR,
    NEXT_DAY,
    OFFER,
    REPEAT,
    ROSTER,
    STAFF,
    WON,
    Line,
    account_offered,
    at,
    deal_closed,
    envelope,
    first_sale,
    offered,
    staffed,
)

from account_mgmt.account import Status
from account_mgmt.offer import AcceptOffer, RejectOffer
from account_mgmt.reactions import TOPICS, react
from account_mgmt.sale import RecordPayment, RecordRefund, RecordRepeatSale
from belt.core.erasure import erase
from conveyor_events import deals, leads
from conveyor_events.catalog import CATALOG, topic_of
from conveyor_events.words import VARIANTS, Event, Role, Seat, Station, UnknownVariant, changes_hands

PAID = deals.PaymentReceived(
    payment_id="p", sale=first_sale(), net=Decimal(10_000), currency="EUR", paid_net_total=Decimal(10_000)
)
EMPTIED = deals.PaymentRefunded(
    refund_id="r",
    payment_id="p",
    payment_at=WON,
    sale=first_sale(),
    net=Decimal(10_000),
    currency="EUR",
    refunded_net_total=Decimal(10_000),
    empties=True,
)
CANCELLED = deals.DealCancelled(sale=first_sale(), deal_id=DEAL, reason="client_withdrew")
HEARD: list[Event] = [*STAFF, deal_closed(), account_offered(), PAID, EMPTIED]


@pytest.mark.parametrize("event", HEARD, ids=[type(event).__name__ for event in HEARD])
def test_each_event_gives_the_same_commands_each_time(event: Event) -> None:
    once = react(event, envelope(event, WON))
    assert once
    assert once == react(event, envelope(event, WON))
    assert topic_of(event) in TOPICS


def test_every_event_heard_twice_leaves_the_station_as_it_was() -> None:
    station = Line()
    for event in HEARD:
        assert station.hears(event, WON) or event is PAID, "the first sale counts until its money goes back"
        entries, told = dict(station.entries), list(station.told)
        assert station.hears(event, WON) == []
        assert {name: entry.state for name, entry in station.entries.items()} == {
            name: entry.state for name, entry in entries.items()
        }
        assert station.told == told


def test_who_is_forgotten_at_the_first_station_is_forgotten_here() -> None:
    forgotten = leads.PersonalDataErased(line=LINE)
    assert react(forgotten, envelope(forgotten, WON)) == [erase(CLIENT, WON)]


def test_what_is_of_no_interest_is_passed_over() -> None:
    strange = leads.LeadWithdrawn(line=LINE, offer_id="o", need_id="n")
    assert react(strange, envelope(strange, WON)) == ()
    partly = EMPTIED.model_copy(update={"empties": False})
    assert react(partly, envelope(partly, WON)) == ()


def test_the_roster_is_learned_from_the_staff_topic() -> None:
    assert staffed().state("roster", "company") == ROSTER
    assert len([entry for entry in CATALOG if entry.topic == TOPICS[0]]) == 6, (
        "a new staff event: does the roster know it?"
    )


def test_a_won_deal_whose_account_is_offered_waits_for_its_keeper() -> None:
    station = offered()
    account = station.state("account", CLIENT)
    assert (account.status, account.journey, account.converted_by) == (Status.AWAITING, JOURNEY, BORIS)
    assert [made.sale_id for made in account.purchases] == [DEAL]
    assert station.told == []


def test_the_offer_may_be_heard_before_the_roster_and_before_the_deal() -> None:
    station = Line()
    station.hears(account_offered(to=None), WON)
    station.hears(deal_closed(), WON)
    for event in STAFF:
        station.hears(event, NEW_YEAR)
    station.command("offer", OFFER, AcceptOffer(NEXT_DAY, "cyril"))
    assert station.state("account", CLIENT).holder_at(WON) == CYRIL


@pytest.mark.parametrize("legacy_until", [None, at(9, 1)])
def test_a_migration_that_overtakes_the_offer_of_its_account_counts_as_if_it_had_come_after(
    legacy_until: datetime | None,
) -> None:
    moved = leads.JourneyMigrated(
        line=LINE,
        before="hunter",
        variant="scout-hunter-farmer",
        served_by=CLARA,
        legacy_until=legacy_until,
    )
    itself = account_offered(to=BORIS, mode="self", accept_due_at=None)
    orders: list[list[tuple[Event, datetime]]] = [
        [(deal_closed(), WON), (itself, WON), (moved, NEXT_DAY)],
        [(moved, NEXT_DAY), (deal_closed(), WON), (itself, WON)],
        [(deal_closed(), WON), (moved, NEXT_DAY), (itself, WON)],
    ]
    left = []
    for order in orders:
        station = staffed()
        for event, when in order:
            station.hears(event, when, variant="hunter")
        account = station.state("account", CLIENT)
        assert (account.variant, account.holder_at(WON), account.holder_at(NEXT_DAY)) == (moved.variant, BORIS, CLARA)
        remembered = account.legacy_at(NEXT_DAY)
        assert (remembered and (remembered.person, remembered.until)) == (legacy_until and ("boris", legacy_until))
        left.append((station.row("account", CLIENT), station.names()))
    assert left[0] == left[1] == left[2]


def test_a_migration_that_overtakes_an_open_offer_counts_while_it_waits() -> None:
    moved = leads.JourneyMigrated(line=LINE, before="scout-hunter", variant="scout-hunter-farmer", served_by=CYRIL)
    station = staffed()
    station.hears(moved, NEXT_DAY)
    offered(station)
    assert station.state("account", CLIENT).holder_at(NEXT_DAY) == CYRIL


def test_without_a_variant_an_offer_cannot_be_understood() -> None:
    with pytest.raises(UnknownVariant):
        react(account_offered(), replace(envelope(account_offered(), WON), variant=None))


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_in_each_variant_the_same_events_are_told(variant: str) -> None:
    station = staffed()
    itself = not changes_hands(variant, Station.CONVERSION, Station.ACCOUNT_MGMT)
    role = VARIANTS[variant][Station.ACCOUNT_MGMT]
    to = Seat(person="boris" if itself else "clara", role=role)
    event = account_offered(to=to, mode="self" if itself else "offer", accept_due_at=None if itself else DUE)
    station.hears(deal_closed(), WON, variant=variant)
    station.hears(event, WON, variant=variant)
    if not itself:
        station.command("offer", OFFER, AcceptOffer(NEXT_DAY, "clara"))
    assert station.names() == ["AccountAccepted", "SeatAssigned"]
    assert {public.variant for public in station.told} == {variant}
    assert station.state("account", CLIENT).holder_at(WON) == to


def test_a_fifth_variant_needs_no_change_here(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {Station.LEAD_GEN: Role.SCOUT, Station.CONVERSION: Role.FARMER, Station.ACCOUNT_MGMT: Role.FARMER}
    monkeypatch.setitem(VARIANTS, "scout-farmer", row)
    station = staffed()
    event = account_offered(to=CLARA, mode="self", accept_due_at=None)
    station.hears(event, WON, variant="scout-farmer")
    assert station.state("account", CLIENT).holder_at(WON) == CLARA


def test_an_offer_nobody_answers_goes_round_the_team_and_then_waits_for_a_manager() -> None:
    station = offered()
    station.tick(DUE - timedelta(microseconds=1))
    assert station.names() == []
    station.tick(at(12, 31))
    assert station.names() == ["AccountOfferExpired"] * 3
    assert station.state("offer", OFFER).stage == "escalated"
    station.command("offer", OFFER, AcceptOffer(at(12, 31), "maria", "cyril"))
    assert station.names()[3:] == ["AccountAccepted", "SeatAssigned"]
    assert station.state("account", CLIENT).holder_at(at(12, 30)).person == "house"


def test_a_refused_account_that_is_offered_again_is_the_same_account() -> None:
    station = offered()
    station.command("offer", OFFER, RejectOffer(NEXT_DAY, "clara", "checklist_incomplete"))
    station.hears(account_offered(offer_id="offer-2", attempt=2, accept_due_at=None), at(3, 12))
    station.command("offer", "offer-2", AcceptOffer(at(3, 13), "clara"))
    assert station.names() == ["AccountRejected", "AccountAccepted", "SeatAssigned"]
    assert [held.since for held in station.state("account", CLIENT).holdings] == [at(3, 12)]


def test_a_first_sale_refunded_in_full_does_not_make_anybody_regular() -> None:
    station = offered()
    station.command("offer", OFFER, AcceptOffer(NEXT_DAY, "clara"))
    station.hears(EMPTIED, at(4, 1))
    for day, sale in ((2, "a"), (3, "b")):
        sell = RecordRepeatSale(at(4, day), "clara", sale, CLIENT, Decimal(10), Decimal(0), "EUR")
        station.command("sale", sale, sell)
    assert "CustomerBecameRegular" not in station.names()
    station.hears(PAID, at(4, 5))
    assert station.names()[-1] == "CustomerBecameRegular"


def test_a_first_sale_that_is_cancelled_counts_no_more() -> None:
    station = offered()
    station.command("offer", OFFER, AcceptOffer(NEXT_DAY, "clara"))
    station.hears(CANCELLED, at(4, 1))
    (first,) = station.state("account", CLIENT).purchases
    assert (first.sale_id, first.counts) == (DEAL, False)
    assert station.hears(CANCELLED, at(4, 1)) == []


def test_a_void_order_counts_for_nothing() -> None:
    station = offered()
    station.command("offer", OFFER, AcceptOffer(NEXT_DAY, "clara"))
    for day in (1, 2):
        sale = f"void-{day}"
        sell = RecordRepeatSale(at(4, day), "clara", sale, CLIENT, Decimal(10), Decimal(0), "EUR")
        station.command("sale", sale, sell)
        station.command("sale", sale, RecordPayment(at(4, day), "clara", "p", Decimal(10), "EUR"))
        station.command("sale", sale, RecordRefund(at(4, day), "clara", "r", Decimal(10), "EUR"))
    last = RecordRepeatSale(at(5, 1), "clara", REPEAT, CLIENT, Decimal(10), Decimal(0), "EUR")
    station.command("sale", REPEAT, last)
    assert station.state("account", CLIENT).status is Status.BUYER
    assert station.names().count("RepeatSale") == 3
