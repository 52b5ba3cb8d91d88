"""A repeat sale and its money as a decider."""

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from account_story import (
    ANA,
    BORIS,
    CLARA,
    CLIENT,
    CYRIL,
    DAY,
    HOUSE,
    JOURNEY,
    LINE,
    REPEAT,
    ROSTER,
    VARIANT,
    WON,
    at,
    refusal,
)
from hypothesis import given
from hypothesis import strategies as st

from account_mgmt.account import Account, AccountOpened, CountPurchase, NotePurchase, PurchaseNoted, SeatTaken
from account_mgmt.account import evolve as account_evolve
from account_mgmt.sale import (
    Command,
    Event,
    Item,
    PaymentRecorded,
    RecordPayment,
    RecordRefund,
    RecordRepeatSale,
    RefundRecorded,
    SaleBook,
    SaleRecorded,
    Stage,
    decide,
    evolve,
    follow,
)
from belt.core.decider import Refused, Step
from conveyor_events.sale import Sale, SplitPart

OPENED = AccountOpened(WON, CLIENT, JOURNEY, VARIANT, LINE, ANA, BORIS)
AWAITING = account_evolve(account_evolve(Account(), PurchaseNoted(WON, CLIENT, "deal-1", WON)), OPENED)
SERVED = account_evolve(AWAITING, SeatTaken(WON + DAY, "offer-1", CLARA, CLARA, WON))
SOLD_AT = at(3, 24)
NET = Decimal("4000.00")


def sell(**more: Any) -> RecordRepeatSale:
    about: dict[str, Any] = {"sale_id": REPEAT, "client": CLIENT, "net": NET, "tax": Decimal(800), "currency": "EUR"}
    return RecordRepeatSale(**{"at": SOLD_AT, "by": "clara", **about, **more})


def sold(served_by: Any = CLARA, **more: Any) -> SaleRecorded:
    sale = Sale(
        sale_id=REPEAT,
        kind="repeat",
        line=LINE,
        net=NET,
        currency="EUR",
        sold_at=SOLD_AT,
        sourced_by=ANA,
        converted_by=BORIS,
        served_by=served_by,
    )
    return replace(SaleRecorded(SOLD_AT, CLARA, CLIENT, JOURNEY, VARIANT, sale, Decimal("800.00"), ()), **more)


def pay(payment: str, net: str, when: Any = None, currency: str = "EUR", by: str = "clara") -> RecordPayment:
    return RecordPayment(when or at(3, 28), by, payment, Decimal(net), currency)


def refund(name: str, net: str, payment: str | None = None, when: Any = None, currency: str = "EUR") -> RecordRefund:
    return RecordRefund(when or at(4, 9), "clara", name, Decimal(net), currency, payment)


def book(*events: Event) -> SaleBook:
    return reduce(evolve, events, SaleBook())


def run(*commands: Command, start: SaleBook | None = None) -> tuple[SaleBook, list[Event]]:
    state = start or book(sold())
    happened: list[Event] = []
    for command in commands:
        events = decide(command, state, SERVED, ROSTER)
        state = reduce(evolve, events, state)
        happened += events
    return state, happened


def code_of(command: Command, state: SaleBook, account: Account = SERVED) -> str:
    with pytest.raises(Refused) as refused:
        decide(command, state, account, ROSTER)
    return refusal(refused)


