"""Whatever is sent: a problem with a stable code, and not a row more than before."""

from __future__ import annotations

from typing import Any

import pytest
from lead_gen_office import CALL, CONTACT, GATEKEEPER, LINE, NEED, PROSPECT, STAFFING, TEAMS, VERIFY, Office

HIRED = {"person": "ida", "hired_on": "2026-03-01"}
ACME = "/v1/prospects/acme"
STAFFED = f"/v1/lines/{LINE}/staffing"

NONSENSE: list[tuple[str, str, Any, int, str]] = [
    # what is no body of ours
    ("no JSON", "/v1/prospects", b"{", 400, "invalid-json"),
    ("a list", "/v1/prospects", [], 422, "invalid-body"),
    ("a name twice", ACME + "/claim", b'{"by": "ana", "by": "ana"}', 400, "invalid-json"),
    ("an unknown field", "/v1/prospects", PROSPECT | {"price": "100.00"}, 422, "invalid-body"),
    ("an unknown field inside", STAFFED, STAFFING | {"policy": {"rework_dais": 3}}, 422, "invalid-body"),
    ("a number for text", "/v1/prospects", PROSPECT | {"name": 7}, 422, "invalid-body"),
    ("an empty name", "/v1/prospects", PROSPECT | {"name": "  "}, 422, "invalid-body"),
    ("an endless note", ACME + "/calls", CALL | {"note": "x" * 5_000}, 422, "invalid-body"),
    ("a float for a count", ACME + "/calls", CALL | {"duration_s": 1.5}, 422, "invalid-body"),
    ("a float for a percentage", STAFFED, STAFFING | {"policy": {"discount_limit_pct": 10.5}}, 422, "invalid-body"),
    ("a call of minus one second", ACME + "/calls", CALL | {"duration_s": -1}, 422, "invalid-body"),
    ("an unknown outcome", ACME + "/calls", CALL | {"outcome": "sold"}, 422, "invalid-body"),
    ("an attitude beyond the scale", ACME + "/gatekeepers", GATEKEEPER | {"attitude": 3}, 422, "invalid-body"),
    ("no evidence", ACME + "/needs", NEED | {"evidence": []}, 422, "invalid-body"),
    ("a budget as an amount", ACME + "/needs", NEED | {"budget": "10000"}, 422, "invalid-body"),
    ("no checks", ACME + "/verify", {"checks": []}, 422, "invalid-body"),
    ("an id with a slash", "/v1/prospects", PROSPECT | {"client_id": "a/b"}, 422, "invalid-body"),
    ("a day that is none", "/v1/staff", HIRED | {"hired_on": "2026-02-30"}, 422, "invalid-body"),
    ("a time without a zone", ACME + "/claim", {"occurred_at": "2026-03-01T10:00:00"}, 422, "invalid-body"),
    ("a country by name", "/v1/prospects", PROSPECT | {"country": "Germany"}, 422, "invalid-body"),
    ("a body beyond measure", "/v1/prospects", b'{"name": "' + b"x" * 300_000 + b'"}', 413, "body-too-large"),
    # what cannot be
    ("a future date", ACME + "/claim", {"occurred_at": "2027-01-01T00:00:00Z"}, 422, "future-date"),
    (
        "a phone that is none",
        "/v1/prospects",
        PROSPECT | {"identity_keys": [{"kind": "phone", "value": "?"}]},
        422,
        "identity-key.invalid",
    ),
    ("an unknown line", "/v1/prospects", PROSPECT | {"line": "nowhere"}, 404, "line.unknown"),
    ("an unknown prospect", "/v1/prospects/nobody/calls", CALL, 404, "prospect.unknown"),
    (
        "the id of another prospect",
        "/v1/prospects",
        PROSPECT | {"name": "B", "identity_keys": []},
        409,
        "prospect.id-taken",
    ),
    ("a need before a call", ACME + "/needs", NEED, 409, "prospect.wrong-stage"),
    ("a contact before a call", ACME + "/contacts", CONTACT, 409, "prospect.wrong-stage"),
    ("an offer without a need", ACME + "/offer", {}, 409, "prospect.wrong-stage"),
    ("a withdrawal of nothing", ACME + "/withdraw", {}, 409, "prospect.wrong-stage"),
    ("want of money", ACME + "/invalidate", {"reason": "no_budget"}, 422, "budget-is-no-gate"),
    ("a reason of one's own", ACME + "/invalidate", {"reason": "boring"}, 422, "prospect.reason-not-allowed"),
    ("an unknown variant", STAFFED, STAFFING | {"variant": "farmer"}, 422, "variant.unknown"),
    ("a missing team", STAFFED, STAFFING | {"teams": {"lead-gen": TEAMS["lead-gen"]}}, 422, "line.team-missing"),
    ("a zone that is none", STAFFED, STAFFING | {"zone": "../etc"}, 422, "zone.unknown"),
    ("a currency that is none", STAFFED, STAFFING | {"currency": "EURO"}, 422, "currency.unknown"),
    ("an unknown manager", STAFFED, STAFFING | {"managers": ["nobody"]}, 404, "person.unknown"),
    ("a negative deadline", STAFFED, STAFFING | {"policy": {"rework_days": -1}}, 422, "policy.out-of-range"),
    ("an unknown role", "/v1/staff/ana/roles", {"role": "king"}, 422, "role.unknown"),
    ("an unknown person", "/v1/staff/nobody/roles", {"role": "scout"}, 404, "person.unknown"),
    ("the house as a person", "/v1/staff", HIRED | {"person": "house"}, 422, "person.reserved"),
    ("the word for a hidden person", "/v1/staff", HIRED | {"person": "colleague"}, 422, "person.reserved"),
    # the wrong door
    ("no such route", "/v1/prospects/acme/sell", {}, 404, "not-found"),
]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"), [row[1:] for row in NONSENSE], ids=[r[0] for r in NONSENSE]
)
async def test_nonsense_is_refused_and_leaves_no_trace(
    office: Office, path: str, body: Any, status: int, code: str
) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    size = await office.size()
    by = "vera" if path.startswith(("/v1/staff", "/v1/lines")) else "ana"
    answer = await office.post(path, body, by=by)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await office.size() == size


