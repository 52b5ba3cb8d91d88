"""The account as a decider: every command in every stage, and who serves the client."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
from account_stages import AWAITING, BUYER, COMPLAIN, OPEN, REGULAR, TAKE, after, bought
from account_story import (
    BORIS,
    CLARA,
    CLIENT,
    CORA,
    CYRIL,
    DAY,
    HOUSE,
    JOURNEY,
    MARIA,
    NEXT_DAY,
    ROSTER,
    STAFF,
    VARIANT,
    WON,
    Line,
    at,
    offered,
    people,
    refusal,
    roster_of,
)
from hypothesis import given
from hypothesis import strategies as st

from account_mgmt.account import (
    SELLING,
    Account,
    AccountAtRiskFlagged,
    AccountOpened,
    AccountReassigned,
    AccountRiskCleared,
    BecameRegular,
    Channel,
    ClearRisk,
    Command,
    ComplaintReceived,
    ComplaintResolved,
    CountPurchase,
    CustomerChurned,
    CustomerLapsed,
    CustomerLeft,
    CustomerReturned,
    DeadlinesStamped,
    Event,
    FlagRisk,
    JourneyMigrated,
    LeaveReason,
    LogContact,
    Matter,
    MeetDeadline,
    MigrateAccount,
    MigrationNoted,
    MoveReason,
    PurchaseCounted,
    PurchaseNoted,
    ReassignAccount,
    ReceiveComplaint,
    Remedy,
    ResolveComplaint,
    RiskCause,
    SeatTaken,
    ServiceContactLogged,
    Status,
    TakeAccount,
    decide,
    evolve,
    seat_of,
)
from account_mgmt.offer import AcceptOffer
from belt.core.decider import Refused
from conveyor_events.accounts import SeatAssigned
from conveyor_events.words import HOUSE as NOBODY

TWICE = [*BUYER, bought("b", at(4, 1))]
STAGES: dict[Status, Account] = {
    Status.NONE: Account(),
    Status.AWAITING: after(*AWAITING),
    Status.BUYER: after(*TWICE),
    Status.REGULAR: after(*REGULAR),
    Status.AT_RISK: after(*TWICE, COMPLAIN),
    Status.LAPSED: after(*TWICE, MeetDeadline(at(9, 30))),
    Status.CHURNED: after(*TWICE, CustomerLeft(at(5, 1), "clara", LeaveReason.PRICE)),
}
MAY = at(5, 20)
NOVEMBER = at(11, 2)
COMMANDS: dict[str, Command] = {
    "open": OPEN,
    "take": TakeAccount(MAY, "offer-9", CYRIL, CYRIL, MAY),
    "purchase": bought("x", MAY),
    "late purchase": bought("x", NOVEMBER),
    "all money went back": CountPurchase(MAY, "deal-1", counts=False),
    "paid again": CountPurchase(MAY, "deal-1", counts=True),
    "reassign": ReassignAccount(MAY, "maria", "cora", MoveReason.WORKLOAD),
    "migrate": MigrateAccount(MAY, "hunter", None, BORIS),
    "contact": LogContact(MAY, "clara", "k1", Channel.PHONE, "Mrs Weber", "all is well"),
    "complaint": ReceiveComplaint(MAY, "clara", "c2", Matter.PRICE, "too dear"),
    "resolve": ResolveComplaint(MAY, "clara", "c1", Remedy.FIXED),
    "low score": FlagRisk(MAY, RiskCause.LOW_SCORE, "survey-1"),
    "clear": ClearRisk(MAY, "clara"),
    "leave": CustomerLeft(MAY, "clara", LeaveReason.COMPETITOR),
    "half the time is over": MeetDeadline(at(7, 1)),
    "the time is over": MeetDeadline(NOVEMBER),
}
N, W, B, R, K, L, C = Status


def same(stages: Iterable[Status], expected: Any) -> dict[Status, Any]:
    """The same in all these stages."""
    return dict.fromkeys(stages, expected)


LATE = [AccountAtRiskFlagged, CustomerLapsed]
"""What silence has caused by November."""
BACK = [PurchaseNoted, CustomerReturned, DeadlinesStamped]
TABLE: dict[str, dict[Status, Any]] = {
    "open": {N: [AccountOpened], W: [], B: [], R: [], K: [], L: [], C: []},
    "take": {
        N: "account.unknown",
        W: [SeatTaken, DeadlinesStamped],
        B: [SeatTaken],
        R: [SeatTaken],
        K: [SeatTaken],
        L: [SeatTaken],
        C: [SeatTaken],
    },
    "purchase": {
        N: [PurchaseNoted],
        W: [PurchaseNoted],
        B: [PurchaseNoted, DeadlinesStamped, BecameRegular],
        R: [PurchaseNoted, DeadlinesStamped],
        K: [PurchaseNoted, DeadlinesStamped],
        L: [*BACK, BecameRegular],  # made before the lapse: it takes the lapse back
        C: BACK,
    },
    "late purchase": {
        N: [PurchaseNoted],
        W: [PurchaseNoted],
        B: [*LATE, *BACK],
        R: [*LATE, *BACK],
        K: [*LATE, PurchaseNoted, CustomerReturned, AccountAtRiskFlagged, DeadlinesStamped],
        L: BACK,
        C: BACK,
    },
    "all money went back": {
        N: [],
        W: [PurchaseCounted],
        B: [PurchaseCounted],
        R: [PurchaseCounted],
        K: [PurchaseCounted],
        L: [PurchaseCounted],
        C: [PurchaseCounted],
    },
    "paid again": same(Status, []),
    "reassign": {N: "account.unknown"} | same((W, B, R, K, L, C), [AccountReassigned]),
    "migrate": {N: [MigrationNoted]} | same((W, B, R, K, L, C), [JourneyMigrated, AccountReassigned]),
    "contact": {N: "account.unknown"} | same((W, B, R, K, L, C), [ServiceContactLogged]),
    "complaint": {
        N: "account.unknown",
        W: [ComplaintReceived],
        B: [ComplaintReceived, AccountAtRiskFlagged],
        R: [ComplaintReceived, AccountAtRiskFlagged],
        K: [ComplaintReceived, AccountAtRiskFlagged],
        L: [ComplaintReceived],
        C: [ComplaintReceived],
    },
    "resolve": {N: "account.unknown"}
    | same((W, B, R, L, C), "complaint.unknown")
    | {K: [ComplaintResolved, AccountRiskCleared]},
    "low score": {N: "account.unknown", W: [], L: [], C: []} | same((B, R, K), [AccountAtRiskFlagged]),
    "clear": {N: "account.unknown", B: [], R: [], K: "account.complaint-open"} | same((W, L, C), "account.wrong-stage"),
    "leave": {N: "account.unknown"} | same((W, L, C), "account.wrong-stage") | same((B, R, K), [CustomerChurned]),
    "half the time is over": same((N, W, L, C, R), []) | same((B, K), [AccountAtRiskFlagged]),
    "the time is over": same((N, W, L, C), []) | same((B, R, K), LATE),
}


def test_the_table_names_every_command_in_every_stage() -> None:
    assert {(name, stage) for name in TABLE for stage in TABLE[name]} == {(c, s) for c in COMMANDS for s in Status}
    assert {stage: state.status for stage, state in STAGES.items()} == {stage: stage for stage in Status}
    assert {type(command) for command in COMMANDS.values()} == set(Command.__args__)


@pytest.mark.parametrize(("name", "stage"), [(name, stage) for name in TABLE for stage in Status])
def test_every_command_in_every_stage(name: str, stage: Status) -> None:
    expected, command = TABLE[name][stage], COMMANDS[name]
    if isinstance(expected, str):
        with pytest.raises(Refused) as refused:
            decide(command, STAGES[stage], ROSTER)
        assert refusal(refused) == expected
        return
    events = decide(command, STAGES[stage], ROSTER)
    assert [type(event) for event in events] == expected
    again = reduce(evolve, events, STAGES[stage])
    assert decide(command, again, ROSTER) == [], "said twice, nothing new happens"


def test_a_sale_is_possible_wherever_the_client_stands_once_it_was_offered() -> None:
    assert set(Status) - SELLING == {Status.NONE}


def test_what_was_overdue_is_said_even_if_the_command_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        decide(CustomerLeft(NOVEMBER, "clara", LeaveReason.PRICE), STAGES[Status.BUYER], ROSTER)
    assert refusal(refused) == "account.wrong-stage"
    assert [type(event) for event in refused.value.record] == LATE


# --- the seat -------------------------------------------------------------------------------------------------------


def test_before_anybody_serves_the_client_the_seat_belongs_to_the_house() -> None:
    assert STAGES[Status.AWAITING].holder_at(NEXT_DAY) == HOUSE
    assert HOUSE.person == NOBODY


def test_a_holding_begins_at_its_instant_and_ends_where_the_next_begins() -> None:
    moved = after(*BUYER, ReassignAccount(at(6, 1), "maria", "cyril", MoveReason.LEAVER))
    instant = timedelta(microseconds=1)
    assert moved.holder_at(WON - instant) == HOUSE
    assert moved.holder_at(WON) == CLARA
    assert moved.holder_at(at(6, 1) - instant) == CLARA
    assert moved.holder_at(at(6, 1)) == CYRIL


def test_holdings_that_are_told_in_the_wrong_order_stand_in_the_order_of_time() -> None:
    late = after(
        *AWAITING, TakeAccount(at(6, 1), "o2", CYRIL, CYRIL, at(6, 1)), TakeAccount(at(6, 2), "o1", CLARA, CLARA, WON)
    )
    assert [held.seat for held in late.holdings] == [CLARA, CYRIL]
    assert late.holder_at(at(6, 1)) == CYRIL


MOVES = st.lists(st.tuples(st.sampled_from(["clara", "cyril", "cora", NOBODY]), st.integers(0, 60)), max_size=8)


@given(taken=st.integers(0, 20), moves=MOVES)
def test_at_any_instant_one_holder_and_the_outside_sees_the_same(taken: int, moves: list[tuple[str, int]]) -> None:
    """Whoever keeps the told intervals as a set, in any order, finds the holder that this station credits."""
    station = offered(accept_due_at=None)
    station.command("offer", "offer-1", AcceptOffer(WON + taken * DAY, "clara"))
    for to, day in moves:
        command = ReassignAccount(WON + day * DAY, "maria", to, MoveReason.WORKLOAD)
        account = station.state("account", CLIENT)
        if command.at > account.holdings[-1].since or account.holder_at(command.at).person == to:
            station.command("account", CLIENT, command)
        else:
            assert refused_with(command, account) == "account.served-since"
    told = {(public.data.since, public.data.holder) for public in station.told if isinstance(public.data, SeatAssigned)}
    assert len({since for since, _ in told}) == len(told), "two holders from the same instant on"
    account = station.state("account", CLIENT)
    for hour in range(-24, 62 * 24, 6):
        when = WON + timedelta(hours=hour)
        begun = [(since, holder) for since, holder in told if since <= when]
        assert account.holder_at(when) == (max(begun, key=lambda one: one[0])[1] if begun else HOUSE)


def refused_with(command: Command, account: Account) -> str:
    with pytest.raises(Refused) as refused:
        decide(command, account, ROSTER)
    return refusal(refused)


def move(to: str = "cyril", by: str = "maria", when: Any = MAY, legacy: Any = None) -> ReassignAccount:
    return ReassignAccount(when, by, to, MoveReason.LEAVER, legacy)


def test_a_manager_of_the_line_gives_an_account_to_one_of_its_team_or_to_the_house() -> None:
    buyer = STAGES[Status.BUYER]
    assert decide(move(), buyer, ROSTER) == [AccountReassigned(MAY, MARIA, CLARA, CYRIL, MoveReason.LEAVER, None)]
    assert reduce(evolve, decide(move("house"), buyer, ROSTER), buyer).holder_at(MAY) == HOUSE
    assert refused_with(move(by="clara"), buyer) == "account.not-manager"
    assert refused_with(move("boris"), buyer) == "account.receiver-not-in-team"
    assert refused_with(move("nobody"), buyer) == "account.receiver-not-in-team"
    assert refused_with(move(when=WON), after(*BUYER, move(when=NEXT_DAY))) == "account.served-since"


def test_a_legacy_is_remembered_until_it_ends() -> None:
    moved = after(*BUYER, move(legacy=at(8, 1)))
    instant = timedelta(microseconds=1)
    assert moved.legacy_at(MAY - instant) is None
    assert [legacy.person for legacy in (moved.legacy_at(MAY), moved.legacy_at(at(8, 1) - instant)) if legacy] == [
        "clara",
        "clara",
    ]
    assert moved.legacy_at(at(8, 1)) is None
    assert refused_with(move(legacy=MAY), STAGES[Status.BUYER]) == "account.no-legacy"
    assert refused_with(move(legacy=at(8, 1)), STAGES[Status.AWAITING]) == "account.no-legacy"


def test_a_legacy_lasts_until_its_end_whoever_serves_by_then() -> None:
    june, july, august = at(6, 1), at(7, 1), at(8, 1)
    moved = after(*BUYER, move(legacy=august), move("cora", when=june), move("clara", when=july))
    remembered = {when: moved.legacy_at(when) for when in (MAY, june, july, august)}
    assert {when: legacy and legacy.person for when, legacy in remembered.items()} == {
        MAY: "clara",
        june: "clara",
        july: None,  # she serves it herself again
        august: None,
    }
    assert moved.legacy_at(june) == moved.legacy_at(MAY)


def test_a_migrated_journey_has_the_new_variant_and_its_holder() -> None:
    moved = after(*BUYER, MigrateAccount(MAY, "hunter", None, BORIS, at(8, 1)))
    assert (moved.variant, moved.journey, moved.holder_at(MAY)) == ("hunter", JOURNEY, BORIS)
    assert [(one.journey, one.variant) for one in moved.journeys] == [(JOURNEY, VARIANT), (JOURNEY, "hunter")]
    assert moved.legacy_at(MAY) is not None


def test_a_migration_is_never_lost_on_a_seat_that_cannot_be_had() -> None:
    waiting = after(*AWAITING, MigrateAccount(MAY, "hunter", MARIA, BORIS, at(8, 1)))
    assert (waiting.variant, waiting.holder_at(MAY), waiting.legacy_at(MAY)) == ("hunter", BORIS, None), (
        "of the house nobody remembers anything"
    )
    june = at(6, 1)
    since_june = after(*BUYER, move("cora", when=june), MigrateAccount(MAY, "hunter", MARIA, BORIS, at(8, 1)))
    assert since_june.variant == "hunter"
    assert [since_june.holder_at(when) for when in (NEXT_DAY, MAY, june)] == [CLARA, BORIS, CORA]
    same_instant = after(*BUYER, move("cora"), MigrateAccount(MAY, "hunter", MARIA, BORIS))
    assert (same_instant.variant, same_instant.holder_at(MAY)) == ("hunter", CORA)


def test_whoever_has_a_seat_at_the_account_may_act_on_it() -> None:
    acting = {one.person: seat_of(STAGES[B], ROSTER, one.person, NEXT_DAY) for one in (CLARA, CORA, BORIS, MARIA)}
    assert acting == {"clara": CLARA, "cora": CORA, "boris": BORIS, "maria": MARIA}


@pytest.mark.parametrize("stranger", ["ana", "zoe", NOBODY])
def test_nobody_else_may_act_on_it(stranger: str) -> None:
    roster = roster_of([*STAFF, *people(zoe="farmer")])
    with pytest.raises(Refused) as refused:
        seat_of(STAGES[B], roster, stranger, NEXT_DAY)
    assert refusal(refused) == "account.not-yours"
    for command in (
        LogContact(MAY, stranger, "k1", Channel.PHONE),
        ReceiveComplaint(MAY, stranger, "c2", Matter.PRICE, "too dear"),
        ResolveComplaint(MAY, stranger, "c1", Remedy.FIXED),
        ClearRisk(MAY, stranger),
        CustomerLeft(MAY, stranger, LeaveReason.PRICE),
    ):
        assert refused_with(command, STAGES[Status.AT_RISK]) == "account.not-yours"


# --- contacts and complaints ----------------------------------------------------------------------------------------


def test_a_contact_or_complaint_with_the_id_of_another_is_refused() -> None:
    contact = LogContact(MAY, "clara", "k1", Channel.PHONE, None, "all is well", at(6, 1))
    logged = after(*BUYER, contact, COMPLAIN)
    other = LogContact(MAY, "clara", "k1", Channel.VISIT, None, "all is well", at(6, 1))
    assert refused_with(other, logged) == "contact.id-taken"
    assert (
        refused_with(LogContact(MAY, "clara", "k2", Channel.VISIT, next_at=MAY), logged) == "contact.next-in-the-past"
    )
    dearer = ReceiveComplaint(MAY, "clara", "c1", Matter.PRICE, "a week late")
    assert refused_with(dearer, logged) == "complaint.id-taken"
    resolved = after(ResolveComplaint(MAY, "clara", "c1", Remedy.FIXED), start=logged)
    otherwise = ResolveComplaint(MAY, "clara", "c1", Remedy.UNFOUNDED)
    assert refused_with(otherwise, resolved) == "complaint.resolved-otherwise"


def test_with_the_last_cause_the_risk_is_gone() -> None:
    two = after(FlagRisk(MAY, RiskCause.LOW_SCORE, "s1"), start=STAGES[Status.AT_RISK])
    heard = after(ResolveComplaint(MAY, "clara", "c1", Remedy.FIXED), start=two)
    assert (two.status, heard.status) == (Status.AT_RISK, Status.AT_RISK)
    assert after(ClearRisk(MAY, "clara"), start=heard).status is Status.BUYER


def test_a_complaint_that_came_before_somebody_took_the_account_is_a_risk_from_then_on() -> None:
    waiting = after(*AWAITING, ReceiveComplaint(NEXT_DAY, "boris", "c1", Matter.PROMISE, "where is it?"))
    assert waiting.status is Status.AWAITING
    assert after(TAKE, start=waiting).status is Status.AT_RISK


def test_a_regular_customer_whose_complaint_is_heard_is_a_regular_customer_again() -> None:
    upset = after(*REGULAR, ReceiveComplaint(MAY, "clara", "c1", Matter.PRICE, "too dear"))
    assert upset.status is Status.AT_RISK
    assert after(ResolveComplaint(MAY, "clara", "c1", Remedy.EXPLAINED), start=upset).status is Status.REGULAR


def events_of(station: Line, *commands: Command) -> Sequence[Event]:
    return [event for command in commands for event in station.command("account", CLIENT, command)]


def test_the_words_of_a_client_are_sealed_under_its_own_key() -> None:
    station = offered()
    complaint, contact = COMPLAIN, LogContact(MAY, "clara", "k1", Channel.PHONE, "Mrs Weber", "all is well")
    station.command("offer", "offer-1", AcceptOffer(NEXT_DAY, "clara"))
    private = [event for event in events_of(station, complaint, contact) if hasattr(event, "client")]
    assert {getattr(event, "client") for event in private} == {CLIENT}  # noqa: B009
    assert "Weber" not in repr(station.told) + repr(station.row("account", CLIENT))
