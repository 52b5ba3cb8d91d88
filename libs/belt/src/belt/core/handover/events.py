"""What happens to a handover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from conveyor_events.words import Seat

Mode = Literal["offer", "self"]


@dataclass(frozen=True)
class Offered:
    at: datetime
    sender: Seat
    role: str
    to: Seat | None
    mode: Mode
    attempt: int
    due_at: datetime | None


@dataclass(frozen=True)
class Accepted:
    """`to` holds the work from now on; `by` said so."""

    at: datetime
    by: Seat
    to: Seat
    mode: Literal["self", "accepted", "overturned"]


@dataclass(frozen=True)
class Rejected:
    at: datetime
    by: Seat
    reason: str
    dispute_until: datetime


@dataclass(frozen=True)
class Expired:
    """`to` did not answer by `at`, which is the due instant however late it was noticed."""

    at: datetime
    to: Seat | None


@dataclass(frozen=True)
class Rerouted:
    at: datetime
    to: Seat
    reroutes: int
    due_at: datetime


@dataclass(frozen=True)
class Escalated:
    """Nobody is left to ask: it is a manager's now (None: it waits in the queue), and no deadline runs."""

    at: datetime
    to: str | None


@dataclass(frozen=True)
class Withdrawn:
    at: datetime
    by: Seat
    reason: str | None


@dataclass(frozen=True)
class Disputed:
    at: datetime
    by: Seat


@dataclass(frozen=True)
class Upheld:
    at: datetime
    by: Seat


@dataclass(frozen=True)
class Overturned:
    at: datetime
    by: Seat


Event = Offered | Accepted | Rejected | Expired | Rerouted | Escalated | Withdrawn | Disputed | Upheld | Overturned

EVENTS: tuple[type, ...] = (
    Offered,
    Accepted,
    Rejected,
    Expired,
    Rerouted,
    Escalated,
    Withdrawn,
    Disputed,
    Upheld,
    Overturned,
)
