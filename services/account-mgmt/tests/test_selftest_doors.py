"""The doors of the self-tests, over the real app on real PostgreSQL: mine, and nobody else's."""

import asyncio
from collections import Counter as Count
from datetime import timedelta
from typing import Any

import pytest
from account_desk import Counter
from account_story import DAY, NEW_YEAR

from account_mgmt.papers.selftest.text import ORDER, current
from conveyor_events.scopes import ROLES, SCOPES
from conveyor_events.words import instant_text

LISTENING = current("listening")
assert LISTENING is not None
THREES = dict.fromkeys(sorted(LISTENING.ids), 3)
FIVES = dict.fromkeys(THREES, 5)
TAKE = "/v1/self-tests/listening/attempts"
MINE = "/v1/self-test-attempts"
PROFILE = "/v1/self-test-profile"


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["code"]
    return found


def attempt(answers: Any = THREES, **more: Any) -> dict[str, Any]:
    return {"version": 1, "answers": answers, **more}


async def test_the_ten_tests_are_shown_in_the_readers_language(counter: Counter) -> None:
    english = await counter.get("/v1/self-tests")
    assert (english.headers["content-language"], [row["test"] for row in english.json()["items"]]) == ("en", [*ORDER])
    russian = await counter.get("/v1/self-tests", lang="ru")
    assert (russian.json()["language"], russian.json()["items"][0]["title"]) == ("ru", "Умение слушать")
    assert code(await counter.get("/v1/self-tests", lang="de")) == "invalid-parameter"
    for accepted, language in (
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de, en;q=0.5, ru;q=0.7", "ru"),
        ("en, ru", "en"),
        ("*", "en"),
        ("en;q=0, *;q=0.5", "ru"),
        ("de", "en"),
        ("ru;q=nonsense", "en"),
        ("", "en"),
    ):
        headers = counter.token("clara") | {"accept-language": accepted}
        answer = await counter.http.get("/v1/self-tests/needs", headers=headers)
        assert answer.headers["content-language"] == language, accepted
    wins = {"accept-language": "ru", **counter.token("clara")}
    assert (await counter.http.get("/v1/self-tests?lang=en", headers=wins)).json()["language"] == "en"


async def test_a_test_is_shown_with_its_statements_and_not_with_what_counts_the_other_way(counter: Counter) -> None:
    shown = (await counter.get("/v1/self-tests/listening")).json()
    assert [one["statement"] for one in shown["statements"]] == [*THREES]
    assert [point["value"] for point in shown["scale"]] == [1, 2, 3, 4, 5]
    assert "revers" not in str(shown)
    assert code(await counter.get("/v1/self-tests/singing")) == "self-test.unknown"
    assert code(await counter.get("/v1/self-tests/listening", version=9)) == "self-test.unknown"


async def test_all_threes_give_fifty_and_all_fives_seventy_with_a_flag(counter: Counter) -> None:
    made = await counter.post(TAKE, attempt(attempt_id="a1"))
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    told = {"attempt_id": "a1", "test": "listening", "test_version": 1, "retake_on": "2026-01-31", "version": 1}
    assert made.json() == told, "the reply is kept for repeats, so the result is not in it"
    found = (await counter.get(f"{MINE}/a1")).json()
    assert found == {
        "attempt_id": "a1",
        "test": "listening",
        "test_version": 1,
        "taken_at": instant_text(NEW_YEAR),
        "retake_on": "2026-01-31",
        "result": {"raw": 30, "score": "50.00", "band": "middle", "flags": ["straight_line"]},
        "answers": THREES,
    }
    assert (await counter.post("/v1/self-tests/use/attempts", attempt(FIVES, attempt_id="a2"))).status_code == 201
    fives = (await counter.get(f"{MINE}/a2")).json()["result"]
    assert fives == {"raw": 38, "score": "70.00", "band": "high", "flags": ["straight_line"]}


