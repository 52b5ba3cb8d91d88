"""The offer of an account: handover 2 seen from its receiver."""

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
    DEAL,
    DUE,
    JOURNEY,
    LINE,
    MARIA,
    NEXT_DAY,
    OFFER,
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

from account_mgmt.account import TakeAccount
from account_mgmt.offer import (
    REASONS,
    AcceptOffer,
    Command,
    Event,
    Offer,
    OfferReceived,
    ReceiveOffer,
    RejectionExplained,
    RejectOffer,
    decide,
    evolve,
    follow,
    timers,
)
from belt.core.decider import Due, Refused, Step
from belt.core.handover import Accepted, Escalated, Expire, Expired, Offered, Rejected, Rerouted
from conveyor_events.roster import Roster
from conveyor_events.staff import AbsenceSet
from conveyor_events.words import VARIANTS, Seat, Station, changes_hands


def received(to: str | None = "clara", mode: str = "offer", due: Any = DUE, variant: str = VARIANT) -> ReceiveOffer:
    return ReceiveOffer(
        WON, OFFER, CLIENT, JOURNEY, variant, LINE, DEAL, "farmers", mode, 1, to, due, ANA, BORIS, ("contacts",)
    )


RECEIVED = OfferReceived(WON, OFFER, CLIENT, JOURNEY, VARIANT, LINE, DEAL, "farmers", ANA, BORIS, ("contacts",))
ASKED = Offered(WON, BORIS, "farmer", CLARA, "offer", 1, DUE)
QUEUED = Offered(WON, BORIS, "farmer", None, "offer", 1, DUE)
SILENT = Expired(DUE, CLARA)
NOW_CYRIL = Rerouted(
    DUE, CYRIL, 1, at(3, 16, 10) + timedelta(minutes=30)
)  # 16 working hours on: Monday 11:30 in Berlin


def offer(*events: Event) -> Offer:
    return reduce(evolve, events, Offer())


def run(*commands: Command, roster: Roster = ROSTER) -> tuple[Offer, list[Event]]:
    """The commands one after the other; what a refusal records is kept."""
    state = Offer()
    happened: list[Event] = []
    for command in commands:
        events = decide(command, state, roster)
        state = reduce(evolve, events, state)
        happened += events
    return state, happened


def refused_with(command: Command, state: Offer, roster: Roster = ROSTER) -> tuple[str, Sequence[Any]]:
    with pytest.raises(Refused) as refused:
        decide(command, state, roster)
    return refusal(refused), refused.value.record


STAGES: dict[str, Offer] = {
    "none": Offer(),
    "offered": offer(RECEIVED, ASKED),
    "queued": offer(RECEIVED, QUEUED),
    "escalated": offer(RECEIVED, ASKED, SILENT, Escalated(DUE, "maria")),
    "accepted": offer(RECEIVED, ASKED, Accepted(NEXT_DAY, CLARA, CLARA, "accepted")),
    "rejected": offer(RECEIVED, ASKED, Rejected(NEXT_DAY, CLARA, "capacity", at(3, 18))),
}
COMMANDS: dict[str, Command] = {
    "receive": received(),
    "accept": AcceptOffer(NEXT_DAY, "clara"),
    "accept by another": AcceptOffer(NEXT_DAY, "cora"),
    "assign by manager": AcceptOffer(NEXT_DAY, "maria", "cora"),
    "reject": RejectOffer(NEXT_DAY, "clara", "capacity"),
    "expire": Expire(DUE),
}
EXPIRY = [Expired, Rerouted]
TABLE: dict[tuple[str, str], Any] = {
    ("receive", "none"): [OfferReceived, Offered],
    ("receive", "offered"): [],
    ("receive", "queued"): [],
    ("receive", "escalated"): [],
    ("receive", "accepted"): [],
    ("receive", "rejected"): [],
    ("accept", "none"): "offer.unknown",
    ("accept", "offered"): [Accepted],
    ("accept", "queued"): [Accepted],
    ("accept", "escalated"): "handover.expired",
    ("accept", "accepted"): [],
    ("accept", "rejected"): "handover.wrong-stage",
    ("accept by another", "none"): "offer.unknown",
    ("accept by another", "offered"): "handover.not-receiver",
    ("accept by another", "queued"): [Accepted],
    ("accept by another", "escalated"): "handover.not-receiver",
    ("accept by another", "accepted"): "handover.wrong-stage",
    ("accept by another", "rejected"): "handover.wrong-stage",
    ("assign by manager", "none"): "offer.unknown",
    ("assign by manager", "offered"): [Accepted],
    ("assign by manager", "queued"): [Accepted],
    ("assign by manager", "escalated"): [Accepted],
    ("assign by manager", "accepted"): "handover.wrong-stage",
    ("assign by manager", "rejected"): "handover.wrong-stage",
    ("reject", "none"): "offer.unknown",
    ("reject", "offered"): [Rejected],
    ("reject", "queued"): [Rejected],
    ("reject", "escalated"): "handover.expired",
    ("reject", "accepted"): "handover.wrong-stage",
    ("reject", "rejected"): [],
    ("expire", "none"): "offer.unknown",
    ("expire", "offered"): EXPIRY,
    ("expire", "queued"): EXPIRY,
    ("expire", "escalated"): [],
    ("expire", "accepted"): [],
    ("expire", "rejected"): [],
}


