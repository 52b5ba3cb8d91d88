"""The doors of the questionnaire, over the real app on real PostgreSQL."""

import asyncio
from collections import Counter as Count
from datetime import timedelta
from typing import Any

import pytest
from account_desk import Counter
from account_story import CLIENT, DAY, LINE, WON

from belt.io.store.timers import Ticker
from conveyor_events.scopes import ROLES
from conveyor_events.words import instant_text

ASK = f"/v1/accounts/{CLIENT}/surveys"
SURVEY = "/v1/surveys/s1"
NAME, REACH, COMMENT, POSITION = "Erika Weber", "+49 30 1234567", "Mr Klein never calls back", "head of purchasing"
ASKED: dict[str, Any] = {
    "survey_id": "s1",
    "contact": {"name": NAME, "position": POSITION, "reach": REACH},
    "via": "phone",
}
GROUPS = ("promises", "speed", "competence", "care", "materials")
EXAMPLE = {f"{group}_{n}": {"expected": 6, "received": 6} for group in GROUPS for n in (1, 2, 3)}
for _item in ("promises_1", "promises_2", "promises_3", "competence_1", "competence_2", "competence_3"):
    EXAMPLE[_item] = {"expected": 7, "received": 6}
EXAMPLE["materials_1"] = {"expected": 5, "received": 6}
del EXAMPLE["materials_3"]
ANSWERS = {"items": EXAMPLE, "recommend": 8, "comment": COMMENT}
GAPS = {"promises": "-1.00", "speed": "0.00", "competence": "-1.00", "care": "0.00", "materials": "0.50"}


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["code"]
    return found


async def agreed(counter: Counter, **more: Any) -> None:
    answer = await counter.post(ASK, ASKED | {"agreed": True} | more)
    assert (answer.status_code, answer.json()["stage"]) == (201, "agreed"), answer.text


async def test_the_questions_are_shown_in_the_readers_language(counter: Counter) -> None:
    shown = (await counter.get("/v1/questionnaire")).json()
    assert (shown["language"], shown["version"], len(shown["groups"])) == ("en", 1, 5)
    assert [(group["group"], group["weight"], len(group["items"])) for group in shown["groups"]] == [
        ("promises", "30", 3),
        ("speed", "25", 3),
        ("competence", "20", 3),
        ("care", "15", 3),
        ("materials", "10", 3),
    ]
    russian = await counter.get("/v1/questionnaire", lang="ru")
    assert (russian.headers["content-language"], russian.json()["title"]) == ("ru", "Качество обслуживания")
    assert code(await counter.get("/v1/questionnaire", version=9)) == "survey.version-unknown"


