"""The real app on real PostgreSQL: the main way, rivals, and everything twice."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lead_gen_office import CALL, CONTACT, GATEKEEPER, LINE, NEED, PROSPECT, STAFFING, VERIFY, Office
from lead_gen_story import at, sample

import lead_gen
from belt.io.http.codes import CODES as SHARED
from belt.io.http.paging import encode_cursor
from belt.io.store.projection import rebuild
from lead_gen.codes import CODES
from lead_gen.main import STREAMS


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["code"]
    return found


async def test_the_main_way_from_the_first_entry_to_the_customer(office: Office) -> None:
    await office.opens()
    registered = await office.post("/v1/prospects", PROSPECT)
    assert (registered.status_code, registered.headers["etag"]) == (201, '"1"')
    assert registered.json()["stage"] == "registered"
    for path, body, stage in (
        ("verify", VERIFY, "registered"),
        ("calls", CALL, "contacting"),
        ("gatekeepers", GATEKEEPER, "contacting"),
        ("contacts", CONTACT, "in_dialogue"),
        ("needs", NEED, "need_known"),
    ):
        assert (await office.done(f"/v1/prospects/acme/{path}", body))["stage"] == stage
    offered = await office.done("/v1/prospects/acme/offer", {"offer_id": "acme-1"})
    assert (offered["stage"], offered["to"], offered["mode"], offered["attempt"]) == ("offered", "boris", "offer", 1)
    assert offered["accept_due_at"] == "2026-03-02T16:00:00.000000Z"  # offered at 9:00, eight working hours
    await office.hears(sample("LeadAccepted"))
    await office.hears(sample("DealClosed"))
    shown = (await office.get("/v1/prospects/acme")).json()
    assert (shown["stage"], shown["sourced_by"]) == ("customer", {"person": "ana", "role": "scout"})
    assert await office.told() == [
        "ProspectRegistered",
        "ProspectVerified",
        "NeedIdentified",
        "LeadQualified",
        "LeadHandedOver",
    ]


async def test_fifty_at_once_make_one_client(office: Office) -> None:
    await office.opens()
    entries = [
        office.post("/v1/prospects", PROSPECT | {"client_id": f"c{n}"}, by="ana" if n % 2 else "egor", key=f"k{n}")
        for n in range(50)
    ]
    answers = await asyncio.gather(*entries)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    winner = next(answer.json()["client_id"] for answer in answers if answer.status_code == 201)
    rivals = [answer for answer in answers if answer.status_code == 409 and code(answer) == "client-protected"]
    assert len(rivals) == 25
    assert {answer.json()["facts"]["client_id"] for answer in rivals} == {winner}
    assert {answer.json()["facts"]["protected_until"] for answer in rivals} == {"2026-05-31T22:00:00.000000Z"}
    told = Counter(await office.told())
    assert told == {"ProspectRegistered": 1, "RegistrationRefused": 25}
    [(clients,)] = await office.query("select count(*) from prospects")
    assert clients == 1
    versions = await office.query(f"select version from events where stream_id = 'prospect-{winner}' order by 1")
    assert [version for (version,) in versions] == list(range(1, 27))


async def test_fifty_at_once_under_one_id_make_one_client_too(office: Office) -> None:
    await office.opens()
    answers = await asyncio.gather(
        *(office.post("/v1/prospects", PROSPECT, by="ana" if n % 2 else "egor") for n in range(50))
    )
    found = Counter(answer.status_code for answer in answers)
    assert found == {201: 1, 200: 24, 409: 25}  # the winner's own repetitions, and the rival's attempts
    assert Counter(await office.told()) == {"ProspectRegistered": 1, "RegistrationRefused": 25}


async def test_a_refusal_that_is_a_fact_is_repeated_not_recorded_twice(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    rival = PROSPECT | {"client_id": "other"}
    first = await office.post("/v1/prospects", rival, by="egor", key="rival")
    size = await office.size()
    again = await office.post("/v1/prospects", rival, by="egor", key="rival")
    assert (first.status_code, again.status_code) == (409, 409)
    assert first.json()["facts"] == again.json()["facts"]
    assert await office.size() == size


async def test_one_shared_key_is_enough_to_be_the_same_client(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    phone = {"kind": "phone", "value": "+49 (0)30 12-34-56"}
    other = {"kind": "tax_no", "value": "DE999999999"}
    answer = await office.post(
        "/v1/prospects", PROSPECT | {"client_id": "x", "identity_keys": [other, phone]}, by="egor"
    )
    assert code(answer) == "client-protected"
    [(claims,)] = await office.query("select count(*) from claims where kind = 'tax_no'")
    assert claims == 0


async def test_a_key_is_free_again_once_its_holder_was_no_client(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    await office.done("/v1/prospects/acme/invalidate", {"reason": "duplicate"})
    assert (await office.post("/v1/prospects", PROSPECT | {"client_id": "b"}, by="egor")).status_code == 201


async def test_the_customer_of_somebody_is_refused_by_that_name(office: Office) -> None:
    await office.opens()
    await office.offered()
    await office.hears(sample("LeadAccepted"))
    await office.hears(sample("DealClosed"))
    answer = await office.post("/v1/prospects", PROSPECT | {"client_id": "x"}, by="egor")
    assert (answer.status_code, code(answer)) == (409, "existing-customer")
    assert (await office.told())[-1] == "RegistrationRefused"


async def test_everything_sent_twice_is_done_once(office: Office) -> None:
    await office.opens()
    way: list[tuple[str, dict[str, Any]]] = [
        ("/v1/prospects", PROSPECT),
        ("/v1/prospects/acme/verify", VERIFY),
        ("/v1/prospects/acme/calls", CALL),
        ("/v1/prospects/acme/gatekeepers", GATEKEEPER),
        ("/v1/prospects/acme/contacts", CONTACT),
        ("/v1/prospects/acme/needs", NEED),
        ("/v1/prospects/acme/offer", {}),
        ("/v1/prospects/acme/withdraw", {"reason": "asked to wait"}),
        ("/v1/prospects/acme/invalidate", {"reason": "closed_down"}),
    ]
    for path, body in way:
        first = await office.post(path, body, key=path)
        size = await office.size()
        again = await office.post(path, body, key=path)
        assert first.status_code in (200, 201), first.text
        assert (again.status_code, again.json(), again.headers["etag"]) == (
            first.status_code,
            first.json(),
            first.headers["etag"],
        )
        assert again.headers["idempotency-replayed"] == "true"
        assert await office.size() == size
        assert code(await office.post(path, body | {"by": "egor"}, key=path)) in {
            "missing-scope",
            "idempotency-key-reused",
        }


async def test_a_version_that_is_no_longer_current_is_refused(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    shown = await office.get("/v1/prospects/acme")
    assert shown.headers["etag"] == '"1"'
    assert (await office.post("/v1/prospects/acme/calls", CALL, if_match='"1"')).status_code == 201
    stale = await office.post("/v1/prospects/acme/verify", VERIFY, if_match='"1"')
    assert (stale.status_code, code(stale)) == (412, "version-conflict")


async def test_withdrawing_is_a_request_that_loses_against_an_acceptance(office: Office) -> None:
    await office.opens()
    await office.offered()
    await office.done("/v1/prospects/acme/withdraw", {"reason": "Eva Roth asked to wait"})
    await office.hears(sample("LeadAccepted"))
    assert (await office.get("/v1/prospects/acme")).json()["stage"] == "converting"
    assert (await office.told())[-2:] == ["LeadWithdrawn", "LeadHandedOver"]


async def test_a_rejected_lead_is_mended_or_let_go(office: Office) -> None:
    await office.opens()
    await office.offered()
    await office.tick(at(4))
    await office.hears(sample("LeadRejected"))
    assert code(await office.post("/v1/prospects/acme/offer", {})) == "offer.no-new-evidence"
    again = await office.done("/v1/prospects/acme/offer", {"offer_id": "acme-2", "evidence": ["photographs"]})
    assert (again["attempt"], again["to"]) == (2, "dina")
    await office.hears(sample("LeadRejected", offer_id="acme-2"))
    refused = await office.post("/v1/prospects/acme/claim", by="egor")
    assert (code(refused), refused.json()["facts"]["protected_until"]) == (
        "client-protected",
        "2026-03-17T23:00:00.000000Z",
    )
    await office.tick(at(18, 0))
    assert (await office.get("/v1/prospects/acme")).json()["stage"] == "released"
    claimed = await office.done("/v1/prospects/acme/claim", by="egor")
    assert claimed["stage"] == "contacting"
    assert (await office.told())[-2:] == ["ProspectReleased", "ProspectClaimed"]


@pytest.mark.parametrize(("itself", "event"), [(False, "HandoverOverdue"), (True, "LeadQualified")])
async def test_the_clock_sees_to_it_that_a_need_is_handed_on(office: Office, itself: bool, event: str) -> None:
    await office.opens(auto_offer=itself)
    await office.need_known()
    await office.tick(at(2, 16, 59))
    assert (await office.told())[-1] == "NeedIdentified"
    await office.tick(at(2, 17))
    await office.tick(at(9))
    assert (await office.told()).count(event) == 1


async def test_leads_in_bulk_are_shared_evenly(office: Office) -> None:
    await office.opens()
    clients = [f"c{n}" for n in range(21)]

    async def one(client: str) -> str:
        await office.done("/v1/prospects", PROSPECT | {"client_id": client, "identity_keys": []})
        base = f"/v1/prospects/{client}"
        await office.done(f"{base}/calls", CALL)
        await office.done(f"{base}/needs", NEED | {"need_id": f"need-{client}"})
        return str((await office.done(f"{base}/offer", {}))["to"])

    got = Counter(await asyncio.gather(*(one(client) for client in clients)))
    assert set(got) == {"boris", "dina"}
    assert max(got.values()) - min(got.values()) <= 1


async def test_an_id_of_another_s_need_or_offer_is_refused(office: Office) -> None:
    await office.opens()
    await office.offered()
    await office.done("/v1/prospects", PROSPECT | {"client_id": "b", "identity_keys": []})
    await office.done("/v1/prospects/b/calls", CALL)
    assert code(await office.post("/v1/prospects/b/needs", NEED)) == "taken"
    await office.done("/v1/prospects/b/needs", NEED | {"need_id": "b-need"})
    assert code(await office.post("/v1/prospects/b/offer", {"offer_id": "acme-1"})) == "taken"


async def test_the_dossier_is_for_who_receives_the_lead(office: Office) -> None:
    await office.opens()
    await office.offered()
    path = "/v1/offers/acme-1/dossier"
    dossier = await office.get(path, by="boris")
    assert dossier.status_code == 200, dossier.text
    assert dossier.headers["cache-control"] == "no-store"
    body = dossier.json()
    assert body["personal"]["name"] == PROSPECT["name"]
    assert body["personal"]["contacts"][0]["person"] == "Eva Roth"
    assert body["personal"]["calls"][0]["note"] == CALL["note"]
    assert body["need"]["evidence"] == NEED["evidence"]
    for person, status in (("ana", 200), ("vera", 200), ("dina", 404), ("egor", 404), ("clara", 404)):
        assert (await office.get(path, by=person)).status_code == status, person
    assert code(await office.get(path, by="operator")) == "missing-scope"
    await office.hears(sample("LeadOfferRerouted", to={"person": "dina", "role": "hunter"}))
    assert (await office.get(path, by="dina")).status_code == 200
    assert code(await office.get(path, by="boris")) == "offer.unknown"
    await office.hears(sample("LeadOfferEscalated", to=None))
    assert (await office.get(path, by="boris")).status_code == 200  # the queue is everybody's who works there
    await office.hears(sample("LeadRejected"))
    assert (await office.get(path, by="dina")).status_code == 404


async def test_names_are_shown_to_those_whose_client_it_is(office: Office) -> None:
    await office.opens()
    await office.need_known()
    mine, other = await office.get("/v1/prospects/acme"), await office.get("/v1/prospects/acme", by="egor")
    assert mine.json()["personal"]["name"] == PROSPECT["name"]
    assert mine.json()["need"]["statement"] == NEED["statement"]
    assert other.json()["personal"] is None
    assert "statement" not in other.json()["need"]
    listed = (await office.get("/v1/prospects", by="egor")).text
    assert "Acme" not in listed
    assert (await office.get("/v1/staff/ana", by="vera")).json()["name"] == "Ana Surname"
    assert (await office.get("/v1/staff/ana", by="payroll")).json()["name"] is None


async def test_personal_data_is_unreadable_in_every_table(office: Office) -> None:
    await office.opens()
    await office.offered()
    await office.post("/v1/prospects", PROSPECT | {"client_id": "b"}, by="egor", key="rival")
    await office.done("/v1/prospects/acme/withdraw", {"reason": "Eva Roth asked to wait"}, key="w")
    tables = [name for (name,) in await office.query("select tablename from pg_tables where schemaname = 'public'")]
    assert {"events", "published", "commands", "claims", "prospects"} <= set(tables)
    for table in tables:
        text = "\n".join(str(row) for row in await office.query(f"select t::text from {table} t"))
        found = re.findall(r"Roth|Acme|acme\.example|4930123456|123456|leaks|Mondays|Surname", text)
        assert not found, (table, found)


async def test_lists_page_without_gap_or_repetition(office: Office) -> None:
    await office.opens()
    for n in range(7):
        await office.done("/v1/prospects", PROSPECT | {"client_id": f"c{n}", "identity_keys": []})
    await office.done("/v1/prospects/c3/calls", CALL)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"limit": 3, "line": LINE} | ({"cursor": cursor} if cursor else {})
        page = (await office.get("/v1/prospects", **query)).json()
        seen += [row["client_id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"c{n}" for n in range(7)]
    for before in ("0.5", "2026-03-02", "2026-03-02T10:00:00"):
        assert code(await office.get("/v1/prospects/calls", before=before)) == "invalid-parameter"
    for due in ("never", "0001-01-01T00:00:00+01:00"):
        assert code(await office.get("/v1/prospects/calls", cursor=encode_cursor(due, "c1"))) == "invalid-cursor"
    filtered = (await office.get("/v1/prospects", stage="contacting", sourced_by="ana")).json()
    assert [row["client_id"] for row in filtered["items"]] == ["c3"]
    staff = (await office.get("/v1/staff", limit=2)).json()
    following = (await office.get("/v1/staff", limit=200, cursor=staff["next"])).json()
    assert [one["person"] for one in staff["items"] + following["items"]] == sorted(
        ["ana", "egor", "boris", "dina", "clara", "vera", "olga"]
    )
    assert [line["line"] for line in (await office.get("/v1/lines")).json()["items"]] == [LINE]


async def test_the_rows_folded_anew_are_the_rows(office: Office) -> None:
    await office.opens()
    await office.offered()
    await office.hears(sample("LeadOfferRerouted", to={"person": "dina", "role": "hunter"}))
    await office.hears(sample("LeadAccepted"))
    before = await office.query("select * from prospects order by 1")
    await office.query("delete from prospects")
    for stream in STREAMS.values():
        await rebuild(office.dsn, stream, office.parts.desk.writer.vault)
    assert await office.query("select * from prospects order by 1") == before


async def test_a_second_process_sees_the_same(office: Office) -> None:
    """What one writer has cached another may have changed: each command decides on what is there."""
    await office.opens()
    await office.need_known()
    entry = await office.parts.desk.state("prospect", "acme")
    office.parts.desk.writer._committer.states.forget_all()
    again = await office.parts.desk.state("prospect", "acme")
    assert again == entry


async def test_staff_changes_take_effect_for_the_next_offer(office: Office) -> None:
    await office.opens()
    await office.need_known()
    away = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-09T00:00:00Z"}
    await office.done("/v1/staff/boris/absences", away, by="vera")
    await office.done("/v1/staff/dina/roles/revoke", {"role": "hunter"}, by="vera")
    offered = await office.done("/v1/prospects/acme/offer", {})
    assert offered["to"] is None  # nobody is there: the queue
    left = await office.done("/v1/staff/ana/leave", {"last_day": "2026-03-02"}, by="vera")
    assert left["person"] == "ana"
    await office.tick(at(3, 0))
    assert code(await office.post("/v1/prospects/acme/withdraw")) == "prospect.unknown"  # who has left sees nothing
    assert (await office.get("/v1/staff/ana")).json()["active"] is False
    assert "StaffLeft" in await office.told("conveyor.staff.v1")


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "9001-01-01", "9999-12-31", "2026-02-30"])
async def test_a_day_that_is_none_of_a_working_life_is_refused(office: Office, day: str) -> None:
    await office.opens()
    assert code(await office.post("/v1/staff/ana/leave", {"last_day": day}, by="vera")) == "invalid-body"
    assert code(await office.post("/v1/staff", {"person": "nora", "hired_on": day}, by="vera")) == "invalid-body"


async def test_a_blank_in_a_name_opens_nobody_elses_reply(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT, key="x POST /v1/prospects k")
    posing = office.issuer.issue("ana POST /v1/prospects x", roles=["scout"])
    sent = {"authorization": f"Bearer {posing}", "idempotency-key": "k"}
    assert code(await office.http.post("/v1/prospects", json=PROSPECT, headers=sent)) == "seat.not-held"


async def test_a_line_is_shown_as_it_is_and_as_it_will_be(office: Office) -> None:
    await office.opens()
    await office.done(
        f"/v1/lines/{LINE}/staffing", STAFFING | {"variant": "hunter", "since": "2026-07-01T00:00:00Z"}, by="vera"
    )
    shown = (await office.get(f"/v1/lines/{LINE}/staffing")).json()
    assert shown["current"]["variant"] == "scout-hunter-farmer"
    assert [one["variant"] for one in shown["staffings"]] == ["scout-hunter-farmer", "hunter"]
    assert code(await office.get("/v1/lines/nowhere/staffing")) == "line.unknown"


def test_every_refusal_has_its_row_and_every_row_its_refusal() -> None:
    source = "\n".join(path.read_text() for path in Path(lead_gen.__file__).parent.rglob("*.py"))
    raised = set(re.findall(r"Refused\(\s*\"([a-z.-]+)\"", source))
    raised |= {"client-protected", "existing-customer", "client-known", "line.not-yours"}
    assert raised <= set(CODES) | set(SHARED)
    assert set(CODES) <= raised


async def test_a_client_is_parked_and_resumed_forbidden_and_reassigned(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    await office.done("/v1/prospects/acme/calls", CALL)
    parked = await office.done("/v1/prospects/acme/park", {"until": "2026-03-20T08:00:00Z", "reason": "on holiday"})
    assert parked["stage"] == "nurture"
    assert (await office.get("/v1/prospects/acme")).json()["parked_until"] == "2026-03-20T08:00:00.000000Z"
    assert (await office.done("/v1/prospects/acme/resume"))["stage"] == "contacting"
    moved = {"to": "egor", "reason": "workload"}
    assert (await office.post("/v1/prospects/acme/reassign", moved)).status_code == 403
    assert (await office.post("/v1/prospects/acme/reassign", moved, by="vera")).status_code == 200
    assert (await office.get("/v1/prospects/acme", by="egor")).json()["sourced_by"]["person"] == "egor"
    assert (await office.done("/v1/prospects/acme/forbid-contact", {"reason": "Roth asked"}, by="egor"))["stage"] == (
        "do_not_contact"
    )
    again = await office.post("/v1/prospects", PROSPECT | {"client_id": "other"})
    assert (again.status_code, code(again)) == (409, "contact-forbidden")
    for (name,) in await office.query("select tablename from pg_tables where schemaname = 'public'"):
        assert not [row for row in await office.query(f"select t::text from {name} t") if "Roth" in row[0]], name


async def test_many_prospects_are_entered_at_once_and_each_has_its_own_outcome(office: Office) -> None:
    await office.opens()
    keys = [{"kind": "tax_no", "value": "DE 123 456 789"}]
    entries = [PROSPECT | {"client_id": f"b{n}", "identity_keys": keys if n in (3, 7) else []} for n in range(10)]
    entries[5] = {"client_id": "b5", "line": LINE}
    lines = "\n".join(json.dumps(entry) for entry in entries).encode()
    for turn in range(2):
        headers = office.token("ana") | {"content-type": "application/x-ndjson", "idempotency-key": "file-1"}
        answer = await office.http.post("/v1/prospects/bulk", content=lines, headers=headers)
        outcomes = [json.loads(line) for line in answer.text.splitlines()]
        assert [one["status"] for one in outcomes] == [201, 201, 201, 201, 201, 422, 201, 409, 201, 201]
        assert [one["replayed"] for one in outcomes if "replayed" in one] == [True] * (8 if turn else 0)
    counts = (await office.get("/v1/prospects/counts", sourced_by="ana")).json()
    assert counts == {"counts": {"registered": 8}, "total": 8}


async def test_the_call_list_shows_who_is_to_be_called_the_longest_due_first(office: Office) -> None:
    await office.opens()
    for n, due in enumerate(("2026-03-04T10:00:00Z", "2026-03-03T10:00:00Z", None, "2026-03-09T10:00:00Z")):
        await office.done("/v1/prospects", PROSPECT | {"client_id": f"p{n}", "identity_keys": []})
        await office.done(f"/v1/prospects/p{n}/calls", CALL | {"outcome": "callback", "next_call_at": due})
    asked: dict[str, Any] = {"before": "2026-03-05T00:00:00Z", "sourced_by": "ana", "limit": 1}
    first = (await office.get("/v1/prospects/calls", **asked)).json()
    rest = (await office.get("/v1/prospects/calls", **asked, cursor=first["next"])).json()
    assert [row["client_id"] for row in (*first["items"], *rest["items"])] == ["p1", "p0"]
    assert rest["next"] is None


FIVE_WAYS = ("DE 123 456 789", "de123456789", "123456789", "DE-123.456.789", "\uff24\uff25 123/456/789")


async def test_one_tax_number_written_five_ways_is_one_client_whoever_enters_it(office: Office) -> None:
    await office.opens()
    entries = []
    for n in range(50):
        keys = [{"kind": "tax_no", "value": FIVE_WAYS[n % 5]}]
        entry = PROSPECT | {"client_id": f"t{n}", "identity_keys": keys}
        entries.append(office.post("/v1/prospects", entry, by="ana" if n % 2 else "egor"))
    answers = await asyncio.gather(*entries)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {one["facts"]["protected_until"] for one in refused} == {"2026-05-31T22:00:00.000000Z"}
    [(streams,)] = await office.query("select count(distinct stream_id) from events where stream_id like 'prospect-%'")
    assert streams == 1
