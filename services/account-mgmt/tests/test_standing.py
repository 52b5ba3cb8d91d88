"""Where a client stands by what it buys: regular, silent, lapsed, back again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from itertools import pairwise
from typing import Any

import pytest
from account_stages import AWAITING, BUYER, COMPLAIN, FIRST, OPEN, REGULAR, TAKE, after, bought
from account_story import (
    CLARA,
    CLIENT,
    CYRIL,
    DAY,
    JOURNEY,
    ROSTER,
    STAFF,
    WON,
    at,
    line,
    roster_of,
)
from hypothesis import given
from hypothesis import strategies as st

from account_mgmt.account import (
    Account,
    AccountAtRiskFlagged,
    AccountRiskCleared,
    BecameRegular,
    ClearRisk,
    Command,
    CountPurchase,
    CustomerLapsed,
    CustomerLeft,
    CustomerReturned,
    DeadlinesStamped,
    Event,
    LeaveReason,
    MeetDeadline,
    NotePurchase,
    Remedy,
    ResolveComplaint,
    RiskCause,
    Status,
    TakeAccount,
    decide,
    evolve,
    timers,
)
from belt.core.calendar import days_between
from belt.core.decider import Due
from conveyor_events.roster import Roster


def when_(command: Command, *before: Command, roster: Roster = ROSTER) -> Sequence[Event]:
    state = Account()
    for one in before:
        state = reduce(evolve, decide(one, state, roster), state)
    return decide(command, state, roster)


def regular(events: Sequence[Event]) -> BecameRegular | None:
    return next((event for event in events if isinstance(event, BecameRegular)), None)


# --- a regular customer ---------------------------------------------------------------------------------------------


def test_the_third_purchase_in_a_year_makes_a_regular_customer() -> None:
    events = when_(bought("c", at(6, 5)), *BUYER, bought("b", at(4, 1)))
    assert events[-1] == BecameRegular(at(6, 5), CLARA, at(6, 5), CLARA, 3)


def test_the_first_sale_counts_even_if_it_becomes_known_last() -> None:
    first = NotePurchase(WON, CLIENT, "deal-1", WON)
    events = when_(first, OPEN, TAKE, bought("b", at(4, 1)), bought("c", at(5, 1)))
    assert events[-1] == BecameRegular(WON, None, at(5, 1), CLARA, 3)


def test_purchases_made_while_awaiting_count_once_somebody_serves_the_client() -> None:
    late = TakeAccount(at(3, 20), "offer-1", CLARA, CLARA, at(3, 20))
    events = when_(late, *AWAITING, bought("b", at(3, 11)), bought("c", at(3, 12)))
    assert events[-1] == BecameRegular(at(3, 20), CLARA, at(3, 20), CLARA, 3)


@pytest.mark.parametrize(("days", "is_regular"), [(364, True), (365, True), (366, False)])
def test_the_window_is_counted_in_calendar_days_and_includes_its_last_day(days: int, is_regular: bool) -> None:
    patient = roster_of([*STAFF, line(lapse_days=400)])
    events = when_(bought("c", WON + days * DAY), *BUYER, bought("b", at(4, 1)), roster=patient)
    assert (regular(events) is not None) is is_regular


def test_the_window_may_begin_with_any_purchase() -> None:
    old = replace(FIRST, sold_at=WON - 500 * DAY)
    events = when_(bought("d", at(9, 1)), old, OPEN, TAKE, bought("b", at(4, 1)), bought("c", at(5, 1)))
    assert regular(events) == BecameRegular(at(9, 1), CLARA, at(9, 1), CLARA, 3)


def test_a_purchase_that_is_written_down_late_makes_the_customer_regular_when_it_truly_was() -> None:
    late = NotePurchase(at(7, 1), CLIENT, "b", at(4, 1), CLARA)
    assert when_(late, *BUYER, bought("c", at(6, 5)))[-1] == BecameRegular(at(7, 1), CLARA, at(6, 5), CLARA, 3)


def test_a_sale_that_was_refunded_in_full_does_not_count() -> None:
    given: list[Command] = [*BUYER, bought("b", at(4, 1)), CountPurchase(at(4, 2), "b", counts=False)]
    assert regular(when_(bought("c", at(5, 1)), *given)) is None
    events = when_(CountPurchase(at(5, 2), "b", counts=True), *given, bought("c", at(5, 1)))
    assert regular(events) == BecameRegular(at(5, 2), None, at(5, 1), CLARA, 3)


def test_a_regular_customer_becomes_regular_once() -> None:
    assert regular(when_(bought("d", at(6, 1)), *REGULAR)) is None


def test_the_policy_of_the_line_decides_how_many_purchases_make_a_regular_customer() -> None:
    two = roster_of([*STAFF, line(regular_purchases=2, regular_days=30)])
    assert regular(when_(bought("b", at(4, 1)), *BUYER, roster=two)) is not None
    assert regular(when_(bought("b", at(5, 1)), *BUYER, roster=two)) is None


def test_while_the_line_is_not_known_the_usual_policy_holds() -> None:
    assert regular(when_(bought("c", at(5, 1)), *BUYER, bought("b", at(4, 1)), roster=Roster())) is not None


def test_a_third_purchase_amid_a_complaint_makes_a_regular_customer_once_it_is_heard() -> None:
    upset: list[Command] = [*BUYER, bought("b", at(4, 1)), COMPLAIN]
    assert regular(when_(bought("c", at(5, 3)), *upset)) is None
    events = when_(ResolveComplaint(at(5, 9), "cyril", "c1", Remedy.FIXED), *upset, bought("c", at(5, 3)))
    assert regular(events) == BecameRegular(at(5, 9), CYRIL, at(5, 3), CLARA, 3)


# --- silence --------------------------------------------------------------------------------------------------------

HALF = datetime(2026, 6, 7, 22, tzinfo=UTC)  # 00:00 of 8 June in Berlin: day 90 after 10 March
OVER = datetime(2026, 9, 5, 22, tzinfo=UTC)  # 00:00 of 6 September in Berlin: day 180


def test_half_the_time_makes_a_risk_and_the_whole_a_lapse_each_at_its_own_instant() -> None:
    assert when_(TAKE, *AWAITING)[-1] == DeadlinesStamped(TAKE.at, WON, HALF, OVER)
    assert timers(after(*BUYER)) == [Due("risk", HALF, MeetDeadline(HALF)), Due("lapse", OVER, MeetDeadline(OVER))]
    assert when_(MeetDeadline(HALF), *BUYER) == [AccountAtRiskFlagged(HALF, RiskCause.SILENCE, "silence", CLARA)]
    lapsed = CustomerLapsed(OVER, CLARA, WON, 180)
    assert when_(MeetDeadline(OVER), *BUYER, MeetDeadline(HALF)) == [lapsed]
    assert timers(after(*BUYER, MeetDeadline(OVER))) == []


def test_an_instant_earlier_nothing_has_happened() -> None:
    assert when_(MeetDeadline(HALF - DAY), *BUYER) == []


def test_a_purchase_in_time_moves_both_and_takes_the_risk_away() -> None:
    events = when_(bought("b", at(7, 1)), *BUYER, MeetDeadline(HALF))
    assert [type(event).__name__ for event in events] == ["PurchaseNoted", "AccountRiskCleared", "DeadlinesStamped"]
    moved = after(*BUYER, MeetDeadline(HALF), bought("b", at(7, 1)))
    assert (moved.status, moved.quiet_since) == (Status.BUYER, at(7, 1))
    assert decide(MeetDeadline(OVER), moved, ROSTER) == []


def test_a_risk_cleared_by_hand_does_not_come_back_before_the_lapse() -> None:
    calmed = after(*BUYER, MeetDeadline(HALF), ClearRisk(at(6, 9), "clara"))
    assert calmed.status is Status.BUYER
    assert decide(MeetDeadline(at(8, 1)), calmed, ROSTER) == []
    assert [type(event) for event in decide(MeetDeadline(OVER), calmed, ROSTER)] == [CustomerLapsed]


def test_due_instants_stand_as_they_were_stamped_whatever_becomes_of_the_policy() -> None:
    hasty = roster_of([*STAFF, line(lapse_days=10)])
    assert decide(MeetDeadline(at(6, 1)), after(*BUYER), hasty) == []
    stamped = when_(TAKE, *AWAITING, roster=hasty)[-1]
    assert isinstance(stamped, DeadlinesStamped)
    assert (stamped.risk_due_at, stamped.lapse_due_at) == (
        datetime(2026, 3, 14, 23, tzinfo=UTC),
        datetime(2026, 3, 19, 23, tzinfo=UTC),
    )


def test_a_refund_does_not_let_the_client_have_lapsed_before_it() -> None:
    given: list[Command] = [*BUYER, bought("b", at(8, 1))]
    refunded = CountPurchase(at(12, 1), "b", counts=False)
    stamped = when_(refunded, *given)[-1]
    assert isinstance(stamped, DeadlinesStamped)
    assert (stamped.quiet_since, stamped.lapse_due_at) == (WON, at(12, 1))
    assert when_(MeetDeadline(at(12, 1)), *given, refunded) == [CustomerLapsed(at(12, 1), CLARA, WON, 266)]


def test_history_lapses_when_it_did_whether_the_clock_looked_in_between_or_not() -> None:
    looked = after(*BUYER, MeetDeadline(HALF), MeetDeadline(OVER), bought("b", at(12, 20)))
    not_looked = after(*BUYER, bought("b", at(12, 20)))
    assert looked == not_looked
    assert looked.status is Status.BUYER


GAPS = st.lists(st.integers(0, 260), min_size=1, max_size=9)


def stands(purchases: Sequence[datetime], now: datetime) -> Status:
    """Where the client stands, told by the calendar alone: which purchases lie how many days apart."""
    journey = [purchases[0]]
    for before, then in pairwise(purchases):
        journey = [then] if days_between("Europe/Berlin", before, then) >= 180 else [*journey, then]
    silent = days_between("Europe/Berlin", purchases[-1], now)
    if silent >= 180:
        return Status.LAPSED
    if silent >= 90:
        return Status.AT_RISK
    thrice = any(days_between("Europe/Berlin", a, c) <= 365 for a, c in zip(journey, journey[2:], strict=False))
    return Status.REGULAR if thrice else Status.BUYER


@given(gaps=GAPS, rest=st.integers(0, 260), looks=st.lists(st.integers(0, 2400), max_size=6))
def test_any_history_leads_to_where_the_calendar_says_however_often_the_clock_looked(
    gaps: list[int], rest: int, looks: list[int]
) -> None:
    sold = [WON + sum(gaps[:number]) * DAY for number in range(len(gaps) + 1)]
    end = sold[-1] + rest * DAY
    bought_then: list[Command] = [bought(f"s{number}", when) for number, when in enumerate(sold[1:])]
    ticks: list[Command] = [MeetDeadline(min(WON + days * DAY, end)) for days in looks]
    plain = after(*BUYER, *bought_then, MeetDeadline(end))
    looked = after(*BUYER, *sorted([*bought_then, *ticks], key=lambda one: one.at), MeetDeadline(end))
    assert looked == plain
    assert plain.status is stands(sold, end)


# --- gone and back --------------------------------------------------------------------------------------------------


def returned(events: Sequence[Event]) -> CustomerReturned:
    (found,) = [event for event in events if isinstance(event, CustomerReturned)]
    return found


def test_a_purchase_after_the_lapse_is_a_return_on_a_new_journey() -> None:
    back = returned(when_(bought("b", at(12, 20)), *BUYER, MeetDeadline(OVER)))
    assert (back.since, back.after_days, back.again) == (at(12, 20), 285, True)
    assert back.journey != JOURNEY
    account = after(*BUYER, MeetDeadline(OVER), bought("b", at(12, 20)))
    assert (account.status, account.journey, len(account.journeys)) == (Status.BUYER, back.journey, 2)


def test_a_returned_journey_takes_the_variant_of_that_day() -> None:
    later = line().model_copy(update={"since": at(10, 1), "variant": "hunter-farmer"})
    events = when_(bought("b", at(12, 20)), *BUYER, roster=roster_of([*STAFF, later]))
    assert returned(events).variant == "hunter-farmer"


def test_purchases_before_the_return_make_no_regular_customer() -> None:
    away: list[Command] = [*REGULAR, bought("d", at(12, 20))]
    assert after(*away).status is Status.BUYER, "regular before, a buyer again"
    assert regular(when_(bought("e", at(12, 21)), *away)) is None
    assert regular(when_(bought("f", at(12, 22)), *away, bought("e", at(12, 21)))) is not None


def test_a_purchase_made_before_the_lapse_takes_it_back() -> None:
    late = NotePurchase(at(9, 20), CLIENT, "b", at(9, 1), CLARA)
    back = returned(when_(late, *BUYER, MeetDeadline(OVER)))
    assert (back.again, back.journey, back.since, back.after_days) == (False, JOURNEY, OVER, 175)
    account = after(*BUYER, MeetDeadline(OVER), late)
    assert (account.status, account.journey, account.quiet_since) == (Status.BUYER, JOURNEY, at(9, 1))
    was_regular = after(*REGULAR, MeetDeadline(at(12, 1)), NotePurchase(at(12, 2), CLIENT, "d", at(10, 1), CLARA))
    assert was_regular.status is Status.REGULAR


def test_a_purchase_made_before_it_left_brings_nobody_back() -> None:
    left = CustomerLeft(at(5, 1), "clara", LeaveReason.COMPETITOR)
    gone = after(*BUYER, left, NotePurchase(at(5, 2), CLIENT, "b", at(4, 20), CLARA))
    assert (gone.status, gone.left) == (Status.CHURNED, LeaveReason.COMPETITOR)
    back = after(bought("c", at(6, 1)), start=gone)
    assert (back.status, back.left) == (Status.BUYER, None)


def test_a_complaint_that_is_still_open_is_a_risk_for_the_returned_client_too() -> None:
    account = after(*BUYER, COMPLAIN, MeetDeadline(OVER), bought("b", at(12, 20)))
    assert (account.status, [risk.ref for risk in account.risks]) == (Status.AT_RISK, ["c1"])


def test_the_story_of_a_customer_that_comes_back() -> None:
    """Scenario 18: first sale 20 January, repeats 10 March and 5 June, none until 20 December."""
    jan, dec = at(1, 20), at(12, 20)
    story: list[Command] = [
        NotePurchase(jan, CLIENT, "deal-1", jan),
        replace(OPEN, at=jan),
        TakeAccount(jan, "offer-1", CLARA, CLARA, jan),
        bought("r1", at(3, 10)),
        bought("r2", at(6, 5)),
        MeetDeadline(datetime(2026, 12, 1, 23, tzinfo=UTC)),
        bought("r3", dec),
    ]
    told: list[Any] = []
    state = Account()
    for command in story:
        events = decide(command, state, ROSTER)
        state = reduce(evolve, events, state)
        told += [
            (type(event).__name__, event.at)
            for event in events
            if isinstance(event, BecameRegular | CustomerLapsed | CustomerReturned | AccountRiskCleared)
        ]
    assert told == [
        ("BecameRegular", at(6, 5)),
        ("CustomerLapsed", datetime(2026, 12, 1, 23, tzinfo=UTC)),  # 2 December in Berlin
        ("CustomerReturned", dec),
    ]
    assert state.status is Status.BUYER