async def test_the_main_way_from_the_question_to_minus_0_45(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    before = await counter.told()
    asked = await counter.post(ASK, ASKED)
    assert (asked.status_code, asked.headers["etag"]) == (201, '"1"')
    until = "2026-04-09T22:00:00.000000Z"  # the 30th day counts whole, in Berlin
    told = {"survey_id": "s1", "client_id": CLIENT, "stage": "invited", "valid_until": until, "version": 1}
    assert asked.json() == told
    assert code(await counter.post(f"{SURVEY}/answers", ANSWERS)) == "survey.no-consent"
    yes = await counter.post(f"{SURVEY}/consent", {"consent": "agreed", "via": "mail"})
    assert (yes.status_code, yes.json()["stage"]) == (200, "agreed")
    given = await counter.post(f"{SURVEY}/answers", ANSWERS)
    assert (given.status_code, given.json()["stage"]) == (200, "answered")

    shown = (await counter.get(SURVEY)).json()
    result = shown["result"]
    assert (result["total"], result["answered"], result["recommend"], result["alert"]) == ("-0.45", 14, 8, False)
    assert {gap["group"]: gap["gap"] for gap in result["gaps"]} == GAPS
    assert (shown["contact"]["name"], shown["comment"], shown["items"]) == (NAME, COMMENT, EXAMPLE)
    assert (await counter.told())[len(before) :] == ["SurveyAnswered"]
    (public,) = await counter.query("select value::text from published where attributes::text like '%SurveyAnswered%'")
    assert '"total":"-0.45"' in public[0].replace(" ", "")


async def test_a_survey_is_answered_once(counter: Counter) -> None:
    await counter.begins()
    await agreed(counter)
    answers = await asyncio.gather(
        *(counter.post(f"{SURVEY}/answers", ANSWERS | {"recommend": number}) for number in range(7, 11))
    )
    assert Count(answer.status_code for answer in answers) == {200: 1, 409: 3}
    assert (await counter.told()).count("SurveyAnswered") == 1
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert code(refused) == "survey.answered-already"


async def test_a_low_score_puts_the_account_at_risk_and_a_good_one_does_not(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    for survey, recommend, stage in (("s1", 7, "buyer"), ("s2", 6, "at_risk"), ("s3", 0, "at_risk")):
        await agreed(counter, survey_id=survey)
        answer = await counter.post(f"/v1/surveys/{survey}/answers", ANSWERS | {"recommend": recommend})
        assert answer.status_code == 200
        assert (await counter.get(f"/v1/accounts/{CLIENT}")).json()["stage"] == stage
    (row,) = (await counter.get("/v1/accounts", stage="at_risk")).json()["items"]
    assert row["client_id"] == CLIENT


async def test_a_low_score_of_a_client_that_nobody_serves_yet_is_kept_all_the_same(counter: Counter) -> None:
    await counter.begins()
    await agreed(counter)
    assert (await counter.post(f"{SURVEY}/answers", ANSWERS | {"recommend": 0})).status_code == 200
    assert (await counter.get(f"/v1/accounts/{CLIENT}")).json()["stage"] == "awaiting"


async def test_an_invitation_ends_by_the_clock(counter: Counter) -> None:
    await counter.begins()
    await agreed(counter, valid_days=1)
    ticker: Ticker = counter.parts.ticker
    await ticker.drive(counter.clock, WON + 2 * DAY)
    assert (await counter.get(SURVEY)).json()["stage"] == "expired"
    late = await counter.post(f"{SURVEY}/answers", ANSWERS)
    assert (late.status_code, code(late)) == (409, "survey.expired")
    in_time = ANSWERS | {"occurred_at": instant_text(WON + timedelta(hours=1)), "by": "clara"}
    assert (await counter.post(f"{SURVEY}/answers", in_time, by="integration")).status_code == 200


async def test_an_answer_that_comes_before_the_ticker_says_itself_that_it_is_too_late(counter: Counter) -> None:
    await counter.begins()
    await agreed(counter, valid_days=1)
    counter.clock.set(WON + 2 * DAY)
    assert code(await counter.post(f"{SURVEY}/answers", ANSWERS)) == "survey.expired"
    assert (await counter.get(SURVEY)).json()["stage"] == "expired"


async def test_withdrawn_consent_hides_the_answers_from_everybody(counter: Counter) -> None:
    await counter.begins()
    await agreed(counter)
    await counter.post(f"{SURVEY}/answers", ANSWERS)
    gone = await counter.post(f"{SURVEY}/consent", {"consent": "withdrawn", "via": "mail"})
    assert (gone.status_code, gone.json()["stage"]) == (200, "withdrawn")
    shown = (await counter.get(SURVEY)).json()
    assert (shown["stage"], shown["result"], shown["contact"], shown["items"], shown["comment"]) == (
        "withdrawn",
        None,
        None,
        None,
        None,
    )
    (row,) = (await counter.get("/v1/surveys", client=CLIENT)).json()["items"]
    assert {row[name] for name in ("total", "recommend", "alert", "answered_at", "answered")} == {None}
    assert (await counter.get(ASK)).json()["points"] == []
    assert code(await counter.post(f"{SURVEY}/answers", ANSWERS)) == "survey.no-consent"


async def test_whoever_declines_is_not_known_any_more(counter: Counter) -> None:
    await counter.begins()
    await counter.post(ASK, ASKED)
    assert (await counter.get(SURVEY)).json()["contact"]["name"] == NAME
    no = await counter.post(f"{SURVEY}/consent", {"consent": "declined", "via": "phone"})
    assert no.json()["stage"] == "declined"
    assert (await counter.get(SURVEY)).json()["contact"] is None


async def test_who_was_asked_and_what_they_said_is_sealed_and_shown_with_pii_read_only(counter: Counter) -> None:
    await counter.begins()
    await agreed(counter)
    given = await counter.post(f"{SURVEY}/answers", ANSWERS, key="once")
    for word in (NAME, REACH, COMMENT, POSITION):
        assert word not in given.text
        for table in ("events", "published", "commands", "surveys"):
            assert all(word not in str(row) for row in await counter.query(f"select t::text from {table} t")), table
    for table in ("events", "published", "commands", "surveys"):
        assert all("promises_1" not in str(row) for row in await counter.query(f"select t::text from {table} t"))
    shown = (await counter.get(SURVEY, by="integration")).json()
    assert not {"contact", "items", "comment"} & {name for name, value in shown.items() if value is not None}
    assert shown["result"]["total"] == "-0.45", "what it came to is not personal"


async def test_surveys_are_listed_and_their_trend_is_told(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    assert (await counter.get(ASK)).json() == {
        "client_id": CLIENT,
        "points": [],
        "change": {"total": None, "gaps": None, "recommend": None},
    }
    for number, recommend in enumerate((9, 5, 8), 1):
        counter.clock.set(WON + number * DAY)
        await agreed(counter, survey_id=f"s{number}")
        items = EXAMPLE if number != 2 else {**EXAMPLE, "care_1": {"expected": 7, "received": 1}}
        body = {"items": items, "recommend": recommend}
        assert (await counter.post(f"/v1/surveys/s{number}/answers", body)).status_code == 200
    await counter.post(ASK, ASKED | {"survey_id": "s4"})

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await counter.get("/v1/surveys", limit=3, **cursor)).json()
        seen += [row["survey_id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == ["s1", "s2", "s3", "s4"]

    async def ids(**query: Any) -> list[str]:
        return [row["survey_id"] for row in (await counter.get("/v1/surveys", **query)).json()["items"]]

    assert await ids(alert="true") == ["s2"]
    assert await ids(alert="false", line=LINE, client=CLIENT) == ["s1", "s3"]
    assert await ids(stage="invited") == ["s4"]
    assert await ids(line="other") == []
    assert (await ids(asked_by="clara"), await ids(asked_by="cyril")) == (["s1", "s2", "s3", "s4"], [])
    (worst,) = (await counter.get("/v1/surveys", alert="true")).json()["items"]
    assert (worst["total"], worst["alerts"]) == ("-0.75", ["group:care", "recommend"])

    trend = (await counter.get(ASK)).json()
    assert [point["survey_id"] for point in trend["points"]] == ["s3", "s2", "s1"]
    assert [point["total"] for point in trend["points"]] == ["-0.45", "-0.75", "-0.45"]
    assert (trend["change"]["total"], trend["change"]["recommend"], trend["change"]["gaps"]["care"]) == (
        "0.30",
        3,
        "2.00",
    )
    assert code(await counter.get("/v1/accounts/nobody/surveys")) == "account.unknown"


NONSENSE: list[tuple[str, Any, str, int]] = [
    (ASK, {}, "invalid-body", 422),
    (ASK, ASKED | {"via": "pigeon"}, "invalid-body", 422),
    (ASK, ASKED | {"contact": {"name": ""}}, "invalid-body", 422),
    (ASK, ASKED | {"contact": {"name": "x", "age": 50}}, "invalid-body", 422),
    (ASK, ASKED | {"valid_days": 0}, "invalid-body", 422),
    (ASK, ASKED | {"agreed": "yes"}, "invalid-body", 422),
    (ASK, ASKED | {"weights": {"promises": 100}}, "invalid-body", 422),
    (ASK, ASKED | {"survey_id": "s2", "weights": {"promises": "100"}}, "survey.weights-do-not-fit", 422),
    (ASK, ASKED | {"survey_id": "s2", "survey_version": 9}, "survey.version-unknown", 422),
    (ASK, ASKED | {"survey_id": "s1", "via": "mail"}, "survey.id-taken", 409),
    (ASK, ASKED | {"occurred_at": "2030-01-01T00:00:00Z"}, "future-date", 422),
    ("/v1/accounts/nobody/surveys", ASKED | {"survey_id": "s2"}, "account.unknown", 404),
    ("/v1/surveys/s9/answers", ANSWERS, "survey.unknown", 404),
    ("/v1/surveys/s9/consent", {"consent": "agreed", "via": "phone"}, "survey.unknown", 404),
    (f"{SURVEY}/consent", {"consent": "perhaps", "via": "phone"}, "invalid-body", 422),
    (f"{SURVEY}/consent", {"consent": "declined", "via": "phone"}, "survey.wrong-stage", 409),
    (f"{SURVEY}/answers", {}, "survey.answers-do-not-fit", 422),
    (f"{SURVEY}/answers", ANSWERS | {"recommend": 11}, "invalid-body", 422),
    (f"{SURVEY}/answers", ANSWERS | {"recommend": "8"}, "invalid-body", 422),
    (f"{SURVEY}/answers", {"items": {"care_1": {"expected": 8, "received": 1}}}, "invalid-body", 422),
    (f"{SURVEY}/answers", {"items": {"care_1": {"expected": 7}}}, "invalid-body", 422),
    (f"{SURVEY}/answers", {"items": {"price_1": {"expected": 7, "received": 1}}}, "survey.answers-do-not-fit", 422),
]


async def test_nonsense_is_refused_with_its_code_and_leaves_no_trace(counter: Counter) -> None:
    await counter.begins()
    await agreed(counter)
    size = await counter.size()
    for path, body, expected, status in NONSENSE:
        answer = await counter.post(path, body)
        assert (code(answer), answer.status_code) == (expected, status), (path, body, answer.text)
        assert await counter.size() == size, (path, body)
    assert code(await counter.get("/v1/surveys/s9")) == "survey.unknown"


SERVE = {"hunter", "farmer", "manager", "integration", "driver"}
SPEAKS_FOR_ALL = {"integration", "driver"}


@pytest.mark.parametrize("role", ROLES)
async def test_which_role_opens_which_door(counter: Counter, role: str) -> None:
    """Past the door it still matters whose client it is: nobody here serves this one, or works on its line."""
    await counter.begins()
    await agreed(counter)
    for path in ("/v1/questionnaire", "/v1/surveys", SURVEY, ASK):
        answer = await counter.get(path, by=role)
        status = 200 if role in SPEAKS_FOR_ALL or path in ("/v1/questionnaire", "/v1/surveys") else 404
        assert answer.status_code == (status if role in SERVE else 403), path
    for path, body in (
        (ASK, ASKED | {"survey_id": "s2"}),
        (f"{SURVEY}/consent", {"consent": "withdrawn", "via": "mail"}),
        (f"{SURVEY}/answers", ANSWERS),
    ):
        refused = await counter.post(path, body, by=role)
        unseen = "account.unknown" if path == ASK else "survey.unknown"
        found = "account.not-yours" if role in SPEAKS_FOR_ALL else unseen
        assert code(refused) == (found if role in SERVE else "missing-scope"), path


@pytest.mark.parametrize("path", [ASK, "/v1/surveys/s1/consent", "/v1/surveys/s1/answers"])
async def test_whoever_does_not_serve_the_client_asks_it_nothing(counter: Counter, path: str) -> None:
    await counter.begins()
    await counter.accepted()
    await agreed(counter)
    body = {ASK: ASKED | {"survey_id": "s2"}, f"{SURVEY}/consent": {"consent": "withdrawn", "via": "mail"}}
    unseen = "account.unknown" if path == ASK else "survey.unknown"
    assert code(await counter.post(path, body.get(path, ANSWERS), by="farmer")) == unseen
    assert code(await counter.post(path, body.get(path, ANSWERS), by="ana")) == "missing-scope"
