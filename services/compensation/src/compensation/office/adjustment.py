"""The stream of one amount beside the rules: proposed → approved by another person → posted; or rejected.

Nobody adjusts their own pay, and nobody approves what they proposed. A dispute that was accepted posts one, too: asked
for by the person it is paid to, granted by whoever decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from belt.core.decider import Public, Refused
from conveyor_events import HOUSE
from conveyor_events.pay import AdjustmentPosted as ToldPosted

CATEGORY = "adjustment"


@dataclass(frozen=True)
class Asked:
    """What is to be paid, or taken: `reason` is a code."""

    adjustment_id: str
    person: str
    amount: Decimal
    currency: str
    reason: str
    relates_to: str | None = None


@dataclass(frozen=True)
class Propose:
    asked: Asked
    by: str
    at: datetime


@dataclass(frozen=True)
class Approve:
    by: str
    at: datetime


@dataclass(frozen=True)
class Reject:
    by: str
    at: datetime


@dataclass(frozen=True)
class Grant:
    """Posted at once, for a dispute that was decided."""

    asked: Asked
    dispute_id: str
    by: str
    at: datetime


Command = Propose | Approve | Reject | Grant


@dataclass(frozen=True)
class AdjustmentProposed:
    at: datetime
    asked: Asked
    by: str
    dispute_id: str | None = None


@dataclass(frozen=True)
class AdjustmentPosted:
    at: datetime
    by: str


@dataclass(frozen=True)
class AdjustmentRejected:
    at: datetime
    by: str


Event = AdjustmentProposed | AdjustmentPosted | AdjustmentRejected
EVENTS = (AdjustmentProposed, AdjustmentPosted, AdjustmentRejected)


@dataclass(frozen=True)
class Adjustment:
    proposed: AdjustmentProposed | None = None
    stage: str = "none"


def decide(command: Command, state: Adjustment) -> Sequence[Event]:
    c = command
    match c:
        case Propose():
            if c.by == c.asked.person:
                raise Refused("adjustment.own")
            if state.proposed is not None:
                if state.proposed.asked == c.asked:
                    return []
                raise Refused("adjustment.id-taken", adjustment_id=c.asked.adjustment_id)
            if c.asked.person == HOUSE:
                raise Refused("person.reserved", person=HOUSE)
            return [AdjustmentProposed(c.at, c.asked, c.by)]
        case Grant():
            if state.proposed is not None:
                return []
            asked = AdjustmentProposed(c.at, c.asked, c.asked.person, c.dispute_id)
            return [asked, AdjustmentPosted(c.at, c.by)]
        case Approve() | Reject():
            return _answered(c, state)
        case _:
            assert_never(c)


def _answered(c: Approve | Reject, state: Adjustment) -> Sequence[Event]:
    if state.proposed is None:
        raise Refused("adjustment.unknown")
    wanted = "posted" if isinstance(c, Approve) else "rejected"
    if state.stage == wanted:
        return []
    if state.stage != "proposed":
        raise Refused("adjustment.decided", stage=state.stage)
    if isinstance(c, Reject):
        return [AdjustmentRejected(c.at, c.by)]
    if c.by in (state.proposed.by, state.proposed.asked.person):
        raise Refused("adjustment.own")
    return [AdjustmentPosted(c.at, c.by)]


def evolve(state: Adjustment, event: Event) -> Adjustment:
    match event:
        case AdjustmentProposed():
            return Adjustment(event, "proposed")
        case AdjustmentPosted():
            return replace(state, stage="posted")
        case AdjustmentRejected():
            return replace(state, stage="rejected")
        case _:
            assert_never(event)


def publish(event: Event, state: Adjustment) -> Sequence[Public]:
    if not isinstance(event, AdjustmentPosted) or state.proposed is None:
        return []
    asked = state.proposed.asked
    told = ToldPosted(
        adjustment_id=asked.adjustment_id,
        person=asked.person,
        amount=asked.amount,
        currency=asked.currency,
        relates_to=asked.relates_to,
        reason=asked.reason,
        asked_by=state.proposed.by,
        approved_by=event.by,
        dispute_id=state.proposed.dispute_id,
    )
    return [Public(told, event.at, asked.person)]
