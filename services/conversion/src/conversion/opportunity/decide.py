"""Which events follow from a command on an opportunity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, assert_never

from belt.core.decider import Refused, Step
from conversion.deal import CATEGORY as DEAL
from conversion.opportunity import bargaining, ending, opening, selling
from conversion.opportunity import commands as c
from conversion.opportunity.client import CATEGORY as CLIENT
from conversion.opportunity.client import Client, NoteGivenBack, NoteLost, NoteOpened, NoteWon
from conversion.opportunity.close import close, deal_of
from conversion.opportunity.events import (
    ACTIVITY,
    DealClosed,
    Event,
    FirstTouchMade,
    FirstTouchMissed,
    MeetingHeld,
    NegotiationStarted,
    OpportunityLost,
    OpportunityOpened,
    OpportunityRecycled,
    OpportunityReopened,
    OpportunityStalled,
)
from conversion.opportunity.evolve import evolve, timers
from conversion.opportunity.state import Opportunity
from conversion.papers.meeting_plan import CATEGORY as MEETING_PLAN
from conversion.papers.meeting_plan import MeetingPlan, UseMeetingPlan
from conversion.papers.negotiation_plan import CATEGORY as NEGOTIATION_PLAN
from conversion.papers.negotiation_plan import NegotiationPlan, UseNegotiationPlan
from conversion.roster import READ, acting
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def reads(_id: str, command: c.Command, opportunity: Opportunity) -> Sequence[tuple[str, str]]:
    if isinstance(command, c.Opening):
        return (READ, (CLIENT, command.client))
    if opportunity.opened is None or isinstance(command, c.Clock):
        return ()
    known = (READ, (CLIENT, opportunity.opened.client))
    match command:
        case c.ScheduleMeeting(plan=plan):
            return (*known, (MEETING_PLAN, plan))
        case c.StartNegotiation(plan=str(plan)):
            return (*known, (NEGOTIATION_PLAN, plan))
        case _:
            return known


def decide(
    command: c.Command,
    opportunity: Opportunity,
    roster: Roster | None = None,
    client: Client | None = None,
    plan: Any = None,
) -> Sequence[Event]:
    """What was due before the command is said first, at its own instant."""
    roster, client = roster or Roster(), client or Client()
    if isinstance(command, c.OpenFromLead):
        return opening.opened(opening.from_lead(command, roster, client), opportunity)
    if isinstance(command, c.OpenOpportunity):
        return opening.opened(opening.own_find(command, roster, client), opportunity)
    if isinstance(command, c.Clock):
        return overdue(command.at, opportunity)
    opened = opportunity.opened
    if opened is None:
        raise Refused("opportunity.unknown")
    by = acting(roster, command.by, opened.converted_by, opened.line, command.at)
    if by is None:
        raise Refused("opportunity.not-yours")
    late = overdue(command.at, opportunity)
    for event in late:
        opportunity = evolve(opportunity, event)
    if isinstance(command, c.End):
        events = _end(command, opportunity, opened, by, roster, client)
    elif isinstance(command, c.Bargain):
        events = _bargain(command, opportunity, opened, by, roster, plan or NegotiationPlan())
    elif isinstance(command, c.CloseDeal):
        events = close(command, opportunity, opened, by, roster, client)
    else:
        events = _sell(command, opportunity, opened, by, roster, plan or MeetingPlan())
    return [*late, *_touched(events, opportunity, opened, by), *events] if events else events


def _sell(
    command: c.Sell,
    opportunity: Opportunity,
    opened: OpportunityOpened,
    by: Seat,
    roster: Roster,
    plan: MeetingPlan,
) -> list[Event]:
    match command:
        case c.TouchClient():
            return selling.touch(command, opportunity, opened, by)
        case c.ScheduleMeeting():
            return selling.schedule(command, opportunity, by, plan)
        case c.CancelMeeting():
            return selling.cancel(command, opportunity, by)
        case c.RecordMeeting():
            return selling.record(command, opportunity, opened, by)
        case c.RecordPresentation():
            return selling.present(command, opportunity, opened, by)
        case c.SendProposal():
            return selling.propose(command, opportunity, opened, by, roster)
        case _:
            assert_never(command)


def _bargain(
    command: c.Bargain,
    opportunity: Opportunity,
    opened: OpportunityOpened,
    by: Seat,
    roster: Roster,
    plan: NegotiationPlan,
) -> list[Event]:
    match command:
        case c.RaiseObjection():
            return bargaining.object_(command, opportunity, opened, by)
        case c.AnswerObjection():
            return bargaining.answer(command, opportunity, by)
        case c.StartNegotiation():
            return bargaining.negotiate(command, opportunity, opened, by, roster, plan)
        case c.MakeConcession():
            return bargaining.concede(command, opportunity, opened, by)
        case _:
            assert_never(command)


def _end(
    command: c.End, opportunity: Opportunity, opened: OpportunityOpened, by: Seat, roster: Roster, client: Client
) -> list[Event]:
    match command:
        case c.LoseOpportunity():
            return ending.lose(command, opportunity, by)
        case c.ReopenOpportunity():
            return ending.reopen(command, opportunity, opened, by, roster, client)
        case c.RecycleOpportunity():
            return ending.recycle(command, opportunity, by, client)
        case _:
            assert_never(command)


def overdue(at: datetime, opportunity: Opportunity) -> list[Event]:
    """What the clock has brought about by `at`, each at its own instant."""
    opened = opportunity.opened
    events: list[Event] = []
    for due in sorted(timers(opportunity), key=lambda one: one.at):
        if due.at <= at and opened is not None:
            missed = isinstance(due.command, c.MissTouch)
            events.append(FirstTouchMissed(due.at, opened.converted_by) if missed else OpportunityStalled(due.at))
    return events


def _touched(
    events: Sequence[Event], opportunity: Opportunity, opened: OpportunityOpened, by: Seat
) -> list[FirstTouchMade]:
    """The first thing that is done with a lead's client is the first contact."""
    if not opened.from_lead or opportunity.touched_at is not None:
        return []
    contacts = (event for event in events if isinstance(event, ACTIVITY) and not isinstance(event, OpportunityReopened))
    first = next(contacts, None)
    return [FirstTouchMade(first.at, by, opened.first_touch_due_at)] if first is not None else []


