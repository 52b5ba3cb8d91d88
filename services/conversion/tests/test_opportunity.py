"""From the accepted lead to the first sale."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from conversion_stories import (
    ANA,
    BORIS,
    CLARA,
    CLIENT,
    DEAL,
    DINA,
    JOURNEY,
    LATER,
    LINE,
    MONDAY,
    OPPORTUNITY,
    SOLD,
    Bench,
    accept,
    bench,
    close,
    found,
    meeting,
    names,
    negotiation_planned,
    on,
    outcome,
    planned,
    proposal,
    received,
    rows_of,
)

from belt.core.decider import ERASED, Step
from belt.core.ids import derived
from belt.io.store.codec import Codec
from conversion.deal.terms import Line
from conversion.main import STREAMS
from conversion.opportunity import (
    AnswerObjection,
    CancelMeeting,
    LoseOpportunity,
    MakeConcession,
    MeetingHeld,
    MissTouch,
    NextStep,
    OpenFromLead,
    RaiseObjection,
    RecordMeeting,
    RecordPresentation,
    RecycleOpportunity,
    ReopenOpportunity,
    ScheduleMeeting,
    Stage,
    Stall,
    StartNegotiation,
    TouchClient,
)
from conversion.opportunity.client import NoteServed
from conveyor_events.words import HOUSE

OWN = "own-1"
SCHEDULE = ScheduleMeeting(MONDAY, "boris", "meeting-2", SOLD, "plan-1")
LOSE = LoseOpportunity(SOLD, "boris", "price")


def opened() -> Bench:
    there = bench()
    there.do(received())
    there.do(accept())
    return there


def after(*commands: Any) -> Bench:
    there = opened()
    for command in commands:
        there.do(command if isinstance(command, Step) else on(OPPORTUNITY, command))
    return there


def refused(there: Bench, command: Any) -> str:
    return there.refusal(on(OPPORTUNITY, command))


# --- every command in every stage -----------------------------------------------------------------------------------

OPEN = OpenFromLead(MONDAY, BORIS, OPPORTUNITY, CLIENT, JOURNEY, "scout-hunter-farmer", LINE, "need-1", ANA, BORIS)
OBJECTION = RaiseObjection(MONDAY, "boris", "objection-1", "price", "twice what Huber asks")
NEGOTIATE = StartNegotiation(MONDAY, "boris")
RECYCLE = RecycleOpportunity(SOLD, "boris", "timing", LATER)
COMMANDS: dict[str, Any] = {
    "open": OPEN,
    "own find": found("dina", OPPORTUNITY).command,
    "touch": TouchClient(MONDAY, "boris", "phone", "called back"),
    "schedule": SCHEDULE,
    "cancel": CancelMeeting(MONDAY, "boris", "meeting-2"),
    "meet": meeting(),
    "present": RecordPresentation(MONDAY, "boris", "show-1", ("need-1",)),
    "propose": proposal(),
    "object": OBJECTION,
    "answer": AnswerObjection(MONDAY, "boris", "objection-1", "compared the cost of a stop", "resolved"),
    "negotiate": NEGOTIATE,
    "concede": MakeConcession(MONDAY, "boris", "gift-1", "free delivery", "an order this week", Decimal(50)),
    "close": close(),
    "lose": LOSE,
    "reopen": ReopenOpportunity(LATER, "boris"),
    "recycle": RECYCLE,
    "miss touch": MissTouch(SOLD),
    "stall": Stall(LATER),
}
READY = planned()
STAGES: dict[str, list[Any]] = {
    "none": [],
    "open": [OPEN, *READY],
    "meeting_planned": [OPEN, *READY, SCHEDULE],
    "meeting_held": [OPEN, *READY, meeting()],
    "presented": [OPEN, *READY, COMMANDS["present"]],
    "proposed": [OPEN, *READY, proposal(), OBJECTION],
    "negotiating": [OPEN, *READY, proposal(), NEGOTIATE],
    "won": [OPEN, *READY, proposal(), close()],
    "lost": [OPEN, *READY, LOSE],
    "recycled": [OPEN, *READY, LOSE, RECYCLE],
}
TABLE = """
                | open              | own find          | touch                        | schedule                        | cancel           | meet                       | present                          | propose                     | object                         | answer            | negotiate          | concede        | close        | lose            | reopen              | recycle             | miss touch | stall
