"""Serving clients over HTTP: contacts, complaints, statuses by the clock, reassignment, lists, many sales at once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from account_desk import Counter
from account_story import (
    CLIENT,
    CYRIL,
    DAY,
    LINE,
    NEXT_DAY,
    OFFER,
    STAFF,
    WON,
    account_offered,
    at,
    deal_closed,
    first_sale,
)

from account_mgmt.account import LeaveReason, Matter, MoveReason, Remedy
from conveyor_events.leads import JourneyMigrated
from conveyor_events.words import instant_text

ACCOUNT = f"/v1/accounts/{CLIENT}"
SALE = {"net": "1000.00", "tax": "0", "currency": "EUR"}
NOTE = "Mrs Weber says the crane came a week late"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def served(counter: Counter) -> None:
    await counter.begins()
    counter.clock.set(NEXT_DAY)
    await counter.accepted()


async def stage(counter: Counter, client: str = CLIENT) -> str:
    found: str = (await counter.get(f"/v1/accounts/{client}")).json()["stage"]
    return found


async def test_a_migration_that_came_before_the_account_is_kept_in_the_store(counter: Counter) -> None:
    moved = JourneyMigrated(line=LINE, before="hunter", variant="scout-hunter-farmer", served_by=CYRIL)
    await counter.hears(moved, NEXT_DAY)
    assert await counter.query("select * from accounts") == []
    await counter.begins()
    counter.clock.set(NEXT_DAY)
    shown = (await counter.get(ACCOUNT)).json()
    assert (shown["variant"], shown["served_by"]["person"], shown["stage"]) == (moved.variant, "cyril", "awaiting")
    (listed,) = (await counter.get("/v1/accounts")).json()["items"]
    assert (listed["client_id"], listed["served_by"]) == (CLIENT, "cyril")


async def test_a_contact_is_remembered_and_its_words_are_for_those_who_may_read_them(counter: Counter) -> None:
    await served(counter)
    body = {"contact_id": "k1", "channel": "phone", "person": "Mrs Weber", "summary": NOTE}
    logged = await counter.post(f"{ACCOUNT}/contacts", body | {"next_at": instant_text(at(4, 1))})
    assert (logged.status_code, logged.json()["contact_id"]) == (201, "k1")
    assert (await counter.post(f"{ACCOUNT}/contacts", {"channel": "visit"})).status_code == 201
    first, second = (await counter.get(f"{ACCOUNT}/contacts", limit=1)).json(), None
    second = (await counter.get(f"{ACCOUNT}/contacts", limit=1, cursor=first["next"])).json()
    told = {one["contact_id"]: one for one in (*first["items"], *second["items"])}
    assert (len(told), second["next"], told["k1"]["summary"]) == (2, None, NOTE)
    blind = (await counter.get(f"{ACCOUNT}/contacts", by="integration")).json()["items"]
    assert not any({"person", "summary"} & set(one) for one in blind)
    for table in ("events", "published", "commands", "accounts"):
        assert all("Weber" not in str(row) for row in await counter.query(f"select t::text from {table} t"))


async def test_a_complaint_is_a_risk_until_it_is_resolved(counter: Counter) -> None:
    await served(counter)
    body = {"complaint_id": "c1", "about": "delivery", "text": NOTE}
    received = await counter.post(f"{ACCOUNT}/complaints", body, key="one")
    assert (received.status_code, received.json()["stage"]) == (201, "at_risk")
    assert (await counter.post(f"{ACCOUNT}/complaints", body, key="one")).json() == received.json()
    (risky,) = (await counter.get("/v1/accounts", stage="at_risk", risk="complaint", complaints=True)).json()["items"]
    assert (risky["risks"], risky["open_complaints"]) == (["complaint"], 1)
    assert code(await counter.post(f"{ACCOUNT}/clear-risk")) == (409, "account.complaint-open")
    resolved = await counter.post(f"{ACCOUNT}/complaints/c1/resolve", {"remedy": "compensated", "note": NOTE})
    assert (resolved.status_code, resolved.json()["stage"]) == (200, "buyer")
    (told,) = (await counter.get(f"{ACCOUNT}/complaints")).json()["items"]
    assert (told["remedy"], told["text"], told["note"]) == ("compensated", NOTE, NOTE)
    (blind,) = (await counter.get(f"{ACCOUNT}/complaints", by="integration")).json()["items"]
    assert "text" not in blind
    assert "note" not in blind
    assert (await counter.get("/v1/accounts", complaints=True)).json()["items"] == []
    for table in ("events", "published", "commands", "accounts"):
        assert all("Weber" not in str(row) for row in await counter.query(f"select t::text from {table} t"))
    assert (await counter.told())[-1] == "AccountAtRiskFlagged"


async def test_silence_makes_a_risk_then_a_lapse_and_a_purchase_brings_the_client_back(counter: Counter) -> None:
    await served(counter)
    half, over = datetime(2026, 6, 7, 22, tzinfo=UTC), datetime(2026, 9, 5, 22, tzinfo=UTC)
    account = (await counter.get(ACCOUNT)).json()
    assert (account["risk_due_at"], account["lapse_due_at"]) == (instant_text(half), instant_text(over))
    await counter.parts.ticker.drive(counter.clock, half)
    assert await stage(counter) == "at_risk"
    calm = await counter.post(f"{ACCOUNT}/clear-risk")
    assert calm.json()["stage"] == "buyer"
    await counter.parts.ticker.drive(counter.clock, over)
    assert await stage(counter) == "lapsed"
    assert code(await counter.post(f"{ACCOUNT}/left", {"reason": "price"})) == (409, "account.wrong-stage")
    counter.clock.set(over + 30 * DAY)
    sold = await counter.post(f"{ACCOUNT}/repeat-sales", SALE | {"sale_id": "back"})
    assert sold.status_code == 201
    account = (await counter.get(ACCOUNT)).json()
    assert (account["stage"], len(account["journeys"]), account["gone_at"]) == ("buyer", 2, None)
    sale = (await counter.get("/v1/sales/back")).json()
    assert sale["journey_id"] == account["journey_id"] == account["journeys"][1]["journey_id"]
    rows = await counter.query(
        "select attributes::json->>'type', attributes::json->>'time', attributes::json->>'journeyid' "
        "from published order by position desc limit 4"
    )
    assert [(kind.rpartition(".")[2], when, journey) for kind, when, journey in reversed(rows)] == [
        ("AccountAtRiskFlagged", instant_text(half), "journey-1"),
        ("CustomerLapsed", instant_text(over), "journey-1"),
        ("RepeatSale", instant_text(over + 30 * DAY), sale["journey_id"]),
        ("CustomerReturned", instant_text(over + 30 * DAY), sale["journey_id"]),
    ]


async def test_the_story_of_a_customer_that_comes_back(counter: Counter) -> None:
    """Scenario 18, the part of this station: regular 5 June, lapsed 2 December, returned 20 December."""
    jan = at(1, 20)
    for event in STAFF:
        await counter.hears(event, jan, subject=LINE, client_id=None)
    await counter.hears(deal_closed(jan), jan)
    await counter.hears(account_offered(accept_due_at=None), jan)
    counter.clock.set(jan)
    await counter.accepted()
    for when in (at(3, 10), at(6, 5), at(12, 20)):
        await counter.parts.ticker.drive(counter.clock, when)
        assert (await counter.post(f"{ACCOUNT}/repeat-sales", SALE)).status_code == 201
    rows = await counter.query(
        "select attributes::json->>'type', attributes::json->>'time' from published order by position"
    )
    told = [(kind.rpartition(".")[2], when) for kind, when in rows]
    assert [one for one in told if one[0].startswith("Customer")] == [
        ("CustomerBecameRegular", instant_text(at(6, 5))),
        ("CustomerLapsed", instant_text(datetime(2026, 12, 1, 23, tzinfo=UTC))),  # 2 December in Berlin
        ("CustomerReturned", instant_text(at(12, 20))),
    ]
    (returned,) = await counter.query("select value from published where attributes::text like '%CustomerReturned%'")
    assert json.loads(returned[0])["after_days"] == 198


async def test_a_client_that_leaves_is_churned_until_it_buys_again(counter: Counter) -> None:
    await served(counter)
    left = await counter.post(f"{ACCOUNT}/left", {"reason": "competitor", "note": NOTE})
    assert (left.status_code, left.json()["stage"]) == (200, "churned")
    assert (await counter.post(f"{ACCOUNT}/left", {"reason": "competitor"})).json() == left.json()
    account = (await counter.get(ACCOUNT)).json()
    assert (account["left"], account["lapse_due_at"]) == ("competitor", None)
    await counter.parts.ticker.drive(counter.clock, WON + 300 * DAY)
    assert await stage(counter) == "churned"
    assert (await counter.told())[-1] == "CustomerChurned"
    await counter.post(f"{ACCOUNT}/repeat-sales", SALE)
    assert await stage(counter) == "buyer"


async def test_an_account_given_to_somebody_else_is_credited_to_them_from_then_on(counter: Counter) -> None:
    await served(counter)
    counter.clock.set(at(7, 1))
    body = {"to": "cyril", "reason": "workload", "legacy_until": instant_text(at(9, 29))}
    assert code(await counter.post(f"{ACCOUNT}/reassign", body)) == (403, "missing-scope")
    assert code(await counter.post(f"{ACCOUNT}/reassign", body, scopes=("manager",))) == (403, "account.not-manager")
    moved = await counter.post(f"{ACCOUNT}/reassign", body, by="maria")
    assert (moved.status_code, moved.json()["served_by"]["person"]) == (200, "cyril")
    assert (await counter.told())[-2:] == ["AccountReassigned", "SeatAssigned"]
    counter.clock.set(at(10, 5))
    credited = {}
    for day in (at(6, 30), at(8, 10), at(10, 5)):
        body = SALE | {"sale_id": f"s{day.month}", "sold_on": instant_text(day), "by": "cyril"}
        sold = await counter.post(f"{ACCOUNT}/repeat-sales", body, by="integration")
        legacy = (await counter.get(f"/v1/sales/s{day.month}")).json()["legacy"]
        credited[day.month] = (sold.json()["served_by"]["person"], legacy)
    assert credited == {6: ("clara", None), 8: ("cyril", "clara"), 10: ("cyril", None)}
    values = await counter.query("select value from published where attributes::text like '%RepeatSale%'")
    told = [json.loads(value)["legacy"] for (value,) in values]
    assert told == [None, {"person": "clara", "until": instant_text(at(9, 29))}, None]
    (mine,) = (await counter.get("/v1/accounts", served_by="cyril")).json()["items"]
    assert mine["client_id"] == CLIENT
    assert (await counter.get("/v1/accounts", served_by="clara")).json()["items"] == []


NONSENSE: list[tuple[str, Any, int, str]] = [
    ("contacts", {}, 422, "invalid-body"),
    ("contacts", {"channel": "pigeon"}, 422, "invalid-body"),
    ("contacts", {"channel": "phone", "next_at": instant_text(WON)}, 422, "contact.next-in-the-past"),
    ("contacts", {"channel": "phone", "mood": "good"}, 422, "invalid-body"),
    ("complaints", {"about": "delivery"}, 422, "invalid-body"),
    ("complaints", {"about": "weather", "text": "rain"}, 422, "invalid-body"),
    ("complaints/c9/resolve", {"remedy": "fixed"}, 404, "complaint.unknown"),
    ("complaints/c9/resolve", {"remedy": "shouted"}, 422, "invalid-body"),
    ("left", {"reason": "no idea"}, 422, "invalid-body"),
    ("left", {}, 422, "invalid-body"),
    ("reassign", {"to": "boris", "reason": "leaver"}, 422, "account.receiver-not-in-team"),
    ("reassign", {"to": "cora", "reason": "whim"}, 422, "invalid-body"),
    (
        "reassign",
        {"to": "cora", "reason": "leaver", "legacy_until": instant_text(WON)},
        422,
        "account.no-legacy",
    ),
]


@pytest.mark.parametrize("path", ["contacts", "complaints", "clear-risk", "left", "reassign"])
async def test_of_a_client_that_is_no_account_nothing_is_known(counter: Counter, path: str) -> None:
    await counter.begins()
    bodies: dict[str, Any] = {
        "contacts": {"channel": "phone"},
        "complaints": {"about": "price", "text": "dear"},
        "left": {"reason": "price"},
        "reassign": {"to": "cora", "reason": "leaver"},
    }
    answer = await counter.post(f"/v1/accounts/nobody/{path}", bodies.get(path, {}), by="maria")
    assert code(answer) == (404, "account.unknown")


async def test_nonsense_is_refused_with_its_code_and_leaves_no_trace(counter: Counter) -> None:
    await served(counter)
    size = await counter.size()
    for path, body, status, expected in NONSENSE:
        assert code(await counter.post(f"{ACCOUNT}/{path}", body, by="maria")) == (status, expected), (path, body)
        assert await counter.size() == size
    assert code(await counter.get("/v1/accounts/nobody/contacts")) == (404, "account.unknown")
    assert code(await counter.get("/v1/accounts/nobody/complaints")) == (404, "account.unknown")


ASKED: dict[str, Any] = {
    "contacts": {"channel": "phone"},
    "complaints": {"about": "price", "text": "dear"},
    "clear-risk": {},
    "left": {"reason": "price"},
    "repeat-sales": SALE,
}
MAY = {"clara": True, "cyril": True, "boris": True, "maria": True, "farmer": False, "ana": False}
"""Who serves, the team, who made the first sale, a manager of the line; not a farmer of elsewhere, not a scout."""


@pytest.mark.parametrize("path", ASKED)
async def test_who_may_do_what(counter: Counter, path: str) -> None:
    await served(counter)
    for person in (person for person, may in MAY.items() if not may):
        answer = await counter.post(f"{ACCOUNT}/{path}", ASKED[path], by=person)
        expected = (403, "missing-scope") if person == "ana" else (404, "account.unknown")
        assert code(answer) == expected, person
    for person in (person for person, may in MAY.items() if may):
        assert (await counter.post(f"{ACCOUNT}/{path}", ASKED[path], by=person)).status_code in (200, 201), person


async def test_every_word_of_the_closed_lists_is_taken(counter: Counter) -> None:
    await served(counter)
    for number, about in enumerate(Matter):
        body = {"complaint_id": f"c{number}", "about": about, "text": NOTE}
        assert (await counter.post(f"{ACCOUNT}/complaints", body)).status_code == 201
    for number, remedy in enumerate(Remedy):
        answer = await counter.post(f"{ACCOUNT}/complaints/c{number}/resolve", {"remedy": remedy})
        assert answer.status_code == 200
    to = ["cora", "cyril"]
    for number, reason in enumerate(MoveReason):
        counter.clock.set(NEXT_DAY + number * DAY)
        body = {"to": to[number % 2], "reason": reason}
        assert (await counter.post(f"{ACCOUNT}/reassign", body, by="maria")).status_code == 200
    for number, why in enumerate(LeaveReason):
        assert (await counter.post(f"{ACCOUNT}/repeat-sales", SALE | {"sale_id": f"s{number}"})).status_code == 201
        assert (await counter.post(f"{ACCOUNT}/left", {"reason": why})).json()["stage"] == "churned"


# --- lists ----------------------------------------------------------------------------------------------------------


async def pages(counter: Counter, path: str, key: str, **query: Any) -> list[str]:
    """All ids, two a page."""
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        found = (await counter.get(path, limit=2, **query, **cursor)).json()
        seen += [row[key] for row in found["items"]]
        if found["next"] is None:
            return seen
        cursor = {"cursor": found["next"]}


async def test_my_open_offers_come_by_when_the_answer_is_due(counter: Counter) -> None:
    due = {"late": at(3, 20), "soon": at(3, 12), "same": at(3, 12), "never": None, "done": at(3, 11)}
    await counter.begins(*(account_offered(offer_id=name, accept_due_at=when) for name, when in due.items()))
    await counter.hears(account_offered(to=None, offer_id="queued", accept_due_at=at(3, 15)), WON)
    await counter.post("/v1/offers/done/reject", {"reason": "capacity"})
    mine = {"to": "clara", "waiting": True, "order": "due"}
    assert await pages(counter, "/v1/offers", "offer_id", **mine) == ["same", "soon", OFFER, "late", "never"]
    with_queue = await pages(counter, "/v1/offers", "offer_id", **mine, queue=True)
    assert with_queue == ["same", "soon", OFFER, "queued", "late", "never"]
    counted = (await counter.get("/v1/offers", to="clara", counts=True)).json()["counts"]
    assert counted == {"offered": 5, "rejected": 1}


async def clients(counter: Counter, sold: dict[str, datetime]) -> None:
    """Several clients served by Clara, each with its first sale at its own time."""
    for event in STAFF:
        await counter.hears(event, WON, subject=LINE, client_id=None)
    for name, when in sold.items():
        about = {"subject": name, "client_id": name}
        sale = first_sale(when).model_copy(update={"sale_id": f"deal-{name}"})
        await counter.hears(deal_closed(when).model_copy(update={"sale": sale}), when, **about)
        offered = account_offered(offer_id=f"offer-{name}", accept_due_at=None)
        await counter.hears(offered, when, **about)
    counter.clock.set(max(sold.values()))
    for name in sold:
        assert (await counter.post(f"/v1/offers/offer-{name}/accept")).status_code == 200


async def test_accounts_that_are_about_to_lapse_come_first_and_are_counted_by_stage(counter: Counter) -> None:
    sold = {"a": at(3, 20), "b": at(3, 10), "c": at(4, 1), "d": at(3, 15), "e": at(3, 15)}
    await clients(counter, sold)
    assert await pages(counter, "/v1/accounts", "client_id", order="lapse") == ["b", "d", "e", "a", "c"]
    soon = instant_text(at(9, 15))
    assert await pages(counter, "/v1/accounts", "client_id", order="lapse", lapses_before=soon) == ["b", "d", "e"]
    await counter.parts.ticker.drive(counter.clock, at(6, 14))
    at_risk = await pages(counter, "/v1/accounts", "client_id", order="risk", stage="at_risk")
    assert at_risk == ["b", "d", "e"]
    await counter.post("/v1/accounts/c/left", {"reason": "no_need"})
    counted = (await counter.get("/v1/accounts", served_by="clara", counts=True, stage="at_risk")).json()
    assert counted["counts"] == {"at_risk": 3, "buyer": 1, "churned": 1}
    assert [row["client_id"] for row in counted["items"]] == ["b", "d", "e"]
    assert "counts" not in (await counter.get("/v1/accounts")).json()


async def test_accounts_to_be_contacted_come_by_when(counter: Counter) -> None:
    await clients(counter, {"a": at(3, 10), "b": at(3, 10), "c": at(3, 10)})
    for client, day in (("a", 20), ("b", 15)):
        body = {"channel": "phone", "next_at": instant_text(at(3, day))}
        await counter.post(f"/v1/accounts/{client}/contacts", body)
    assert await pages(counter, "/v1/accounts", "client_id", order="contact") == ["b", "a", "c"]
    by = instant_text(at(3, 16))
    assert await pages(counter, "/v1/accounts", "client_id", order="contact", contact_before=by) == ["b"]


async def test_sales_of_an_account_come_newest_first(counter: Counter) -> None:
    await served(counter)
    for number in range(5):
        counter.clock.set(NEXT_DAY + number * DAY)
        await counter.post(f"{ACCOUNT}/repeat-sales", SALE | {"sale_id": f"s{number}"})
    newest = await pages(counter, "/v1/sales", "sale_id", client=CLIENT, order="newest")
    assert newest == ["s4", "s3", "s2", "s1", "s0"]
    assert (await counter.get("/v1/sales", served_by="clara", counts=True)).json()["counts"] == {"open": 5}
    nonsense = await counter.get("/v1/sales", order="newest", cursor="WzEsIngiLCJ5Il0")
    assert code(nonsense) == (422, "invalid-cursor")


# --- many at once ---------------------------------------------------------------------------------------------------


async def test_many_sales_in_one_request_each_with_its_own_outcome(counter: Counter) -> None:
    await served(counter)
    lines = [
        {"client": CLIENT, **SALE, "sale_id": "s1"},
        {"client": "nobody", **SALE, "sale_id": "s2"},
        {"client": CLIENT, **SALE, "net": 12, "sale_id": "s3"},
        {**SALE, "sale_id": "s4"},
        {"client": CLIENT, **SALE, "sale_id": "s5"},
    ]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    headers = counter.token("clara") | {"content-type": "application/x-ndjson", "idempotency-key": "batch"}
    answers = [await counter.http.post("/v1/repeat-sales/bulk", content=body, headers=headers) for _ in range(2)]
    first, again = [[json.loads(line) for line in answer.text.splitlines()] for answer in answers]
    assert [(one["line"], one["status"], one["body"].get("code")) for one in first] == [
        (1, 201, None),
        (2, 404, "account.unknown"),
        (3, 422, "invalid-body"),
        (4, 422, "invalid-body"),
        (5, 201, None),
    ]
    assert [one["body"] for one in again if one["status"] == 201] == [first[0]["body"], first[4]["body"]]
    assert all(one["replayed"] for one in again if one["status"] == 201)
    assert (await counter.told()).count("RepeatSale") == 2
