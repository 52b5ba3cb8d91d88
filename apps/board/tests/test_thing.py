"""What is on the line follows from what was told, whatever came first."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from random import Random

from board_told import BORIS, DINA, NOON, Story, whole

from board.thing import WAITS, Thing, things


def by_kind(found: list[Thing]) -> dict[str, Thing]:
    return {thing.kind: thing for thing in found}


def test_a_prospect_waits_at_the_first_station_until_it_is_offered() -> None:
    found = by_kind(things(Story().registered().needed().told))
    assert (found["prospect"].state, found["prospect"].holder) == ("need_known", "ana")
    assert found["prospect"].since == NOON + timedelta(hours=2)
    assert "lead" not in found


def test_an_offered_lead_has_a_clock_and_belongs_to_both_who_are_named() -> None:
    lead = by_kind(things(Story().registered().needed().offered().told))["lead"]
    assert (lead.state, lead.holder, lead.due_at) == ("offered", "boris", NOON + timedelta(days=1))
    assert lead.people == {"ana", "boris"}
    assert lead.doors == ("lead-gen", "conversion")


def test_an_accepted_lead_has_no_clock_any_more() -> None:
    found = by_kind(things(Story().registered().needed().offered().accepted().told))
    assert (found["lead"].state, found["lead"].due_at) == ("closed", None)
    assert found["prospect"].state == "handed_over"
    assert found["opportunity"].state == "open"


def test_a_rerouted_lead_is_with_the_next_and_has_their_clock() -> None:
    story = Story().registered().needed().offered()
    later = NOON + timedelta(days=3)
    moved = {"offer_id": "o1", "need_id": "n1", "reroutes": 1, "to": DINA, "accept_due_at": "2026-03-05T11:00:00Z"}
    story.tell("deals", "LeadOfferRerouted", **moved)
    lead = by_kind(things(story.told))["lead"]
    assert (lead.holder, lead.due_at) == ("dina", later)
    assert lead.people == {"ana", "boris", "dina"}


def test_a_returned_lead_is_reworked_at_the_first_station() -> None:
    story = Story().registered().needed().offered()
    told = {"offer_id": "o1", "need_id": "n1", "reason": "no_need_evidence"}
    story.tell(
        "deals", "LeadRejected", attempt=1, sourced_by={"person": "ana", "role": "scout"}, rejected_by=BORIS, **told
    )
    until = "2026-03-16T00:00:00Z"
    story.tell("leads", "LeadReturned", rework_until=until, sourced_by={"person": "ana", "role": "scout"}, **told)
    found = by_kind(things(story.told))
    assert found["lead"].state == "closed"
    assert found["prospect"].state == "rework"
    assert found["prospect"].due_at is not None


def test_a_stage_never_falls_back() -> None:
    story = Story().registered().needed().offered().accepted()
    proposal = {"opportunity_id": "p1", "proposal_id": "x", "revision": 1, "net": "1.00", "tax": "0.00"}
    story.tell("deals", "ProposalSent", currency="EUR", **proposal)
    held = {"opportunity_id": "p1", "meeting_id": "m", "objective_met": "full", "converted_by": BORIS}
    story.tell("deals", "MeetingHeld", **held)
    assert by_kind(things(story.told))["opportunity"].state == "proposed"


def test_a_won_client_waits_for_its_keeper_and_is_then_served() -> None:
    story = Story().registered().needed().offered().accepted().won()
    assert by_kind(things(story.told))["buyer"].state == "offered"
    found = by_kind(things(story.kept().told))
    assert (found["buyer"].state, found["account"].state, found["account"].holder) == ("closed", "served", "clara")
    assert found["opportunity"].state not in WAITS["opportunity"]


def test_topics_may_be_read_in_any_order() -> None:
    told = whole().told
    expected = sorted(things(told), key=lambda t: (t.kind, t.ref))
    topics = {
        topic: [e for e in told if e.type.startswith(f"conveyor.{topic}.")] for topic in ("leads", "deals", "accounts")
    }
    for order in permutations(topics):
        assert sorted(things([e for topic in order for e in topics[topic]]), key=lambda t: (t.kind, t.ref)) == expected
    for seed in range(20):
        mixed = [*told, *told[:4]]
        Random(seed).shuffle(mixed)
        assert sorted(things(mixed), key=lambda t: (t.kind, t.ref)) == expected


def test_what_only_a_later_release_knows_is_left_to_it() -> None:
    story = Story().registered()
    story.tell("leads", "ProspectFlewToTheMoon")
    assert by_kind(things(story.told))["prospect"].state == "working"
