"""The real app on real PostgreSQL: the main way, everything twice, and many at once."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from conversion_house import DEAL_BODY, PROPOSAL, House, qualified
from conversion_stories import CLIENT, DEAL, DUE, FRIDAY, LINE, NEED, OFFER, OPPORTUNITY

from belt.core.ids import derived
from belt.io.http.paging import encode_cursor
from belt.io.store.projection import rebuild
from conversion.main import STREAMS
from conveyor_events import accounts, deals, leads
from conveyor_events.words import Seat, instant_text

OFFERS, OPPORTUNITIES = f"/v1/offers/{OFFER}", f"/v1/opportunities/{OPPORTUNITY}"
PAYMENTS, REFUNDS = f"/v1/deals/{DEAL}/payments", f"/v1/deals/{DEAL}/refunds"
PAYMENT = {"payment_id": "p1", "net": "4000.00", "currency": "EUR"}
CLARA = Seat(person="clara", role="farmer")


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["code"]
    return found


PLAN: dict[str, Any] = {
    "plan_id": "plan-1",
    "goal": "an order for six drills",
    "fallback": "a trial of one",
    "theirs": [{"name": "Mrs Weber", "position": "buyer", "influence": "decides", "attitude": 1}],
    "questions": [{"kind": kind, "text": f"the {kind}?"} for kind in ("situation", "problem", "effect")],
    "agenda": [{"minutes": 30, "what": "see the workshop"}],
    "next_step": "a date for the trial",
}
BARGAIN: dict[str, Any] = {
    "plan_id": "bargain-1",
    "issues": [
        {"name": "price", "weight": "60", "target": "100", "opening": "110", "limit": "90", "alternative": "85"},
        {"name": "days", "weight": "40", "target": "14", "opening": "7", "limit": "30"},
    ],
    "best_alternative": {"what": "sell to Weber", "value": "8500.00"},
    "exit_sentence": "Then we part as friends.",
}


async def test_a_sale_with_all_its_papers(house: House) -> None:
    await house.offered()
    await house.post(f"{OFFERS}/accept")
    assert (
        await house.post(f"{OPPORTUNITIES}/touches", {"channel": "phone", "note": "Weber was in"})
    ).status_code == 201
    lacking = {**PLAN, "questions": PLAN["questions"][:2]}
    assert (await house.post(f"{OPPORTUNITIES}/meeting-plans", lacking)).json()["stage"] == "draft"
    refused = await house.post("/v1/meeting-plans/plan-1/ready")
    assert (refused.status_code, code(refused), refused.json()["facts"]) == (
        422,
        "meeting-plan.incomplete",
        {"missing": ["questions"]},
    )
    await house.post(f"{OPPORTUNITIES}/meeting-plans", PLAN)
    assert (await house.post("/v1/meeting-plans/plan-1/ready")).json()["stage"] == "ready"
    made = {"meeting_id": "m", "starts_at": "2026-03-30T08:00:00Z", "plan_id": "plan-1"}
    await house.post(f"{OPPORTUNITIES}/meetings", made)
    back = await house.post(f"{OPPORTUNITIES}/meetings/m/cancel")
    assert (back.json()["stage"], (await house.get(OPPORTUNITIES)).json()["meetings"]) == ("open", [])
    await house.post(f"{OPPORTUNITIES}/meetings", made)
    told = {"meeting_id": "m", "objective_met": "full", "answers": ["six"], "surprises": ["Weber leaves in May"]}
    await house.post(f"{OPPORTUNITIES}/meetings", told)
    plan = (await house.get("/v1/meeting-plans/plan-1")).json()
    assert (plan["stage"], plan["paper"]["theirs"][0]["name"]) == ("used", "Mrs Weber")
    assert (await house.get("/v1/meeting-plans/plan-1", by="integration")).json()["paper"] is None
    shown = await house.post(f"{OPPORTUNITIES}/presentations", {"need_ids": ["need-1"]})
    assert shown.json()["stage"] == "presented"
    await house.post(f"{OPPORTUNITIES}/proposals", PROPOSAL)
    objection = {"objection_id": "o", "kind": "price", "words": "Weber says too much"}
    assert (await house.post(f"{OPPORTUNITIES}/objections", objection)).status_code == 201
    answered = {"technique": "cost of a stop", "result": "resolved"}
    assert (await house.post(f"{OPPORTUNITIES}/objections/o/answer", answered)).status_code == 200
    await house.post(f"{OPPORTUNITIES}/negotiation-plans", BARGAIN)
    await house.post("/v1/negotiation-plans/bargain-1/ready")
    begun = await house.post(f"{OPPORTUNITIES}/negotiation", {"plan_id": "bargain-1"})
    assert begun.json()["stage"] == "negotiating"
    gift = {"item": "delivery for Weber", "in_return_for": "an order today", "value": "50.00"}
    assert (await house.post(f"{OPPORTUNITIES}/concessions", gift)).status_code == 201
    scored = await house.post("/v1/negotiation-plans/bargain-1/score", {"results": {"price": "95", "days": "30"}})
    assert scored.json()["score"] == "30.00"
    assert (await house.post(f"{OPPORTUNITIES}/close", DEAL_BODY)).json()["stage"] == "won"
    off = await house.post(f"/v1/deals/{DEAL}/cancel", {"reason": "withdrawn_by_client"})
    assert off.status_code == 200
    assert (await house.get(f"/v1/deals/{DEAL}")).json()["cancelled"] == "withdrawn_by_client"
    late = await house.post(PAYMENTS, PAYMENT)
    assert (late.status_code, code(late)) == (409, "deal.cancelled")
    whole = (await house.get(OPPORTUNITIES)).json()
    assert (whole["objections"][0]["result"], whole["concessions"][0]["value"]) == ("resolved", "50.00")
    seen = json.dumps((await house.get(OPPORTUNITIES, by="integration")).json())
    assert "Weber" in json.dumps(whole)
    assert "Weber" not in seen
    for (name,) in await house.query("select tablename from pg_tables where schemaname = 'public'"):
        assert not [row for row in await house.query(f"select t::text from {name} t") if "Weber" in row[0]], name


async def test_a_rejection_is_disputed_by_its_scout_and_overturned_by_a_manager(house: House) -> None:
    await house.offered()
    await house.post(f"{OFFERS}/reject", {"reason": "no_need_evidence"})
    assert code(await house.post(f"{OFFERS}/dispute", by="dina")) == "handover.not-sender"
    assert (await house.post(f"{OFFERS}/dispute", by="ana")).json()["stage"] == "disputed"
    assert (await house.post(f"{OFFERS}/overturn", by="boris")).status_code == 403
    over = await house.post(f"{OFFERS}/overturn", {"to": "dina"}, by="maria")
    assert (over.json()["stage"], over.json()["converted_by"]["person"]) == ("accepted", "dina")
    assert (await house.get("/v1/offers", client=CLIENT)).json()["items"][0]["stage"] == "accepted"
    told = await house.told()
    assert [name.rpartition(".")[2] for name in told][-4:] == [
        "RejectionDisputed",
        "RejectionOverturned",
        "LeadAccepted",
        "OpportunityOpened",
    ]


async def test_what_waits_for_an_answer_comes_most_urgent_first(house: House) -> None:
    await house.offered()
    for n, due in ((2, "2026-03-30T10:00:00Z"), (3, None), (4, "2026-03-30T12:00:00Z"), (5, None)):
        told = qualified(f"offer-{n}", need_id=f"need-{n}", accept_due_at=due)
        await house.hears(told, client=f"client-{n}")
    first = (await house.get("/v1/offers-to-answer", to="boris", limit=2)).json()
    rest = (await house.get("/v1/offers-to-answer", to="boris", limit=2, cursor=first["next"])).json()
    last = (await house.get("/v1/offers-to-answer", to="boris", limit=2, cursor=rest["next"])).json()
    found = [row["offer_id"] for row in (*first["items"], *rest["items"], *last["items"])]
    assert found == ["offer-2", "offer-4", OFFER, "offer-3", "offer-5"]
    assert last["next"] is None
    for due in ("never", "0001-01-01T00:00:00+01:00", "-infinity"):
        cursor = encode_cursor(due, "offer-2")
        assert code(await house.get("/v1/offers-to-answer", cursor=cursor)) == "invalid-cursor"
    await house.post(f"{OFFERS}/accept")
    assert OFFER not in [row["offer_id"] for row in (await house.get("/v1/offers-to-answer")).json()["items"]]


async def test_opportunities_are_counted_by_stage(house: House) -> None:
    await house.offered()
    await house.post(f"{OFFERS}/accept")
    await house.post("/v1/opportunities", {"opportunity_id": "own", "client_id": "c9", "line": LINE})
    await house.post("/v1/opportunities/own/lose", {"reason": "timing"})
    counts = (await house.get("/v1/opportunity-counts", converted_by="boris")).json()
    assert counts == {"counts": {"lost": 1, "open": 1}, "total": 2}
    assert (await house.get("/v1/opportunities", stalled="true")).json()["items"] == []
    again = await house.post(
        "/v1/opportunities/own/recycle", {"reason": "timing", "not_before": "2026-09-01T08:00:00Z"}
    )
    assert again.json()["stage"] == "recycled"


async def test_the_main_way_from_the_lead_to_a_refund(house: House) -> None:
    await house.offered()
    waiting = (await house.get(OFFERS)).json()
    assert (waiting["stage"], waiting["to"]) == ("offered", {"person": "boris", "role": "hunter"})
    assert waiting["due_at"] == instant_text(DUE)

    taken = await house.post(f"{OFFERS}/accept")
    assert taken.status_code == 200
    assert taken.json() == {
        "offer_id": OFFER,
        "client_id": CLIENT,
        "stage": "accepted",
        "converted_by": {"person": "boris", "role": "hunter"},
        "opportunity_id": OPPORTUNITY,
        "version": 3,
    }
    assert taken.headers["etag"] == '"3"'

    await house.post(f"{OPPORTUNITIES}/meeting-plans", PLAN)
    await house.post("/v1/meeting-plans/plan-1/ready")
    meeting = {"meeting_id": "m1", "starts_at": "2026-03-30T08:00:00Z", "plan_id": "plan-1"}
    planned = await house.post(f"{OPPORTUNITIES}/meetings", meeting)
    assert (planned.status_code, planned.json()["stage"]) == (201, "meeting_planned")
    told = {"meeting_id": "m1", "objective_met": "full", "facts": ["Mrs Weber decides"]}
    held = await house.post(f"{OPPORTUNITIES}/meetings", told)
    assert (held.json()["stage"], held.json()["version"]) == ("meeting_held", 4)
    sent = await house.post(f"{OPPORTUNITIES}/proposals", PROPOSAL)
    assert (sent.json()["stage"], sent.json()["revision"], sent.json()["net"]) == ("proposed", 1, "10000.00")

    closed = await house.post(f"{OPPORTUNITIES}/close", DEAL_BODY)
    assert (closed.status_code, closed.json()) == (
        200,
        {
            "opportunity_id": OPPORTUNITY,
            "client_id": CLIENT,
            "stage": "won",
            "deal_id": DEAL,
            "sale_id": DEAL,
            "account_offer_id": derived(DEAL, "account-offer", 1),
            "version": 6,
        },
    )
    paid = await house.post(PAYMENTS, PAYMENT)
    assert (paid.status_code, paid.json()["paid"], paid.json()["payment_id"]) == (201, "4000.00", "p1")
    back = await house.post(REFUNDS, {"refund_id": "r1", "net": "500.00", "currency": "EUR"})
    assert (back.status_code, back.json()["refunded"]) == (201, "500.00")

    assert await house.told() == [
        "LeadAccepted",
        "OpportunityOpened",
        "FirstTouchMade",
        "MeetingHeld",
        "ProposalSent",
        "DealClosed",
        "AccountOffered",
        "PaymentReceived",
        "PaymentRefunded",
    ]
    deal = (await house.get(f"/v1/deals/{DEAL}")).json()
    assert (deal["net"], deal["paid"], deal["refunded"], deal["stage"]) == ("10000.00", "4000.00", "500.00", "won")
    assert [part["person"] for part in deal["splits"]] == ["boris", "dina"]
    assert (deal["account"]["stage"], deal["account"]["to"]) == ("offered", {"person": "clara", "role": "farmer"})
    assert deal["account"]["checklist"] == ["contacts", "contract", "price-terms"]
    (row,) = await house.query("select attributes::json, value::json from published where position = 8")
    about, value = (json.loads(part) for part in row)
    assert (about["subject"], about["journeyid"], about["actorperson"]) == (CLIENT, "journey-1", "boris")
    assert value["sale"]["splits"] == [
        {"person": "boris", "role": "hunter", "weight": "2"},
        {"person": "dina", "role": "hunter", "weight": "1"},
    ]


async def test_the_lists_show_what_there_is_page_by_page(house: House) -> None:
    await house.won()
    await house.hears(qualified("offer-2", need_id="need-2", to=None), client="client-2")
    assert [row["offer_id"] for row in (await house.get("/v1/offers", limit=1)).json()["items"]] == ["offer-1"]
    first = (await house.get("/v1/offers", limit=1)).json()
    second = (await house.get("/v1/offers", limit=1, cursor=first["next"])).json()
    assert ([row["offer_id"] for row in second["items"]], second["next"]) == (["offer-2"], None)
    assert (await house.get("/v1/offers", stage="offered", line=LINE)).json()["items"][0]["to_person"] is None
    assert len((await house.get("/v1/offers", to="boris")).json()["items"]) == 1
    (row,) = (await house.get("/v1/opportunities", converted_by="boris")).json()["items"]
    assert (row["stage"], row["net"], row["deal_id"], row["sourced_by"]) == ("won", "10000.00", DEAL, "ana")
    (row,) = (await house.get("/v1/deals", client=CLIENT, account="offered")).json()["items"]
    assert (row["deal_id"], row["paid"], row["account_to"], row["currency"]) == (DEAL, "0.00", "clara", "EUR")
    assert (await house.get("/v1/deals", line="elsewhere")).json() == {"items": [], "next": None}


async def test_the_same_key_gets_the_same_answer_and_nothing_happens_twice(house: House) -> None:
    await house.offered()
    ways: list[tuple[str, Any]] = [
        (f"{OFFERS}/accept", {}),
        (f"{OPPORTUNITIES}/meetings", {"objective_met": "full", "facts": ["said"]}),
        (f"{OPPORTUNITIES}/proposals", PROPOSAL),
        (f"{OPPORTUNITIES}/close", DEAL_BODY),
        (PAYMENTS, {"net": "4000.00", "currency": "EUR"}),
        (REFUNDS, {"net": "1000.00", "currency": "EUR"}),
        ("/v1/opportunities", {"client_id": "c9", "line": LINE}),
    ]
    for n, (path, body) in enumerate(ways):
        first = await house.post(path, body, key=f"k{n}")
        assert first.status_code in (200, 201), first.text
        size = await house.size()
        again = await house.post(path, body, key=f"k{n}")
        assert (again.status_code, again.json(), again.headers["etag"]) == (
            first.status_code,
            first.json(),
            first.headers["etag"],
        )
        assert again.headers["idempotency-replayed"] == "true"
        assert await house.size() == size
        other = await house.post(path, {**body, "by": "boris"}, key=f"k{n}")
        assert (other.status_code, code(other)) == (422, "idempotency-key-reused")


async def test_said_twice_without_a_key_nothing_new_happens(house: House) -> None:
    await house.offered()
    ways: list[tuple[str, Any]] = [
        (f"{OFFERS}/accept", {}),
        (f"{OPPORTUNITIES}/meeting-plans", PLAN),
        ("/v1/meeting-plans/plan-1/ready", {}),
        (f"{OPPORTUNITIES}/meetings", {"meeting_id": "m", "starts_at": "2026-03-30T08:00:00Z", "plan_id": "plan-1"}),
        (f"{OPPORTUNITIES}/meetings", {"meeting_id": "m", "objective_met": "no"}),
        (f"{OPPORTUNITIES}/presentations", {"presentation_id": "show", "note": "with the foreman"}),
        (f"{OPPORTUNITIES}/proposals", PROPOSAL),
        (f"{OPPORTUNITIES}/close", DEAL_BODY),
        (PAYMENTS, PAYMENT),
        (REFUNDS, {"refund_id": "r1", "net": "1000.00", "currency": "EUR"}),
        ("/v1/opportunities", {"opportunity_id": "own", "client_id": "c9", "line": LINE}),
        ("/v1/opportunities/own/lose", {"reason": "timing"}),
    ]
    for path, body in ways:
        first = await house.post(path, body)
        assert first.status_code in (200, 201), first.text
        size = await house.size()
        again = await house.post(path, body)
        assert (again.status_code, again.json()) == (200, first.json())
        assert await house.size() == size


async def test_an_event_heard_twice_changes_nothing(house: House) -> None:
    await house.offered()
    await house.hears(qualified())
    size = await house.size()
    await house.staffed()
    await house.hears(qualified())
    assert await house.size() == size


async def test_silence_moves_the_lead_on_when_the_clock_says_so(house: House) -> None:
    await house.offered()
    await house.parts.ticker.drive(house.clock, DUE - timedelta(seconds=1))
    assert await house.told() == []
    await house.parts.ticker.drive(house.clock, DUE)
    assert await house.told() == ["LeadOfferExpired", "LeadOfferRerouted"]
    late = await house.post(f"{OFFERS}/accept")
    assert (late.status_code, code(late)) == (409, "offer-expired")
    taken = await house.post(f"{OFFERS}/accept", by="dina")
    assert (taken.status_code, taken.json()["converted_by"]["person"]) == (200, "dina")
    assert (await house.told())[2:] == ["LeadAccepted", "OpportunityOpened"]


async def test_acceptance_after_the_due_instant_is_refused_though_the_ticker_is_late(house: House) -> None:
    await house.offered()
    house.clock.set(DUE)
    late = await house.post(f"{OFFERS}/accept", key="once")
    assert (late.status_code, code(late)) == (409, "offer-expired")
    assert await house.told() == ["LeadOfferExpired", "LeadOfferRerouted"]
    assert code(await house.post(f"{OFFERS}/accept", key="once")) == "offer-expired"
    await house.parts.ticker.drive(house.clock, DUE)
    assert await house.told() == ["LeadOfferExpired", "LeadOfferRerouted"]


async def test_a_withdrawal_loses_against_an_acceptance(house: House) -> None:
    await house.offered()
    await house.post(f"{OFFERS}/accept")
    size = await house.size()
    with pytest.raises(Exception, match=r"handover\.wrong-stage"):
        await house.hears(leads.LeadWithdrawn(line=LINE, offer_id=OFFER, need_id=NEED))
    assert await house.size() == size


async def test_a_sale_to_somebodys_customer_is_refused_and_told(house: House) -> None:
    await house.won()
    await house.hears(
        accounts.SeatAssigned(line=LINE, seat="served_by", holder=CLARA, since=FRIDAY),
    )
    own = {"opportunity_id": "own", "client_id": CLIENT, "line": LINE, "need_ids": ["need-2"]}
    assert (await house.post("/v1/opportunities", own, by="dina")).status_code == 201
    await house.post("/v1/opportunities/own/proposals", PROPOSAL, by="dina")
    before = await house.size()
    sale = {"net": "5000.00", "tax": "0", "currency": "EUR"}
    refused = await house.post("/v1/opportunities/own/close", sale, by="dina", key="try")
    assert (refused.status_code, code(refused)) == (409, "existing-customer")
    assert await house.size() == (before[0] + 1, before[1] + 1), "the attempt is committed with the refusal"
    assert (await house.told())[-1] == "DealRefused"
    (row,) = await house.query("select value from published order by position desc limit 1")
    attempt = deals.DealRefused.model_validate_json(row[0])
    assert (attempt.attempted_by.person, attempt.served_by, str(attempt.net)) == ("dina", CLARA, "5000.00")
    for key in ("try", "try again"):
        assert code(await house.post("/v1/opportunities/own/close", sale, by="dina", key=key)) == "existing-customer"
    assert await house.size() == (before[0] + 1, before[1] + 1), "and told once"


async def test_a_refused_buyer_is_mended_and_offered_again(house: House) -> None:
    await house.won()
    offer = derived(DEAL, "account-offer", 1)
    again = f"/v1/deals/{DEAL}/offer"
    early = await house.post(again)
    assert (early.status_code, code(early)) == (409, "deal.account-not-rejected")
    rejected = accounts.AccountRejected(line=LINE, offer_id=offer, rejected_by=CLARA, reason="promise_unclear")
    await house.hears(rejected)
    assert (await house.get(f"/v1/deals/{DEAL}")).json()["account"]["reason"] == "promise_unclear"
    answer = await house.post(again, {"checklist": ["promises"]})
    assert (answer.status_code, answer.json()["attempt"]) == (201, 2)
    account = (await house.get(f"/v1/deals/{DEAL}")).json()["account"]
    assert (account["stage"], account["to"]["person"], account["checklist"][-1]) == ("offered", "clara", "promises")


async def test_integrations_act_for_others_with_a_scope_and_nobody_else_does(house: House) -> None:
    await house.offered()
    body = {"by": "boris", "occurred_at": instant_text(FRIDAY)}
    assert code(await house.post(f"{OFFERS}/accept", body, by="ana", scopes=["handoffs:decide"])) == "missing-scope"
    assert (await house.post(f"{OFFERS}/accept", body, by="integration")).status_code == 200
    (row,) = await house.query("select attributes::json->>'actorperson' from published where position = 1")
    assert row == ("boris",)


async def test_history_needs_the_scope_backdate(house: House) -> None:
    await house.proposed()
    body = {**DEAL_BODY, "occurred_at": "2026-03-10T14:30:00Z"}
    assert code(await house.post(f"{OPPORTUNITIES}/close", body)) == "missing-scope"
    assert (await house.post(f"{OPPORTUNITIES}/close", body, scopes=["backdate"])).status_code == 200
    deal = (await house.get(f"/v1/deals/{DEAL}")).json()
    assert deal["sold_at"] == "2026-03-10T14:30:00.000000Z", "the deal was won before its first contact"
    assert deal["account"]["due_at"] is None, "a deadline that was over when it was stamped does not run"


async def test_if_match_names_the_version_that_was_seen(house: House) -> None:
    await house.offered()
    stale = await house.post(f"{OFFERS}/accept", if_match='"1"')
    assert (stale.status_code, code(stale)) == (412, "version-conflict")
    seen = await house.get(OFFERS)
    assert (await house.post(f"{OFFERS}/accept", if_match=seen.headers["etag"])).status_code == 200


async def test_what_was_said_is_ciphertext_in_every_table_and_shown_by_scope(house: House) -> None:
    await house.offered()
    await house.post(f"{OFFERS}/accept")
    said = {
        "meeting_id": "m",
        "objective_met": "no",
        "facts": ["Weber is ill"],
        "next_step": {"what": "ring", "who": "W"},
    }
    await house.post(f"{OPPORTUNITIES}/meetings", said, key="k")
    await house.hears(qualified("offer-2", need_id="need-2"), client="client-2")
    await house.post("/v1/offers/offer-2/reject", {"reason": "duplicate", "note": "Weber hung up"}, key="n")
    names = [row[0] for row in await house.query("select tablename from pg_tables where schemaname = 'public'")]
    assert {"events", "published", "commands", "offers"} <= set(names)
    for name in names:
        rows = await house.query(f"select t::text from {name} t")
        assert not [row for row in rows if "Weber" in row[0]], name
    (meeting,) = (await house.get(OPPORTUNITIES)).json()["meetings"]
    assert (meeting["facts"], meeting["next_step"]["what"]) == (["Weber is ill"], "ring")
    (meeting,) = (await house.get(OPPORTUNITIES, by="integration")).json()["meetings"]
    assert meeting == {"meeting_id": "m", "plan_id": None, "objective_met": "no", "starts_at": meeting["starts_at"]}
    assert (await house.get("/v1/offers/offer-2")).json()["rejected"]["note"] == "Weber hung up"
    assert "note" not in (await house.get("/v1/offers/offer-2", by="integration")).json()["rejected"]


# --- many at once ---------------------------------------------------------------------------------------------------


async def test_of_fifty_finds_for_one_need_one_is_opened(house: House) -> None:
    await house.staffed()
    body = {"client_id": CLIENT, "line": LINE, "need_ids": [NEED]}
    answers = await asyncio.gather(*(house.post("/v1/opportunities", body) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    assert {code(answer) for answer in answers if answer.status_code == 409} == {"opportunity.need-open"}
    assert await house.told() == ["OpportunityOpened"]


async def test_of_sales_to_one_client_at_once_one_is_the_first_and_the_others_are_told_as_refused(
    house: House,
) -> None:
    await house.staffed()
    hunters = ("boris", "dina", "gleb")
    for n, who in enumerate(hunters):
        own = {"opportunity_id": f"own-{n}", "client_id": CLIENT, "line": LINE, "need_ids": [f"need-{n}"]}
        await house.post("/v1/opportunities", own, by=who)
        await house.post(f"/v1/opportunities/own-{n}/proposals", PROPOSAL, by=who)
    sale = {"net": "5000.00", "tax": "0.00", "currency": "EUR"}
    answers = await asyncio.gather(
        *(
            house.post(f"/v1/opportunities/own-{n}/close", sale, by=who)
            for n, who in enumerate(("boris", "dina", "gleb"))
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 2}
    assert Counter((await house.told())[6:]) == {"DealClosed": 1, "AccountOffered": 1, "DealRefused": 2}


async def test_fifty_payments_at_once_never_exceed_the_deal(house: House) -> None:
    await house.won()
    some = {"net": "300.00", "currency": "EUR"}
    answers = await asyncio.gather(*(house.post(PAYMENTS, some) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 33, 409: 17}
    versions = sorted(answer.json()["version"] for answer in answers if answer.status_code == 201)
    assert versions == list(range(3, 36)), "no version is missing or given twice"
    assert (await house.get(f"/v1/deals/{DEAL}")).json()["paid"] == "9900.00"


async def test_buyers_won_at_once_are_offered_evenly(house: House) -> None:
    await house.staffed()
    for n in range(20):
        await house.hears(qualified(f"o{n}", need_id=f"n{n}"), client=f"c{n}", journey_id=f"j{n}")

    async def sell(n: int) -> str:
        accepted = await house.post(f"/v1/offers/o{n}/accept")
        name = accepted.json()["opportunity_id"]
        await house.post(f"/v1/opportunities/{name}/proposals", PROPOSAL)
        closed = await house.post(f"/v1/opportunities/{name}/close", DEAL_BODY)
        deal = (await house.get(f"/v1/deals/{closed.json()['deal_id']}")).json()
        asked: str = deal["account"]["to"]["person"]
        return asked

    assert Counter(await asyncio.gather(*(sell(n) for n in range(20)))) == {"clara": 10, "felix": 10}


async def test_read_models_rebuilt_are_what_they_were(house: House) -> None:
    await house.won()
    await house.post(PAYMENTS, PAYMENT)
    await house.hears(qualified("offer-2", need_id="need-2"), client="client-2")
    tables = ("offers", "opportunities", "deals")
    before = [await house.query(f"select * from {table} order by 1") for table in tables]
    await house.query("delete from deals")
    for stream in STREAMS.values():
        await rebuild(house.dsn, stream, house.parts.desk.writer.vault)
    assert [await house.query(f"select * from {table} order by 1") for table in tables] == before
