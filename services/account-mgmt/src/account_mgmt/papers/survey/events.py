"""What happens to a survey. Who was asked and what they said is sealed; what it comes to is not personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from account_mgmt.papers.survey.score import Answer, Result
from belt.core.decider import Private
from conveyor_events.words import Seat


class Via(StrEnum):
    """How the contact person was asked, or answered."""

    PHONE = "phone"
    MAIL = "mail"
    IN_PERSON = "in_person"
    FORM = "form"


@dataclass(frozen=True)
class Contact:
    """The person at the client who is asked."""

    name: str
    position: str | None = None
    reach: str | None = None


@dataclass(frozen=True)
class Invited:
    """`valid_until` is half-open: from this instant on the invitation no longer holds."""

    at: datetime
    by: Seat
    survey_id: str
    client: str
    journey: str | None
    variant: str
    line: str
    survey_version: int
    weights: tuple[tuple[str, Decimal], ...]
    contact: Private[Contact | None]
    via: Via
    valid_until: datetime


@dataclass(frozen=True)
class ConsentGiven:
    at: datetime
    by: Seat
    via: Via


@dataclass(frozen=True)
class ConsentRefused:
    at: datetime
    by: Seat
    via: Via


@dataclass(frozen=True)
class ConsentWithdrawn:
    """From now on nobody sees who was asked, what was answered, or what it came to."""

    at: datetime
    by: Seat
    via: Via


@dataclass(frozen=True)
class Answered:
    at: datetime
    by: Seat
    client: str
    answers: Private[tuple[Answer, ...]]
    comment: Private[str | None]
    result: Result


@dataclass(frozen=True)
class Expired:
    at: datetime


Event = Invited | ConsentGiven | ConsentRefused | ConsentWithdrawn | Answered | Expired
EVENTS: tuple[type, ...] = (Invited, ConsentGiven, ConsentRefused, ConsentWithdrawn, Answered, Expired)
