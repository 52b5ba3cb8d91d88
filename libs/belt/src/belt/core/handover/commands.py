"""What can be asked of a handover. Each command carries its time and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from belt.core.handover.events import Mode
from conveyor_events.words import Seat


@dataclass(frozen=True)
class Offer:
    """To a person, or to the queue of the team (`to` None). In mode self the same person goes on: accepted at once.

    `role` is the seat that waits for the receiver. `due_at` None: no deadline runs (mode self, history).
    """

    at: datetime
    sender: Seat
    role: str
    to: str | None = None
    mode: Mode = "offer"
    attempt: int = 1
    due_at: datetime | None = None


@dataclass(frozen=True)
class Accept:
    """By the receiver, by a member of the team while it is queued, or by a manager, who may name whose it becomes."""

    at: datetime
    by: Seat
    to: str | None = None


@dataclass(frozen=True)
class Reject:
    at: datetime
    by: Seat
    reason: str


@dataclass(frozen=True)
class Withdraw:
    """A request of the sender: it loses against an acceptance."""

    at: datetime
    by: Seat
    reason: str | None = None


@dataclass(frozen=True)
class Expire:
    """The clock's command. Early or late makes no difference: what was due by `at` happens at its own instant."""

    at: datetime


@dataclass(frozen=True)
class Dispute:
    at: datetime
    by: Seat


@dataclass(frozen=True)
class Uphold:
    """A manager finds that the rejection was right."""

    at: datetime
    by: Seat


@dataclass(frozen=True)
class Overturn:
    """A manager finds that the rejection was wrong: accepted, by whoever rejected it or by the one that is named."""

    at: datetime
    by: Seat
    to: str | None = None


Command = Offer | Accept | Reject | Withdraw | Expire | Dispute | Uphold | Overturn

COMMANDS: tuple[type, ...] = (Offer, Accept, Reject, Withdraw, Expire, Dispute, Uphold, Overturn)
