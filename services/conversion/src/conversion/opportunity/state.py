"""The opportunity as its events make it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from conversion.opportunity.commands import NextStep
from conversion.opportunity.events import (
    DealClosed,
    DealRefused,
    Event,
    MeetingHeld,
    MeetingScheduled,
    OpportunityLost,
    OpportunityOpened,
    ProposalSent,
)


class Stage(StrEnum):
    """How far the sale has come."""

    NONE = "none"
    OPEN = "open"
    MEETING_PLANNED = "meeting_planned"
    MEETING_HELD = "meeting_held"
    PROPOSED = "proposed"
    WON = "won"
    LOST = "lost"


ORDER = (Stage.OPEN, Stage.MEETING_PLANNED, Stage.MEETING_HELD, Stage.PROPOSED)
LIVE = frozenset(ORDER)


@dataclass(frozen=True)
class Meeting:
    """A meeting, planned or held (then `objective_met` says how it went)."""

    meeting: str
    starts_at: datetime
    objective_met: str | None = None
    facts: tuple[str, ...] = ()
    next_step: NextStep | None = None


@dataclass(frozen=True)
class Opportunity:
    """`opened` is None while there is none."""

    stage: Stage = Stage.NONE
    opened: OpportunityOpened | None = None
    meetings: tuple[Meeting, ...] = ()
    proposals: tuple[ProposalSent, ...] = ()  # the latest revision of each
    closed: DealClosed | None = None
    lost: OpportunityLost | None = None
    refused: tuple[DealRefused, ...] = ()

    def meeting(self, name: str) -> Meeting | None:
        return next((one for one in self.meetings if one.meeting == name), None)

    def proposal(self, name: str) -> ProposalSent | None:
        return next((one for one in self.proposals if one.proposal == name), None)

    def forward(self, stage: Stage) -> Stage:
        """The later of the two stages."""
        return stage if ORDER.index(stage) > ORDER.index(self.stage) else self.stage


NEW = Opportunity()


def evolve(opportunity: Opportunity, event: Event) -> Opportunity:
    match event:
        case OpportunityOpened():
            return replace(opportunity, stage=Stage.OPEN, opened=event)
        case MeetingScheduled(meeting=meeting, starts_at=starts_at):
            planned = _meetings(opportunity, Meeting(meeting, starts_at))
            return replace(opportunity, stage=opportunity.forward(Stage.MEETING_PLANNED), meetings=planned)
        case MeetingHeld():
            known = opportunity.meeting(event.meeting) or Meeting(event.meeting, event.at)
            held = replace(
                known, objective_met=event.objective_met, facts=tuple(event.facts), next_step=event.next_step
            )
            return replace(
                opportunity, stage=opportunity.forward(Stage.MEETING_HELD), meetings=_meetings(opportunity, held)
            )
        case ProposalSent():
            others = tuple(one for one in opportunity.proposals if one.proposal != event.proposal)
            return replace(opportunity, stage=opportunity.forward(Stage.PROPOSED), proposals=(*others, event))
        case DealClosed():
            return replace(opportunity, stage=Stage.WON, closed=event)
        case DealRefused():
            return replace(opportunity, refused=(*opportunity.refused, event))
        case OpportunityLost():
            return replace(opportunity, stage=Stage.LOST, lost=event)
        case _:
            assert_never(event)


def _meetings(opportunity: Opportunity, meeting: Meeting) -> tuple[Meeting, ...]:
    others = tuple(one for one in opportunity.meetings if one.meeting != meeting.meeting)
    return (*others, meeting)
