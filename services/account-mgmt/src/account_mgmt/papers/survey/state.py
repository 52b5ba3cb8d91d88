"""How a survey stands: whether somebody agreed, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from account_mgmt.papers.survey.events import (
    Answered,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Event,
    Expired,
    Invited,
)
from belt.core.replacing import replace


class Stage(StrEnum):
    NONE = "none"
    INVITED = "invited"  # asked, and has not said yes or no
    AGREED = "agreed"
    ANSWERED = "answered"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Survey:
    """`agreed_at`: since when the contact person's consent stands; None if it does not."""

    stage: Stage = Stage.NONE
    invited: Invited | None = None
    agreed_at: datetime | None = None
    answered: Answered | None = None


def evolve(survey: Survey, event: Event) -> Survey:
    match event:
        case Invited():
            return replace(survey, stage=Stage.INVITED, invited=event)
        case ConsentGiven(at=at):
            return replace(survey, stage=Stage.AGREED, agreed_at=at)
        case ConsentRefused():
            return _forgotten(survey, Stage.DECLINED)
        case ConsentWithdrawn():
            return _forgotten(survey, Stage.WITHDRAWN)
        case Answered():
            return replace(survey, stage=Stage.ANSWERED, answered=event)
        case Expired():
            return replace(survey, stage=Stage.EXPIRED)
        case _:
            assert_never(event)


def _forgotten(survey: Survey, stage: Stage) -> Survey:
    """Without the person's consent neither they nor their answers are known here."""
    asked = replace(survey.invited, contact=None) if survey.invited else None
    return Survey(stage, asked)