STAGES: dict[Stage, SaleBook] = {
    Stage.NONE: book(),
    Stage.OPEN: book(sold()),
    Stage.PART_PAID: run(pay("p0", "1000"))[0],
    Stage.PAID: run(pay("p0", "4000"))[0],
    Stage.REFUNDED: run(pay("p0", "4000"), refund("r0", "4000"))[0],
}
COMMANDS: dict[str, Command] = {"sell": sell(), "pay": pay("p1", "1000"), "refund": refund("r1", "500")}
TABLE: dict[tuple[str, Stage], Any] = {
    ("sell", Stage.NONE): [SaleRecorded],
    ("sell", Stage.OPEN): [],
    ("sell", Stage.PART_PAID): [],
    ("sell", Stage.PAID): [],
    ("sell", Stage.REFUNDED): [],
    ("pay", Stage.NONE): "sale.unknown",
    ("pay", Stage.OPEN): [PaymentRecorded],
    ("pay", Stage.PART_PAID): [PaymentRecorded],
    ("pay", Stage.PAID): "payment.exceeds-sale",
    ("pay", Stage.REFUNDED): [PaymentRecorded],
    ("refund", Stage.NONE): "sale.unknown",
    ("refund", Stage.OPEN): "refund.exceeds-payments",
    ("refund", Stage.PART_PAID): [RefundRecorded],
    ("refund", Stage.PAID): [RefundRecorded],
    ("refund", Stage.REFUNDED): "refund.exceeds-payments",
}


def test_the_table_names_every_command_in_every_stage() -> None:
    assert set(TABLE) == {(command, stage) for command in COMMANDS for stage in Stage}
    assert {stage: state.stage for stage, state in STAGES.items()} == {stage: stage for stage in Stage}


@pytest.mark.parametrize(("name", "stage"), TABLE, ids=[f"{name}-{stage}" for name, stage in TABLE])
def test_every_command_in_every_stage(name: str, stage: Stage) -> None:
    expected, command = TABLE[name, stage], COMMANDS[name]
    if isinstance(expected, str):
        assert code_of(command, STAGES[stage]) == expected
        return
    events = decide(command, STAGES[stage], SERVED, ROSTER)
    assert [type(event) for event in events] == expected
    again = reduce(evolve, events, STAGES[stage])
    assert decide(command, again, SERVED, ROSTER) == [], "said twice, nothing new happens"


def test_a_repeat_sale_carries_its_seats_and_is_credited_to_whoever_serves_the_client() -> None:
    assert decide(sell(), SaleBook(), SERVED, ROSTER) == [sold()]


def test_the_holder_at_the_time_of_the_sale_is_credited_whoever_writes_it_down_later() -> None:
    moved = account_evolve(SERVED, SeatTaken(at(6, 1), "offer-2", CYRIL, CYRIL, at(6, 1)))
    (late,) = decide(sell(at=at(6, 2), by="cyril", sold_at=SOLD_AT), SaleBook(), moved, ROSTER)
    assert isinstance(late, SaleRecorded)
    assert (late.by, late.sale.served_by, late.sale.sold_at) == (CYRIL, CLARA, SOLD_AT)


def test_a_sale_while_nobody_serves_the_client_is_credited_to_the_house() -> None:
    (event,) = decide(sell(by="boris"), SaleBook(), AWAITING, ROSTER)
    assert isinstance(event, SaleRecorded)
    assert (event.by, event.sale.served_by) == (BORIS, HOUSE)


def test_a_sale_to_a_client_nobody_offered_is_refused() -> None:
    assert code_of(sell(), SaleBook(), Account()) == "account.unknown"


@pytest.mark.parametrize("by", ["ana", "house", "nobody"])
def test_a_stranger_may_neither_sell_nor_touch_the_money(by: str) -> None:
    assert code_of(sell(by=by), SaleBook()) == "account.not-yours"
    assert code_of(pay("p1", "1", by=by), STAGES[Stage.OPEN]) == "account.not-yours"
    assert code_of(replace(refund("r1", "1"), by=by), STAGES[Stage.PAID]) == "account.not-yours"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"net": Decimal(0)}, "money.not-positive"),
        ({"net": Decimal(-1)}, "money.not-positive"),
        ({"tax": Decimal(-1)}, "money.negative"),
        ({"net": Decimal(10) ** 15 + 1}, "money.too-large"),
        ({"net": Decimal("0.001")}, "money.minor-units"),
        ({"net": Decimal("0.5"), "currency": "JPY"}, "money.minor-units"),
        ({"currency": "XXX"}, "money.unknown-currency"),
        ({"sold_at": SOLD_AT + DAY}, "future-date"),
        ({"sale_id": "deal-1"}, "sale.id-taken"),
        ({"items": (Item("crane", Decimal(1), Decimal("3999.99")),)}, "terms.lines-do-not-add-up"),
    ],
)
def test_a_sale_that_cannot_be_is_refused(more: dict[str, Any], code: str) -> None:
    assert code_of(sell(**more), SaleBook()) == code


