"""The opportunity as its events make it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from conversion.opportunity.commands import NextStep
from conversion.opportunity.events import (
    ClientTouched,
    DealClosed,
    DealRefused,
    NegotiationStarted,
    OpportunityLost,
    OpportunityOpened,
    OpportunityRecycled,
    PresentationGiven,
    ProposalSent,
)


class Stage(StrEnum):
    """How far the sale has come."""

    NONE = "none"
    OPEN = "open"
    MEETING_PLANNED = "meeting_planned"
    MEETING_HELD = "meeting_held"
    PRESENTED = "presented"
    PROPOSED = "proposed"
    NEGOTIATING = "negotiating"
    WON = "won"
    LOST = "lost"
    RECYCLED = "recycled"


ORDER = (
    Stage.OPEN,
    Stage.MEETING_PLANNED,
    Stage.MEETING_HELD,
    Stage.PRESENTED,
    Stage.PROPOSED,
    Stage.NEGOTIATING,
)
LIVE = frozenset(ORDER)


@dataclass(frozen=True)
class Meeting:
    """A meeting, planned or held (then `objective_met` says how it went)."""

    meeting: str
    starts_at: datetime
    plan: str | None = None
    objective_met: str | None = None
    facts: tuple[str, ...] = ()
    next_step: NextStep | None = None
    answers: tuple[str, ...] = ()
    surprises: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objection:
    """An objection, and how it was answered last."""

    objection: str
    kind: str
    words: str | None = None
    technique: str | None = None
    result: str = "open"


@dataclass(frozen=True)
class Concession:
    """What was given, and what for."""

    concession: str
    item: str
    in_return_for: str
    value: Decimal | None


@dataclass(frozen=True)
class Opportunity:
    """`opened` is None while there is none; `active_at` is when anybody last did something."""

    stage: Stage = Stage.NONE
    opened: OpportunityOpened | None = None
    touched_at: datetime | None = None
    touch_missed: bool = False
    last_touch: ClientTouched | None = None
    active_at: datetime | None = None
    stalled: bool = False
    meetings: tuple[Meeting, ...] = ()
    presentations: tuple[PresentationGiven, ...] = ()
    proposals: tuple[ProposalSent, ...] = ()  # the latest revision of each
    objections: tuple[Objection, ...] = ()
    negotiation: NegotiationStarted | None = None
    concessions: tuple[Concession, ...] = ()
    closed: DealClosed | None = None
    lost: OpportunityLost | None = None
    lost_from: Stage = Stage.NONE
    recycled: OpportunityRecycled | None = None
    refused: tuple[DealRefused, ...] = ()

    def meeting(self, name: str) -> Meeting | None:
        return next((one for one in self.meetings if one.meeting == name), None)

    def proposal(self, name: str) -> ProposalSent | None:
        return next((one for one in self.proposals if one.proposal == name), None)

    def objection(self, name: str) -> Objection | None:
        return next((one for one in self.objections if one.objection == name), None)

    def forward(self, stage: Stage) -> Stage:
        """The later of the two stages."""
        return stage if ORDER.index(stage) > ORDER.index(self.stage) else self.stage


NEW = Opportunity()