async def test_a_retake_waits_thirty_days_and_the_first_attempt_stays_as_it_was(counter: Counter) -> None:
    await counter.post(TAKE, attempt(attempt_id="a1"))
    before = (await counter.get(f"{MINE}/a1")).json()
    altered = await counter.post(TAKE, attempt(FIVES, attempt_id="a1"))
    assert (altered.status_code, code(altered)) == (409, "attempt.id-taken")
    again = await counter.post(TAKE, attempt(attempt_id="a1"))
    assert again.status_code == 200, "said twice, it is the same attempt"
    counter.clock.set(NEW_YEAR + 29 * DAY + timedelta(hours=22))  # the 30th of January, 23:00 in Berlin
    soon = await counter.post(TAKE, attempt(FIVES))
    assert (soon.status_code, code(soon)) == (409, "self-test.too-soon")
    assert soon.json()["facts"] == {"retake_on": "2026-01-31"}
    counter.clock.set(NEW_YEAR + 30 * DAY)
    assert (await counter.post(TAKE, attempt(FIVES, attempt_id="a2"))).status_code == 201
    assert (await counter.get(f"{MINE}/a1")).json() == before
    shown = (await counter.get(PROFILE)).json()
    listening = shown["items"][0]
    assert (listening["score"], listening["change"], listening["band_name"]) == ("70.00", "20.00", "a strength")
    assert (shown["taken"], shown["mean"], [row["score"] for row in shown["items"][1:]]) == (1, "70.00", [None] * 9)
    assert (await counter.get(PROFILE, lang="ru")).json()["items"][0]["title"] == "Умение слушать"


async def test_a_result_is_seen_by_its_owner_only_whatever_the_others_may(counter: Counter) -> None:
    await counter.post(TAKE, attempt(attempt_id="a1"))
    everything = [*SCOPES]
    for other in ("maria", "cyril", "boris", "integration"):
        answer = await counter.get(f"{MINE}/a1", by=other, scopes=everything)
        unknown = await counter.get(f"{MINE}/a9", by=other, scopes=everything)
        assert (answer.status_code, code(answer)) == (404, "attempt.unknown")
        assert answer.json() | {"instance": "", "detail": ""} == unknown.json() | {"instance": "", "detail": ""}
        assert (await counter.get(MINE, by=other, scopes=everything)).json()["items"] == []
        assert (await counter.get(PROFILE, by=other, scopes=everything)).json()["taken"] == 0
    spoken_for = await counter.post(TAKE, attempt(by="clara"), by="integration", scopes=everything)
    assert (spoken_for.status_code, code(spoken_for)) == (422, "invalid-body")
    mine = await counter.post(TAKE, attempt(FIVES, attempt_id="a1"), by="cyril")
    assert mine.status_code == 201, "the id of another's attempt is free: whoever tries it learns nothing"
    assert (await counter.get(f"{MINE}/a1")).json()["answers"] == THREES
    assert code(await counter.get(MINE, by="integration")) == "missing-scope"


async def test_answers_and_result_lie_sealed_and_nothing_is_published(counter: Counter) -> None:
    odd = {statement: number % 5 + 1 for number, statement in enumerate(THREES)}
    made = await counter.post(TAKE, attempt(odd, attempt_id="a1"), key="once")
    replayed = await counter.post(TAKE, attempt(odd, attempt_id="a1"), key="once")
    assert (replayed.json(), replayed.headers["idempotency-replayed"]) == (made.json(), "true")
    assert "result" not in made.text
    (event,) = await counter.query("select data from events where stream_id = 'selftest-clara'")
    assert all(word not in event[0] for word in ("s01", "raw", "score", "band", "straight", '"value"'))
    for table in ("commands", "events", "published"):
        rows = str(await counter.query(f"select t::text from {table} t"))
        assert all(word not in rows for word in ('"s01', '"raw', '"score', '"band')), table
    assert await counter.told() == []