none            | OpportunityOpened | OpportunityOpened | !unknown                     | !unknown                        | !unknown         | !unknown                   | !unknown                         | !unknown                    | !unknown                       | !unknown          | !unknown           | !unknown       | !unknown     | !unknown        | !unknown            | !unknown            | .          | .
open            | .                 | !id-taken         | FirstTouchMade ClientTouched | FirstTouchMade MeetingScheduled | .                | FirstTouchMade MeetingHeld | FirstTouchMade PresentationGiven | FirstTouchMade ProposalSent | FirstTouchMade ObjectionRaised | !unknown          | !wrong-stage       | !wrong-stage   | !wrong-stage | OpportunityLost | .                   | !wrong-stage        | .          | OpportunityStalled
meeting_planned | .                 | !id-taken         | ClientTouched                | .                               | MeetingCancelled | MeetingHeld                | PresentationGiven                | ProposalSent                | ObjectionRaised                | !unknown          | !wrong-stage       | !wrong-stage   | !wrong-stage | OpportunityLost | .                   | !wrong-stage        | .          | OpportunityStalled
meeting_held    | .                 | !id-taken         | ClientTouched                | MeetingScheduled                | .                | .                          | PresentationGiven                | ProposalSent                | ObjectionRaised                | !unknown          | !wrong-stage       | !wrong-stage   | !wrong-stage | OpportunityLost | .                   | !wrong-stage        | .          | OpportunityStalled
presented       | .                 | !id-taken         | ClientTouched                | MeetingScheduled                | .                | MeetingHeld                | .                                | ProposalSent                | ObjectionRaised                | !unknown          | !wrong-stage       | !wrong-stage   | !wrong-stage | OpportunityLost | .                   | !wrong-stage        | .          | OpportunityStalled
proposed        | .                 | !id-taken         | ClientTouched                | MeetingScheduled                | .                | MeetingHeld                | PresentationGiven                | .                           | .                              | ObjectionAnswered | NegotiationStarted | !wrong-stage   | DealClosed   | OpportunityLost | .                   | !wrong-stage        | .          | OpportunityStalled
negotiating     | .                 | !id-taken         | ClientTouched                | MeetingScheduled                | .                | MeetingHeld                | PresentationGiven                | .                           | ObjectionRaised                | !unknown          | .                  | ConcessionMade | DealClosed   | OpportunityLost | .                   | !wrong-stage        | .          | OpportunityStalled
won             | .                 | !id-taken         | !wrong-stage                 | !wrong-stage                    | !wrong-stage     | !wrong-stage               | !wrong-stage                     | .                           | !wrong-stage                   | !unknown          | !wrong-stage       | !wrong-stage   | .            | !wrong-stage    | !wrong-stage        | !wrong-stage        | .          | .
lost            | .                 | !id-taken         | !wrong-stage                 | !wrong-stage                    | !wrong-stage     | !wrong-stage               | !wrong-stage                     | !wrong-stage                | !wrong-stage                   | !unknown          | !wrong-stage       | !wrong-stage   | !wrong-stage | .               | OpportunityReopened | OpportunityRecycled | .          | .
recycled        | .                 | !id-taken         | !wrong-stage                 | !wrong-stage                    | !wrong-stage     | !wrong-stage               | !wrong-stage                     | !wrong-stage                | !wrong-stage                   | !unknown          | !wrong-stage       | !wrong-stage   | !wrong-stage | !wrong-stage    | !wrong-stage        | .                   | .          | .
"""  # noqa: E501


def reached(stage: str) -> Bench:
    there = bench()
    for before in STAGES[stage]:
        there.do(before if isinstance(before, Step) else on(OPPORTUNITY, before))
    return there


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_command_in_every_stage_does_what_the_table_says(stage: str, command: str) -> None:
    there = reached(stage)
    assert there.state("opportunity", OPPORTUNITY).stage == stage
    assert outcome(there, on(OPPORTUNITY, COMMANDS[command])) == rows_of(TABLE)[stage][command]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stage", STAGES)
def test_the_same_command_again_does_nothing_or_is_refused(stage: str, command: str) -> None:
    there = reached(stage)
    outcome(there, on(OPPORTUNITY, COMMANDS[command]))
    again = outcome(there, on(OPPORTUNITY, COMMANDS[command]))
    assert again == "." or again.startswith("!")


@pytest.mark.parametrize("command", [SCHEDULE, meeting(), proposal(), close(), LOSE], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("by", ["boris", "maria", "dina", "clara", "ana", "nobody"])
def test_only_the_hunter_and_a_manager_of_the_line_may(command: Any, by: str) -> None:
    there = after(*READY, proposal(proposal="proposal-0"))
    done = outcome(there, on(OPPORTUNITY, replace(command, by=by)))
    assert (done == "!not-yours") is (by not in ("boris", "maria"))
    assert done.startswith("!") is (by not in ("boris", "maria"))


# --- opening --------------------------------------------------------------------------------------------------------


def test_an_own_find_has_no_scout_the_house_holds_the_seat() -> None:
    there = bench()
    there.do(found())
    told = there.last("OpportunityOpened")
    assert (told.sourced_by.person, told.converted_by) == (HOUSE, BORIS)
    assert there.told[-1].journey_id == derived(OWN, "journey")
    assert there.told[-1].variant == "scout-hunter-farmer"


def test_an_own_find_on_a_client_that_is_on_its_way_stays_on_that_way() -> None:
    there = opened()
    there.do(found("dina", needs=("another need",)))
    assert there.told[-1].journey_id == JOURNEY


def test_only_the_conversion_team_of_a_staffed_line_finds_clients() -> None:
    there = bench()
    assert there.refusal(found("ana")) == "opportunity.not-in-team"
    assert there.refusal(found("nobody")) == "opportunity.not-in-team"
    assert Bench().refusal(found()) == "line.unknown"


def test_one_need_of_a_client_is_open_once() -> None:
    there = opened()
    assert there.refusal(found("dina", needs=("need-1",))) == "opportunity.need-open"
    there.do(found("dina", needs=("need-2",)))
    assert there.refusal(found("gleb", "own-2", needs=("need-3", "need-2"))) == "opportunity.need-open"
    there.do(found("gleb", "own-2", client="another", needs=("need-2",)))


def test_of_the_finds_that_name_no_need_one_is_open_at_a_time() -> None:
    there = bench()
    there.do(found())
    assert there.refusal(found("dina", "own-2")) == "opportunity.need-open"
    there.do(on(OWN, LoseOpportunity(MONDAY, "boris", "no_fit")))
    there.do(found("dina", "own-2"))


def test_an_opportunity_may_be_opened_and_won_before_its_first_contact() -> None:
    there = opened()
    there.do(on(OPPORTUNITY, proposal(at=MONDAY.replace(year=2025))))
    there.do(on(OPPORTUNITY, close(at=MONDAY.replace(year=2024), now=SOLD)))
    assert there.last("DealClosed").sale.sold_at.year == 2024


# --- meetings -------------------------------------------------------------------------------------------------------


def test_a_planned_meeting_is_told_under_its_id() -> None:
    there = after(*READY, SCHEDULE)
    assert there.state("opportunity", OPPORTUNITY).stage is Stage.MEETING_PLANNED
    there.do(on(OPPORTUNITY, replace(meeting(), meeting="meeting-2")))
    state = there.state("opportunity", OPPORTUNITY)
    assert state.stage is Stage.MEETING_HELD
    assert [(one.meeting, one.starts_at, one.objective_met) for one in state.meetings] == [("meeting-2", SOLD, "full")]


def test_a_meeting_is_told_once() -> None:
    there = after(meeting())
    assert refused(there, replace(meeting(), objective_met="no")) == "meeting.already-held"


def test_a_meeting_reaches_its_goal_falls_back_or_does_not() -> None:
    assert refused(opened(), replace(meeting(), objective_met="maybe")) == "meeting.objective-unknown"


def test_a_stage_never_falls_back() -> None:
    there = after(*READY, proposal(), meeting(), SCHEDULE)
    assert there.state("opportunity", OPPORTUNITY).stage is Stage.PROPOSED
    assert there.row("opportunity", OPPORTUNITY)["stage"] == "proposed"


def test_what_was_said_in_a_meeting_is_never_told_outside() -> None:
    there = opened()
    said = RecordMeeting(MONDAY, "boris", "m", "full", ("Mrs Weber decides",), NextStep("call", "Weber"))
    there.do(on(OPPORTUNITY, said))
    assert all("Weber" not in told.data.model_dump_json() for told in there.told)


def test_what_was_said_in_a_meeting_is_unreadable_once_the_clients_key_is_gone() -> None:
    codec = Codec(STREAMS["opportunity"])
    held = MeetingHeld(MONDAY, BORIS, CLIENT, "m", "full", ("Mrs Weber decides",), NextStep("call", "Weber"))
    stored = codec.write(held, CLIENT, b"k" * 32)
    assert "Weber" not in stored
    assert codec.read("MeetingHeld", 1, stored, CLIENT, None) == replace(held, facts=(), next_step=None)
    assert ERASED not in stored


# --- proposals ------------------------------------------------------------------------------------------------------


def test_the_lines_make_the_price_rounded_once_each() -> None:
    there = opened()
    lines = (Line("a", Decimal(3), Decimal("33.335")), Line("b", Decimal(1), Decimal(100), Decimal("7.5")))
    there.do(on(OPPORTUNITY, proposal(net=None, lines=lines)))
    assert there.last("ProposalSent").net == Decimal("192.51")  # 100.005 -> 100.01, and 92.50


def test_lines_and_net_say_the_same_or_are_refused() -> None:
    lines = (Line("a", Decimal(1), Decimal(100)),)
    assert refused(opened(), proposal(net="99.00", lines=lines)) == "terms.lines-do-not-add-up"
    assert refused(opened(), proposal(net=None)) == "terms.no-price"


def test_a_proposal_sent_again_changed_is_its_next_revision() -> None:
    there = after(proposal(), proposal(net="9000.00"))
    assert there.last("ProposalSent").revision == 2
    assert [sent.net for sent in there.state("opportunity", OPPORTUNITY).proposals] == [Decimal("9000.00")]


def test_a_discount_above_the_limit_is_a_managers_to_give() -> None:
    lines = (Line("a", Decimal(1), Decimal(100), Decimal("10.01")),)
    there = opened()
    assert refused(there, proposal(net=None, lines=lines)) == "opportunity.discount-needs-manager"
    there.do(on(OPPORTUNITY, proposal(net=None, lines=(replace(lines[0], discount_pct=Decimal(10)),))))
    there.do(on(OPPORTUNITY, proposal("maria", net=None, lines=lines, proposal="by the manager")))
    assert refused(there, close(net="89.99", lines=lines)) == "opportunity.discount-needs-manager"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"net": "10.001"}, "money.minor-units"),
        ({"net": "-1.00"}, "money.negative"),
        ({"net": "1000000000000000.01"}, "money.too-large"),
        ({"net": "10.50", "currency": "JPY", "tax": Decimal(0)}, "money.minor-units"),
        ({"currency": "XXX"}, "money.unknown-currency"),
        ({"tax": Decimal("-0.01")}, "money.negative"),
        ({"tax": Decimal("0.001")}, "money.minor-units"),
        ({"net": None, "lines": (Line("a", Decimal(0), Decimal(1)),)}, "terms.impossible-line"),
        ({"net": None, "lines": (Line("a", Decimal(1), Decimal(1), Decimal(101)),)}, "terms.impossible-line"),
        ({"net": None, "lines": (Line("a", Decimal(1), Decimal(-1)),)}, "money.negative"),
        ({"net": None, "lines": (Line("a", Decimal(10**14), Decimal(10**14)),)}, "money.too-large"),
    ],
)
def test_terms_that_cannot_be_are_refused(terms: dict[str, Any], code: str) -> None:
    assert refused(opened(), proposal(**terms)) == code


def test_any_currency_of_the_world_is_fine() -> None:
    there = after(proposal(net="10", currency="JPY", tax=Decimal(1)))
    there.do(on(OPPORTUNITY, close(net="1.005", tax=Decimal(0), currency="KWD")))
    assert there.last("DealClosed").sale.currency == "KWD"


# --- winning --------------------------------------------------------------------------------------------------------


def test_a_won_opportunity_is_a_deal_and_an_offered_buyer_in_the_same_unit() -> None:
    there = after(proposal())
    events = there.do(on(OPPORTUNITY, close()))
    assert names(events) == ["DealClosed", "BecameCustomer", "DealOpened", "AccountOffered", "Counted"]
    assert there.public[-2:] == ["DealClosed", "AccountOffered"]
    sale = there.last("DealClosed").sale
    assert (sale.sale_id, sale.kind, sale.net, sale.sold_at) == (DEAL, "first", Decimal("10000.00"), SOLD)
    assert (sale.sourced_by, sale.converted_by, sale.served_by) == (ANA, BORIS, None)


def test_a_deal_may_be_worth_nothing_yet() -> None:
    there = after(proposal(net="0.00", tax=Decimal(0)))
    there.do(on(OPPORTUNITY, close(net="0.00", tax=Decimal(0))))
    assert there.last("DealClosed").sale.net == 0


@pytest.mark.parametrize(
    ("splits", "code"),
    [
        ((("boris", Decimal(0)), ("dina", Decimal(1))), "terms.split-without-weight"),
        ((("boris", Decimal(1)), ("dina", Decimal(-1))), "terms.split-without-weight"),
        ((("boris", Decimal(1)), ("boris", Decimal(1))), "terms.split-names-twice"),
        ((("dina", Decimal(1)), ("gleb", Decimal(1))), "terms.split-without-owner"),
        ((("boris", Decimal(1)), ("bruno", Decimal(1))), "terms.split-unknown-person"),
    ],
)
def test_parts_have_weight_name_different_people_and_the_owner(splits: Any, code: str) -> None:
    assert refused(after(proposal()), close(splits=splits)) == code


def test_parts_are_stamped_with_the_role_of_this_station() -> None:
    there = after(proposal())
    there.do(on(OPPORTUNITY, close(splits=(("boris", Decimal(2)), ("dina", Decimal(1))))))
    assert [(p.person, p.role, p.weight) for p in there.last("DealClosed").sale.splits] == [
        ("boris", "hunter", 2),
        ("dina", "hunter", 1),
    ]


def test_the_same_close_with_other_words_is_refused() -> None:
    there = after(proposal(), close())
    assert refused(there, close(net="10000.01")) == "opportunity.wrong-stage"
    assert refused(there, close(deal="another")) == "opportunity.wrong-stage"


def test_the_id_of_another_deal_is_refused() -> None:
    there = after(proposal(), close(deal="the-deal"))
    there.do(found("dina", client="another"))
    there.do(on(OWN, proposal("dina")))
    assert there.refusal(on(OWN, close("dina", deal="the-deal"))) == "deal.id-taken"


# --- somebody's customer --------------------------------------------------------------------------------------------


def second() -> Bench:
    """Dina is about to sell to the client that Boris has won."""
    there = after(proposal())
    there.do(found("dina", needs=("need-2",)))
    there.do(on(OWN, proposal("dina", net="5000.00", tax=Decimal(0))))
    there.do(on(OPPORTUNITY, close()))
    return there


def test_a_second_first_sale_is_refused_and_the_attempt_is_told() -> None:
    there = second()
    told = len(there.told)
    assert there.refusal(on(OWN, close("dina", "5000.00", "deal-2", LATER, tax=Decimal(0)))) == "existing-customer"
    assert there.public[told:] == ["DealRefused"]
    refusal = there.last("DealRefused")
    assert (refusal.attempted_by, refusal.net) == (DINA, Decimal("5000.00"))
    assert refusal.reason == "existing-customer"
    assert there.state("opportunity", OWN).stage is Stage.PROPOSED
    assert there.state("deal", "deal-2").sale is None


def test_the_same_attempt_is_told_once() -> None:
    there = second()
    attempt = on(OWN, close("dina", "5000.00", "deal-2", LATER, tax=Decimal(0)))
    there.refusal(attempt)
    there.refusal(attempt)
    there.refusal(on(OWN, replace(attempt.command, net=Decimal("6000.00"))))
    assert there.public.count("DealRefused") == 2


def test_the_refusal_says_who_serves_the_customer() -> None:
    there = second()
    there.do(Step("client", CLIENT, NoteServed(SOLD, CLIENT, CLARA, SOLD)))
    there.refusal(on(OWN, close("dina", "5000.00", "deal-2", LATER, tax=Decimal(0))))
    assert there.last("DealRefused").served_by == CLARA


def test_whoever_is_served_by_account_management_is_a_customer() -> None:
    there = after(proposal())
    there.do(Step("client", CLIENT, NoteServed(SOLD, CLIENT, CLARA, SOLD)))
    assert refused(there, close()) == "existing-customer"


# --- losing ---------------------------------------------------------------------------------------------------------


def test_a_loss_has_a_reason_of_the_list() -> None:
    there = opened()
    assert refused(there, LoseOpportunity(SOLD, "boris", "bad weather")) == "reason-not-allowed"
    there.do(on(OPPORTUNITY, LOSE))
    assert there.last("OpportunityLost").reason == "price"
    assert there.row("opportunity", OPPORTUNITY)["reason"] == "price"


def test_a_need_is_free_again_once_its_opportunity_is_lost() -> None:
    there = after(LOSE)
    there.do(found("dina", needs=("need-1",)))
    assert there.state("opportunity", OWN).stage is Stage.OPEN


def test_a_lost_one_goes_on_where_it_stood_while_its_window_is_open() -> None:
    there = after(proposal(), LOSE)
    last = SOLD + timedelta(days=90)
    assert refused(there, ReopenOpportunity(last + timedelta(days=1), "boris")) == "opportunity.reopen-over"
    there.do(on(OPPORTUNITY, ReopenOpportunity(last, "boris")))
    assert there.state("opportunity", OPPORTUNITY).stage is Stage.PROPOSED
    assert there.row("opportunity", OPPORTUNITY)["stage"] == "proposed"


def test_what_another_hunter_works_on_by_now_is_not_reopened() -> None:
    there = after(LOSE)
    there.do(found("dina", needs=("need-1",)))
    assert refused(there, ReopenOpportunity(LATER, "boris")) == "opportunity.need-open"


def test_a_recycled_client_is_told_to_lead_generation() -> None:
    there = after(LOSE, RECYCLE)
    told = there.last("OpportunityRecycled")
    assert (told.reason, told.not_before, told.sourced_by) == ("timing", LATER, ANA)
    assert not told.others_open


def test_a_client_that_is_sold_to_for_another_need_is_not_sent_back() -> None:
    there = after()
    there.do(found(needs=("need-2",)))
    for command in (LoseOpportunity(SOLD, "boris", "timing"), RecycleOpportunity(SOLD, "boris", "timing")):
        there.do(on("own-1", command))
    assert there.last("OpportunityRecycled").others_open
    there.do(on(OPPORTUNITY, LOSE))
    there.do(on(OPPORTUNITY, RECYCLE))
    assert not there.last("OpportunityRecycled").others_open


def test_what_lead_generation_works_again_is_not_reopened_beside_it() -> None:
    there = after(LOSE)
    there.do(found(needs=("need-2",)))
    for command in (LoseOpportunity(SOLD, "boris", "timing"), RecycleOpportunity(SOLD, "boris", "timing")):
        there.do(on("own-1", command))
    assert not there.last("OpportunityRecycled").others_open
    assert refused(there, ReopenOpportunity(LATER, "boris")) == "opportunity.given-back"
    there.do(received(offer="offer-2", need="need-3"))
    there.do(accept(offer="offer-2"))
    there.do(on(OPPORTUNITY, ReopenOpportunity(LATER, "boris")))


# --- the clock ------------------------------------------------------------------------------------------------------


def touched_by(due: Any) -> Bench:
    there = bench()
    there.do(received(first_touch_due_at=due))
    there.do(accept())
    return there


def test_the_first_thing_done_with_a_lead_is_the_first_contact() -> None:
    there = touched_by(SOLD)
    there.do(on(OPPORTUNITY, TouchClient(MONDAY, "boris", "phone")))
    there.do(on(OPPORTUNITY, meeting()))
    assert there.public.count("FirstTouchMade") == 1
    assert there.last("FirstTouchMade").due_at == SOLD
    assert not [
        due for due in STREAMS["opportunity"].timers(there.state("opportunity", OPPORTUNITY)) if due.name != "stall"
    ]


def test_a_first_contact_that_does_not_come_is_told_once_at_its_due_time() -> None:
    there = touched_by(SOLD)
    there.fire("opportunity", OPPORTUNITY, SOLD)
    there.do(on(OPPORTUNITY, replace(meeting(), at=LATER)))
    assert (there.public.count("FirstTouchMissed"), there.public.count("FirstTouchMade")) == (1, 1)
    assert there.last("FirstTouchMissed").due_at == SOLD


def test_a_late_contact_says_first_that_it_was_missed() -> None:
    there = touched_by(SOLD)
    events = there.do(on(OPPORTUNITY, replace(meeting(), at=SOLD)))
    assert names(events) == ["FirstTouchMissed", "FirstTouchMade", "MeetingHeld"]


def test_where_silence_used_up_the_clock_of_the_first_contact_it_begins_anew() -> None:
    there = touched_by(MONDAY)  # it was due when the lead was taken
    due = there.state("opportunity", OPPORTUNITY).opened.first_touch_due_at
    assert due == datetime(2026, 3, 30, 16, tzinfo=UTC), "8 working hours after Monday 10:00 in Berlin"


def test_an_own_find_has_no_first_contact() -> None:
    there = bench()
    there.do(found())
    there.do(on(OWN, proposal()))
    assert "FirstTouchMade" not in there.public


def test_after_fourteen_silent_days_an_opportunity_is_stalled_until_somebody_moves() -> None:
    there = after(meeting())
    assert not there.fire("opportunity", OPPORTUNITY, MONDAY + timedelta(days=14, seconds=-1))
    (stalled,) = there.fire("opportunity", OPPORTUNITY, LATER)
    assert stalled.at == MONDAY + timedelta(days=14)
    assert there.row("opportunity", OPPORTUNITY)["stalled"]
    there.do(on(OPPORTUNITY, TouchClient(LATER, "boris", "phone")))
    assert not there.row("opportunity", OPPORTUNITY)["stalled"]
    assert [due.at for due in STREAMS["opportunity"].timers(there.state("opportunity", OPPORTUNITY))] == [
        LATER + timedelta(days=14)
    ]


def test_what_is_won_or_lost_is_never_stalled() -> None:
    for there in (after(proposal(), close()), after(LOSE)):
        assert not list(STREAMS["opportunity"].timers(there.state("opportunity", OPPORTUNITY)))


# --- bargaining -----------------------------------------------------------------------------------------------------


def test_above_the_lines_limit_a_negotiation_needs_a_plan() -> None:
    there = bench(negotiation_plan_above="9999.99")
    there.do(received())
    there.do(accept())
    there.do(on(OPPORTUNITY, proposal()))
    assert refused(there, NEGOTIATE) == "negotiation.needs-plan"
    assert refused(there, replace(NEGOTIATE, plan="nothing")) == "negotiation.plan-not-ready"
    for step in negotiation_planned("nplan-1"):
        there.do(step)
    there.do(on(OPPORTUNITY, replace(NEGOTIATE, plan="nplan-1")))
    assert there.state("negotiationplan", "nplan-1").stage == "used"


def test_the_last_answer_to_an_objection_stands() -> None:
    there = after(OBJECTION, COMMANDS["answer"], replace(COMMANDS["answer"], technique="gave in", result="conceded"))
    (known,) = there.state("opportunity", OPPORTUNITY).objections
    assert (known.kind, known.technique, known.result) == ("price", "gave in", "conceded")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(OBJECTION, kind="weather"), "objection.kind-unknown"),
        (replace(OBJECTION, objection="objection-0", kind="need"), "objection.id-taken"),
        (AnswerObjection(MONDAY, "boris", "objection-0", "t", "maybe"), "objection.result-unknown"),
        (TouchClient(MONDAY, "boris", "smoke"), "opportunity.channel-unknown"),
        (RecycleOpportunity(MONDAY, "boris", "price"), "opportunity.wrong-stage"),
    ],
)
def test_what_is_on_no_list_is_refused(command: Any, code: str) -> None:
    there = after(replace(OBJECTION, objection="objection-0"))
    assert refused(there, command) == code
