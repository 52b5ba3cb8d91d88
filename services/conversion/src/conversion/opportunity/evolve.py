"""What each event changes of an opportunity, and the due times that stand in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import assert_never

from belt.core.decider import Due
from belt.core.replacing import replace
from conversion.opportunity import events as e
from conversion.opportunity.commands import MissTouch, Stall
from conversion.opportunity.state import LIVE, Concession, Meeting, Objection, Opportunity, Stage

Met = e.MeetingScheduled | e.MeetingCancelled | e.MeetingHeld
Bargained = e.ObjectionRaised | e.ObjectionAnswered | e.NegotiationStarted | e.ConcessionMade
Ended = e.DealClosed | e.DealRefused | e.OpportunityLost | e.OpportunityReopened | e.OpportunityRecycled


def evolve(opportunity: Opportunity, event: e.Event) -> Opportunity:
    if isinstance(event, e.ACTIVITY):
        opportunity = replace(opportunity, active_at=event.at, stalled=False)
    match event:
        case e.OpportunityOpened():
            return replace(opportunity, stage=Stage.OPEN, opened=event, active_at=event.at)
        case e.FirstTouchMade():
            return replace(opportunity, touched_at=event.at)
        case e.FirstTouchMissed():
            return replace(opportunity, touch_missed=True)
        case e.OpportunityStalled():
            return replace(opportunity, stalled=True)
        case e.ClientTouched():
            return replace(opportunity, last_touch=event)
        case e.PresentationGiven():
            shown = (*opportunity.presentations, event)
            return replace(opportunity, stage=opportunity.forward(Stage.PRESENTED), presentations=shown)
        case e.ProposalSent():
            others = tuple(one for one in opportunity.proposals if one.proposal != event.proposal)
            return replace(opportunity, stage=opportunity.forward(Stage.PROPOSED), proposals=(*others, event))
        case e.MeetingScheduled() | e.MeetingCancelled() | e.MeetingHeld():
            return _met(opportunity, event)
        case e.ObjectionRaised() | e.ObjectionAnswered() | e.NegotiationStarted() | e.ConcessionMade():
            return _bargained(opportunity, event)
        case _:
            return _ended(opportunity, event)


def _bargained(opportunity: Opportunity, event: Bargained) -> Opportunity:
    match event:
        case e.ObjectionRaised():
            raised = Objection(event.objection, event.kind, event.words)
            return replace(opportunity, objections=(*opportunity.objections, raised))
        case e.ObjectionAnswered(objection=name, technique=technique, result=result):
            answered = tuple(
                replace(one, technique=technique, result=result) if one.objection == name else one
                for one in opportunity.objections
            )
            return replace(opportunity, objections=answered)
        case e.NegotiationStarted():
            return replace(opportunity, stage=opportunity.forward(Stage.NEGOTIATING), negotiation=event)
        case e.ConcessionMade():
            made = Concession(event.concession, event.item, event.in_return_for, event.value)
            return replace(opportunity, concessions=(*opportunity.concessions, made))
        case _:
            assert_never(event)


def _ended(opportunity: Opportunity, event: Ended) -> Opportunity:
    match event:
        case e.DealClosed():
            return replace(opportunity, stage=Stage.WON, closed=event)
        case e.DealRefused():
            return replace(opportunity, refused=(*opportunity.refused, event))
        case e.OpportunityLost():
            return replace(opportunity, stage=Stage.LOST, lost=event, lost_from=opportunity.stage)
        case e.OpportunityReopened():
            return replace(opportunity, stage=Stage(event.stage), lost=None)
        case e.OpportunityRecycled():
            return replace(opportunity, stage=Stage.RECYCLED, recycled=event)
        case _:
            assert_never(event)


def _met(opportunity: Opportunity, event: Met) -> Opportunity:
    others = tuple(one for one in opportunity.meetings if one.meeting != event.meeting)
    match event:
        case e.MeetingScheduled():
            planned = Meeting(event.meeting, event.starts_at, event.plan)
            stage = opportunity.forward(Stage.MEETING_PLANNED)
            return replace(opportunity, stage=stage, meetings=(*others, planned))
        case e.MeetingCancelled():
            return replace(opportunity, stage=Stage(event.stage), meetings=others)
        case e.MeetingHeld():
            known = opportunity.meeting(event.meeting) or Meeting(event.meeting, event.at)
            held = replace(
                known,
                objective_met=event.objective_met,
                facts=tuple(event.facts),
                next_step=event.next_step,
                answers=tuple(event.answers),
                surprises=tuple(event.surprises),
            )
            stage = opportunity.forward(Stage.MEETING_HELD)
            return replace(opportunity, stage=stage, meetings=(*others, held))


def timers(opportunity: Opportunity) -> Iterable[Due]:
    """When the first contact is overdue, and when so much silence makes the opportunity a stalled one."""
    opened = opportunity.opened
    if opened is None or opportunity.stage not in LIVE:
        return
    due = opened.first_touch_due_at
    if due is not None and opportunity.touched_at is None and not opportunity.touch_missed:
        yield Due("first_touch", due, MissTouch(due))
    if not opportunity.stalled and opportunity.active_at is not None:
        silent = opportunity.active_at + timedelta(days=opened.stalls_after)
        yield Due("stall", silent, Stall(silent))
