"""A won sale: its money, and its buyer on the way to account management."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from conversion_stories import (
    BORIS,
    CLARA,
    CLASSIC,
    CLIENT,
    DEAL,
    HIRED,
    LATER,
    LINE,
    MONDAY,
    OPPORTUNITY,
    SOLD,
    Bench,
    accept,
    bench,
    close,
    meeting,
    names,
    on,
    outcome,
    proposal,
    received,
    rows_of,
    seat,
    staffing,
)
from hypothesis import given
from hypothesis import strategies as st

from belt.core.decider import Step
from belt.core.ids import derived
from conversion.deal import CancelDeal, HearAnswer, OfferAccount, OpenDeal, RecordPayment, RecordRefund
from conversion.deal.terms import Instalment
from conversion.opportunity.client import NoteAnswer, NoteMigrated
from conversion.roster import Learn
from conveyor_events import staff
from conveyor_events.words import VARIANTS, Role, Station

ACCOUNT = derived(DEAL, "account-offer", 1)
FELIX = seat("felix", "farmer")


def won(variant: str = CLASSIC) -> Bench:
    there = bench(variant)
    there.won()
    return there


def pay(
    net: str = "4000.00", payment: str = "p1", by: str = "boris", at: datetime = LATER, currency: str = "EUR"
) -> Step:
    return Step("deal", DEAL, RecordPayment(at, by, payment, Decimal(net), currency))


def refund(net: str = "4000.00", refund: str = "r1", payment: str | None = None, at: datetime = LATER) -> Step:
    return Step("deal", DEAL, RecordRefund(at, "boris", refund, payment, Decimal(net), "EUR"))


def answer(what: str, reason: str | None = None, by: Any = CLARA, offer: str = ACCOUNT) -> Step:
    return Step("client", CLIENT, NoteAnswer(LATER, CLIENT, offer, what, by, reason))


def again(by: str = "boris", to: str | None = None, checklist: tuple[str, ...] = ()) -> Step:
    return Step("deal", DEAL, OfferAccount(LATER, LATER, by, checklist, to))


# --- every command in every stage -----------------------------------------------------------------------------------

OPEN = OpenDeal(
    SOLD, SOLD, BORIS, DEAL, OPPORTUNITY, CLIENT, "journey-1", CLASSIC, LINE, Decimal("10000.00"), Decimal("2000.00"),
    "EUR", seat("ana", "scout"), BORIS, (), (), ("contract",),
)  # fmt: skip
HEARD = Step("deal", DEAL, HearAnswer(LATER, ACCOUNT, "rejected", CLARA, "capacity"))
TAKEN = Step("deal", DEAL, HearAnswer(LATER, ACCOUNT, "accepted", CLARA, None))
COMMANDS = {
    "open": Step("deal", DEAL, OPEN),
    "pay": pay(),
    "refund": refund("1000.00"),
    "hear": HEARD,
    "offer again": again(),
    "cancel": Step("deal", DEAL, CancelDeal(LATER, "boris", "not_delivered")),
}
STAGES: dict[str, list[Step]] = {
    "none": [],
    "won": [COMMANDS["open"]],
    "paid": [COMMANDS["open"], pay()],
    "refunded": [COMMANDS["open"], pay(), refund("4000.00", "r0")],
    "account taken": [COMMANDS["open"], TAKEN],
    "account refused": [COMMANDS["open"], HEARD],
    "cancelled": [COMMANDS["open"], COMMANDS["cancel"]],
}
TABLE = """
                | open                      | pay             | refund            | hear            | offer again           | cancel