def test_lines_are_rounded_once_each_and_add_up_to_the_net() -> None:
    items = (Item("bolt", Decimal(3), Decimal("0.335")), Item("nut", Decimal("2.5"), Decimal(2), Decimal("15.5")))
    (event,) = decide(sell(items=items, net=Decimal("5.24")), SaleBook(), SERVED, ROSTER)  # 1.01 + 4.23
    assert isinstance(event, SaleRecorded)
    assert event.items == items


def parts(**weights: str) -> tuple[SplitPart, ...]:
    roles = {"clara": "farmer", "boris": "hunter", "ana": "scout"}
    return tuple(SplitPart(person=p, role=roles.get(p, "farmer"), weight=Decimal(w)) for p, w in weights.items())


def test_an_agreed_co_sell_is_kept_with_its_seats() -> None:
    (event,) = decide(sell(co_sell=parts(boris="1", clara="1")), SaleBook(), SERVED, ROSTER)
    assert isinstance(event, SaleRecorded)
    assert event.sale.splits == list(parts(boris="1", clara="1"))


@pytest.mark.parametrize(
    ("co_sell", "code"),
    [
        (parts(clara="1"), "sale.co-sell-people"),
        ((*parts(clara="1"), *parts(clara="2")), "sale.co-sell-people"),
        ((*parts(clara="1"), SplitPart(person="house", role="farmer", weight=Decimal(1))), "sale.co-sell-people"),
        (parts(boris="1", ana="1"), "sale.co-sell-without-holder"),
        (parts(clara="1", zoe="1"), "sale.co-sell-role"),
        ((*parts(clara="1"), SplitPart(person="boris", role="farmer", weight=Decimal(1))), "sale.co-sell-role"),
    ],
)
def test_a_co_sell_nobody_could_have_agreed_is_refused(co_sell: tuple[SplitPart, ...], code: str) -> None:
    assert code_of(sell(co_sell=co_sell), SaleBook()) == code


@pytest.mark.parametrize("more", [{"net": Decimal(1)}, {"client": "other"}, {"sold_at": WON}, {"tax": Decimal(1)}])
def test_another_sale_under_the_same_id_is_refused(more: dict[str, Any]) -> None:
    assert code_of(sell(**more), STAGES[Stage.OPEN]) == "sale.id-taken"


def test_a_sale_said_again_later_is_the_same_sale() -> None:
    assert decide(sell(at=at(3, 25)), STAGES[Stage.OPEN], SERVED, ROSTER) == []


def test_the_account_learns_of_the_sale_in_the_same_breath() -> None:
    steps = follow(sold(), book(sold()))
    assert steps == [Step("account", CLIENT, NotePurchase(SOLD_AT, CLIENT, REPEAT, SOLD_AT, CLARA))]


def test_payments_add_up_to_the_net_and_no_further() -> None:
    state, _ = run(pay("p1", "1500"), pay("p2", "2500"))
    assert (state.stage, state.paid) == (Stage.PAID, Decimal("4000.00"))
    assert code_of(pay("p3", "0.01"), state) == "payment.exceeds-sale"


def test_money_in_another_currency_is_refused() -> None:
    assert code_of(pay("p1", "10", currency="USD"), STAGES[Stage.OPEN]) == "money.other-currency"
    assert code_of(refund("r1", "10", currency="USD"), STAGES[Stage.PAID]) == "money.other-currency"


