"""Nonsense at the doors: a problem with a stable code, and everything stays as it was."""

import re
from pathlib import Path
from typing import Any

import pytest
from conversion_house import DEAL_BODY, PROPOSAL, House
from conversion_stories import CLIENT, DEAL, LINE, OFFER, OPPORTUNITY

import conversion
from belt.io.http.codes import CODES as BELT
from conversion.codes import CODES

MEET = f"/v1/opportunities/{OPPORTUNITY}/meetings"
PROPOSE = f"/v1/opportunities/{OPPORTUNITY}/proposals"
CLOSE = f"/v1/opportunities/{OPPORTUNITY}/close"
LOSE = f"/v1/opportunities/{OPPORTUNITY}/lose"
ACCEPT, REJECT = f"/v1/offers/{OFFER}/accept", f"/v1/offers/{OFFER}/reject"
OPEN = "/v1/opportunities"
OWN = {"client_id": CLIENT, "line": LINE}


def deal(**changes: Any) -> dict[str, Any]:
    return DEAL_BODY | changes


SPLIT = [{"person": "boris", "weight": "1"}, {"person": "dina", "weight": "1"}]

NONSENSE: list[tuple[str, Any, int, str]] = [
    # the body itself
    (ACCEPT, b"{", 400, "invalid-json"),
    (ACCEPT, b"[]", 422, "invalid-body"),
    (ACCEPT, {"unknown": 1}, 422, "invalid-body"),
    (ACCEPT, {"to": ""}, 422, "invalid-body"),
    (ACCEPT, {"occurred_at": "2027-01-01T00:00:00Z"}, 422, "future-date"),
    (ACCEPT, {"occurred_at": "2026-03-01T00:00:00Z"}, 403, "missing-scope"),
    (ACCEPT, {"occurred_at": "yesterday"}, 422, "invalid-body"),
    (ACCEPT, {"occurred_at": "2026-03-27T15:00:00"}, 422, "invalid-body"),
    (ACCEPT, {"by": "dina"}, 403, "missing-scope"),
    (ACCEPT, b'{"to": "' + b"x" * 300_000 + b'"}', 413, "body-too-large"),
    # offers
    ("/v1/offers/nothing/accept", {}, 404, "offer.unknown"),
    ("/v1/offers/nothing/reject", {"reason": "duplicate"}, 404, "offer.unknown"),
    (REJECT, {}, 422, "invalid-body"),
    (REJECT, {"reason": "no_budget"}, 422, "reason-not-allowed"),
    (REJECT, {"reason": "not_ready"}, 422, "reason-not-allowed"),
    (REJECT, {"reason": "duplicate"}, 409, "handover.wrong-stage"),
    # opportunities
    ("/v1/opportunities/nothing/lose", {"reason": "price"}, 404, "opportunity.unknown"),
    (OPEN, {"client_id": CLIENT}, 422, "invalid-body"),
    (OPEN, OWN | {"line": "nowhere"}, 422, "line.unknown"),
    (OPEN, OWN | {"client_id": "a b"}, 422, "invalid-body"),
    (OPEN, OWN | {"need_ids": ["need-1"]}, 409, "opportunity.need-open"),
    (OPEN, OWN | {"opportunity_id": OPPORTUNITY}, 409, "opportunity.id-taken"),
    (LOSE, {"reason": "weather"}, 422, "reason-not-allowed"),
    (MEET, {}, 422, "invalid-body"),
    (MEET, {"starts_at": "2026-03-30T08:00:00Z", "facts": ["x"]}, 422, "invalid-body"),
    (MEET, {"objective_met": "perhaps"}, 422, "meeting.objective-unknown"),
    (MEET, {"objective_met": "full", "next_step": {"what": "call"}}, 422, "invalid-body"),
    (PROPOSE, {"tax": "0", "currency": "EUR"}, 422, "terms.no-price"),
    (PROPOSE, PROPOSAL | {"net": "9999.99"}, 422, "terms.lines-do-not-add-up"),
    (PROPOSE, PROPOSAL | {"net": 10000}, 422, "invalid-body"),
    (PROPOSE, PROPOSAL | {"tax": 2000.0}, 422, "invalid-body"),
    (PROPOSE, PROPOSAL | {"currency": "eur"}, 422, "invalid-body"),
    (PROPOSE, PROPOSAL | {"currency": "XAU"}, 422, "money.unknown-currency"),
    (PROPOSE, {"net": "1", "tax": "0", "currency": "EUR", "valid_until": "31.12.2026"}, 422, "invalid-body"),
    (
        PROPOSE,
        {"lines": [{"sku": "a", "qty": "1", "unit_price": "100", "discount_pct": "11"}], "tax": "0", "currency": "EUR"},
        403,
        "opportunity.discount-needs-manager",
    ),
    (PROPOSE, PROPOSAL | {"lines": [{"sku": "a", "qty": "0", "unit_price": "1"}]}, 422, "invalid-body"),
    # closing
    (CLOSE, deal(net=10000.0), 422, "invalid-body"),
    (CLOSE, deal(net="NaN"), 422, "invalid-body"),
    (CLOSE, deal(net="1e4"), 422, "invalid-body"),
    (CLOSE, deal(net="-1.00"), 422, "money.negative"),
    (CLOSE, deal(net="10000.001"), 422, "money.minor-units"),
    (CLOSE, deal(net="10000000000000000"), 422, "money.too-large"),
    (CLOSE, deal(currency="JPY", tax="0.5"), 422, "money.minor-units"),
    (CLOSE, deal(payment_schedule=[{"due_on": "2026-04-15", "amount": "1.00"}]), 422, "terms.schedule-does-not-add-up"),
    (CLOSE, deal(payment_schedule=[{"due_on": "2026-04-15", "amount": "0"}]), 422, "invalid-body"),
    (CLOSE, deal(splits=[{"person": "boris", "weight": "0"}]), 422, "invalid-body"),
    (CLOSE, deal(splits=[{"person": "boris", "weight": 1}]), 422, "invalid-body"),
    (CLOSE, deal(splits=[SPLIT[0], SPLIT[0]]), 422, "terms.split-names-twice"),
    (CLOSE, deal(splits=[SPLIT[1]]), 422, "terms.split-without-owner"),
    (CLOSE, deal(splits=[SPLIT[0], {"person": "stranger", "weight": "1"}]), 422, "terms.split-unknown-person"),
    # deals
    ("/v1/deals/nothing/payments", {"net": "1.00", "currency": "EUR"}, 404, "deal.unknown"),
    ("/v1/deals/nothing/refunds", {"net": "1.00", "currency": "EUR"}, 404, "deal.unknown"),
    ("/v1/deals/nothing/offer", {}, 404, "deal.unknown"),
    ("/v1/nothing", {}, 404, "not-found"),
]
MONEY: list[tuple[str, Any, int, str]] = [
    ("payments", {"net": "0.00", "currency": "EUR"}, 422, "money.not-positive"),
    ("payments", {"net": "-5.00", "currency": "EUR"}, 422, "money.not-positive"),
    ("payments", {"net": "5", "currency": "USD"}, 422, "money.other-currency"),
    ("payments", {"net": "10000.01", "currency": "EUR"}, 409, "payment.exceeds-deal"),
    ("payments", {"net": 5, "currency": "EUR"}, 422, "invalid-body"),
    ("payments", {"payment_id": "p1", "net": "5.00", "currency": "EUR"}, 409, "payment.id-taken"),
    ("refunds", {"net": "4000.01", "currency": "EUR"}, 409, "refund.exceeds-payments"),
    ("refunds", {"payment_id": "p9", "net": "1.00", "currency": "EUR"}, 404, "payment.unknown"),
    ("offer", {}, 409, "deal.account-not-rejected"),
]