async def test_who_may_not_is_told_so(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    size = await office.size()
    for by, path, body, status, code in (
        ("ana", "/v1/staff", HIRED, 403, "missing-scope"),
        ("clara", "/v1/prospects", PROSPECT, 403, "missing-scope"),
        ("egor", ACME + "/verify", VERIFY, 403, "prospect.not-yours"),
        ("boris", "/v1/prospects", PROSPECT | {"client_id": "b"}, 403, "seat.not-held"),
        ("ana", ACME + "/calls", CALL | {"by": "egor"}, 403, "missing-scope"),
        ("ana", ACME + "/calls", CALL | {"occurred_at": "2026-03-01T10:00:00Z"}, 403, "missing-scope"),
    ):
        answer = await office.post(path, body, by=by)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    nobody = await office.http.post("/v1/prospects", json=PROSPECT)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "missing-token")
    foreign = await office.http.post("/v1/prospects", json=PROSPECT, headers={"authorization": "Bearer a.b.c"})
    assert (foreign.status_code, foreign.json()["code"]) == (401, "invalid-token")
    assert await office.size() == size


async def test_an_integration_speaks_for_people_and_of_the_past(office: Office) -> None:
    await office.opens()
    said = {"by": "ana", "occurred_at": "2026-02-02T10:00:00Z"}
    await office.done("/v1/prospects", PROSPECT | said, by="integration")
    house = PROSPECT | {"client_id": "b", "identity_keys": [], "by": "house"}
    await office.done("/v1/prospects", house, by="integration")
    rows = (await office.get("/v1/prospects")).json()["items"]
    assert [(row["sourced_by"], row["registered_at"][:10]) for row in rows] == [
        ("ana", "2026-02-02"),
        ("house", "2026-03-02"),
    ]
    other = await office.post(ACME + "/calls", CALL | {"by": "egor"}, by="integration")
    assert other.json()["code"] == "prospect.not-yours"  # being allowed to speak for all makes nobody a manager


@pytest.mark.parametrize(
    "path", ["/v1/prospects/a%20b", "/v1/offers/-/dossier", "/v1/staff/%F0%9F%92%B6", "/v1/lines/a%20b/staffing"]
)
async def test_a_path_that_is_no_id_is_refused(office: Office, path: str) -> None:
    answer = await office.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")


@pytest.mark.parametrize(
    "query",
    [{"line": "a b"}, {"stage": "sold"}, {"limit": 0}, {"limit": 201}, {"sourced_by": "x" * 300}, {"cursor": "?"}],
    ids=str,
)
async def test_a_query_that_makes_no_sense_is_refused(office: Office, query: dict[str, Any]) -> None:
    answer = await office.get("/v1/prospects", **query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("invalid-parameter", "invalid-cursor")


@pytest.mark.parametrize("path", ["/v1/prospects/%00", "/v1/prospects?line=%00", "/v1/offers/%00/dossier"])
async def test_what_no_database_can_hold_is_not_looked_for(office: Office, path: str) -> None:
    answer = await office.http.get(path, headers=office.token("ana"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
