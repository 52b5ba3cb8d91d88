"""The state of a handover, as its events make it, and the due instant that stands in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Literal, assert_never

from belt.core.decider import Due
from belt.core.handover.commands import Expire
from belt.core.handover.events import (
    Accepted,
    Disputed,
    Escalated,
    Event,
    Expired,
    Offered,
    Overturned,
    Rejected,
    Rerouted,
    Upheld,
    Withdrawn,
)
from belt.core.replacing import replace
from conveyor_events.words import Seat

Stage = Literal["none", "offered", "expired", "escalated", "accepted", "rejected", "withdrawn", "disputed", "upheld"]
UNDECIDED = frozenset({"offered", "expired", "escalated", "disputed"})
"""Stages in which somebody still has to say something."""


@dataclass(frozen=True)
class Handover:
    """What decisions need. `to` is who is asked now (None: the queue of the team), `asked` who was asked so far."""

    stage: Stage = "none"
    offered: Offered | None = None
    to: Seat | None = None
    due_at: datetime | None = None
    reroutes: int = 0
    asked: tuple[str, ...] = ()
    accepted: Accepted | None = None
    rejected: Rejected | None = None
    last_by: str | None = None

    @property
    def open(self) -> bool:
        return self.stage in ("offered", "escalated")

    @property
    def owner(self) -> Seat | None:
        """Who answers for the work: the receiver while it is open (None: the team), then the keeper or the sender."""
        if self.open:
            return self.to
        if self.accepted:
            return self.accepted.to
        return self.offered.sender if self.offered else None


def evolve(handover: Handover, event: Event) -> Handover:
    match event:
        case Offered(to=to, due_at=due):
            return Handover("offered", event, to, due, asked=(to.person,) if to else ())
        case Accepted():
            return replace(handover, stage="accepted", due_at=None, accepted=event)
        case Rejected():
            return replace(handover, stage="rejected", due_at=None, rejected=event)
        case Expired():
            return replace(handover, stage="expired", due_at=None)
        case Rerouted(to=to, reroutes=n, due_at=due):
            asked = (*handover.asked, to.person)
            return replace(handover, stage="offered", to=to, due_at=due, reroutes=n, asked=asked)
        case Escalated(to=manager):
            to = Seat(person=manager, role="manager") if manager else None
            return replace(handover, stage="escalated", to=to)
        case Withdrawn(by=by):
            return replace(handover, stage="withdrawn", due_at=None, last_by=by.person)
        case Disputed(by=by):
            return replace(handover, stage="disputed", last_by=by.person)
        case Upheld(by=by):
            return replace(handover, stage="upheld", last_by=by.person)
        case Overturned(by=by):
            return replace(handover, last_by=by.person)
        case _:
            assert_never(event)


def fold(handover: Handover, events: Iterable[Event]) -> Handover:
    return reduce(evolve, events, handover)


def timers(handover: Handover) -> list[Due]:
    """The due instant that stands, if any: a stream adds this to its own."""
    if not handover.open or handover.due_at is None:
        return []
    return [Due("expire", handover.due_at, Expire(handover.due_at))]
