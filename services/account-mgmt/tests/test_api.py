"""The real app on real PostgreSQL: the main way, nonsense, and everything twice."""

import asyncio
import re
from collections import Counter as Count
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from account_desk import Counter
from account_story import (
    BORIS,
    CLIENT,
    DAY,
    DEAL,
    DUE,
    LINE,
    NEXT_DAY,
    OFFER,
    REPEAT,
    WON,
    account_offered,
    deal_closed,
)

import account_mgmt
from account_mgmt.codes import CODES
from account_mgmt.main import STREAMS
from belt.io.http.codes import CODES as SHARED
from belt.io.http.paging import encode_cursor
from belt.io.store.projection import rebuild
from conveyor_events.words import instant_text

SALES = f"/v1/accounts/{CLIENT}/repeat-sales"
PAYMENTS, REFUNDS = f"/v1/sales/{REPEAT}/payments", f"/v1/sales/{REPEAT}/refunds"
SALE = {"sale_id": REPEAT, "net": "4000.00", "tax": "800.00", "currency": "EUR"}
ANOTHER = SALE | {"sale_id": "sale-3"}


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["code"]
    return found


async def test_the_main_way_from_the_offer_to_a_refund(counter: Counter) -> None:
    await counter.begins()
    waiting = (await counter.get(f"/v1/offers/{OFFER}")).json()
    assert (waiting["stage"], waiting["to"], waiting["due_at"]) == (
        "offered",
        {"person": "clara", "role": "farmer"},
        instant_text(DUE),
    )
    counter.clock.set(NEXT_DAY)
    taken = await counter.post(f"/v1/offers/{OFFER}/accept")
    assert (taken.status_code, taken.json()["stage"], taken.json()["served_by"]["person"]) == (200, "accepted", "clara")

    account = (await counter.get(f"/v1/accounts/{CLIENT}")).json()
    assert (account["stage"], account["served_by"]["person"]) == ("buyer", "clara")
    (held,) = account["holdings"]
    assert (held["holder"], held["since"]) == ({"person": "clara", "role": "farmer"}, instant_text(WON))

    sold = await counter.post(SALES, SALE)
    assert (sold.status_code, sold.headers["etag"]) == (201, '"1"')
    assert sold.json() == {
        "sale_id": REPEAT,
        "client_id": CLIENT,
        "stage": "open",
        "served_by": {"person": "clara", "role": "farmer"},
        "version": 1,
    }
    paid = await counter.post(PAYMENTS, {"payment_id": "p1", "net": "4000.00", "currency": "EUR"})
    assert (paid.status_code, paid.json()["stage"], paid.json()["paid"]) == (201, "paid", "4000.00")
    assert paid.json()["refunded"] == "0.00"
    back = await counter.post(REFUNDS, {"refund_id": "r1", "net": "500.00", "currency": "EUR"})
    assert (back.status_code, back.json()["stage"], back.json()["refunded"]) == (201, "part_paid", "500.00")

    assert await counter.told() == [
        "AccountAccepted",
        "SeatAssigned",
        "RepeatSale",
        "PaymentReceived",
        "PaymentRefunded",
    ]
    shown = (await counter.get(f"/v1/sales/{REPEAT}")).json()
    assert (shown["net"], shown["payments"][0]["refunded"]) == ("4000.00", "500.00")