async def test_nonsense_is_told_so_and_changes_nothing(house: House) -> None:
    await house.proposed()
    before = await house.size()
    for path, body, status, code in NONSENSE:
        answer = await house.post(path, body)
        assert answer.headers["content-type"] == "application/problem+json", (path, body, answer.text)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (path, body, answer.text)
        assert await house.size() == before, (path, body)


async def test_nonsense_about_money_is_told_so_and_changes_nothing(house: House) -> None:
    await house.won()
    assert (await house.post(f"/v1/deals/{DEAL}/payments", PAID)).status_code == 201
    before = await house.size()
    for path, body, status, code in MONEY:
        answer = await house.post(f"/v1/deals/{DEAL}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (path, body, answer.text)
        assert await house.size() == before, (path, body)


PAID = {"payment_id": "p1", "net": "4000.00", "currency": "EUR"}


@pytest.mark.parametrize("by", ["dina", "clara"])
async def test_what_is_somebody_elses_is_refused(house: House, by: str) -> None:
    await house.proposed()
    own = await house.post(CLOSE, DEAL_BODY, by=by, scopes=["deals:write"])
    assert (own.status_code, own.json()["code"]) == (403, "opportunity.not-yours")


async def test_a_door_opens_with_its_scope_only(house: House) -> None:
    await house.won()
    doors = [
        (ACCEPT, {}, "handoffs:decide"),
        (REJECT, {"reason": "duplicate"}, "handoffs:decide"),
        (OPEN, OWN, "deals:write"),
        (MEET, {"objective_met": "no"}, "deals:write"),
        (PROPOSE, PROPOSAL, "deals:write"),
        (CLOSE, DEAL_BODY, "deals:write"),
        (LOSE, {"reason": "price"}, "deals:write"),
        (f"/v1/deals/{DEAL}/payments", PAID, "deals:write"),
        (f"/v1/deals/{DEAL}/refunds", PAID, "deals:write"),
        (f"/v1/deals/{DEAL}/offer", {}, "handoffs:decide"),
    ]
    for path, body, _ in doors:
        answer = await house.post(path, body, by="payroll")
        assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope"), path
    for path in ("/v1/offers", "/v1/opportunities", "/v1/deals", f"/v1/deals/{DEAL}", f"/v1/offers/{OFFER}"):
        assert (await house.get(path, by="payroll")).status_code == 403, path
    assert (await house.http.post(ACCEPT, json={})).status_code == 401
    assert (await house.http.get("/v1/deals", headers={"authorization": "Bearer x.y.z"})).status_code == 401


async def test_unknown_things_are_not_found(house: House) -> None:
    for path, code in (
        ("/v1/offers/nothing", "offer.unknown"),
        ("/v1/opportunities/nothing", "opportunity.unknown"),
        ("/v1/deals/nothing", "deal.unknown"),
    ):
        answer = await house.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert (await house.get("/v1/offers", cursor="rubbish")).status_code == 422
    assert (await house.get("/v1/offers", limit=201)).status_code == 422


async def test_the_doors_are_described(house: House) -> None:
    assert house.parts.app is not None
    described = house.parts.app.openapi()
    assert "/v1/opportunities/{opportunity}/close" in described["paths"]
    assert "CloseBody" in described["components"]["schemas"]


def test_every_refusal_of_this_station_is_listed_and_every_listed_one_can_happen() -> None:
    folder = Path(conversion.__file__).parent
    source = "\n".join(path.read_text() for path in folder.rglob("*.py") if path.name != "codes.py")
    raised = set(re.findall(r'Refused\(\s*"([^"]+)"', source)) | {"offer-expired"}
    raised |= {"money.not-positive", "money.negative"}
    assert raised <= set(CODES) | set(BELT)
    assert set(CODES) <= raised