def test_an_id_is_not_given_to_other_money() -> None:
    assert code_of(pay("p0", "999"), STAGES[Stage.PART_PAID]) == "payment.id-taken"
    state, _ = run(refund("r1", "10"), start=STAGES[Stage.PAID])
    assert code_of(refund("r1", "11"), state) == "refund.id-taken"


def test_a_refund_takes_the_oldest_payments_first() -> None:
    state, events = run(pay("late", "2500", at(3, 29)), pay("early", "1500", at(3, 28)), refund("r1", "2000"))
    assert [(e.payment_id, e.payment_at, e.net, e.empties) for e in events if isinstance(e, RefundRecorded)] == [
        ("early", at(3, 28), Decimal(1500), False),
        ("late", at(3, 29), Decimal(500), False),
    ]
    assert state.left == 2000
    assert decide(refund("r1", "2000"), state, SERVED, ROSTER) == []


def test_a_refund_may_name_its_payment() -> None:
    _, events = run(pay("p1", "1500"), pay("p2", "2500"), refund("r1", "2000", "p2"))
    assert [(e.payment_id, e.net) for e in events if isinstance(e, RefundRecorded)] == [("p2", Decimal(2000))]


def test_no_more_is_given_back_than_came_in_by_then() -> None:
    state, _ = run(pay("p1", "1500", at(3, 28)), pay("p2", "2500", at(5, 1)))
    assert code_of(refund("r1", "1500.01", "p1"), state) == "refund.exceeds-payments"
    assert code_of(refund("r1", "1500.01", when=at(4, 9)), state) == "refund.exceeds-payments"
    assert code_of(refund("r1", "1", "p2", at(4, 9)), state) == "refund.before-payment"
    assert code_of(refund("r1", "1", "p9"), state) == "payment.unknown"
    assert code_of(refund("r1", "0"), state) == "money.not-positive"


def test_the_refund_that_empties_the_sale_is_marked_and_the_sale_counts_no_more() -> None:
    state, events = run(pay("p1", "1500"), pay("p2", "500"), refund("r1", "1500"), refund("r2", "500"))
    last = events[-1]
    assert [e.empties for e in events if isinstance(e, RefundRecorded)] == [False, True]
    assert follow(last, state) == [Step("account", CLIENT, CountPurchase(last.at, REPEAT, counts=False))]
    assert [follow(event, state) for event in events[:-1]] == [()] * 3


def test_paid_again_after_that_the_sale_counts_again() -> None:
    state, (payment,) = run(pay("p9", "4000", at(5, 1)), start=STAGES[Stage.REFUNDED])
    assert follow(payment, state) == [Step("account", CLIENT, CountPurchase(at(5, 1), REPEAT, counts=True))]


MONEY = st.decimals("0.01", "5000", places=2)
MOVES = st.lists(st.tuples(st.booleans(), MONEY, st.integers(1, 28)), max_size=12)


@given(MOVES)
def test_whatever_is_asked_refunds_never_exceed_payments_nor_payments_the_sale(moves: list[Any]) -> None:
    state, given_back = book(sold()), Decimal(0)
    for number, (money_in, net, day) in enumerate(moves):
        command = (
            pay(f"p{number}", str(net), at(4, day)) if money_in else refund(f"r{number}", str(net), None, at(4, day))
        )
        try:
            events = decide(command, state, SERVED, ROSTER)
        except Refused:
            continue
        assert sum(event.net for event in events if not isinstance(event, SaleRecorded)) == net
        state = reduce(evolve, events, state)
        given_back += Decimal(0) if money_in else net
        assert 0 <= state.refunded == given_back <= state.paid
        assert state.left <= NET
        assert all(paid.left >= 0 for paid in state.payments)
        assert (state.stage is Stage.REFUNDED) == (state.paid > 0 and state.left == 0)