none            | DealOpened AccountOffered | !unknown        | !unknown          | !unknown        | !unknown              | !unknown
won             | .                         | PaymentReceived | !exceeds-payments | AccountAnswered | !account-not-rejected | DealCancelled
paid            | .                         | .               | PaymentRefunded   | AccountAnswered | !account-not-rejected | DealCancelled
refunded        | .                         | .               | !exceeds-payments | AccountAnswered | !account-not-rejected | DealCancelled
account taken   | .                         | PaymentReceived | !exceeds-payments | AccountAnswered | !account-not-rejected | DealCancelled
account refused | .                         | PaymentReceived | !exceeds-payments | .               | AccountOffered        | DealCancelled
cancelled       | .                         | !cancelled      | !exceeds-payments | AccountAnswered | !account-not-rejected | .
"""  # noqa: E501


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_command_in_every_stage_does_what_the_table_says(stage: str, command: str) -> None:
    there = bench()
    for step in STAGES[stage]:
        there.do(step)
    assert outcome(there, COMMANDS[command]) == rows_of(TABLE)[stage][command]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stage", STAGES)
def test_the_same_command_again_does_nothing_or_is_refused(stage: str, command: str) -> None:
    there = bench()
    for step in STAGES[stage]:
        there.do(step)
    outcome(there, COMMANDS[command])
    repeated = outcome(there, COMMANDS[command])
    assert repeated == "." or repeated.startswith("!")


# --- money ----------------------------------------------------------------------------------------------------------


def test_every_money_fact_carries_the_whole_sale() -> None:
    there = won()
    there.do(pay())
    there.do(refund("1000.00"))
    received, refunded, closed = there.last("PaymentReceived"), there.last("PaymentRefunded"), there.last("DealClosed")
    assert received.sale == refunded.sale == closed.sale
    assert (received.net, received.paid_net_total) == (Decimal("4000.00"), Decimal("4000.00"))
    assert (refunded.net, refunded.refunded_net_total, refunded.empties) == (
        Decimal("1000.00"),
        Decimal("1000.00"),
        False,
    )
    assert refunded.payment_at == LATER


def test_a_refund_that_names_no_payment_takes_the_oldest_first() -> None:
    there = won()
    there.do(pay("4000.00", "young", at=LATER))
    there.do(pay("3000.00", "old", at=SOLD))
    events = there.do(refund("5000.00"))
    assert [(e.payment, e.net, e.payment_at) for e in events] == [
        ("old", Decimal("3000.00"), SOLD),
        ("young", Decimal("2000.00"), LATER),
    ]
    assert {event.refund for event in events} == {"r1"}


def test_a_refund_takes_from_the_payment_it_names_and_no_other() -> None:
    there = won()
    there.do(pay("4000.00", "p1"))
    there.do(pay("3000.00", "p2"))
    assert there.refusal(refund("3000.01", payment="p2")) == "refund.exceeds-payments"
    assert [e.payment for e in there.do(refund("3000.00", payment="p2"))] == ["p2"]
    assert there.refusal(refund("0.01", "r2", payment="p2")) == "refund.exceeds-payments"
    assert there.refusal(refund("1.00", "r3", payment="p9")) == "payment.unknown"


def test_the_refund_that_empties_the_sale_says_so() -> None:
    there = won()
    there.do(pay("4000.00", "p1"))
    there.do(pay("3000.00", "p2"))
    assert [e.empties for e in there.do(refund("6999.99"))] == [False, False]
    assert [e.empties for e in there.do(refund("0.01", "r2"))] == [True]


def test_no_more_goes_back_than_came_in() -> None:
    there = won()
    assert there.refusal(refund("0.01")) == "refund.exceeds-payments"
    there.do(pay("4000.00"))
    assert there.refusal(refund("4000.01")) == "refund.exceeds-payments"


def test_no_more_comes_in_than_was_sold_unless_it_went_back_before() -> None:
    there = won()
    there.do(pay("10000.00"))
    assert there.refusal(pay("0.01", "p2")) == "payment.exceeds-deal"
    there.do(refund("10000.00"))
    there.do(pay("10000.00", "p2"))


def test_an_id_is_one_payment_or_one_refund() -> None:
    there = won()
    there.do(pay())
    assert there.refusal(pay("5000.00")) == "payment.id-taken"
    there.do(refund("1000.00"))
    assert there.refusal(refund("2000.00")) == "refund.id-taken"


def test_a_refund_is_not_older_than_its_payment() -> None:
    there = won()
    there.do(pay(at=LATER))
    assert there.refusal(refund("1.00", payment="p1", at=SOLD)) == "refund.before-payment"
    assert there.refusal(refund("1.00", at=SOLD)) == "refund.exceeds-payments"


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (pay("0.00"), "money.not-positive"),
        (pay("-1.00"), "money.not-positive"),
        (pay("0.001"), "money.minor-units"),
        (pay(currency="USD"), "money.other-currency"),
        (pay(by="clara"), "deal.not-yours"),
        (pay(by="nobody"), "deal.not-yours"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(step: Step, code: str) -> None:
    assert won().refusal(step) == code


@pytest.mark.parametrize("by", ["boris", "dina", "gleb", "maria"])
def test_money_is_recorded_by_the_hunter_the_team_or_a_manager(by: str) -> None:
    there = won()
    there.do(pay(by=by))
    assert there.told[-1].actor in (seat(by), seat(by, "manager"))


@given(st.lists(st.integers(-5_000, 5_000).filter(bool), max_size=12))
def test_whatever_moves_what_went_back_never_exceeds_what_came_in(moves: list[int]) -> None:
    there = Bench()
    there.do(Step("deal", DEAL, OPEN))
    there.do(Step("roster", "company", Learn(HIRED, staff.StaffHired(person="boris", hired_on=HIRED.date()))))
    for n, cents in enumerate(moves):
        net = f"{abs(cents)}.01"
        outcome(there, pay(net, f"p{n}") if cents > 0 else refund(net, f"r{n}"))
        deal = there.state("deal", DEAL)
        assert 0 <= deal.refunded <= deal.paid
        assert deal.paid - deal.refunded <= Decimal("10000.00")
        assert sum(p.left for p in deal.payments) == deal.paid - deal.refunded
        row = there.row("deal", DEAL)
        assert (row["paid"], row["refunded"]) == (deal.paid, deal.refunded)


# --- the schedule ---------------------------------------------------------------------------------------------------


def test_a_schedule_pays_net_and_tax() -> None:
    there = bench()
    there.do(received())
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    halves = tuple(Instalment(date(2026, month, 15), Decimal("6000.00")) for month in (4, 5))
    assert there.refusal(on(OPPORTUNITY, close(schedule=halves[:1]))) == "terms.schedule-does-not-add-up"
    there.do(on(OPPORTUNITY, close(schedule=halves)))
    assert [part.amount for part in there.last("DealClosed").payment_schedule] == [Decimal("6000.00")] * 2


# --- the buyer on its way -------------------------------------------------------------------------------------------


def test_the_buyer_is_offered_at_once_with_a_deadline_in_working_hours() -> None:
    there = won()
    told = there.last("AccountOffered")
    assert (told.to, told.mode, told.team, told.attempt) == (CLARA, "offer", "berlin-account-mgmt", 1)
    # Wednesday noon in Berlin and 16 working hours: six that day, nine on Thursday, one on Friday
    assert told.accept_due_at == datetime(2026, 4, 3, 8, tzinfo=UTC)
    assert told.checklist == ["contacts", "contract", "price-terms"]
    assert told.offer_id == ACCOUNT


@pytest.mark.parametrize("variant", VARIANTS)
def test_where_hands_do_not_change_the_hunter_goes_on(variant: str) -> None:
    there = bench(variant)
    there.do(received(variant=variant))
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    there.do(on(OPPORTUNITY, close()))
    told = there.last("AccountOffered")
    if VARIANTS[variant][Station.ACCOUNT_MGMT] is Role.HUNTER:
        assert (told.mode, told.to, told.accept_due_at) == ("self", BORIS, None)
    else:
        assert (told.mode, told.to) == ("offer", CLARA)


@pytest.mark.parametrize("moment", ["offered", "negotiating"])
@pytest.mark.parametrize(("before", "after"), [("hunter-farmer", "hunter"), ("hunter", "hunter-farmer")])
def test_a_journey_migrated_on_its_way_is_handed_on_by_its_new_variant(before: str, after: str, moment: str) -> None:
    migrated = Step("client", CLIENT, NoteMigrated(MONDAY, CLIENT, "journey-1", after))
    there = Bench(*staffing("hunter-farmer"))
    there.do(received(variant=before))
    there.do(*([migrated] if moment == "offered" else []), accept())
    there.do(on(OPPORTUNITY, proposal()))
    there.do(*([migrated] if moment == "negotiating" else []), on(OPPORTUNITY, close()))
    assert there.do(on(OPPORTUNITY, close())) == [], "said twice"
    told = there.last("AccountOffered")
    itself = VARIANTS[after][Station.ACCOUNT_MGMT] is Role.HUNTER
    assert (told.mode, told.to) == (("self", BORIS) if itself else ("offer", CLARA))
    assert {one.variant for one in there.told if type(one.data).__name__ in ("DealClosed", "AccountOffered")} == {after}


def test_another_journey_of_the_client_is_not_migrated_with_it() -> None:
    there = bench()
    there.do(Step("client", CLIENT, NoteMigrated(MONDAY, CLIENT, "journey-0", "hunter")))
    there.won()
    assert (there.last("AccountOffered").mode, there.told[-1].variant) == ("offer", CLASSIC)


@pytest.mark.parametrize("variant", ["scout-hunter", "hunter"])
def test_a_buyer_whose_seller_has_left_is_offered_to_the_team(variant: str) -> None:
    there = Bench(*staffing(variant), staff.RoleGranted(person="boris", role="hunter", since=HIRED))
    there.do(received(variant=variant))
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    gone = staff.StaffLeft(person="boris", last_day=date(2026, 3, 31), left_at=datetime(2026, 3, 31, 22, tzinfo=UTC))
    there.do(Step("roster", "company", Learn(MONDAY, gone)))
    there.do(on(OPPORTUNITY, close("maria")))
    told = there.last("AccountOffered")
    assert (told.mode, told.to, told.converted_by) == ("offer", seat("clara"), BORIS)
    assert told.accept_due_at is not None


def test_a_buyer_from_before_the_line_was_staffed_anew_is_offered_to_the_team_in_its_role() -> None:
    there = Bench(*staffing("scout-hunter"))
    there.do(received(variant=CLASSIC))
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    there.do(on(OPPORTUNITY, close()))
    told = there.last("AccountOffered")
    assert (told.mode, told.to) == ("offer", seat("clara", "hunter")), "nobody there is a farmer, nor paid as one"


def test_a_fifth_variant_needs_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {Station.LEAD_GEN: Role.SCOUT, Station.CONVERSION: Role.FARMER, Station.ACCOUNT_MGMT: Role.FARMER}
    monkeypatch.setitem(VARIANTS, "scout-farmer", row)
    there = bench("scout-farmer")
    there.do(received(seat("boris", "farmer"), variant="scout-farmer"))
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    there.do(on(OPPORTUNITY, close()))
    assert there.last("LeadAccepted").converted_by == seat("boris", "farmer")
    assert there.last("AccountOffered").mode == "self"


def test_history_is_offered_without_a_deadline() -> None:
    there = bench()
    there.do(received())
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    there.do(on(OPPORTUNITY, close(now=LATER)))
    assert there.last("AccountOffered").accept_due_at is None


def test_an_unknown_team_finds_the_buyer_in_its_queue() -> None:
    there = Bench()
    there.won()
    told = there.last("AccountOffered")
    assert (told.to, told.team, told.accept_due_at, told.mode) == (None, "account-mgmt", None, "offer")


def test_buyers_are_offered_in_turn_and_the_absent_get_none() -> None:
    there = bench()
    away = staff.AbsenceSet(person="felix", since=SOLD, until=LATER)
    there.do(Step("roster", "company", Learn(SOLD, away)))
    there.won()
    assert there.last("AccountOffered").to == CLARA
    turns = Counter(_sold(there, n, LATER) for n in range(9))
    assert set(turns) == {"clara", "felix"}
    assert max(turns.values()) - min(turns.values()) <= 1, "who was away starts at the minimum"


def test_buyers_in_bulk_are_spread_evenly() -> None:
    there = bench()
    turns = Counter(_sold(there, n, SOLD) for n in range(100))
    assert turns == {"clara": 50, "felix": 50}


def _sold(there: Bench, n: int, at: datetime) -> str:
    about: dict[str, Any] = {"client": f"c{n}", "deal": f"d{n}", "opportunity": f"o{n}", "at": at, "now": at}
    there.do(Step("deal", f"d{n}", replace(OPEN, **about)))
    to = there.last("AccountOffered").to
    return to.person if to else ""


def test_nobody_hands_over_to_themselves() -> None:
    events = staffing()
    hunter_too = staff.RoleGranted(person="clara", role="hunter", since=HIRED)
    there = Bench(*events, hunter_too)
    there.do(Step("deal", DEAL, replace(OPEN, converted_by=seat("clara"))))
    assert there.last("AccountOffered").to == FELIX


# --- the answer of account management -------------------------------------------------------------------------------


def test_an_accepted_buyer_is_noted() -> None:
    there = won()
    assert names(there.do(answer("accepted"))) == ["AccountAnswered", "AccountAnswered"]
    assert there.state("deal", DEAL).account_stage == "accepted"
    assert there.row("deal", DEAL)["account"] == "accepted"
    assert there.public[-1] == "AccountOffered", "what account management said is its own to tell"


def test_a_refused_buyer_is_mended_and_offered_again_to_who_refused_it() -> None:
    there = won()
    there.do(answer("rejected", "checklist_incomplete"))
    there.do(again(checklist=("promises", "contract")))
    told = there.last("AccountOffered")
    assert (told.attempt, told.to) == (2, CLARA)
    assert told.checklist == ["contacts", "contract", "price-terms", "promises"]
    assert told.offer_id == derived(DEAL, "account-offer", 2)


def test_a_buyer_refused_for_want_of_time_goes_to_somebody_else() -> None:
    there = won()
    there.do(answer("rejected", "capacity"))
    there.do(again())
    assert there.last("AccountOffered").to == FELIX


def test_the_sender_may_name_the_receiver_if_they_work_there() -> None:
    there = won()
    there.do(answer("rejected", "capacity"))
    assert there.refusal(again(to="dina")) == "deal.receiver-not-in-team"
    assert there.refusal(again("dina")) == "deal.not-yours"
    there.do(again("maria", to="clara"))
    assert there.last("AccountOffered").to == CLARA


def test_an_answer_to_an_earlier_offer_changes_nothing() -> None:
    there = won()
    there.do(answer("rejected", "capacity"))
    there.do(again())
    there.do(answer("accepted"))
    assert there.state("deal", DEAL).account_stage == "offered"


def test_meetings_are_among_what_is_handed_over_only_if_there_were_any() -> None:
    there = bench()
    there.do(received())
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    there.do(on(OPPORTUNITY, close()))
    assert there.last("AccountOffered").checklist == ["contract", "price-terms"]
    assert meeting().objective_met == "full"
