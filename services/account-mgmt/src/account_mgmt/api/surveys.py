"""Surveys of service quality: the questions, who was asked, what they answered, and how it changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response
from sqlalchemy import select

from account_mgmt.api.languages import Accepted, Lang, chosen, spoken
from account_mgmt.api.sight import Seen
from account_mgmt.api.survey_shapes import (
    AnswersBody,
    Consent,
    ConsentBody,
    InviteBody,
    QuestionnaireTold,
    SurveyList,
    SurveyReply,
    SurveyTold,
    TrendTold,
)
from account_mgmt.api.words import Filter, Listing, disclosed
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
    WithdrawConsent,
    trend,
)
from account_mgmt.papers.survey.text import NEWEST, QUESTIONNAIRES, Questionnaire
from account_mgmt.papers.survey.views import SURVEYS_TABLE
from account_mgmt.papers.texts import Language
from belt.core.decider import Refused, Step
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import json_response
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conveyor_events.words import instant_text

TREND = 12
VersionWanted = Annotated[int | None, Query(ge=1, description="default: the newest")]
Alerting = Annotated[bool | None, Query(description="only those that raise an alert, or only those that do not")]


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
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
        return await desk.do(
            request,
            Step(CATEGORY, survey, command),
            body=body,
            reply=_reply(survey),
            created=True,
            guard=sights.account(request, client),
        )

    @doors.command("/v1/surveys/{survey}/consent", "accounts:write", reply=SurveyReply)
    async def record_consent(request: Request, survey: str, body: ConsentBody) -> Response:
        """What the contact person says: yes, no, or no longer. Withdrawn, the answers are seen by nobody."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        command: WithdrawConsent | RecordConsent = WithdrawConsent(at, by, body.via)
        if body.consent is not Consent.WITHDRAWN:
            command = RecordConsent(at, by, body.consent is Consent.AGREED, body.via)
        return await desk.do(
            request,
            Step(CATEGORY, survey, command),
            body=body,
            reply=_reply(survey),
            guard=sights.survey(request, survey),
        )

    @doors.command("/v1/surveys/{survey}/answers", "accounts:write", reply=SurveyReply)
    async def answer_survey(request: Request, survey: str, body: AnswersBody) -> Response:
        """The answers of whoever agreed, once."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        answers = tuple(Answer(item, said.expected, said.received) for item, said in body.items.items())
        command = AnswerSurvey(at, by, answers, body.recommend, body.comment)
        return await desk.do(
            request,
            Step(CATEGORY, survey, command),
            body=body,
            reply=_reply(survey),
            guard=sights.survey(request, survey),
        )

    @doors.query("/v1/surveys", "accounts:read", reply=SurveyList)
    async def list_surveys(
        request: Request,
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
        listing = listing.only(await sights.rows(request, SURVEYS_TABLE))
        return await listing.answer(desk, limit, cursor, (of.stage, stage), counts)

    @doors.query("/v1/surveys/{survey}", "accounts:read", reply=SurveyTold, versioned=True)
    async def get_survey(request: Request, survey: str) -> Response:
        """One survey as it stands."""
        sight = await sights.of_survey(request, survey)
        entry = await desk.state(CATEGORY, survey)
        private = sight.may("know")
        return await disclosed(desk, request, entry, _told(entry.state, private=private), private)

    @doors.query("/v1/accounts/{client}/surveys", "accounts:read", reply=TrendTold)
    async def get_trend(request: Request, client: str) -> Response:
        """What the client's surveys came to, and how the newest differs from the one before."""
        await sights.of_account(request, client)
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