def test_the_table_names_every_command_in_every_stage() -> None:
    assert set(TABLE) == {(command, stage) for command in COMMANDS for stage in STAGES}


@pytest.mark.parametrize(("name", "stage"), TABLE, ids=[f"{name}-{stage}" for name, stage in TABLE])
def test_every_command_in_every_stage(name: str, stage: str) -> None:
    expected, command = TABLE[name, stage], COMMANDS[name]
    if isinstance(expected, str):
        assert refused_with(command, STAGES[stage]) == (expected, ())
        return
    events = decide(command, STAGES[stage], ROSTER)
    assert [type(event) for event in events] == expected
    assert decide(command, reduce(evolve, events, STAGES[stage]), ROSTER) == [], "said twice, nothing new happens"


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_each_reason_to_refuse_is_taken(reason: str) -> None:
    assert [type(e) for e in decide(RejectOffer(NEXT_DAY, "clara", reason), STAGES["offered"], ROSTER)] == [Rejected]


@pytest.mark.parametrize("reason", ["no_budget", "duplicate", "", "Capacity"])
def test_no_other_reason_is(reason: str) -> None:
    code, _ = refused_with(RejectOffer(NEXT_DAY, "clara", reason), STAGES["offered"])
    assert code == "handover.reason-not-allowed"


def test_what_the_receiver_adds_in_words_is_kept_apart() -> None:
    state, events = run(received(), RejectOffer(NEXT_DAY, "clara", "promise_unclear", "who promised the crane?"))
    assert events[-1] == RejectionExplained(NEXT_DAY, CLIENT, "who promised the crane?")
    assert state.note == "who promised the crane?"


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_where_hands_do_not_change_the_same_person_goes_on_at_once(variant: str) -> None:
    itself = not changes_hands(variant, Station.CONVERSION, Station.ACCOUNT_MGMT)
    role = VARIANTS[variant][Station.ACCOUNT_MGMT]
    state, events = run(received("boris" if itself else "clara", "self" if itself else "offer", None, variant))
    same = Seat(person="boris", role=role)
    if itself:
        assert events[-1] == Accepted(WON, same, same, "self")
        assert timers(state) == []
    else:
        assert events[-1] == Offered(WON, BORIS, role, Seat(person="clara", role=role), "offer", 1, None)


@pytest.mark.parametrize("to", ["clara", None])
def test_the_seat_is_of_the_role_that_the_team_has_by_then(to: str | None) -> None:
    hunters = roster_of([*people(clara="hunter"), line().model_copy(update={"variant": "scout-hunter"})])
    asked = replace(received(to), role="hunter" if to else None)
    _, events = run(asked, AcceptOffer(NEXT_DAY, "clara"), roster=hunters)
    assert [event.to for event in events if isinstance(event, Accepted)] == [Seat(person="clara", role="hunter")]


def test_in_mode_self_whoever_made_the_sale_goes_on_even_if_nobody_is_named() -> None:
    _, events = run(received(None, "self", None, "hunter"), roster=Roster())
    assert events[-1] == Accepted(WON, BORIS, BORIS, "self")


def test_the_deadline_stands_as_a_timer_while_the_offer_is_open() -> None:
    assert timers(STAGES["offered"]) == [Due("expire", DUE, Expire(DUE))]
    assert timers(STAGES["accepted"]) == []