async def test_no_role_sees_more_because_it_holds_pii_read_and_manager(counter: Counter) -> None:
    """No address of this service names the person whose self-tests one would like to see."""
    assert counter.parts.app is not None
    paths = [path for path in counter.parts.app.openapi()["paths"] if "self-test" in path]
    assert sorted(paths) == [
        "/v1/self-test-attempts",
        "/v1/self-test-attempts/{attempt}",
        "/v1/self-test-profile",
        "/v1/self-tests",
        "/v1/self-tests/{test}",
        "/v1/self-tests/{test}/attempts",
    ]
    await counter.post(TAKE, attempt(attempt_id="a1"))
    asked = await counter.get(MINE, by="maria", person="clara", by_="clara", subject="clara")
    assert asked.json()["items"] == []


WORK_WITH_CLIENTS = {"scout", "hunter", "farmer", "manager", "driver"}


@pytest.mark.parametrize("role", ROLES)
async def test_whoever_works_with_clients_takes_self_tests_and_nobody_else(counter: Counter, role: str) -> None:
    answers = [
        await counter.get("/v1/self-tests", by=role),
        await counter.get("/v1/self-tests/listening", by=role),
        await counter.post(TAKE, attempt(attempt_id="a1"), by=role),
        await counter.get(MINE, by=role),
        await counter.get(f"{MINE}/a1", by=role),
        await counter.get(PROFILE, by=role),
    ]
    expected = [200, 200, 201, 200, 200, 200] if role in WORK_WITH_CLIENTS else [403] * 6
    assert [answer.status_code for answer in answers] == expected


NONSENSE: list[tuple[Any, str, int]] = [
    ({}, "invalid-body", 422),
    (attempt(version="1"), "invalid-body", 422),
    (attempt(version=0), "invalid-body", 422),
    (attempt(version=2), "self-test.version-unknown", 422),
    (attempt(THREES | {"s01": 6}), "invalid-body", 422),
    (attempt(THREES | {"s01": 0}), "invalid-body", 422),
    (attempt(THREES | {"s01": 3.5}), "invalid-body", 422),
    (attempt(THREES | {"s01": "3"}), "invalid-body", 422),
    (attempt(THREES | {"s01": True}), "invalid-body", 422),
    (attempt(THREES | {"S 1": 3}), "invalid-body", 422),
    (attempt({"s01": 3}), "self-test.answers-do-not-fit", 422),
    (attempt({**dict.fromkeys([*THREES][:9], 3), "s99": 3}), "self-test.answers-do-not-fit", 422),
    (attempt(occurred_at="2030-01-01T00:00:00Z"), "future-date", 422),
    (attempt(occurred_at="2025-12-01T00:00:00Z"), "missing-scope", 403),
    (attempt(surprise=1), "invalid-body", 422),
    (b'{"version": 1, "answers": {"s01": 3, "s01": 4}}', "invalid-json", 400),
]


@pytest.mark.parametrize(("body", "expected", "status"), NONSENSE)
async def test_nonsense_is_refused_and_leaves_no_trace(counter: Counter, body: Any, expected: str, status: int) -> None:
    answer = await counter.post(TAKE, body)
    assert (code(answer), answer.status_code) == (expected, status), answer.text
    assert await counter.size() == (0, 0)


async def test_ten_tries_at_once_are_one_attempt(counter: Counter) -> None:
    answers = await asyncio.gather(*(counter.post(TAKE, attempt(attempt_id=f"a{n}")) for n in range(10)))
    assert Count(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert len((await counter.get(MINE)).json()["items"]) == 1


async def test_my_attempts_are_paged_the_newest_first(counter: Counter) -> None:
    for number, test in enumerate(ORDER):
        taken = await counter.post(f"/v1/self-tests/{test}/attempts", attempt(attempt_id=f"a{number}"))
        assert taken.status_code == 201
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await counter.get(MINE, limit=3, **cursor)).json()
        seen += [row["attempt_id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [f"a{number}" for number in reversed(range(10))]
    assert [row["test"] for row in (await counter.get(MINE, test="needs")).json()["items"]] == ["needs"]
    assert code(await counter.get(MINE, cursor="nonsense")) == "invalid-cursor"