async def test_the_third_purchase_makes_a_regular_customer(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    for _ in range(2):
        assert (await counter.post(SALES, {"net": "10", "tax": "0", "currency": "EUR"})).status_code == 201
    account = (await counter.get(f"/v1/accounts/{CLIENT}")).json()
    assert (account["stage"], len(account["purchases"])) == ("regular", 3)
    assert (await counter.told())[-2:] == ["RepeatSale", "CustomerBecameRegular"]


async def test_whatever_is_said_twice_is_done_once(counter: Counter) -> None:
    await counter.begins()
    said: list[tuple[str, Any]] = [
        (f"/v1/offers/{OFFER}/accept", {}),
        (SALES, SALE),
        (PAYMENTS, {"payment_id": "p1", "net": "4000.00", "currency": "EUR"}),
        (REFUNDS, {"refund_id": "r1", "net": "4000.00", "currency": "EUR"}),
    ]
    for path, body in said:
        first = await counter.post(path, body, key=f"{path} one")
        assert first.status_code in (200, 201)
        size = await counter.size()
        same = await counter.post(path, body, key=f"{path} one")
        assert (same.status_code, same.json()) == (first.status_code, first.json())
        assert same.headers["idempotency-replayed"] == "true"
        other_key = await counter.post(path, body, key=f"{path} two")
        no_key = await counter.post(path, body)
        assert {other_key.status_code, no_key.status_code} == {200}
        assert other_key.json() == no_key.json() == first.json()
        assert await counter.size() == size
        assert (await counter.post(path, {"by": "clara"} | body, key=f"{path} one")).status_code == 422


async def test_a_sale_without_an_id_is_repeated_safely_with_a_key(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    body = {"net": "4000.00", "tax": "800.00", "currency": "EUR"}
    first, again = [await counter.post(SALES, body, key="one") for _ in range(2)]
    assert first.json() == again.json()
    assert (await counter.post(SALES, body, key="two")).json()["sale_id"] != first.json()["sale_id"]


NONSENSE: list[tuple[str, Any, str, int]] = [
    (SALES, b"{", "invalid-json", 400),
    (SALES, b"[]", "invalid-body", 422),
    (SALES, ANOTHER | {"colour": "red"}, "invalid-body", 422),
    (SALES, ANOTHER | {"net": 4000.0}, "invalid-body", 422),
    (SALES, ANOTHER | {"net": 4000}, "invalid-body", 422),
    (SALES, ANOTHER | {"net": "4e3"}, "invalid-body", 422),
    (SALES, ANOTHER | {"net": "NaN"}, "invalid-body", 422),
    (SALES, {"net": "1"}, "invalid-body", 422),
    (SALES, ANOTHER | {"net": "0"}, "money.not-positive", 422),
    (SALES, ANOTHER | {"net": "-1"}, "money.not-positive", 422),
    (SALES, ANOTHER | {"tax": "-1"}, "money.negative", 422),
    (SALES, ANOTHER | {"net": "1.001"}, "money.minor-units", 422),
    (SALES, ANOTHER | {"currency": "EURO"}, "invalid-body", 422),
    (SALES, ANOTHER | {"currency": "XXX"}, "money.unknown-currency", 422),
    (SALES, ANOTHER | {"sale_id": "a b"}, "invalid-body", 422),
    (SALES, ANOTHER | {"sale_id": DEAL}, "sale.id-taken", 409),
    (SALES, ANOTHER | {"sold_on": "2030-01-01T00:00:00Z"}, "future-date", 422),
    (SALES, ANOTHER | {"occurred_at": "2030-01-01T00:00:00Z"}, "future-date", 422),
    (SALES, ANOTHER | {"sold_on": "2026-03-01T00:00:00Z"}, "missing-scope", 403),
    (SALES, ANOTHER | {"by": "cyril"}, "missing-scope", 403),
    (SALES, ANOTHER | {"co_sell": [{"person": "clara", "role": "farmer", "weight": "0"}]}, "invalid-body", 422),
    (SALES, ANOTHER | {"co_sell": [{"person": "clara", "role": "farmer", "weight": "1"}]}, "sale.co-sell-people", 422),
    (SALES, ANOTHER | {"lines": [{"sku": "x", "qty": "1", "unit_price": "1"}]}, "terms.lines-do-not-add-up", 422),
    (SALES, ANOTHER | {"lines": [{"sku": "x", "qty": "0", "unit_price": "1"}]}, "invalid-body", 422),
    ("/v1/accounts/nobody/repeat-sales", ANOTHER, "account.unknown", 404),
    ("/v1/sales/nothing/payments", {"net": "1", "currency": "EUR"}, "sale.unknown", 404),
    ("/v1/offers/nothing/accept", {}, "offer.unknown", 404),
    (f"/v1/offers/{OFFER}/reject", {"reason": "no_budget"}, "handover.reason-not-allowed", 422),
    (f"/v1/offers/{OFFER}/reject", {"reason": "capacity"}, "handover.wrong-stage", 409),
    (f"/v1/offers/{OFFER}/reject", {}, "invalid-body", 422),
    (PAYMENTS, {"net": "4000.01", "currency": "EUR"}, "payment.exceeds-sale", 409),
    (PAYMENTS, {"net": "1", "currency": "USD"}, "money.other-currency", 422),
    (REFUNDS, {"net": "1", "currency": "EUR"}, "refund.exceeds-payments", 409),
    (REFUNDS, {"net": "1", "currency": "EUR", "payment_id": "p9"}, "payment.unknown", 404),
    ("/v1/accounts", {}, "method-not-allowed", 405),
    ("/v1/nonsense", {}, "not-found", 404),
]


async def test_nonsense_is_refused_with_its_code_and_leaves_no_trace(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    assert (await counter.post(SALES, SALE)).status_code == 201
    size = await counter.size()
    for path, body, expected, status in NONSENSE:
        answer = await counter.post(path, body)
        assert (code(answer), answer.status_code) == (expected, status), (path, body, answer.text)
        assert await counter.size() == size, (path, body)


async def test_another_sale_under_the_same_id_is_refused(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    await counter.post(SALES, SALE)
    answer = await counter.post(SALES, SALE | {"net": "5"})
    assert (code(answer), answer.status_code) == ("sale.id-taken", 409)


async def test_who_may_do_what(counter: Counter) -> None:
    """403: a scope is missing, or it is not theirs to do; 404: it is not theirs to see."""
    await counter.begins()
    accept, sell = f"/v1/offers/{OFFER}/accept", SALES
    assert code(await counter.post(accept, by="ana")) == "missing-scope"
    assert code(await counter.post(accept, by="boris")) == "handover.not-receiver"
    assert code(await counter.post(accept, by="cyril")) == "handover.not-receiver"
    assert code(await counter.post(accept, {"to": "cora"}, by="clara")) == "handover.not-manager"
    await counter.accepted()
    assert code(await counter.post(sell, SALE, by="ana")) == "missing-scope"
    assert code(await counter.post(sell, SALE, by="farmer")) == "account.unknown"  # of no team here
    assert code(await counter.post(sell, SALE | {"by": "farmer"}, by="integration")) == "account.not-yours"
    for number, person in enumerate(("clara", "cyril", "boris", "maria")):
        assert (await counter.post(sell, SALE | {"sale_id": f"s{number}"}, by=person)).status_code == 201
    for_clara = await counter.post(sell, SALE | {"sale_id": "s9", "by": "clara"}, by="integration")
    assert for_clara.status_code == 201
    assert code(await counter.get("/v1/accounts", by="ana")) == "missing-scope"
    unsigned = await counter.http.get("/v1/accounts")
    assert (unsigned.status_code, code(unsigned)) == (401, "missing-token")


async def test_history_may_be_written_down_by_whoever_may_backdate(counter: Counter) -> None:
    await counter.begins()
    counter.clock.set(WON + 200 * DAY)
    late = {"occurred_at": instant_text(NEXT_DAY), "by": "clara"}
    taken = await counter.post(f"/v1/offers/{OFFER}/accept", late, by="integration")
    assert taken.status_code == 200, "the clock did not tick in between"
    sold = await counter.post(SALES, SALE | {"sold_on": instant_text(NEXT_DAY), "by": "clara"}, by="integration")
    assert sold.json()["served_by"]["person"] == "clara"
    rows = await counter.query("select attributes::json->>'time' from published order by position")
    assert {row[0] for row in rows} == {instant_text(NEXT_DAY)}


async def test_silence_is_noticed_by_the_clock(counter: Counter) -> None:
    await counter.begins()
    await counter.parts.ticker.drive(counter.clock, DUE + timedelta(hours=1))
    moved = (await counter.get(f"/v1/offers/{OFFER}")).json()
    assert (moved["stage"], moved["to"]["person"], moved["reroutes"]) == ("offered", "cyril", 1)
    late = await counter.post(f"/v1/offers/{OFFER}/accept", by="clara")
    assert (late.status_code, code(late)) == (409, "handover.expired")
    assert (await counter.post(f"/v1/offers/{OFFER}/accept", by="cyril")).status_code == 200
    account = (await counter.get(f"/v1/accounts/{CLIENT}")).json()
    assert account["holdings"][0]["since"] == instant_text(DUE + timedelta(hours=1)), "the gap belongs to the house"


async def test_an_answer_that_comes_too_late_says_itself_that_the_offer_expired(counter: Counter) -> None:
    await counter.begins()
    counter.clock.set(DUE)
    late = await counter.post(f"/v1/offers/{OFFER}/accept", by="clara")
    assert (late.status_code, code(late)) == (409, "handover.expired")
    assert await counter.told() == ["AccountOfferExpired"]


async def test_a_manager_gives_an_escalated_account_away(counter: Counter) -> None:
    await counter.begins()
    await counter.parts.ticker.drive(counter.clock, WON + 60 * DAY)
    assert (await counter.get(f"/v1/offers/{OFFER}")).json()["stage"] == "escalated"
    assert code(await counter.post(f"/v1/offers/{OFFER}/accept", by="maria")) == "handover.receiver-needed"
    given = await counter.post(f"/v1/offers/{OFFER}/accept", {"to": "cora"}, by="maria")
    assert given.json()["served_by"]["person"] == "cora"


async def test_a_rejection_is_explained_to_those_who_may_read_it(counter: Counter) -> None:
    await counter.begins()
    note = "Mrs Weber was promised a discount"
    answer = await counter.post(f"/v1/offers/{OFFER}/reject", {"reason": "promise_unclear", "note": note})
    assert (answer.status_code, answer.json()["stage"]) == (200, "rejected")
    assert note not in answer.text
    assert (await counter.get(f"/v1/offers/{OFFER}")).json()["rejected"]["note"] == note
    assert "note" not in (await counter.get(f"/v1/offers/{OFFER}", by="integration")).json()["rejected"]
    for table in ("events", "published", "commands", "offers"):
        assert all(note not in str(row) for row in await counter.query(f"select t::text from {table} t"))


async def test_if_match_speaks_of_the_version_that_was_seen(counter: Counter) -> None:
    await counter.begins()
    version = (await counter.get(f"/v1/offers/{OFFER}")).headers["etag"]
    await counter.accepted()
    stale = await counter.post(f"/v1/offers/{OFFER}/accept", if_match=version)
    assert (stale.status_code, code(stale)) == (412, "version-conflict")


async def test_fifty_payments_at_once_never_exceed_the_sale(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    await counter.post(SALES, SALE)
    bodies = [{"payment_id": f"p{n}", "net": "100.00", "currency": "EUR"} for n in range(50)]
    answers = await asyncio.gather(*(counter.post(PAYMENTS, body) for body in bodies))
    assert Count(answer.status_code for answer in answers) == {201: 40, 409: 10}
    assert (await counter.get(f"/v1/sales/{REPEAT}")).json()["stage"] == "paid"
    (versions,) = await counter.query(
        f"select array_agg(version order by version) from events where stream_id = 'sale-{REPEAT}'"
    )
    assert versions[0] == list(range(1, 42))


async def test_fifty_sales_at_once_to_one_client_all_count(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    bodies = [SALE | {"sale_id": f"s{n}"} for n in range(50)]
    answers = await asyncio.gather(*(counter.post(SALES, body) for body in bodies))
    assert {answer.status_code for answer in answers} == {201}
    account = (await counter.get(f"/v1/accounts/{CLIENT}")).json()
    assert len(account["purchases"]) == 51
    assert (await counter.told()).count("CustomerBecameRegular") == 1


async def test_lists_are_filtered_and_paged(counter: Counter) -> None:
    others: list[Any] = [account_offered(offer_id=f"other-{n}") for n in range(5)]
    await counter.begins(*others)
    await counter.hears(deal_closed(), WON, subject="unopened", client_id="unopened")
    await counter.accepted()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await counter.get("/v1/offers", limit=2, **({"cursor": cursor} if cursor else {}))).json()
        seen += [row["offer_id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted([OFFER, *(f"other-{n}" for n in range(5))])
    mine = (await counter.get("/v1/offers", line=LINE, to="clara", stage="offered", client=CLIENT)).json()
    assert len(mine["items"]) == 5
    assert (await counter.get("/v1/offers", to="cyril")).json() == {"items": [], "next": None}
    accounts = (await counter.get("/v1/accounts", served_by="clara", stage="buyer")).json()["items"]
    assert [(row["client_id"], row["converted_by"]) for row in accounts] == [(CLIENT, BORIS.person)]
    assert len((await counter.get("/v1/accounts")).json()["items"]) == 1, "a client is no account before it is offered"
    assert code(await counter.get("/v1/accounts/unopened")) == "account.unknown"
    await counter.post(SALES, SALE)
    (sale,) = (await counter.get("/v1/sales", client=CLIENT)).json()["items"]
    assert (sale["net"], sale["paid"], sale["stage"]) == ("4000.00", "0.00", "open")
    assert code(await counter.get("/v1/sales", cursor="nonsense")) == "invalid-cursor"
    for at in ("never", "0001-01-01T00:00:00+01:00"):
        assert code(await counter.get("/v1/accounts", order="lapse", cursor=encode_cursor(at, "x"))) == "invalid-cursor"
    assert code(await counter.get("/v1/sales", limit=201)) == "invalid-parameter"


async def test_read_models_rebuilt_are_the_same(counter: Counter) -> None:
    await counter.begins()
    await counter.accepted()
    await counter.post(SALES, SALE)
    await counter.post(PAYMENTS, {"net": "1000", "currency": "EUR"})
    asked = {"contact": {"name": "Erika Weber"}, "via": "phone", "agreed": True}
    for survey, then in (("s1", "answers"), ("s2", "consent"), ("s3", "answers")):
        await counter.post(f"/v1/accounts/{CLIENT}/surveys", asked | {"survey_id": survey})
        said = {"recommend": 3} if then == "answers" else {"consent": "withdrawn", "via": "phone"}
        assert (await counter.post(f"/v1/surveys/{survey}/{then}", said)).status_code == 200
    tables = [f"select t::text from {stream.view.name} t" for stream in STREAMS.values() if stream.view is not None]
    before = [await counter.query(table) for table in tables]
    for stream in STREAMS.values():
        if stream.view is not None:
            await counter.query(f"update {stream.view.name} set stage = 'wrong'")
        await rebuild(counter.dsn, stream, counter.parts.desk.writer.vault)
    assert [await counter.query(table) for table in tables] == before
    assert all(before)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_it_says_how_it_is(counter: Counter, path: str) -> None:
    assert (await counter.http.get(path)).status_code == 200


async def test_every_route_is_described(counter: Counter) -> None:
    assert counter.parts.app is not None
    assert {
        "/v1/offers",
        "/v1/offers/{offer}",
        "/v1/offers/{offer}/accept",
        "/v1/offers/{offer}/reject",
        "/v1/accounts",
        "/v1/accounts/{client}",
        "/v1/accounts/{client}/repeat-sales",
        "/v1/accounts/{client}/contacts",
        "/v1/accounts/{client}/complaints",
        "/v1/accounts/{client}/complaints/{complaint}/resolve",
        "/v1/accounts/{client}/clear-risk",
        "/v1/accounts/{client}/left",
        "/v1/accounts/{client}/reassign",
        "/v1/repeat-sales/bulk",
        "/v1/sales",
        "/v1/sales/{sale}",
        "/v1/sales/{sale}/payments",
        "/v1/sales/{sale}/refunds",
    } <= set(counter.parts.app.openapi()["paths"])


def test_every_refusal_has_its_row_in_the_table() -> None:
    source = "".join(path.read_text() for path in Path(account_mgmt.__file__).parent.rglob("*.py"))
    refused = set(re.findall(r'Refused\(\s*"([^"]+)"', source))
    assert refused <= set(CODES) | set(SHARED)
    assert set(CODES) <= refused, "a code nobody meets"