def follow(event: Event, opportunity: Opportunity) -> Iterable[Step]:
    """The client is told of every opening and end; what is won opens its deal; a plan that was used is used up."""
    opened = opportunity.opened
    if opened is None:
        return
    match event:
        case OpportunityOpened() | OpportunityReopened():
            noted = NoteOpened(
                event.at, opened.client, opened.journey, opened.variant, opened.line, opened.opportunity, opened.needs
            )
            yield Step(CLIENT, opened.client, noted)
        case OpportunityLost():
            yield Step(CLIENT, opened.client, NoteLost(event.at, opened.opportunity))
        case OpportunityRecycled(others_open=False):
            yield Step(CLIENT, opened.client, NoteGivenBack(event.at, opened.opportunity))
        case DealClosed():
            yield Step(CLIENT, opened.client, NoteWon(event.at, opened.opportunity, event.deal))
            yield Step(DEAL, event.deal, deal_of(event, opened))
        case MeetingHeld(meeting=meeting, objective_met=objective_met):
            held = opportunity.meeting(meeting)
            if held is not None and held.plan is not None:
                used = UseMeetingPlan(event.at, event.by, meeting, objective_met)
                yield Step(MEETING_PLAN, held.plan, used)
        case NegotiationStarted(plan=str(plan)):
            yield Step(NEGOTIATION_PLAN, plan, UseNegotiationPlan(event.at, event.by))
        case _:
            pass