def test_silence_moves_the_offer_to_the_next_of_the_team_and_at_last_to_a_manager() -> None:
    state, events = run(received(), Expire(DUE))
    assert events[2:] == [SILENT, NOW_CYRIL]
    state, events = run(received(), Expire(DUE), Expire(NOW_CYRIL.due_at), Expire(at(3, 31)))
    assert [getattr(event, "to", None) for event in events if isinstance(event, Expired)] == [CLARA, CYRIL, CORA]
    assert isinstance(events[-1], Escalated)
    assert (state.stage, state.handover.to, timers(state)) == ("escalated", MARIA, [])


def test_after_the_last_of_the_team_it_is_the_turn_of_the_first() -> None:
    state, _ = run(received("cyril"), Expire(DUE))
    assert state.handover.to == CORA
    state, _ = run(received("cora"), Expire(DUE))
    assert state.handover.to == CLARA


def test_the_policy_says_how_often_an_offer_moves_on() -> None:
    once = roster_of([*STAFF, line(reroutes=1)])
    state, events = run(received(), Expire(at(3, 31)), roster=once)
    assert len([event for event in events if isinstance(event, Rerouted)]) == 1
    assert state.stage == "escalated"


def test_whoever_is_away_is_not_asked_next() -> None:
    away = roster_of([*STAFF, AbsenceSet(person="cyril", since=at(3, 1), until=at(4, 1))])
    _, events = run(received(), Expire(DUE), roster=away)
    assert isinstance(events[-1], Rerouted)
    assert events[-1].to == CORA


def test_an_answer_after_the_deadline_comes_too_late_even_if_the_clock_is_slow() -> None:
    code, recorded = refused_with(AcceptOffer(DUE, "clara"), STAGES["offered"])
    assert (code, list(recorded)) == ("handover.expired", [SILENT, NOW_CYRIL])


def test_the_next_receiver_may_answer_although_the_clock_is_slow() -> None:
    state, events = run(received(), AcceptOffer(DUE, "cyril"))
    assert events[2:] == [SILENT, NOW_CYRIL, Accepted(DUE, CYRIL, CYRIL, "accepted")]
    assert state.late


def taken(*commands: Command, roster: Roster = ROSTER) -> TakeAccount:
    state, events = run(*commands, roster=roster)
    (step,) = follow(events[-1], state)
    assert step == Step("account", CLIENT, step.command)
    assert isinstance(step.command, TakeAccount)
    return step.command


def test_accepted_in_time_the_client_is_served_from_the_offer_on() -> None:
    assert taken(received(), AcceptOffer(NEXT_DAY, "clara")) == TakeAccount(NEXT_DAY, OFFER, CLARA, CLARA, WON)


def test_without_a_deadline_any_time_is_in_time() -> None:
    assert taken(received(due=None), AcceptOffer(at(9, 1), "clara")).since == WON


def test_accepted_late_the_gap_belongs_to_the_house() -> None:
    assert taken(received(), Expire(DUE), AcceptOffer(at(3, 13), "cyril")).since == at(3, 13)


def test_a_manager_gives_an_escalated_account_to_one_of_the_team() -> None:
    silent: list[Command] = [received(), Expire(at(4, 1))]
    assert taken(*silent, AcceptOffer(at(4, 2), "maria", "cora")) == TakeAccount(at(4, 2), OFFER, MARIA, CORA, at(4, 2))
    state, _ = run(*silent)
    assert refused_with(AcceptOffer(at(4, 2), "maria", "ana"), state)[0] == "handover.not-in-team"
    assert refused_with(AcceptOffer(at(4, 2), "maria"), state)[0] == "handover.receiver-needed"


def test_a_member_may_not_name_somebody_else() -> None:
    assert refused_with(AcceptOffer(NEXT_DAY, "clara", "cora"), STAGES["offered"])[0] == "handover.not-manager"


def test_a_line_that_is_not_known_yet_leaves_the_offer_in_the_queue_until_it_is() -> None:
    state, _ = run(received(None), roster=Roster())
    assert (state.stage, state.handover.to) == ("offered", None)
    assert refused_with(AcceptOffer(NEXT_DAY, "clara"), state, Roster())[0] == "handover.not-receiver"
    assert [type(event) for event in decide(AcceptOffer(NEXT_DAY, "clara"), state, ROSTER)] == [Accepted]


def test_somebody_of_another_line_does_not_see_the_queue_as_theirs() -> None:
    stranger = roster_of([*STAFF, *people(zoe="farmer")])
    assert refused_with(AcceptOffer(NEXT_DAY, "zoe"), STAGES["queued"], stranger)[0] == "handover.not-receiver"
