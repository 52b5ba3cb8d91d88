"""The negotiation plan: how far we go, for what, and when we walk away. One stream a plan.

    draft -> ready -> used, and scored afterwards

Each issue has a target, an opening and a limit; the weights add up to 100. The limit of an issue is never worse than
what the best alternative would give. Everything in it is sealed under the client's key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, assert_never

from belt.core.decider import Private, Refused
from belt.core.replacing import replace
from conversion.roster import READ, acting
from conveyor_events.roster import Roster
from conveyor_events.words import Seat

if TYPE_CHECKING:
    from conversion.opportunity.state import Opportunity

CATEGORY = "negotiationplan"
OPPORTUNITY = "opportunity"
ALL = Decimal(100)


@dataclass(frozen=True)
class Issue:
    """Something that is bargained about. `alternative` is what our best alternative gives on it."""

    name: str
    weight: Decimal
    target: Decimal
    opening: Decimal
    limit: Decimal
    their_position: Decimal | None = None
    confidence: int | None = None
    alternative: Decimal | None = None

    @property
    def up(self) -> bool:
        """More is better for us."""
        return self.target > self.limit

    def worse(self, a: Decimal, b: Decimal) -> bool:
        """Whether a is worse for us than b."""
        return a < b if self.up else a > b

    def reached(self, result: Decimal) -> Decimal:
        """0 at the limit or beyond, 1 at the target or better."""
        share = (result - self.limit) / (self.target - self.limit)
        return min(max(share, Decimal(0)), Decimal(1))


@dataclass(frozen=True)
class Alternative:
    """What we, or they, do if nothing comes of it."""

    what: str
    value: Decimal | None = None


@dataclass(frozen=True)
class Give:
    """A concession we could make: what it costs us, and what we want for it."""

    give: str
    get: str
    order: int
    cost: Decimal | None = None


@dataclass(frozen=True)
class Paper:
    """What is written on the plan."""

    issues: tuple[Issue, ...] = ()
    ours: Alternative | None = None
    theirs: Alternative | None = None
    deadline: date | None = None
    concessions: tuple[Give, ...] = ()
    red_lines: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    mandate_limit: Decimal | None = None
    exit_sentence: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """What it lacks to be ready."""
        there = {
            "issues": bool(self.issues),
            "best_alternative": self.ours is not None,
            "exit_sentence": bool(self.exit_sentence),
        }
        return tuple(name for name, is_there in there.items() if not is_there)


def score(paper: Paper, results: Mapping[str, Decimal]) -> Decimal:
    """Σ weight x how far between limit and target the result lies, from 0.00 to 100.00."""
    total = sum((issue.weight * issue.reached(results[issue.name]) for issue in paper.issues), Decimal(0))
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP)


# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WriteNegotiationPlan:
    """Writes the plan, or writes it anew: then it is a draft again."""

    at: datetime
    by: str
    plan: str
    opportunity: str
    paper: Paper


@dataclass(frozen=True)
class ReadyNegotiationPlan:
    at: datetime
    by: str


@dataclass(frozen=True)
class UseNegotiationPlan:
    """The negotiation began."""

    at: datetime
    by: Seat


@dataclass(frozen=True)
class ScoreNegotiation:
    """What came of each issue."""

    at: datetime
    by: str
    results: Mapping[str, Decimal]


Command = WriteNegotiationPlan | ReadyNegotiationPlan | UseNegotiationPlan | ScoreNegotiation

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NegotiationPlanWritten:
    at: datetime
    by: Seat
    plan: str
    opportunity: str
    client: str
    line: str
    owner: Seat
    paper: Private[Paper | None]


@dataclass(frozen=True)
class NegotiationPlanReady:
    at: datetime
    by: Seat


@dataclass(frozen=True)
class NegotiationPlanUsed:
    at: datetime
    by: Seat


@dataclass(frozen=True)
class NegotiationScored:
    at: datetime
    by: Seat
    client: str
    score: Decimal
    results: Private[tuple[tuple[str, Decimal], ...]]


Event = NegotiationPlanWritten | NegotiationPlanReady | NegotiationPlanUsed | NegotiationScored
EVENTS: tuple[type, ...] = (NegotiationPlanWritten, NegotiationPlanReady, NegotiationPlanUsed, NegotiationScored)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NegotiationPlan:
    """`written` is None while there is none."""

    stage: str = "none"
    written: NegotiationPlanWritten | None = None
    scored: NegotiationScored | None = None

    @property
    def opportunity(self) -> str | None:
        return self.written.opportunity if self.written else None

    @property
    def paper(self) -> Paper:
        return (self.written.paper if self.written else None) or Paper()


NEW = NegotiationPlan()


# --- decide ---------------------------------------------------------------------------------------------------------


def reads(_id: str, command: Command, plan: NegotiationPlan) -> Sequence[tuple[str, str]]:
    if isinstance(command, WriteNegotiationPlan):
        return (READ, (OPPORTUNITY, command.opportunity))
    return (READ,) if plan.written else ()


def decide(
    command: Command, plan: NegotiationPlan, roster: Roster | None = None, opportunity: Opportunity | None = None
) -> Sequence[Event]:
    roster = roster or Roster()
    if isinstance(command, WriteNegotiationPlan):
        return _write(command, plan, roster, opportunity)
    written = plan.written
    if written is None:
        raise Refused("negotiation-plan.unknown")
    if isinstance(command, UseNegotiationPlan):
        return [NegotiationPlanUsed(command.at, command.by)] if plan.stage == "ready" else []
    by = acting(roster, command.by, written.owner, written.line, command.at)
    if by is None:
        raise Refused("negotiation-plan.not-yours")
    match command:
        case ReadyNegotiationPlan():
            return _ready(command, plan, by)
        case ScoreNegotiation():
            return _score(command, plan, written, by)
        case _:
            assert_never(command)


def _write(
    command: WriteNegotiationPlan, plan: NegotiationPlan, roster: Roster, opportunity: Opportunity | None
) -> list[Event]:
    opened = opportunity.opened if opportunity else None
    if opportunity is None or opened is None:
        raise Refused("opportunity.unknown")
    by = acting(roster, command.by, opened.converted_by, opened.line, command.at)
    if by is None:
        raise Refused("negotiation-plan.not-yours")
    if plan.written is not None and plan.written.opportunity != command.opportunity:
        raise Refused("negotiation-plan.id-taken")
    if plan.stage == "used":
        raise Refused("negotiation-plan.wrong-stage", stage=plan.stage)
    if plan.written is not None and plan.paper == command.paper:
        return []
    _sound(command.paper)
    return [
        NegotiationPlanWritten(
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


def _sound(paper: Paper) -> None:
    """Weights make 100, names differ, a limit differs from its target and is never worse than the alternative."""
    if not paper.issues:
        return
    weights = sum((issue.weight for issue in paper.issues), Decimal(0))
    if weights != ALL or any(issue.weight <= 0 for issue in paper.issues):
        raise Refused("negotiation-plan.weights", sum=str(weights))
    if len({issue.name for issue in paper.issues}) != len(paper.issues):
        raise Refused("negotiation-plan.issue-twice")
    for issue in paper.issues:
        if issue.limit == issue.target:
            raise Refused("negotiation-plan.no-room", issue=issue.name)
        if issue.worse(issue.opening, issue.limit):
            raise Refused("negotiation-plan.opens-below-limit", issue=issue.name)
        if issue.alternative is not None and issue.worse(issue.limit, issue.alternative):
            raise Refused("negotiation-plan.limit-below-alternative", issue=issue.name)


def _ready(command: ReadyNegotiationPlan, plan: NegotiationPlan, by: Seat) -> list[Event]:
    if plan.stage == "ready":
        return []
    if plan.stage == "used":
        raise Refused("negotiation-plan.wrong-stage", stage=plan.stage)
    if plan.paper.missing:
        raise Refused("negotiation-plan.incomplete", missing=list(plan.paper.missing))
    return [NegotiationPlanReady(command.at, by)]


def _score(command: ScoreNegotiation, plan: NegotiationPlan, written: NegotiationPlanWritten, by: Seat) -> list[Event]:
    if plan.stage != "used":
        raise Refused("negotiation-plan.wrong-stage", stage=plan.stage)
    names = {issue.name for issue in plan.paper.issues}
    if names != command.results.keys():
        raise Refused("negotiation-plan.results", issues=sorted(names))
    results = tuple((issue.name, command.results[issue.name]) for issue in plan.paper.issues)
    if plan.scored is not None and plan.scored.results == results:
        return []
    return [NegotiationScored(command.at, by, written.client, score(plan.paper, command.results), results)]


# --- evolve ---------------------------------------------------------------------------------------------------------


def evolve(plan: NegotiationPlan, event: Event) -> NegotiationPlan:
    match event:
        case NegotiationPlanWritten():
            return replace(plan, stage="draft", written=event)
        case NegotiationPlanReady():
            return replace(plan, stage="ready")
        case NegotiationPlanUsed():
            return replace(plan, stage="used")
        case NegotiationScored():
            return replace(plan, scored=event)
        case _:
            assert_never(event)
