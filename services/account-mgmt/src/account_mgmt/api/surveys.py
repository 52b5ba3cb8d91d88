"""Surveys of service quality: the questions, who was asked, what they answered, and how it changes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select

from account_mgmt.account import CATEGORY as ACCOUNT
from account_mgmt.account import Status
from account_mgmt.api.languages import Accepted, Lang, chosen, spoken
from account_mgmt.api.words import Counts, Filter, Holder, Listing, shown
from account_mgmt.papers.survey import (
    CATEGORY,
    Answer,
    AnswerSurvey,
    Contact,
    Invite,
    RecordConsent,
    Stage,
    Survey,
    Trend,
    Via,
    WithdrawConsent,
    trend,
)
from account_mgmt.papers.survey.text import LEAST, MOST, NEWEST, QUESTIONNAIRES, Questionnaire
from account_mgmt.papers.survey.views import SURVEYS_TABLE
from account_mgmt.papers.texts import Language, Name
from belt.core.decider import Refused, Step
from belt.io.body import BaseBody, GivenId, Strict
from belt.io.desk import Desk
from belt.io.doors import Doors
from belt.io.headers import json_response
from belt.io.ids import fresh
from belt.io.paging import Cursor, Limit
from belt.io.unit import Outcome
from conveyor_events.money import Amount
from conveyor_events.words import instant_text

TREND = 12
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Point = Annotated[int, Field(ge=LEAST, le=MOST)]
VersionWanted = Annotated[int | None, Query(ge=1, description="default: the newest")]
Alerting = Annotated[bool | None, Query(description="only those that raise an alert, or only those that do not")]


class ContactBody(Strict):
    """The person at the client who is asked. Personal: kept sealed."""

    name: ShortText
    position: ShortText | None = None
    reach: Annotated[ShortText | None, Field(description="a phone number or a mail address")] = None


class InviteBody(BaseBody):
    survey_id: GivenId | None = None
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
    """Without the scope pii:read neither the contact person nor the answers nor the comment."""

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


def doors(doors: Doors, desk: Desk) -> None:
    @doors.query("/v1/questionnaire", "accounts:read", reply=QuestionnaireTold)
    async def get_questionnaire(
        version: VersionWanted = None, lang: Lang = None, accept_language: Accepted = None
    ) -> Response:
        """The questions about service quality."""
        text = QUESTIONNAIRES.get(NEWEST if version is None else version)
        if text is None:
            raise Refused("survey.version-unknown", newest=NEWEST)
        language = chosen(lang, accept_language)
        return spoken(language, _questions(text, language))

    @doors.command("/v1/accounts/{client}/surveys", "accounts:write", reply=SurveyReply, status=201)
    async def invite_to_survey(request: Request, client: str, body: InviteBody) -> Response:
        """A contact person of the client is asked to answer; If-Match speaks of the survey."""
        subject = desk.subject(request)
        survey = body.survey_id or fresh()
        command = Invite(
            desk.when(subject, body.occurred_at),
            desk.who(subject, body.by),
            survey,
            client,
            body.survey_version,
            tuple(body.weights.items()),
            Contact(body.contact.name, body.contact.position, body.contact.reach),
            body.via,
            body.agreed,
            body.valid_days,
        )
        return await desk.do(request, Step(CATEGORY, survey, command), body=body, reply=_reply(survey), created=True)

    @doors.command("/v1/surveys/{survey}/consent", "accounts:write", reply=SurveyReply)
    async def record_consent(request: Request, survey: str, body: ConsentBody) -> Response:
        """What the contact person says: yes, no, or no longer. Withdrawn, the answers are seen by nobody."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        command: WithdrawConsent | RecordConsent = WithdrawConsent(at, by, body.via)
        if body.consent is not Consent.WITHDRAWN:
            command = RecordConsent(at, by, body.consent is Consent.AGREED, body.via)
        return await desk.do(request, Step(CATEGORY, survey, command), body=body, reply=_reply(survey))

    @doors.command("/v1/surveys/{survey}/answers", "accounts:write", reply=SurveyReply)
    async def answer_survey(request: Request, survey: str, body: AnswersBody) -> Response:
        """The answers of whoever agreed, once."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        answers = tuple(Answer(item, said.expected, said.received) for item, said in body.items.items())
        command = AnswerSurvey(at, by, answers, body.recommend, body.comment)
        return await desk.do(request, Step(CATEGORY, survey, command), body=body, reply=_reply(survey))

    @doors.query("/v1/surveys", "accounts:read", reply=SurveyList)
    async def list_surveys(
        client: Filter = None,
        line: Filter = None,
        stage: Filter = None,
        asked_by: Filter = None,
        alert: Alerting = None,
        counts: bool = False,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Surveys by id; of a client, of a line, in a stage, of who asked, with an alert."""
        of = SURVEYS_TABLE.c
        listing = Listing(SURVEYS_TABLE, of.survey_id)
        listing = listing.equal((of.client_id, client), (of.line, line), (of.asked_by, asked_by))
        listing = listing if alert is None else listing.only(of.alert.is_(alert))
        return await listing.answer(desk, limit, cursor, (of.stage, stage), counts)

    @doors.query("/v1/surveys/{survey}", "accounts:read", reply=SurveyTold)
    async def get_survey(request: Request, survey: str) -> Response:
        """One survey as it stands."""
        entry = await desk.state(CATEGORY, survey)
        return shown(entry, _told(entry.state, private=desk.subject(request).may("pii:read")))

    @doors.query("/v1/accounts/{client}/surveys", "accounts:read", reply=TrendTold)
    async def get_trend(client: str) -> Response:
        """What the client's surveys came to, and how the newest differs from the one before."""
        if (await desk.state(ACCOUNT, client)).state.status is Status.NONE:
            raise Refused("account.unknown")
        of = SURVEYS_TABLE.c
        newest = (
            select(of.survey_id, of.answered_at, of.total, of.gaps, of.recommend)
            .where(of.client_id == client, of.stage == Stage.ANSWERED.value)
            .order_by(of.answered_at.desc(), of.survey_id.desc())
            .limit(TREND)
        )
        points = [dict(row) for row in await desk.rows(newest)]
        return json_response({"client_id": client, "points": points, "change": _change(trend(points))})


