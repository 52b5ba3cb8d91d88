"""The account as a decider: who serves the client, and when a buyer becomes a regular customer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
from account_story import (
    ANA,
    BORIS,
    CLARA,
    CLIENT,
    CORA,
    CYRIL,
    DAY,
    HOUSE,
    JOURNEY,
    LINE,
    NEXT_DAY,
    ROSTER,
    STAFF,
    VARIANT,
    WON,
    at,
    line,
    people,
    refusal,
    roster_of,
)

from account_mgmt.account import (
    SELLING,
    Account,
    AccountAtRiskFlagged,
    AccountOpened,
    BecameRegular,
    Command,
    CountPurchase,
    Event,
    FlagRisk,
    NotePurchase,
    OpenAccount,
    PurchaseCounted,
    PurchaseNoted,
    RiskCause,
    SeatTaken,
    Status,
    TakeAccount,
    decide,
    evolve,
    seat_of,
)
from belt.core.decider import Refused
from conveyor_events.roster import Roster
from conveyor_events.words import HOUSE as NOBODY
from conveyor_events.words import Seat

OPEN = OpenAccount(WON, CLIENT, JOURNEY, VARIANT, LINE, ANA, BORIS)
OPENED = AccountOpened(WON, CLIENT, JOURNEY, VARIANT, LINE, ANA, BORIS)
TAKE = TakeAccount(NEXT_DAY, "offer-1", CLARA, CLARA, WON)
TAKEN = SeatTaken(NEXT_DAY, "offer-1", CLARA, CLARA, WON)
FIRST = PurchaseNoted(WON, CLIENT, "deal-1", WON)
SERVED: list[Event] = [FIRST, OPENED, TAKEN]


def account(*events: Event) -> Account:
    return reduce(evolve, events, Account())


def bought(sale: str, when: Any, by: Seat | None = CLARA) -> NotePurchase:
    return NotePurchase(when, CLIENT, sale, when, by)


def noted(sale: str, when: Any) -> PurchaseNoted:
    return PurchaseNoted(when, CLIENT, sale, when)


def when_(command: Command, *given: Event, roster: Roster = ROSTER) -> Sequence[Event]:
    return decide(command, account(*given), roster)


REGULAR_EVENTS = [
    *SERVED,
    noted("b", at(4, 1)),
    noted("c", at(5, 1)),
    BecameRegular(at(5, 1), CLARA, at(5, 1), CLARA, 3),
]
STAGES: dict[Status, Account] = {
    Status.NONE: Account(),
    Status.AWAITING: account(FIRST, OPENED),
    Status.BUYER: account(*SERVED),
    Status.REGULAR: account(*REGULAR_EVENTS),
    Status.AT_RISK: account(*SERVED, AccountAtRiskFlagged(at(5, 1), RiskCause.LOW_SCORE, "s1", CLARA)),
}
COMMANDS: dict[str, Command] = {
    "open": OPEN,
    "take": TakeAccount(at(7, 1), "offer-9", CYRIL, CYRIL, at(6, 1)),
    "note": bought("x", at(6, 1)),
    "discount": CountPurchase(at(6, 2), "deal-1", counts=False),
    "count": CountPurchase(at(6, 2), "deal-1", counts=True),
    "flag": FlagRisk(at(6, 2), RiskCause.LOW_SCORE, "s2"),
}
TABLE = {
    ("open", Status.NONE): [AccountOpened],
    ("open", Status.AWAITING): [],
    ("open", Status.BUYER): [],
    ("open", Status.REGULAR): [],
    ("take", Status.NONE): "account.unknown",
    ("take", Status.AWAITING): [SeatTaken],
    ("take", Status.BUYER): [SeatTaken],
    ("take", Status.REGULAR): [SeatTaken],
    ("note", Status.NONE): [PurchaseNoted],
    ("note", Status.AWAITING): [PurchaseNoted],
    ("note", Status.BUYER): [PurchaseNoted],
    ("note", Status.REGULAR): [PurchaseNoted],
    ("discount", Status.NONE): [],
    ("discount", Status.AWAITING): [PurchaseCounted],
    ("discount", Status.BUYER): [PurchaseCounted],
    ("discount", Status.REGULAR): [PurchaseCounted],
    ("count", Status.NONE): [],
    ("count", Status.AWAITING): [],
    ("count", Status.BUYER): [],
    ("count", Status.REGULAR): [],
    ("open", Status.AT_RISK): [],
    ("take", Status.AT_RISK): [SeatTaken],
    ("note", Status.AT_RISK): [PurchaseNoted],
    ("discount", Status.AT_RISK): [PurchaseCounted],
    ("count", Status.AT_RISK): [],
    ("flag", Status.NONE): [],
    ("flag", Status.AWAITING): [],
    ("flag", Status.BUYER): [AccountAtRiskFlagged],
    ("flag", Status.REGULAR): [AccountAtRiskFlagged],
    ("flag", Status.AT_RISK): [],
}


def test_the_table_names_every_command_in_every_stage() -> None:
    assert set(TABLE) == {(command, stage) for command in COMMANDS for stage in Status}
    assert {stage: state.status for stage, state in STAGES.items()} == {stage: stage for stage in Status}


@pytest.mark.parametrize(("name", "stage"), TABLE, ids=[f"{name}-{stage}" for name, stage in TABLE])
def test_every_command_in_every_stage(name: str, stage: Status) -> None:
    expected, command = TABLE[name, stage], COMMANDS[name]
    if isinstance(expected, str):
        with pytest.raises(Refused) as refused:
            decide(command, STAGES[stage], ROSTER)
        assert refusal(refused) == expected
        return
    events = decide(command, STAGES[stage], ROSTER)
    assert [type(event) for event in events] == expected
    again = reduce(evolve, events, STAGES[stage])
    assert decide(command, again, ROSTER) == [], "said twice, nothing new happens"


def test_a_sale_is_possible_while_the_client_awaits_its_keeper() -> None:
    assert Status.AWAITING in SELLING
    assert Status.NONE not in SELLING


def test_before_anybody_serves_the_client_the_seat_belongs_to_the_house() -> None:
    assert account(OPENED).holder_at(NEXT_DAY) == HOUSE
    assert HOUSE.person == NOBODY


def test_a_holding_begins_at_its_instant_and_ends_where_the_next_begins() -> None:
    moved = account(*SERVED, SeatTaken(at(6, 1), "offer-2", CYRIL, CYRIL, at(6, 1)))
    instant = timedelta(microseconds=1)
    assert moved.holder_at(WON - instant) == HOUSE
    assert moved.holder_at(WON) == CLARA
    assert moved.holder_at(at(6, 1) - instant) == CLARA
    assert moved.holder_at(at(6, 1)) == CYRIL


def test_holdings_that_are_told_in_the_wrong_order_stand_in_the_order_of_time() -> None:
    late = account(
        OPENED, SeatTaken(at(6, 1), "o2", CYRIL, CYRIL, at(6, 1)), SeatTaken(at(6, 2), "o1", CLARA, CLARA, WON)
    )
    assert [held.seat for held in late.holdings] == [CLARA, CYRIL]
    assert late.holder_at(at(6, 1)) == CYRIL


def test_the_third_purchase_in_a_year_makes_a_regular_customer() -> None:
    events = when_(bought("c", at(6, 5)), *SERVED, noted("b", at(4, 1)))
    assert events == [noted("c", at(6, 5)), BecameRegular(at(6, 5), CLARA, at(6, 5), CLARA, 3)]


def test_the_first_sale_counts_even_if_it_becomes_known_last() -> None:
    events = when_(NotePurchase(WON, CLIENT, "deal-1", WON), OPENED, TAKEN, noted("b", at(4, 1)), noted("c", at(5, 1)))
    assert events[-1] == BecameRegular(WON, None, at(5, 1), CLARA, 3)


def test_purchases_made_while_awaiting_count_once_somebody_serves_the_client() -> None:
    waiting: list[Event] = [FIRST, OPENED, noted("b", at(3, 11)), noted("c", at(3, 12))]
    assert account(*waiting).status is Status.AWAITING
    late = TakeAccount(at(3, 20), "offer-1", CLARA, CLARA, at(3, 20))
    assert when_(late, *waiting)[-1] == BecameRegular(at(3, 20), CLARA, at(3, 20), CLARA, 3)


@pytest.mark.parametrize(("days", "regular"), [(364, True), (365, True), (366, False)])
def test_the_window_is_counted_in_calendar_days_and_includes_its_last_day(days: int, regular: bool) -> None:
    events = when_(bought("c", WON + days * DAY), *SERVED, noted("b", at(4, 1)))
    assert any(isinstance(event, BecameRegular) for event in events) is regular


def test_the_window_may_begin_with_any_purchase() -> None:
    old = replace(FIRST, sold_at=WON - 500 * DAY)
    events = when_(bought("d", at(9, 1)), old, OPENED, TAKEN, noted("b", at(4, 1)), noted("c", at(5, 1)))
    assert events[-1] == BecameRegular(at(9, 1), CLARA, at(9, 1), CLARA, 3)


def test_a_purchase_that_is_written_down_late_makes_the_customer_regular_when_it_truly_was() -> None:
    late = NotePurchase(at(7, 1), CLIENT, "b", at(4, 1), CLARA)
    assert when_(late, *SERVED, noted("c", at(6, 5)))[-1] == BecameRegular(at(7, 1), CLARA, at(6, 5), CLARA, 3)


def test_a_sale_that_was_refunded_in_full_does_not_count() -> None:
    given: list[Event] = [*SERVED, noted("b", at(4, 1)), PurchaseCounted(at(4, 2), "b", counts=False)]
    assert when_(bought("c", at(5, 1)), *given) == [noted("c", at(5, 1))]
    paid_again = CountPurchase(at(5, 2), "b", counts=True)
    events = when_(paid_again, *given, noted("c", at(5, 1)))
    assert events == [PurchaseCounted(at(5, 2), "b", counts=True), BecameRegular(at(5, 2), None, at(5, 1), CLARA, 3)]


def test_a_regular_customer_becomes_regular_once() -> None:
    assert when_(bought("d", at(6, 1)), *REGULAR_EVENTS) == [noted("d", at(6, 1))]


def test_the_policy_of_the_line_decides_how_many_purchases_make_a_regular_customer() -> None:
    two = roster_of([*STAFF, line(regular_purchases=2, regular_days=30)])
    assert isinstance(when_(bought("b", at(4, 1)), *SERVED, roster=two)[-1], BecameRegular)
    assert when_(bought("b", at(5, 1)), *SERVED, roster=two) == [noted("b", at(5, 1))]


def test_while_the_line_is_not_known_the_usual_policy_holds() -> None:
    assert isinstance(when_(bought("c", at(5, 1)), *SERVED, noted("b", at(4, 1)), roster=Roster())[-1], BecameRegular)


def test_whoever_has_a_seat_at_the_account_may_act_on_it() -> None:
    served = account(*SERVED)
    maria = Seat(person="maria", role="manager")
    acting = {seat.person: seat_of(served, ROSTER, seat.person, NEXT_DAY) for seat in (CLARA, CORA, BORIS, maria)}
    assert acting == {"clara": CLARA, "cora": CORA, "boris": BORIS, "maria": maria}


@pytest.mark.parametrize("stranger", ["ana", "zoe", NOBODY])
def test_nobody_else_may_act_on_it(stranger: str) -> None:
    with pytest.raises(Refused) as refused:
        seat_of(account(*SERVED), roster_of([*STAFF, *people(zoe="farmer")]), stranger, NEXT_DAY)
    assert refusal(refused) == "account.not-yours"
