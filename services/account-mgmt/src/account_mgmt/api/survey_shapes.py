"""Surveys on the wire: what callers send, and what they are told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from account_mgmt.api.words import Counts, Holder
from account_mgmt.papers.survey import (
    Stage,
    Via,
)
from account_mgmt.papers.survey.text import LEAST, MOST, NEWEST
from account_mgmt.papers.texts import Language, Name
from belt.io.http.body import BaseBody, NewId, Strict, example
from conveyor_events.money import Amount

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Point = Annotated[int, Field(ge=LEAST, le=MOST)]


class ContactBody(Strict):
    """The person at the client who is asked. Personal: kept sealed."""

    name: ShortText
    position: ShortText | None = None
    reach: Annotated[ShortText | None, Field(description="a phone number or a mail address")] = None


class InviteBody(BaseBody):
    model_config = example(contact={"name": "Udo Kern", "reach": "+49 30 1234567"}, via="phone")

    survey_id: NewId = None
    contact: ContactBody
    via: Via
    agreed: Annotated[bool, Field(description="the contact person said yes at once")] = False
    valid_days: Annotated[int, Field(ge=1, le=365, description="the last day counts whole")] = 30
    survey_version: Annotated[int, Field(ge=1)] = NEWEST
    weights: Annotated[
        dict[Name, Amount], Field(max_length=20, description="of every group, 100 in all; default: the questionnaire's")
    ] = {}


class Consent(StrEnum):
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ConsentBody(BaseBody):
    consent: Consent
    via: Via


class ItemBody(Strict):
    expected: Point
    received: Point


class AnswersBody(BaseBody):
    """An item that was passed over is left out."""

    items: Annotated[dict[Name, ItemBody], Field(max_length=100)] = {}
    recommend: Annotated[int | None, Field(ge=0, le=10)] = None
    comment: Annotated[str | None, StringConstraints(min_length=1, max_length=2_000)] = None


class SurveyReply(BaseModel):
    survey_id: str
    client_id: str
    stage: Stage
    valid_until: datetime
    version: int


class GapTold(BaseModel):
    group: str
    weight: Amount
    gap: Annotated[Amount | None, Field(description="received minus expected")]


class ResultTold(BaseModel):
    answered: Annotated[int, Field(description="items of 15; under 12 nothing is scored")]
    total: Amount | None
    gaps: list[GapTold]
    recommend: int | None
    alert: bool
    alerts: Annotated[list[str], Field(description="total, group:<group>, recommend")]


class SurveyTold(BaseModel):
    """Without the right to know it neither the contact person nor the answers nor the comment."""

    survey_id: str
    client_id: str
    line: str
    stage: Stage
    survey_version: int
    asked_by: Holder
    via: Via
    invited_at: datetime
    agreed_at: datetime | None
    valid_until: datetime
    answered_at: datetime | None
    result: ResultTold | None
    contact: ContactBody | None = None
    items: dict[str, ItemBody] | None = None
    comment: str | None = None
    version: int


class SurveyRow(BaseModel):
    survey_id: str
    client_id: str
    line: str
    stage: Stage
    survey_version: int
    asked_by: str
    invited_at: datetime
    valid_until: datetime
    answered_at: datetime | None
    answered: int | None
    total: Amount | None
    gaps: list[GapTold] | None
    recommend: int | None
    alert: bool | None
    alerts: list[str] | None
    version: int


class SurveyList(BaseModel):
    items: list[SurveyRow]
    next: str | None
    counts: Counts = None


class TrendPoint(BaseModel):
    survey_id: str
    answered_at: datetime
    total: Amount | None
    gaps: list[GapTold]
    recommend: int | None


class Change(BaseModel):
    """The newest answers against those before."""

    total: Amount | None
    gaps: dict[str, Amount | None] | None
    recommend: int | None


class TrendTold(BaseModel):
    client_id: str
    points: Annotated[list[TrendPoint], Field(description="the newest first, 12 at most")]
    change: Change


class ItemTold(BaseModel):
    item: str
    text: str


class GroupTold(BaseModel):
    group: str
    title: str
    weight: Amount
    items: list[ItemTold]


class PointTold(BaseModel):
    value: int
    text: str


class QuestionnaireTold(BaseModel):
    language: Language
    version: int
    title: str
    about: str
    expected: str
    received: str
    recommend: str
    scale: list[PointTold]
    groups: list[GroupTold]
