"""Self-tests: their texts for everybody, attempts and results for the person who made them and for nobody else.

Every door looks into the stream of the token's own person; no door, scope or filter names another one.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from account_mgmt.api.languages import Accepted, Lang, chosen, spoken
from account_mgmt.api.sight import Seen
from account_mgmt.api.words import Filter
from account_mgmt.papers.selftest import CATEGORY, Answer, AttemptMade, Attempts, Band, Score, TakeTest, profile
from account_mgmt.papers.selftest.text import LEAST, MOST, ORDER, SCALE, STATEMENTS, SelfTest, current, pinned
from account_mgmt.papers.texts import Language, Name
from belt.core.decider import Refused, Step
from belt.io.http.body import NewId, Strict
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import json_response
from belt.io.http.paging import Cursor, Limit, decode_cursor, page
from belt.io.ids import fresh
from belt.io.store.unit import Entry, Outcome
from conveyor_events.money import Amount
from conveyor_events.words import Instant

SCOPE = "self-tests"
Point = Annotated[int, Field(ge=LEAST, le=MOST)]
VersionWanted = Annotated[int | None, Query(ge=1, description="default: the newest")]
TestName = Annotated[str, Path(description=", ".join(ORDER))]


class AttemptBody(Strict):
    """Nobody answers for somebody else: there is no `by`."""

    occurred_at: Annotated[Instant | None, Field(description="a past one needs the scope `backdate`")] = None
    attempt_id: NewId = None
    version: Annotated[int, Field(ge=1, description="the version of the text that was read")]
    answers: Annotated[
        dict[Name, Point], Field(max_length=STATEMENTS, description="each statement of the test: 1 to 5")
    ]


class AttemptReply(BaseModel):
    """The result is not in it: look at the attempt."""

    attempt_id: str
    test: str
    test_version: int
    retake_on: date
    version: Annotated[int, Field(description="of the person's attempts")]


class TestRow(BaseModel):
    test: str
    version: int
    title: str
    about: str


class TestList(BaseModel):
    language: Language
    items: list[TestRow]


class StatementTold(BaseModel):
    statement: str
    text: str


class PointTold(BaseModel):
    value: int
    text: str


class TestTold(TestRow):
    language: Language
    question: str
    scale: list[PointTold]
    statements: list[StatementTold]


class ResultTold(BaseModel):
    raw: Annotated[int, Field(description="10 to 50")]
    score: Annotated[Amount, Field(description="0.00 to 100.00")]
    band: Annotated[Band, Field(description="low below 40, middle from 40, high from 70")]
    flags: Annotated[list[str], Field(description="straight_line: every statement got the same answer")]


class AttemptRow(BaseModel):
    attempt_id: str
    test: str
    test_version: int
    taken_at: datetime
    retake_on: Annotated[date, Field(description="the first day on which the test may be taken again")]
    result: Annotated[ResultTold | None, Field(description="none once personal data were erased")]


class AttemptTold(AttemptRow):
    answers: dict[str, int]


class AttemptList(BaseModel):
    items: list[AttemptRow]
    next: str | None


class DirectionTold(BaseModel):
    test: str
    title: str
    score: Amount | None
    band: Band | None
    band_name: str | None
    flags: list[str]
    change: Annotated[Amount | None, Field(description="against the attempt before")]
    taken_at: datetime | None
    test_version: int | None
    retake_on: date | None


class ProfileTold(BaseModel):
    language: Language
    items: Annotated[list[DirectionTold], Field(description="the ten tests, in their order")]
    taken: int
    mean: Annotated[Amount | None, Field(description="over the tests that were taken")]


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    async def mine(request: Request) -> Entry:
        """The caller's own attempts."""
        person = desk.subject(request).person
        await sights.of_attempts(request, person)
        return await desk.state(CATEGORY, person)

    @doors.query("/v1/self-tests", SCOPE, reply=TestList)
    async def list_self_tests(lang: Lang = None, accept_language: Accepted = None) -> Response:
        """The ten tests, in the order of a sale."""
        language = chosen(lang, accept_language)
        return spoken(language, {"items": [_row(text, language) for name in ORDER if (text := current(name))]})

    @doors.query("/v1/self-tests/{test}", SCOPE, reply=TestTold)
    async def get_self_test(
        test: TestName, version: VersionWanted = None, lang: Lang = None, accept_language: Accepted = None
    ) -> Response:
        """One test: its statements, and what the points mean."""
        text = current(test) if version is None else pinned(test, version)
        if text is None:
            raise Refused("self-test.unknown")
        language = chosen(lang, accept_language)
        return spoken(language, _test(text, language))

    @doors.command("/v1/self-tests/{test}/attempts", SCOPE, reply=AttemptReply, status=201)
    async def take_self_test(request: Request, test: str, body: AttemptBody) -> Response:
        """Hands in the answers to all ten statements. If-Match speaks of the person's attempts."""
        subject = desk.subject(request)
        attempt = body.attempt_id or fresh()
        command = TakeTest(
            desk.when(subject, body.occurred_at),
            subject.person,
            attempt,
            test,
            body.version,
            tuple(Answer(statement, value) for statement, value in body.answers.items()),
            desk.settings.zone,
        )

        def reply(outcome: Outcome) -> dict[str, Any]:
            attempts: Attempts = outcome.state(f"{CATEGORY}-{subject.person}")
            made = attempts.attempt(attempt)
            retake_on = made.retake_on.isoformat() if made else None
            return {"attempt_id": attempt, "test": test, "test_version": body.version, "retake_on": retake_on}

        return await desk.do(
            request,
            Step(CATEGORY, subject.person, command),
            body=body,
            reply=reply,
            created=True,
            guard=sights.attempts(request, subject.person),
        )

    @doors.query("/v1/self-test-attempts", SCOPE, reply=AttemptList)
    async def list_my_attempts(
        request: Request, test: Filter = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Response:
        """The caller's own attempts, the newest first; of one test."""
        attempts: Attempts = (await mine(request)).state
        before = len(attempts.taken) if cursor is None else decode_cursor(cursor, int)[0]
        rows = [
            (number, made)
            for number, made in enumerate(attempts.taken)
            if number < before and test in (None, made.test)
        ]
        found, following = page(rows[::-1][: limit + 1], limit, lambda row: [row[0]])
        return json_response({"items": [_attempt(made) for _, made in found], "next": following})

    @doors.query("/v1/self-test-attempts/{attempt}", SCOPE, reply=AttemptTold)
    async def get_my_attempt(request: Request, attempt: str) -> Response:
        """One of the caller's own attempts, with its answers."""
        attempts: Attempts = (await mine(request)).state
        made = attempts.attempt(attempt)
        if made is None:
            raise Refused("attempt.unknown")
        answers = {answer.statement: answer.value for answer in made.answers}
        return json_response({**_attempt(made), "answers": answers})

    @doors.query("/v1/self-test-profile", SCOPE, reply=ProfileTold)
    async def get_my_profile(request: Request, lang: Lang = None, accept_language: Accepted = None) -> Response:
        """The caller's newest score in each of the ten tests, as numbers for a radar."""
        language = chosen(lang, accept_language)
        return spoken(language, _profile((await mine(request)).state, language))


def _row(text: SelfTest, language: Language) -> dict[str, Any]:
    return {
        "test": text.test,
        "version": text.version,
        "title": text.title.within(language),
        "about": text.about.within(language),
    }


def _test(text: SelfTest, language: Language) -> dict[str, Any]:
    """Which statements are reversed is not said: whoever knows it answers differently."""
    return {
        **_row(text, language),
        "question": SCALE.question.within(language),
        "scale": [{"value": value, "text": point.within(language)} for value, point in SCALE.points.items()],
        "statements": [{"statement": one.id, "text": one.within(language)} for one in text.statements],
    }


def _result(result: Score | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {"raw": result.raw, "score": result.score, "band": result.band, "flags": result.flags}


def _attempt(made: AttemptMade) -> dict[str, Any]:
    return {
        "attempt_id": made.attempt_id,
        "test": made.test,
        "test_version": made.version,
        "taken_at": made.at,
        "retake_on": made.retake_on,
        "result": _result(made.result),
    }


def _profile(attempts: Attempts, language: Language) -> dict[str, Any]:
    seen = profile(attempts)
    items = []
    for one in seen.directions:
        text, last = current(one.test), one.last
        result = last.result if last else None
        items.append(
            {
                "test": one.test,
                "title": text.title.within(language) if text else one.test,
                "score": result.score if result else None,
                "band": result.band if result else None,
                "band_name": getattr(SCALE.bands, result.band).within(language) if result else None,
                "flags": result.flags if result else (),
                "change": one.change,
                "taken_at": last.at if last else None,
                "test_version": last.version if last else None,
                "retake_on": last.retake_on if last else None,
            }
        )
    return {"items": items, "taken": sum(one.last is not None for one in seen.directions), "mean": seen.mean}
