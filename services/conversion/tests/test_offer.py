"""Handover 1 as its receiver sees it."""

from typing import Any

import pytest
from conversion_stories import (
    ANA,
    BORIS,
    CLIENT,
    DINA,
    DUE,
    FRIDAY,
    LATER,
    MARIA,
    MONDAY,
    NEED,
    OFFER,
    OPPORTUNITY,
    Bench,
    accept,
    bench,
    found,
    names,
    outcome,
    received,
    rows_of,
)

from belt.core import handover
from belt.core.decider import Due, Step
from conversion.offer import (
    REASONS,
    DisputeRejection,
    OverturnRejection,
    RejectLead,
    UpholdRejection,
    WithdrawLead,
)
from conversion.opportunity import LoseOpportunity


def reject(reason: str = "no_need_evidence", by: str = "boris", note: str | None = None) -> Step:
    return Step("offer", OFFER, RejectLead(MONDAY, by, reason, note))


def withdraw() -> Step:
    return Step("offer", OFFER, WithdrawLead(MONDAY, None))


def offered(**policy: Any) -> Bench:
    there = bench(**policy)
    there.do(received())
    return there


# --- every command in every stage -----------------------------------------------------------------------------------

COMMANDS = {
    "receive": received(),
    "accept": accept(),
    "assign": accept("maria", to="dina"),
    "reject": reject(),
    "withdraw": withdraw(),
    "expire": Step("offer", OFFER, handover.Expire(DUE)),
    "dispute": Step("offer", OFFER, DisputeRejection(MONDAY, "ana")),
    "uphold": Step("offer", OFFER, UpholdRejection(MONDAY, "maria")),
    "overturn": Step("offer", OFFER, OverturnRejection(MONDAY, "maria")),
}
# what leads into the stage
STAGES: dict[str, list[Step]] = {
    "none": [],
    "offered": [received()],
    "queued": [received(to=None)],
    "escalated": [received(), Step("offer", OFFER, handover.Expire(LATER))],
    "accepted": [received(), accept()],
    "rejected": [received(), reject()],
    "withdrawn": [received(), withdraw()],
    "disputed": [received(), reject(), COMMANDS["dispute"]],
    "upheld": [received(), reject(), COMMANDS["dispute"], COMMANDS["uphold"]],
    "overturned": [received(), reject(), COMMANDS["dispute"], COMMANDS["overturn"]],
}
TABLE = """
           | receive              | accept         | assign       | reject         | withdraw     | expire           | dispute      | uphold       | overturn
none       | LeadReceived Offered | !unknown       | !unknown     | !unknown       | !unknown     | !unknown         | !unknown     | !unknown     | !unknown
offered    | .                    | Accepted       | Accepted     | Rejected       | Withdrawn    | Expired Rerouted | !wrong-stage | !wrong-stage | !wrong-stage
queued     | .                    | Accepted       | Accepted     | Rejected       | Withdrawn    | Expired Rerouted | !wrong-stage | !wrong-stage | !wrong-stage
escalated  | .                    | !offer-expired | Accepted     | !offer-expired | Withdrawn    | .                | !wrong-stage | !wrong-stage | !wrong-stage
accepted   | .                    | .              | !wrong-stage | !wrong-stage   | !wrong-stage | .                | !wrong-stage | !wrong-stage | !wrong-stage
rejected   | .                    | !wrong-stage   | !wrong-stage | .              | !wrong-stage | .                | Disputed     | !wrong-stage | !wrong-stage
withdrawn  | .                    | !wrong-stage   | !wrong-stage | !wrong-stage   | .            | .                | !wrong-stage | !wrong-stage | !wrong-stage
disputed   | .                    | !wrong-stage   | !wrong-stage | .              | !wrong-stage | .                | .            | Upheld       | Overturned Accepted
upheld     | .                    | !wrong-stage   | !wrong-stage | .              | !wrong-stage | .                | !wrong-stage | .            | !wrong-stage
overturned | .                    | !wrong-stage   | !wrong-stage | !wrong-stage   | !wrong-stage | .                | !wrong-stage | !wrong-stage | .
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
    again = outcome(there, COMMANDS[command])
    assert again == "." or again.startswith("!")


# --- accepting ------------------------------------------------------------------------------------------------------


def test_an_accepted_lead_is_an_open_opportunity_in_the_same_unit() -> None:
    there = offered()
    assert names(there.do(accept())) == ["Accepted", "OpportunityOpened", "OpportunityNoted"]
    opened = there.state("opportunity", OPPORTUNITY).opened
    assert (opened.converted_by, opened.sourced_by, opened.needs) == (BORIS, ANA, (NEED,))
    assert there.public == ["LeadAccepted", "OpportunityOpened"]


def test_where_hands_do_not_change_the_lead_is_accepted_by_itself_and_no_deadline_runs() -> None:
    there = bench("hunter-farmer")
    events = there.do(received(mode="self", variant="hunter-farmer", sourced_by=BORIS))
    assert names(events)[:3] == ["LeadReceived", "Offered", "Accepted"]
    assert there.last("LeadAccepted").mode == "self"
    assert there.state("opportunity", OPPORTUNITY).opened.converted_by == BORIS
    assert not list(handover.timers(there.state("offer", OFFER).handover))


def test_a_lead_can_be_accepted_by_itself_before_the_roster_is_known() -> None:
    there = Bench()
    there.do(received(mode="self", variant="hunter", sourced_by=BORIS))
    assert there.public == ["LeadAccepted", "OpportunityOpened"]


def test_only_who_is_asked_or_a_manager_decides() -> None:
    there = offered()
    assert there.refusal(accept("dina")) == "handover.not-receiver"
    assert there.refusal(accept("clara")) == "handover.not-receiver"
    assert there.refusal(accept("maria")) == "handover.receiver-needed"
    there.do(accept("maria", to="boris"))
    accepted = there.last("LeadAccepted")
    assert accepted.converted_by == BORIS
    assert there.told[-2].actor == MARIA


def test_anybody_of_the_team_may_take_a_lead_from_the_queue() -> None:
    there = bench()
    there.do(received(to=None))
    assert there.refusal(accept("clara")) == "handover.not-receiver"
    there.do(accept("dina"))
    assert there.last("LeadAccepted").converted_by == DINA


def test_a_need_that_is_open_elsewhere_is_not_accepted_again() -> None:
    there = offered()
    there.do(found("dina", needs=(NEED,)))
    assert there.refusal(accept()) == "opportunity.need-open"
    assert there.state("offer", OFFER).handover.stage == "offered"
    there.do(Step("opportunity", "own-1", LoseOpportunity(MONDAY, "dina", "no_fit")))
    there.do(accept())
    assert there.state("offer", OFFER).handover.stage == "accepted"


def test_a_need_that_is_open_elsewhere_waits_for_somebody_to_look_even_in_mode_self() -> None:
    there = bench("hunter")
    there.do(found("dina", needs=(NEED,)))
    there.do(received(mode="self", due=None, variant="hunter", sourced_by=BORIS))
    assert there.state("offer", OFFER).handover.stage == "offered"


# --- rejecting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["no_budget", "budget", "intent", "not_ready", "no_intent", "price", ""])
def test_budget_intent_and_readiness_are_no_reasons(reason: str) -> None:
    there = offered()
    assert there.refusal(reject(reason)) == "reason-not-allowed"
    assert there.state("offer", OFFER).handover.stage == "offered"


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_each_reason_of_the_list_is_heard(reason: str) -> None:
    there = offered()
    there.do(reject(reason))
    assert there.last("LeadRejected").reason == reason
    assert there.last("LeadRejected").rejected_by == BORIS


def test_what_is_said_about_a_rejection_stays_inside_and_is_sealed() -> None:
    there = offered()
    events = there.do(reject(note="Mr Weber hung up"))
    assert names(events) == ["Rejected", "RejectionExplained"]
    assert there.public == ["LeadRejected"]
    assert "Weber" not in there.told[-1].data.model_dump_json()


# --- silence --------------------------------------------------------------------------------------------------------


def test_silence_moves_the_lead_to_the_next_of_the_team_and_the_next_one_owns_it() -> None:
    there = offered()
    there.fire("offer", OFFER, DUE)
    assert there.public == ["LeadOfferExpired", "LeadOfferRerouted"]
    expired, moved = there.last("LeadOfferExpired"), there.last("LeadOfferRerouted")
    assert (expired.to, expired.due_at, expired.sourced_by) == (BORIS, DUE, ANA)
    assert (moved.to, moved.reroutes) == (DINA, 1)
    assert there.refusal(accept("boris", DUE.replace(hour=14))) == "offer-expired"
    there.do(accept("dina", DUE.replace(hour=14)))
    accepted = there.last("LeadAccepted")
    assert (accepted.converted_by, accepted.reroutes, accepted.mode) == (DINA, 1, "accepted")


def test_acceptance_at_the_due_instant_is_too_late_even_if_the_clock_has_not_said_so() -> None:
    there = offered()
    assert there.refusal(accept("boris", DUE)) == "offer-expired"
    assert there.public == ["LeadOfferExpired", "LeadOfferRerouted"], "what silence caused is kept although refused"
    assert there.fire("offer", OFFER, DUE) == [], "the clock comes late and finds nothing to do"


def test_after_all_reroutes_a_manager_assigns_the_lead() -> None:
    there = offered()
    there.fire("offer", OFFER, LATER)
    assert there.public == ["LeadOfferExpired", "LeadOfferRerouted"] * 2 + ["LeadOfferExpired", "LeadOfferEscalated"]
    assert there.last("LeadOfferEscalated").to == "maria"
    assert there.refusal(accept("gleb", LATER)) == "offer-expired"
    there.do(accept("maria", LATER, to="gleb"))
    assert there.last("LeadAccepted").converted_by.person == "gleb"


def test_a_line_without_reroutes_escalates_at_once() -> None:
    there = offered(reroutes=0)
    there.fire("offer", OFFER, DUE)
    assert there.public == ["LeadOfferExpired", "LeadOfferEscalated"]


def test_the_turn_goes_round_the_team_from_who_stayed_silent() -> None:
    there = bench()
    there.do(received(to=DINA))
    there.fire("offer", OFFER, DUE)
    assert there.last("LeadOfferRerouted").to.person == "gleb"


def test_a_deadline_stands_as_a_timer_until_the_lead_is_decided() -> None:
    there = offered()
    offer = there.state("offer", OFFER)
    assert list(handover.timers(offer.handover)) == [Due("expire", DUE, handover.Expire(DUE))]
    there.do(accept())
    assert not list(handover.timers(there.state("offer", OFFER).handover))


def test_history_without_a_deadline_never_expires() -> None:
    there = bench()
    there.do(received(due=None))
    assert there.fire("offer", OFFER, LATER) == []
    there.do(accept("boris", LATER))


def test_a_lead_offered_on_friday_afternoon_is_due_on_monday_across_summer_time() -> None:
    there = bench()
    there.do(received(to=BORIS, due=FRIDAY.replace(hour=16)))
    there.fire("offer", OFFER, FRIDAY.replace(hour=17))
    # 8 working hours after Friday 17:00 in Berlin: an hour on Friday, seven on Monday
    assert there.last("LeadOfferRerouted").accept_due_at == DUE.replace(hour=14)


# --- the sender -----------------------------------------------------------------------------------------------------


def test_withdrawing_is_a_request_that_loses_against_an_acceptance() -> None:
    there = offered()
    there.do(accept())
    assert there.refusal(withdraw()) == "handover.wrong-stage"
    assert there.state("offer", OFFER).handover.stage == "accepted"


def test_a_withdrawn_lead_cannot_be_accepted_any_more() -> None:
    there = offered()
    there.do(withdraw())
    assert there.refusal(accept()) == "handover.wrong-stage"
    assert there.public == []


# --- the read model -------------------------------------------------------------------------------------------------


def test_the_list_shows_where_each_offer_stands() -> None:
    there = offered()
    row = there.row("offer", OFFER)
    assert (row["stage"], row["to_person"], row["due_at"], row["client_id"]) == ("offered", "boris", DUE, CLIENT)
    there.fire("offer", OFFER, DUE)
    row = there.row("offer", OFFER)
    assert (row["stage"], row["to_person"], row["reroutes"]) == ("offered", "dina", 1)
    there.do(accept("dina", DUE.replace(hour=14)))
    row = there.row("offer", OFFER)
    assert (row["stage"], row["converted_by"], row["due_at"]) == ("accepted", "dina", None)
