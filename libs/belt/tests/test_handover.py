"""A handover has one owner at every instant, and silence is answered by the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from handovers import (
    ACCEPTED,
    ANA,
    BERLIN,
    BORIS,
    DINA,
    DISPUTED,
    DUE,
    FRIDAY,
    GLEB,
    LATER,
    MARIA,
    OFFER,
    OFFERED,
    QUEUED,
    REJECTED,
    RULES,
    TEAM,
    TOMORROW,
    given_,
    refusal,
    seat,
    when,
)

from belt.core import handover
from belt.core.decider import Due
from belt.core.handover import (
    NOBODY,
    Accept,
    Accepted,
    Dispute,
    Disputed,
    Escalated,
    Expire,
    Expired,
    Offer,
    Offered,
    Overturn,
    Overturned,
    Reject,
    Rerouted,
    Team,
    Uphold,
    Withdraw,
    Withdrawn,
)

# --- offered and accepted -------------------------------------------------------------------------------------------


def test_an_offer_belongs_to_the_receiver_until_it_is_answered() -> None:
    assert when([], OFFER) == [OFFERED]
    assert given_(OFFERED).owner == BORIS
    assert handover.timers(given_(OFFERED)) == [Due("expire", DUE, Expire(DUE))]


def test_accepted_in_time_it_is_the_receivers_and_no_deadline_stands() -> None:
    assert when([OFFERED], Accept(TOMORROW, BORIS)) == [ACCEPTED]
    assert given_(OFFERED, ACCEPTED).owner == BORIS
    assert handover.timers(given_(OFFERED, ACCEPTED)) == []


def test_where_hands_do_not_change_it_is_accepted_at_once_and_no_deadline_runs() -> None:
    same = seat("boris", "receiver")
    events = when([], Offer(FRIDAY, same, "receiver", "boris", "self", due_at=DUE), NOBODY)
    assert events == [
        Offered(FRIDAY, same, "receiver", same, "self", 1, None),
        Accepted(FRIDAY, same, same, "self"),
    ]
    assert handover.timers(given_(*events)) == []


def test_in_mode_self_somebody_must_be_there() -> None:
    with pytest.raises(ValueError, match="mode self"):
        when([], Offer(FRIDAY, ANA, "receiver", None, "self"))


def test_an_offer_without_a_deadline_waits_for_ever() -> None:
    offered = replace(OFFERED, due_at=None)
    assert when([offered], Accept(LATER, BORIS)) == [Accepted(LATER, BORIS, BORIS, "accepted")]
    assert handover.timers(given_(offered)) == []


def test_any_member_may_take_what_is_queued() -> None:
    assert when([QUEUED], Accept(TOMORROW, DINA)) == [Accepted(TOMORROW, DINA, DINA, "accepted")]
    assert given_(QUEUED).owner is None
    assert refusal([QUEUED], Accept(TOMORROW, seat("stranger"))).code == "handover.not-receiver"


def test_nobody_but_the_receiver_may_answer() -> None:
    assert refusal([OFFERED], Accept(TOMORROW, DINA)).code == "handover.not-receiver"
    assert refusal([OFFERED], Accept(TOMORROW, ANA)).code == "handover.not-receiver"
    assert refusal([OFFERED], Reject(TOMORROW, DINA, "duplicate")).code == "handover.not-receiver"


def test_a_manager_names_whose_it_becomes() -> None:
    assert when([OFFERED], Accept(TOMORROW, MARIA, to="dina")) == [Accepted(TOMORROW, MARIA, DINA, "accepted")]
    assert refusal([OFFERED], Accept(TOMORROW, MARIA)).code == "handover.receiver-needed"
    assert refusal([OFFERED], Accept(TOMORROW, MARIA, to="stranger")).code == "handover.not-in-team"
    assert refusal([OFFERED], Accept(TOMORROW, BORIS, to="dina")).code == "handover.not-manager"


def test_whoever_was_asked_may_accept_though_absent_today() -> None:
    assert when([OFFERED], Accept(TOMORROW, BORIS), NOBODY) == [ACCEPTED]


# --- expired, re-routed, escalated ----------------------------------------------------------------------------------


def test_silence_moves_it_to_the_next_member_at_the_due_instant() -> None:
    due = datetime(2026, 3, 31, 12, tzinfo=UTC)
    expected = [Expired(DUE, BORIS), Rerouted(DUE, DINA, 1, due)]
    assert when([OFFERED], Expire(DUE)) == expected
    assert given_(OFFERED, *expected).owner == DINA
    assert handover.timers(given_(OFFERED, *expected)) == [Due("expire", due, Expire(due))]


def test_after_two_more_receivers_it_is_the_managers() -> None:
    events = when([OFFERED], Expire(LATER))
    assert [type(event).__name__ for event in events] == [
        "Expired", "Rerouted", "Expired", "Rerouted", "Expired", "Escalated",
    ]  # fmt: skip
    assert [e.to.person for e in events if isinstance(e, Rerouted)] == ["dina", "fedor"]
    assert events[-1].to == "maria"
    escalated = given_(OFFERED, *events)
    assert escalated.owner == seat("maria", "manager")
    assert handover.timers(escalated) == []
    accepted = handover.decide(Accept(LATER, MARIA, to="gleb"), escalated, RULES, TEAM)
    assert accepted == [Accepted(LATER, MARIA, GLEB, "accepted")]


def test_where_nobody_is_left_it_is_escalated_at_once() -> None:
    alone = Team(("boris",), ("maria",))
    assert when([OFFERED], Expire(DUE), alone) == [Expired(DUE, BORIS), Escalated(DUE, "maria")]


def test_without_a_manager_it_waits_in_the_queue() -> None:
    alone = Team(("boris",))
    events = [OFFERED, *when([OFFERED], Expire(DUE), alone)]
    assert events[-1] == Escalated(DUE, None)
    assert when(events, Accept(LATER, BORIS), alone) == [Accepted(LATER, BORIS, BORIS, "accepted")]


def test_it_is_never_routed_back_to_its_sender() -> None:
    team = Team(("boris", "ana", "dina"))
    assert [e.to for e in when([OFFERED], Expire(DUE), team) if isinstance(e, Rerouted)] == [DINA]


def test_a_queue_that_nobody_looks_at_is_routed_to_the_first_of_the_team() -> None:
    assert when([QUEUED], Expire(DUE))[:2] == [
        Expired(DUE, None),
        Rerouted(DUE, BORIS, 1, BERLIN.due(DUE, 8)),
    ]


def test_an_acceptance_at_the_due_instant_is_late_and_the_expiry_is_committed_with_the_refusal() -> None:
    refused = refusal([OFFERED], Accept(DUE, BORIS))
    assert refused.code == "handover.expired"
    assert refused.record == (Expired(DUE, BORIS), Rerouted(DUE, DINA, 1, BERLIN.due(DUE, 8)))


def test_an_acceptance_just_in_time_counts() -> None:
    at = DUE - timedelta(microseconds=1)
    assert when([OFFERED], Accept(at, BORIS)) == [Accepted(at, BORIS, BORIS, "accepted")]


def test_the_next_receiver_may_accept_although_the_ticker_is_late() -> None:
    at = DUE + timedelta(minutes=5)
    events = when([OFFERED], Accept(at, DINA))
    assert [type(e).__name__ for e in events] == ["Expired", "Rerouted", "Accepted"]
    assert given_(OFFERED, *events).owner == DINA


def test_the_clock_may_come_early_late_or_twice() -> None:
    assert when([OFFERED], Expire(TOMORROW)) == []
    once = [OFFERED, *when([OFFERED], Expire(DUE))]
    assert when(once, Expire(DUE)) == []


def test_a_refused_command_does_not_hide_what_was_due() -> None:
    refused = refusal([OFFERED], Reject(DUE, BORIS, "no_budget"))
    assert refused.code == "handover.reason-not-allowed"
    assert refused.facts["allowed"] == ["duplicate", "no_evidence"]
    assert [type(e).__name__ for e in refused.record] == ["Expired", "Rerouted"]


# --- rejected, disputed ---------------------------------------------------------------------------------------------


def test_a_rejection_needs_a_reason_of_the_list_and_opens_the_window_for_a_dispute() -> None:
    assert when([OFFERED], Reject(TOMORROW, BORIS, "no_evidence")) == [REJECTED]
    assert given_(OFFERED, REJECTED).owner == ANA
    assert refusal([OFFERED], Reject(TOMORROW, BORIS, "no_budget")).code == "handover.reason-not-allowed"


def test_only_the_sender_or_a_manager_disputes_and_only_in_the_window() -> None:
    rejected = [OFFERED, REJECTED]
    last = REJECTED.dispute_until - timedelta(seconds=1)
    assert when(rejected, Dispute(last, ANA)) == [Disputed(last, ANA)]
    assert when(rejected, Dispute(last, MARIA)) == [Disputed(last, MARIA)]
    assert refusal(rejected, Dispute(last, DINA)).code == "handover.not-sender"
    assert refusal(rejected, Dispute(REJECTED.dispute_until, ANA)).code == "handover.dispute-over"


def test_a_team_that_works_in_another_role_by_now_takes_it_in_that_one() -> None:
    anew = replace(TEAM, role="keeper")
    assert when([OFFERED], Expire(DUE), anew)[1].to == seat("dina", "keeper")
    assert when([QUEUED], Accept(TOMORROW, seat("gleb", "keeper")), anew)[0].to == seat("gleb", "keeper")
    assert when([OFFERED], Accept(TOMORROW, BORIS), anew)[0].to == BORIS, "who was asked before is asked as before"


def test_overturned_it_is_the_rejecters_or_the_named_ones() -> None:
    assert when(DISPUTED, Overturn(TOMORROW, MARIA)) == [
        Overturned(TOMORROW, MARIA),
        Accepted(TOMORROW, MARIA, BORIS, "overturned"),
    ]
    assert when(DISPUTED, Overturn(TOMORROW, MARIA, to="dina"))[1].to == DINA
    assert refusal(DISPUTED, Overturn(TOMORROW, MARIA, to="stranger")).code == "handover.not-in-team"


def test_overturned_after_its_rejecter_is_gone_somebody_has_to_be_named() -> None:
    without = replace(TEAM, members=[one for one in TEAM.members if one != "boris"])
    assert refusal(DISPUTED, Overturn(TOMORROW, MARIA), without).code == "handover.receiver-needed"
    assert when(DISPUTED, Overturn(TOMORROW, MARIA, to="dina"), without)[1].to == DINA


def test_only_a_manager_judges() -> None:
    for judge in (ANA, BORIS, DINA):
        assert refusal(DISPUTED, Uphold(TOMORROW, judge)).code == "handover.not-manager"
        assert refusal(DISPUTED, Overturn(TOMORROW, judge)).code == "handover.not-manager"


def test_withdrawing_loses_against_an_acceptance_and_against_silence() -> None:
    assert when([OFFERED], Withdraw(TOMORROW, ANA, "mistake")) == [Withdrawn(TOMORROW, ANA, "mistake")]
    assert refusal([OFFERED, ACCEPTED], Withdraw(LATER, ANA)).facts == {"stage": "accepted"}
    assert [type(e).__name__ for e in when([OFFERED], Withdraw(DUE, ANA))] == ["Expired", "Rerouted", "Withdrawn"]
    assert refusal([OFFERED], Withdraw(TOMORROW, DINA)).code == "handover.not-sender"
