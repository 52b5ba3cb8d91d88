"""The hunter's own work: contacts, meetings, presentations, proposals."""

from __future__ import annotations

from belt.core.decider import Refused
from belt.core.replacing import replace
from conversion.deal.terms import amount, priced
from conversion.opportunity.commands import (
    CHANNELS,
    OBJECTIVES,
    CancelMeeting,
    RecordMeeting,
    RecordPresentation,
    ScheduleMeeting,
    SendProposal,
    TouchClient,
)
from conversion.opportunity.events import (
    ClientTouched,
    Event,
    MeetingCancelled,
    MeetingHeld,
    MeetingScheduled,
    OpportunityOpened,
    PresentationGiven,
    ProposalSent,
)
from conversion.opportunity.rules import need, within_limit
from conversion.opportunity.state import Opportunity, Stage
from conversion.papers.meeting_plan import MeetingPlan
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def touch(command: TouchClient, opportunity: Opportunity, opened: OpportunityOpened, by: Seat) -> list[Event]:
    need(opportunity)
    if command.channel not in CHANNELS:
        raise Refused("opportunity.channel-unknown", channel=command.channel, allowed=CHANNELS)
    touched = ClientTouched(command.at, by, opened.client, command.channel, command.note)
    return [] if opportunity.last_touch == touched else [touched]


def schedule(command: ScheduleMeeting, opportunity: Opportunity, by: Seat, plan: MeetingPlan) -> list[Event]:
    known = opportunity.meeting(command.meeting)
    if known is not None and (known.starts_at, known.plan) == (command.starts_at, command.plan):
        return []
    need(opportunity)
    if known is not None and known.objective_met is not None:
        raise Refused("meeting.already-held", meeting_id=command.meeting)
    if plan.stage != "ready" or opportunity.opened is None or plan.opportunity != opportunity.opened.opportunity:
        raise Refused("meeting.plan-not-ready", plan_id=command.plan, stage=plan.stage, missing=list(plan.missing))
    return [MeetingScheduled(command.at, by, command.meeting, command.starts_at, command.plan)]


def cancel(command: CancelMeeting, opportunity: Opportunity, by: Seat) -> list[Event]:
    """Without its only meeting a planned opportunity is merely open again."""
    known = opportunity.meeting(command.meeting)
    if known is None:
        need(opportunity)
        return []  # it does not take place, as was asked
    need(opportunity)
    if known.objective_met is not None:
        raise Refused("meeting.already-held", meeting_id=command.meeting)
    others = any(one.objective_met is None for one in opportunity.meetings if one is not known)
    back = opportunity.stage is Stage.MEETING_PLANNED and not others
    return [MeetingCancelled(command.at, by, command.meeting, Stage.OPEN if back else opportunity.stage)]


def record(command: RecordMeeting, opportunity: Opportunity, opened: OpportunityOpened, by: Seat) -> list[Event]:
    known = opportunity.meeting(command.meeting)
    if known is not None and known.objective_met is not None:
        told = (known.objective_met, known.facts, known.next_step, known.answers, known.surprises)
        said = (command.objective_met, command.facts, command.next_step, command.answers, command.surprises)
        if told == said:
            return []
        raise Refused("meeting.already-held", meeting_id=command.meeting)
    need(opportunity)
    if command.objective_met not in OBJECTIVES:
        raise Refused("meeting.objective-unknown", objective_met=command.objective_met, allowed=OBJECTIVES)
    return [
        MeetingHeld(
            at=command.at,
            by=by,
            client=opened.client,
            meeting=command.meeting,
            objective_met=command.objective_met,
            facts=command.facts,
            next_step=command.next_step,
            answers=command.answers,
            surprises=command.surprises,
        )
    ]


def propose(
    command: SendProposal, opportunity: Opportunity, opened: OpportunityOpened, by: Seat, roster: Roster
) -> list[Event]:
    known = opportunity.proposal(command.proposal)
    sent = ProposalSent(
        at=command.at,
        by=by,
        proposal=command.proposal,
        revision=known.revision + 1 if known else 1,
        lines=command.lines,
        net=priced(command.lines, command.net, command.currency),
        tax=amount("tax", command.tax, command.currency),
        currency=command.currency,
        valid_until=command.valid_until,
    )
    if known is not None and replace(sent, at=known.at, by=known.by, revision=known.revision) == known:
        return []
    need(opportunity)
    within_limit(command.lines, opened, by, command.at, roster)
    return [sent]


def present(command: RecordPresentation, opportunity: Opportunity, opened: OpportunityOpened, by: Seat) -> list[Event]:
    given = PresentationGiven(command.at, by, opened.client, command.presentation, command.needs, command.note)
    known = next((one for one in opportunity.presentations if one.presentation == command.presentation), None)
    if known is not None:
        if replace(known, at=command.at, by=by) == given:
            return []
        raise Refused("presentation.id-taken", presentation_id=command.presentation)
    need(opportunity)
    return [given]
