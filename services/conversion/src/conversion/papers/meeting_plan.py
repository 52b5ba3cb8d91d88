"""The meeting plan: what a hunter wants from a meeting, and how. One stream a plan.

    draft -> ready -> used

It is ready with a goal, a fallback, somebody to meet, three questions and a next step to ask for. Everything in it is
sealed under the client's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from belt.core.decider import Private, Refused
from belt.core.replacing import replace
from conversion.roster import READ, acting
from conveyor_events.roster import Roster
from conveyor_events.words import Seat

if TYPE_CHECKING:
    from conversion.opportunity.state import Opportunity

CATEGORY = "meetingplan"
OPPORTUNITY = "opportunity"
QUESTIONS = ("situation", "problem", "effect", "benefit")
INFLUENCES = ("decides", "advises", "uses", "pays")
LEAST_QUESTIONS = 3


@dataclass(frozen=True)
class Attendee:
    """Somebody of theirs. `attitude` goes from -2 (against us) to 2 (for us)."""

    name: str
    position: str
    influence: str
    attitude: int = 0
    interest: str = ""


@dataclass(frozen=True)
class Question:
    kind: str
    text: str


@dataclass(frozen=True)
class OfferPoint:
    """What we can show, and the need that it answers."""

    point: str
    need: str


@dataclass(frozen=True)
class Expected:
    """An objection that may come, and the answer to it."""

    objection: str
    answer: str


@dataclass(frozen=True)
class AgendaItem:
    minutes: int
    what: str


@dataclass(frozen=True)
class Paper:
    """What is written on the plan."""

    goal: str = ""
    fallback: str = ""
    minimum_step: str = ""
    theirs: tuple[Attendee, ...] = ()
    ours: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    offer_points: tuple[OfferPoint, ...] = ()
    objections: tuple[Expected, ...] = ()
    materials: tuple[str, ...] = ()
    agenda: tuple[AgendaItem, ...] = ()
    next_step: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """What it lacks to be ready."""
        there = {
            "goal": bool(self.goal),
            "fallback": bool(self.fallback),
            "theirs": bool(self.theirs),
            "questions": len(self.questions) >= LEAST_QUESTIONS,
            "next_step": bool(self.next_step),
        }
        return tuple(name for name, is_there in there.items() if not is_there)


# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WriteMeetingPlan:
    """Writes the plan, or writes it anew: then it is a draft again."""

    at: datetime
    by: str
    plan: str
    opportunity: str
    paper: Paper


@dataclass(frozen=True)
class ReadyMeetingPlan:
    at: datetime
    by: str


@dataclass(frozen=True)
class UseMeetingPlan:
    """The meeting took place."""

    at: datetime
    by: Seat
    meeting: str
    objective_met: str


Command = WriteMeetingPlan | ReadyMeetingPlan | UseMeetingPlan

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MeetingPlanWritten:
    at: datetime
    by: Seat
    plan: str
    opportunity: str
    client: str
    line: str
    owner: Seat
    paper: Private[Paper | None]


@dataclass(frozen=True)
class MeetingPlanReady:
    at: datetime
    by: Seat


@dataclass(frozen=True)
class MeetingPlanUsed:
    at: datetime
    by: Seat
    meeting: str
    objective_met: str


Event = MeetingPlanWritten | MeetingPlanReady | MeetingPlanUsed
EVENTS: tuple[type, ...] = (MeetingPlanWritten, MeetingPlanReady, MeetingPlanUsed)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MeetingPlan:
    """`written` is None while there is none."""

    stage: str = "none"
    written: MeetingPlanWritten | None = None
    used: MeetingPlanUsed | None = None

    @property
    def opportunity(self) -> str | None:
        return self.written.opportunity if self.written else None

    @property
    def paper(self) -> Paper:
        return (self.written.paper if self.written else None) or Paper()

    @property
    def missing(self) -> tuple[str, ...]:
        return self.paper.missing


NEW = MeetingPlan()


# --- decide ---------------------------------------------------------------------------------------------------------


def reads(_id: str, command: Command, plan: MeetingPlan) -> Sequence[tuple[str, str]]:
    if isinstance(command, WriteMeetingPlan):
        return (READ, (OPPORTUNITY, command.opportunity))
    return (READ,) if plan.written else ()


def decide(
    command: Command, plan: MeetingPlan, roster: Roster | None = None, opportunity: Opportunity | None = None
) -> Sequence[Event]:
    roster = roster or Roster()
    if isinstance(command, WriteMeetingPlan):
        return _write(command, plan, roster, opportunity)
    if plan.written is None:
        raise Refused("meeting-plan.unknown")
    match command:
        case ReadyMeetingPlan(at=at):
            by = acting(roster, command.by, plan.written.owner, plan.written.line, at)
            if by is None:
                raise Refused("meeting-plan.not-yours")
            return _ready(command, plan, by)
        case UseMeetingPlan(at=at, by=by, meeting=meeting, objective_met=objective_met):
            return [] if plan.used else [MeetingPlanUsed(at, by, meeting, objective_met)]
        case _:
            assert_never(command)


def _write(
    command: WriteMeetingPlan, plan: MeetingPlan, roster: Roster, opportunity: Opportunity | None
) -> list[Event]:
    opened = opportunity.opened if opportunity else None
    if opportunity is None or opened is None:
        raise Refused("opportunity.unknown")
    by = acting(roster, command.by, opened.converted_by, opened.line, command.at)
    if by is None:
        raise Refused("meeting-plan.not-yours")
    if plan.written is not None and plan.written.opportunity != command.opportunity:
        raise Refused("meeting-plan.id-taken")
    if plan.used is not None:
        raise Refused("meeting-plan.wrong-stage", stage=plan.stage)
    if plan.written is not None and plan.paper == command.paper:
        return []
    for question in command.paper.questions:
        if question.kind not in QUESTIONS:
            raise Refused("meeting-plan.question-unknown", kind=question.kind, allowed=QUESTIONS)
    return [
        MeetingPlanWritten(
            at=command.at,
            by=by,
            plan=command.plan,
            opportunity=command.opportunity,
            client=opened.client,
            line=opened.line,
            owner=opened.converted_by,
            paper=command.paper,
        )
    ]


def _ready(command: ReadyMeetingPlan, plan: MeetingPlan, by: Seat) -> list[Event]:
    if plan.stage == "ready":
        return []
    if plan.used is not None:
        raise Refused("meeting-plan.wrong-stage", stage=plan.stage)
    if plan.missing:
        raise Refused("meeting-plan.incomplete", missing=list(plan.missing))
    return [MeetingPlanReady(command.at, by)]


# --- evolve ---------------------------------------------------------------------------------------------------------


def evolve(plan: MeetingPlan, event: Event) -> MeetingPlan:
    match event:
        case MeetingPlanWritten():
            return replace(plan, stage="draft", written=event)
        case MeetingPlanReady():
            return replace(plan, stage="ready")
        case MeetingPlanUsed():
            return replace(plan, stage="used", used=event)
        case _:
            assert_never(event)
