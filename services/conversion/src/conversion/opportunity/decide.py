"""Which events follow from a command on an opportunity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from belt.core.decider import Refused, Step
from belt.core.ids import derived
from conversion.client import CATEGORY as CLIENT
from conversion.client import Client, NoteLost, NoteOpened, NoteWon
from conversion.deal import CATEGORY as DEAL
from conversion.opportunity.close import close, deal_of
from conversion.opportunity.commands import (
    LOST_REASONS,
    OBJECTIVES,
    CloseDeal,
    Command,
    LoseOpportunity,
    OpenFromLead,
    OpenOpportunity,
    RecordMeeting,
    ScheduleMeeting,
    SendProposal,
)
from conversion.opportunity.events import (
    DealClosed,
    Event,
    MeetingHeld,
    MeetingScheduled,
    OpportunityLost,
    OpportunityOpened,
    ProposalSent,
)
from conversion.opportunity.rules import need, within_limit
from conversion.opportunity.state import Opportunity
from conversion.roster import HERE, READ, acting
from conversion.terms import amount, priced
from conveyor_events.roster import Roster
from conveyor_events.words import HOUSE, Seat, Station, role_at

Opening = OpenFromLead | OpenOpportunity


def reads(_id: str, command: Command, opportunity: Opportunity) -> Sequence[tuple[str, str]]:
    if isinstance(command, Opening):
        return (READ, (CLIENT, command.client))
    return (READ, (CLIENT, opportunity.opened.client)) if opportunity.opened else ()


def decide(
    command: Command, opportunity: Opportunity, roster: Roster | None = None, client: Client | None = None
) -> Sequence[Event]:
    roster, client = roster or Roster(), client or Client()
    if isinstance(command, OpenFromLead):
        return _opened(_from_lead(command), opportunity)
    if isinstance(command, OpenOpportunity):
        return _opened(_own_find(command, roster, client), opportunity)
    opened = opportunity.opened
    if opened is None:
        raise Refused("opportunity.unknown")
    by = acting(roster, command.by, opened.converted_by, opened.line, command.at)
    if by is None:
        raise Refused("opportunity.not-yours")
    match command:
        case ScheduleMeeting():
            return _schedule(command, opportunity, by)
        case RecordMeeting():
            return _record(command, opportunity, opened, by)
        case SendProposal():
            return _propose(command, opportunity, opened, by, roster)
        case CloseDeal():
            return close(command, opportunity, opened, by, roster, client)
        case LoseOpportunity():
            return _lose(command, opportunity, by)
        case _:
            assert_never(command)


def follow(event: Event, opportunity: Opportunity) -> Iterable[Step]:
    """The client is told of every opening and end; a won opportunity opens its deal."""
    opened = opportunity.opened
    if opened is None:
        return
    match event:
        case OpportunityOpened():
            noted = NoteOpened(
                event.at, event.client, event.journey, event.variant, event.line, event.opportunity, event.needs
            )
            yield Step(CLIENT, event.client, noted)
        case OpportunityLost():
            yield Step(CLIENT, opened.client, NoteLost(event.at, opened.opportunity))
        case DealClosed():
            yield Step(CLIENT, opened.client, NoteWon(event.at, opened.opportunity, event.deal))
            yield Step(DEAL, event.deal, deal_of(event, opened))
        case _:
            pass


# --- opening --------------------------------------------------------------------------------------------------------


def _from_lead(command: OpenFromLead) -> OpportunityOpened:
    return OpportunityOpened(
        at=command.at,
        by=command.by,
        opportunity=command.opportunity,
        client=command.client,
        journey=command.journey,
        variant=command.variant,
        line=command.line,
        needs=(command.need,),
        sourced_by=command.sourced_by,
        converted_by=command.converted_by,
    )


def _own_find(command: OpenOpportunity, roster: Roster, client: Client) -> OpportunityOpened:
    """A client that is on its way along this line already stays on it; else a new journey begins."""
    staffed = roster.line(command.line, command.at)
    if staffed is None:
        raise Refused("line.unknown", line=command.line)
    if not roster.works_at(command.by, command.line, HERE, command.at):
        raise Refused("opportunity.not-in-team", line=command.line)
    same = client.journey if client.line == command.line else None
    variant = client.variant if same else staffed.variant
    hunter = Seat(person=command.by, role=role_at(variant, HERE))
    return OpportunityOpened(
        at=command.at,
        by=hunter,
        opportunity=command.opportunity,
        client=command.client,
        journey=same or derived(command.opportunity, "journey"),
        variant=variant,
        line=command.line,
        needs=tuple(dict.fromkeys(command.needs)),
        sourced_by=Seat(person=HOUSE, role=role_at(variant, Station.LEAD_GEN)),
        converted_by=hunter,
    )


def _opened(event: OpportunityOpened, opportunity: Opportunity) -> list[Event]:
    known = opportunity.opened
    if known is None:
        return [event]
    if (known.client, known.line, known.needs, known.converted_by) == (
        event.client,
        event.line,
        event.needs,
        event.converted_by,
    ):
        return []
    raise Refused("opportunity.id-taken")


# --- selling --------------------------------------------------------------------------------------------------------


def _schedule(command: ScheduleMeeting, opportunity: Opportunity, by: Seat) -> list[Event]:
    known = opportunity.meeting(command.meeting)
    if known is not None and known.starts_at == command.starts_at:
        return []
    need(opportunity)
    if known is not None and known.objective_met is not None:
        raise Refused("meeting.already-held", meeting_id=command.meeting)
    return [MeetingScheduled(command.at, by, command.meeting, command.starts_at)]


def _record(command: RecordMeeting, opportunity: Opportunity, opened: OpportunityOpened, by: Seat) -> list[Event]:
    known = opportunity.meeting(command.meeting)
    if known is not None and known.objective_met is not None:
        told = (known.objective_met, known.facts, known.next_step)
        if told == (command.objective_met, command.facts, command.next_step):
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
        )
    ]


def _propose(
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


def _lose(command: LoseOpportunity, opportunity: Opportunity, by: Seat) -> list[Event]:
    if command.reason not in LOST_REASONS:
        raise Refused("reason-not-allowed", reason=command.reason, allowed=LOST_REASONS)
    if opportunity.lost is not None and opportunity.lost.reason == command.reason:
        return []
    need(opportunity)
    return [OpportunityLost(command.at, by, command.reason)]
