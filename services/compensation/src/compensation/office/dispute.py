"""The stream of one objection: opened → in_review ⇄ info_requested → accepted | partly | refused → closed.

It has a clock: `respond_by` is stamped when it is opened, and passing it is told. What is said stays between the person
and the office: sealed, and on no topic. A decision that grants an amount posts an adjustment in the same commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, assert_never

from belt.core.decider import Due, Private, Public, Refused, Step
from belt.core.ids import derived
from compensation.office import adjustment, sheet
from conveyor_events.pay import DisputeResolved

CATEGORY = "dispute"
ANSWER_WITHIN = timedelta(days=10)
CLOSE_AFTER = timedelta(days=14)
Outcome = Literal["accepted", "partly", "refused"]
DECIDED = ("accepted", "partly", "refused")


@dataclass(frozen=True)
class Open:
    """`lines`: ids of the lines it is about; `evidence`: ids of events or documents."""

    dispute_id: str
    person: str
    period: str
    lines: tuple[str, ...]
    evidence: tuple[str, ...]
    text: str
    at: datetime


@dataclass(frozen=True)
class Review:
    by: str
    at: datetime


@dataclass(frozen=True)
class RequestInfo:
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class GiveInfo:
    text: str
    evidence: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True)
class Decide:
    """`amount` is granted; refused grants nothing."""

    outcome: Outcome
    reason: str
    amount: Decimal | None
    currency: str | None
    by: str
    at: datetime


@dataclass(frozen=True)
class Close:
    at: datetime


@dataclass(frozen=True)
class Overdue:
    at: datetime


Command = Open | Review | RequestInfo | GiveInfo | Decide | Close | Overdue


@dataclass(frozen=True)
class DisputeOpened:
    at: datetime
    dispute_id: str
    person: str
    period: str
    lines: tuple[str, ...]
    evidence: tuple[str, ...]
    respond_by: datetime
    text: Private[str]


@dataclass(frozen=True)
class ReviewBegun:
    at: datetime
    by: str


@dataclass(frozen=True)
class InfoRequested:
    at: datetime
    by: str
    person: str
    text: Private[str]


@dataclass(frozen=True)
class InfoGiven:
    at: datetime
    person: str
    evidence: tuple[str, ...]
    text: Private[str]


@dataclass(frozen=True)
class AnswerOverdue:
    at: datetime


@dataclass(frozen=True)
class DisputeDecided:
    at: datetime
    person: str
    outcome: Outcome
    amount: Decimal | None
    currency: str | None
    by: str
    reason: Private[str]


@dataclass(frozen=True)
class DisputeClosed:
    at: datetime


Event = DisputeOpened | ReviewBegun | InfoRequested | InfoGiven | AnswerOverdue | DisputeDecided | DisputeClosed
EVENTS = (DisputeOpened, ReviewBegun, InfoRequested, InfoGiven, AnswerOverdue, DisputeDecided, DisputeClosed)


@dataclass(frozen=True)
class Dispute:
    opened: DisputeOpened | None = None
    stage: str = "none"
    overdue: bool = False
    said: tuple[tuple[str, str], ...] = ()
    decided: DisputeDecided | None = None


def holder(event: Event) -> str | None:
    """Whose key seals what is said."""
    person = getattr(event, "person", None)
    return f"person:{person}" if person is not None else None


def decide(command: Command, state: Dispute) -> Sequence[Event]:
    c = command
    if isinstance(c, Open):
        if state.opened is not None:
            raise Refused("dispute.id-taken", dispute_id=c.dispute_id)
        respond_by = c.at + ANSWER_WITHIN
        return [DisputeOpened(c.at, c.dispute_id, c.person, c.period, c.lines, c.evidence, respond_by, c.text)]
    if state.opened is None:
        raise Refused("dispute.unknown")
    match c:
        case GiveInfo():
            if c.by != state.opened.person:
                raise Refused("dispute.unknown")
            _in(state, "info_requested")
            return [InfoGiven(c.at, c.by, c.evidence, c.text)]
        case Review():
            if state.stage == "in_review":
                return []
            _in(state, "opened", "info_requested")
            return [ReviewBegun(c.at, _other(c.by, state.opened))]
        case RequestInfo():
            _in(state, "opened", "in_review")
            return [InfoRequested(c.at, _other(c.by, state.opened), state.opened.person, c.text)]
        case Decide():
            return _decided(c, state, state.opened)
        case Overdue():
            return [] if state.overdue or state.stage in (*DECIDED, "closed") else [AnswerOverdue(c.at)]
        case Close():
            return _closed(c, state)
        case _:
            assert_never(c)


def _closed(c: Close, state: Dispute) -> Sequence[Event]:
    if state.stage == "closed":
        return []
    _in(state, *DECIDED)
    return [DisputeClosed(c.at)]


def _in(state: Dispute, *stages: str) -> None:
    if state.stage not in stages:
        raise Refused("dispute.wrong-stage", stage=state.stage)


def _other(by: str, opened: DisputeOpened) -> str:
    """Nobody judges their own objection."""
    if by == opened.person:
        raise Refused("dispute.own")
    return by


def _decided(c: Decide, state: Dispute, opened: DisputeOpened) -> Sequence[Event]:
    _in(state, "opened", "in_review", "info_requested")
    granted = c.amount is not None and c.amount != 0
    if granted == (c.outcome == "refused") or (granted and c.currency is None):
        raise Refused("dispute.amount-and-outcome", outcome=c.outcome)
    return [DisputeDecided(c.at, opened.person, c.outcome, c.amount, c.currency, _other(c.by, opened), c.reason)]


def evolve(state: Dispute, event: Event) -> Dispute:
    match event:
        case DisputeOpened():
            return Dispute(event, "opened", said=((event.person, event.text),))
        case ReviewBegun():
            return replace(state, stage="in_review")
        case InfoRequested():
            return replace(state, stage="info_requested", said=(*state.said, (event.by, event.text)))
        case InfoGiven():
            return replace(state, stage="in_review", said=(*state.said, (event.person, event.text)))
        case AnswerOverdue():
            return replace(state, overdue=True)
        case DisputeDecided():
            said = (*state.said, (event.by, event.reason))
            return replace(state, stage=event.outcome, decided=event, said=said)
        case DisputeClosed():
            return replace(state, stage="closed")
        case _:
            assert_never(event)


def adjustment_of(opened: DisputeOpened) -> str:
    """The id of the adjustment that a granted dispute posts."""
    return derived(opened.dispute_id, "adjustment")


def follow(event: Event, state: Dispute) -> Iterator[Step]:
    """The statement is no longer disputed, and what was granted is posted: in the same commit."""
    opened = state.opened
    if not isinstance(event, DisputeDecided) or opened is None:
        return
    settled = sheet.Settle(opened.dispute_id, event.at)
    yield Step(sheet.CATEGORY, sheet.key(opened.period, opened.person), settled)
    if event.amount and event.currency:
        name, about = adjustment_of(opened), opened.period
        asked = adjustment.Asked(name, opened.person, event.amount, event.currency, "dispute", about)
        yield Step(adjustment.CATEGORY, name, adjustment.Grant(asked, opened.dispute_id, event.by, event.at))


def timers(state: Dispute) -> Iterable[Due]:
    if state.opened is not None and state.stage in ("opened", "in_review", "info_requested") and not state.overdue:
        yield Due("overdue", state.opened.respond_by, Overdue(state.opened.respond_by))
    if state.decided is not None and state.stage != "closed":
        at = state.decided.at + CLOSE_AFTER
        yield Due("close", at, Close(at))


def publish(event: Event, state: Dispute) -> Sequence[Public]:
    opened = state.opened
    if not isinstance(event, DisputeDecided) or opened is None:
        return []
    told = DisputeResolved(
        dispute_id=opened.dispute_id,
        person=opened.person,
        period=opened.period,
        outcome=event.outcome,
        by=event.by,
        adjustment_id=adjustment_of(opened) if event.amount else None,
    )
    return [Public(told, event.at, opened.person)]
