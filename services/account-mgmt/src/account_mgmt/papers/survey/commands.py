"""What can be asked of a survey. Each command carries its time and who asks; the client itself has no token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from account_mgmt.papers.survey.events import Contact, Via
from account_mgmt.papers.survey.score import Answer


@dataclass(frozen=True)
class Invite:
    """A contact person of the client is asked to answer. `agreed`: they said yes at once."""

    at: datetime
    by: str
    survey_id: str
    client: str
    survey_version: int
    weights: tuple[tuple[str, Decimal], ...]
    contact: Contact
    via: Via
    agreed: bool
    valid_days: int


@dataclass(frozen=True)
class RecordConsent:
    """What the contact person says to the invitation."""

    at: datetime
    by: str
    agreed: bool
    via: Via


@dataclass(frozen=True)
class WithdrawConsent:
    """The contact person takes the consent back, before or after having answered."""

    at: datetime
    by: str
    via: Via


@dataclass(frozen=True)
class AnswerSurvey:
    """Once and for all. `comment`: in the contact person's own words."""

    at: datetime
    by: str
    answers: tuple[Answer, ...]
    recommend: int | None
    comment: str | None = None


@dataclass(frozen=True)
class Expire:
    """The invitation's last day is over."""

    at: datetime


Command = Invite | RecordConsent | WithdrawConsent | AnswerSurvey | Expire