def _reply(survey: str) -> Any:
    def reply(outcome: Outcome) -> dict[str, Any]:
        state: Survey = outcome.state(f"{CATEGORY}-{survey}")
        about = state.invited
        return {
            "survey_id": survey,
            "client_id": about.client if about else None,
            "stage": state.stage,
            "valid_until": instant_text(about.valid_until) if about else None,
        }

    return reply


def _change(change: Trend) -> dict[str, Any]:
    return {"total": change.total, "gaps": change.gaps, "recommend": change.recommend}


def _told(survey: Survey, *, private: bool) -> dict[str, Any]:
    about, given = survey.invited, survey.answered
    if about is None:
        raise Refused("survey.unknown")
    told = {
        "survey_id": about.survey_id,
        "client_id": about.client,
        "line": about.line,
        "stage": survey.stage,
        "survey_version": about.survey_version,
        "asked_by": about.by,
        "via": about.via,
        "invited_at": about.at,
        "agreed_at": survey.agreed_at,
        "valid_until": about.valid_until,
        "answered_at": given.at if given else None,
        "result": None,
    }
    if given is not None:
        gaps = [{"group": one.group, "weight": one.weight, "gap": one.gap} for one in given.result.gaps]
        told["result"] = {
            "answered": given.result.answered,
            "total": given.result.total,
            "gaps": gaps,
            "recommend": given.result.recommend,
            "alert": given.result.alert,
            "alerts": given.result.alerts,
        }
    return {**told, **_private(survey)} if private else told


def _private(survey: Survey) -> dict[str, Any]:
    asked = survey.invited.contact if survey.invited else None
    given = survey.answered
    items = {one.item: {"expected": one.expected, "received": one.received} for one in given.answers} if given else None
    return {
        "contact": {"name": asked.name, "position": asked.position, "reach": asked.reach} if asked else None,
        "items": items,
        "comment": given.comment if given else None,
    }


def _questions(text: Questionnaire, language: Language) -> dict[str, Any]:
    return {
        "version": text.version,
        "title": text.title.within(language),
        "about": text.about.within(language),
        "expected": text.expected.within(language),
        "received": text.received.within(language),
        "recommend": text.recommend.within(language),
        "scale": [{"value": value, "text": point.within(language)} for value, point in text.points.items()],
        "groups": [
            {
                "group": group.group,
                "title": group.title.within(language),
                "weight": group.weight,
                "items": [{"item": item.id, "text": item.within(language)} for item in group.items],
            }
            for group in text.groups
        ],
    }
