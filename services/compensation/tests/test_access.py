"""Who sees what: every door of pay walked by every kind of reader, against a table written by hand from the policy."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, get_args

import asyncpg
import httpx
import pytest
from pay_office import ALONE, SHARED, Office
from pydantic import BaseModel

from compensation.main import SERVICE
from compensation.masking import AMOUNTS, PARTS
from conveyor_events.catalog import CATALOG

READERS = ("boris", "dina", "egor", "lena", "otto", "pia", "vera", "fred", "stage", "nils")
#          owner    earns   peer,   leads   leads   pay-    auditor finance a       operator
#                   too     south   north   south   roll                    station
MARCH, APRIL = "2026-03", "2026-04"
W, M, S, X, F = "whole", "masked", "sums", "404", "403"
WALK: dict[str, tuple[str, ...]] = {
    # door: what each reader gets there, in the order of READERS
    f"/v1/statements/boris/{MARCH}": (M, X, X, W, X, W, W, S, F, F),
    f"/v1/statements/boris/{MARCH}.csv": (M, X, X, W, X, W, W, S, F, F),
    f"/v1/statements/boris/{MARCH}.pdf": (M, X, X, W, X, W, W, S, F, F),
    # From April on Boris works for the south; who leads the north sees no more.
    f"/v1/statements/boris/{APRIL}": (W, X, X, X, W, W, W, S, F, F),
    f"/v1/statements/dina/{MARCH}": (X, M, X, W, X, W, W, S, F, F),
    f"/v1/statements/nobody/{MARCH}": (X, X, X, X, X, X, X, X, F, F),
    "/v1/lines/{boris shared}": (M, X, X, W, X, W, W, F, F, F),
    "/v1/lines/{boris alone}": (M, X, X, W, X, W, W, F, F, F),
    "/v1/lines/{dina shared}": (X, M, X, W, X, W, W, F, F, F),
    "/v1/lines/00000000-0000-0000-0000-000000000000": (X, X, X, X, X, X, X, F, F, F),
    "/v1/conflicts/{case}": (X, X, M, M, M, W, W, F, F, F),
    f"/v1/journeys/{SHARED}": (M, M, M, M, M, W, W, F, W, W),
    f"/v1/journeys/{ALONE}": (M, X, X, W, X, W, W, F, W, W),
    "/v1/journeys/nobody": (X, X, X, X, X, X, X, F, X, X),
    # What Boris objects to is seen by who sees his lines, by who decides, and by finance; by him his own part alone.
    "/v1/disputes/d-boris": (M, X, X, W, X, W, W, W, F, F),
    "/v1/disputes/nothing": (X, X, X, X, X, X, X, X, F, F),
    # What concerns the company, not a person's pay.
    "/v1/periods": (W, W, W, W, W, W, W, W, F, F),
    "/v1/payouts": (F, F, F, F, F, W, W, W, F, F),
    "/v1/payouts/r-1": (F, F, F, F, F, W, W, W, F, F),
    "/v1/payouts/r-1/file": (F, F, F, F, F, W, W, W, F, F),
    "/v1/adjustments": (F, F, F, F, F, W, W, W, F, F),
    "/v1/verification": (F, F, F, F, F, W, W, F, F, F),
    "/v1/simulations": (F, F, F, F, F, W, W, W, F, F),
    "/v1/simulations/s-1": (F, F, F, F, F, W, W, W, F, F),
    "/v1/simulations/s-1/people/boris": (F, F, F, F, F, W, W, F, F, F),
}
LISTS: dict[str, dict[str, set[str] | None]] = {
    # list: whose entries each reader finds there; None is 403
    f"/v1/earnings?from={MARCH}&to={MARCH}": {
        "boris": {"boris"}, "dina": {"dina"}, "egor": {"egor"}, "lena": {"ana", "boris", "clara", "dina"},
        "otto": {"egor"}, "pia": {"ana", "boris", "clara", "dina", "egor"},
        "vera": {"ana", "boris", "clara", "dina", "egor"}, "fred": {"ana", "boris", "clara", "dina", "egor"},
        "stage": None, "nils": None,
    },
    f"/v1/earnings?from={APRIL}&to={APRIL}": {
        "boris": {"boris"}, "lena": {"ana", "clara", "dina"}, "otto": {"boris", "egor"}, "stage": None,
    },
    "/v1/people": {
        "boris": {"boris"}, "dina": {"dina"}, "egor": {"egor"}, "lena": {"ana", "boris", "clara", "dina"},
        "otto": {"boris", "egor"}, "pia": {"ana", "boris", "clara", "dina", "egor"},
        "vera": {"ana", "boris", "clara", "dina", "egor"}, "fred": {"ana", "boris", "clara", "dina", "egor"},
        "stage": None, "nils": None,
    },
    "/v1/conflicts": {
        "boris": set(), "dina": set(), "egor": {"egor", "colleague"}, "lena": {"ana", "colleague"},
        "otto": {"egor", "colleague"}, "pia": {"ana", "egor"}, "vera": {"ana", "egor"},
        "fred": None, "stage": None, "nils": None,
    },
    "/v1/plans": {
        "boris": {"ref-hunter"}, "egor": {"ref-scout"}, "lena": {"ref-scout", "ref-hunter", "ref-farmer"},
        "otto": {"ref-scout", "ref-hunter"}, "pia": {"ref-scout", "ref-hunter", "ref-farmer"},
        "vera": {"ref-scout", "ref-hunter", "ref-farmer"}, "fred": {"ref-scout", "ref-hunter", "ref-farmer"},
        "stage": None, "nils": None,
    },
    f"/v1/statements?period={MARCH}": {
        "boris": {"boris"}, "dina": {"dina"}, "egor": {"egor"}, "lena": {"ana", "boris", "clara", "dina"},
        "otto": {"egor"}, "pia": {"ana", "boris", "clara", "dina", "egor"},
        "vera": {"ana", "boris", "clara", "dina", "egor"}, "fred": {"ana", "boris", "clara", "dina", "egor"},
        "stage": None, "nils": None,
    },
    "/v1/disputes": {
        "boris": {"boris"}, "dina": set(), "lena": {"boris"}, "otto": set(), "pia": {"boris"}, "vera": {"boris"},
        "fred": {"boris"}, "stage": None, "nils": None,
    },
}  # fmt: skip
OPEN_TO_ALL_READERS = {"/v1/fx-rates"}  # of the company, of nobody's pay


async def address(office: Office, path: str) -> str:
    """The path with its line or case filled in, as payroll finds them."""
    found = re.search(r"\{(\w+) ?(\w*)\}", path)
    if found is None:
        return path
    if found[1] == "case":
        return path.replace(found[0], (await office.json("/v1/conflicts", "pia"))["items"][0]["case_id"])
    client = {"shared": SHARED, "alone": ALONE}[found[2]]
    stated = await office.json(f"/v1/statements/{found[1]}/{MARCH}", "pia")
    line = next(one for one in stated["lines"] if one["kind"] == "release" and one["client_id"] == client)
    return path.replace(found[0], line["line_id"])


@pytest.mark.parametrize("path", WALK)
@pytest.mark.parametrize("reader", READERS)
async def test_a_reader_gets_what_the_table_says(office: Office, path: str, reader: str) -> None:
    expected = WALK[path][READERS.index(reader)]
    where = await address(office, path)
    answer = await office.get(where, reader)
    assert str(answer.status_code) == (expected if expected in (X, F) else "200"), answer.text
    if expected not in (X, F):
        whole = await office.get(where, "driver")
        if expected == W:
            assert answer.content == whole.content
        else:
            assert answer.content != whole.content


@pytest.mark.parametrize(
    "unknown",
    [f"/v1/statements/nobody/{MARCH}", "/v1/lines/nothing", "/v1/conflicts/nothing", "/v1/journeys/nobody"],
)
async def test_forbidden_and_unknown_look_the_same(office: Office, unknown: str) -> None:
    hidden = {
        "statements": f"/v1/statements/dina/{MARCH}", "lines": "/v1/lines/{dina shared}",
        "conflicts": "/v1/conflicts/{case}", "journeys": f"/v1/journeys/{ALONE}",
    }[unknown.split("/")[2]]  # fmt: skip
    reader = "clara" if "conflicts" in unknown else "egor"
    one, other = await office.get(unknown, reader), await office.get(await address(office, hidden), reader)
    assert one.status_code == other.status_code == 404
    assert one.json() | {"instance": ""} == other.json() | {"instance": ""}


@pytest.mark.parametrize(("path", "reader"), [(path, reader) for path, by in LISTS.items() for reader in by])
async def test_a_list_holds_only_what_its_reader_may_see(office: Office, path: str, reader: str) -> None:
    expected = LISTS[path][reader]
    answer = await office.get(path, reader)
    if expected is None:
        assert answer.status_code == 403
        return
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    if "people" in shown:
        found = set(shown["people"]) - {"house"}
    elif path.startswith("/v1/conflicts"):
        found = {claim["person"] for case in shown["items"] for claim in (case["a"], case["b"]) if claim}
    else:
        found = {item.get("person") or item["plan"] for item in shown["items"]}
    assert found == expected


async def test_without_a_token_every_door_is_closed(office: Office) -> None:
    for path in (*WALK, *LISTS, *OPEN_TO_ALL_READERS):
        assert (await office.http.get(path)).status_code == 401, path


def test_every_door_that_shows_something_stands_in_the_walk(office: Office) -> None:
    application = office.http._transport.app  # type: ignore[attr-defined]
    walked = {path.partition("?")[0] for path in (*WALK, *LISTS)} | OPEN_TO_ALL_READERS
    shared = {"/v1/clock", "/v1/audit", "/v1/events", "/v1/parked", "/v1/parked/skipped", "/v1/parked/{parked_id}"}
    for route in application.routes:
        path = getattr(route, "path", "")
        if path.startswith("/v1/") and "GET" in (route.methods or ()) and path not in shared:
            assert any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), one) for one in walked), path
    assert SERVICE.name == "compensation"


# --- what is masked -----------------------------------------------------------------------------------------------


async def test_of_a_shared_sale_one_sees_the_own_part_and_nothing_of_the_others(office: Office) -> None:
    shown = await office.json(await address(office, "/v1/lines/{boris shared}"), "boris")
    text = json.dumps(shown)
    assert not [name for name in ("dina", "ana", "clara") if f'"{name}"' in text]
    assert SHARED in text
    assert "colleague" in text
    paid = next(event for event in shown["events"] if event["type"].endswith("PaymentReceived"))
    assert paid["data"]["sale"]["splits"] == [{"person": "boris", "role": "hunter", "weight": "1"}]
    assert "net" not in paid["data"]
    assert "net" not in paid["data"]["sale"]
    assert "10000" not in text, "the whole gives the others away by subtraction"
    assert "7500" not in text


async def test_a_statement_and_its_paper_hide_the_whole_of_a_shared_sale(office: Office) -> None:
    mine = await office.json(f"/v1/statements/boris/{MARCH}", "boris")
    whole = await office.json(f"/v1/statements/boris/{MARCH}", "pia")
    assert mine["totals"] == whole["totals"]
    for line, all_of_it in zip(mine["lines"], whole["lines"], strict=True):
        assert line["amount"] == all_of_it["amount"]
        hidden = all_of_it["calc"].keys() - line["calc"].keys()
        if line["client_id"] != SHARED:
            assert hidden == set()
        elif line["kind"] == "commission":
            assert hidden == {"of_base", "of_weights"}
        else:
            assert hidden == {"moved", "of_money"}
    rows = (await office.get(f"/v1/statements/boris/{MARCH}.csv", "boris")).text.splitlines()
    assert not any("10000" in row for row in rows if SHARED in row)


async def test_an_objection_to_a_shared_sale_shows_the_lines_as_the_statement_does(office: Office) -> None:
    stated = await office.json(f"/v1/statements/boris/{MARCH}", "boris")
    objected = await office.json("/v1/disputes/d-boris", "boris")
    assert objected["disputed"] == [line for line in stated["lines"] if line["client_id"] == SHARED] != []


async def test_of_a_shared_sale_the_own_part_counts_for_whom_the_others_are_hidden(office: Office) -> None:
    for reader, worth in (("boris", "12500.00"), ("lena", "20000.00"), ("pia", "20000.00")):
        shown = (await office.json("/v1/people", reader))["people"]["boris"]
        assert (shown["first_sales"], shown["first_value"]) == (2, worth), reader


async def test_in_an_own_sale_amounts_stay_and_names_go(office: Office) -> None:
    shown = await office.json(await address(office, "/v1/lines/{boris alone}"), "boris")
    paid = next(event for event in shown["events"] if event["type"].endswith("PaymentReceived"))
    assert paid["data"]["net"] == "10000"
    assert paid["data"]["sale"]["converted_by"]["person"] == "boris"
    assert paid["data"]["sale"]["sourced_by"] == {"person": "colleague", "role": "scout"}


async def test_who_found_the_client_does_not_see_what_others_sold_it_for(office: Office) -> None:
    shown = await office.json(f"/v1/journeys/{ALONE}", "ana")
    closed = next(event for event in shown["events"] if event["type"].endswith("DealClosed"))
    assert "net" not in closed["data"]["sale"]
    assert "payment_schedule" not in closed["data"]
    assert closed["actor"] == {"person": "colleague", "role": "hunter"}


async def test_a_conflict_names_the_own_claim_and_what_is_at_stake_for_oneself(office: Office) -> None:
    (case,) = (await office.json("/v1/conflicts", "egor"))["items"]
    assert (case["a"]["person"], case["b"]["person"]) == ("colleague", "egor")
    assert {stake["person"] for stake in case["at_stake"]} <= {"egor"}
    for asked in ("ana", "colleague's"):
        assert (await office.json("/v1/conflicts", "egor", person=asked))["items"] == []


async def test_sums_come_without_lines(office: Office) -> None:
    sums = await office.json(f"/v1/statements/boris/{MARCH}", "fred")
    whole = await office.json(f"/v1/statements/boris/{MARCH}", "pia")
    assert (sums["lines"], sums["totals"]) == ([], whole["totals"])


async def test_the_own_plan_is_shown_without_drafts_and_authors(office: Office) -> None:
    (plan,) = (await office.json("/v1/plans", "boris"))["items"]
    assert plan["plan"] == "ref-hunter"
    assert plan["versions"][0].keys() == {"version", "stage", "document", "effective_from", "approved_at"}


NOBODYS = {"/v1/periods", "/v1/fx-rates"}  # no pay in them
SUMMED = {
    "/v1/payouts",
    "/v1/verification",
    "/v1/simulations",
    "/v1/plans",
    f"/v1/journeys/{SHARED}",
    f"/v1/journeys/{ALONE}",
    "/v1/simulations/s-1",
}  # of nobody by name: only an auditor's reads leave a row


@pytest.mark.parametrize("reader", ["boris", "lena", "pia", "vera", "fred", "stage"])
async def test_whoever_reads_the_pay_of_others_leaves_a_row_and_an_auditor_always(office: Office, reader: str) -> None:
    asked: dict[str, str | None] = {path: cells[READERS.index(reader)] for path, cells in WALK.items()}
    asked |= {path: F if by.get(reader, set()) is None else W for path, by in LISTS.items()}
    asked |= dict.fromkeys(OPEN_TO_ALL_READERS, None)
    for path, expected in asked.items():
        where = await address(office, path)
        answer = await office.get(where, reader)
        rows = await audited(office, answer.headers["x-request-id"])
        if answer.status_code != 200 or path in NOBODYS:
            assert rows == [], f"{path}: {expected}"
            continue
        assert len(rows) <= 1
        whose = set(rows[0]["whose"]) if rows else set()
        if reader == "vera":
            assert (rows[0]["person"], rows[0]["kind"], "pay:audit" in rows[0]["scopes"]) == ("vera", "pay", True), path
        elif path in SUMMED:
            assert rows == [], path
        else:
            others = set(_subjects(path, answer)) - {reader}
            assert bool(rows) == bool(others), path
            assert whose - {reader} == others, path


async def test_head_shows_nothing_and_leaves_the_row_of_its_get(office: Office) -> None:
    path = f"/v1/statements/dina/{MARCH}"
    whole = await office.get(path, "lena")
    head = await office.http.head(path, headers=office.token("lena"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"], "which tells of what was read"
    rows = [await audited(office, answer.headers["x-request-id"]) for answer in (whole, head)]
    assert [[(row["person"], row["path"], row["whose"]) for row in some] for some in rows] == [
        [("lena", path, ["dina"])]
    ] * 2


def _subjects(path: str, answer: httpx.Response) -> set[str]:
    """Whose pay the answer holds, by the answer itself or, for files and lines, by what was asked for."""
    named = re.match(r"/v1/(?:statements|lines|disputes)/(?:d-|\{)?(\w+)", path)
    if named is not None:
        return {named[1]}
    if path.endswith("/people/boris"):
        return {"boris"}
    if path.endswith("/file"):
        return {line.split(",")[2] for line in answer.text.splitlines()[1:] if line} & {"egor"}
    shown = answer.json()
    items = shown.get("items", shown.get("rows", []))
    people = set(shown.get("people", {})) | {one["person"] for one in items if "person" in one}
    cases = items if path == "/v1/conflicts" else [shown] if path.startswith("/v1/conflicts/") else []
    people |= {one[side]["person"] for one in cases for side in ("a", "b") if one[side]}
    return people - {"house", "colleague"}


async def audited(office: Office, request_id: str) -> list[Any]:
    connection = await asyncpg.connect(office.dsn)
    try:
        return list(await connection.fetch("select * from audit where request_id = $1", request_id))
    finally:
        await connection.close()


async def test_who_looked_at_whose_pay_is_seen_by_the_auditor_alone(office: Office) -> None:
    await office.get(f"/v1/statements/dina/{MARCH}", "lena")
    found = await office.json("/v1/audit", "vera", person="lena", of="dina", limit=200)
    assert {row["path"] for row in found["items"]} >= {f"/v1/statements/dina/{MARCH}"}
    for reader in ("pia", "lena", "boris", "fred", "nils"):
        assert (await office.get("/v1/audit", reader)).status_code == 403


def test_every_amount_of_a_public_event_is_known_to_the_mask() -> None:
    found: set[str] = set()

    def look(model: type[BaseModel], seen: set[type[BaseModel]]) -> None:
        if model in seen:
            return
        seen.add(model)
        for name, one in model.model_fields.items():
            inner = [one.annotation, *get_args(one.annotation)]
            if Decimal in inner:
                found.add(name)
            for kind in (*inner, *(deeper for part in inner for deeper in get_args(part))):
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    look(kind, seen)

    seen: set[type[Any]] = set()
    for entry in CATALOG:
        if not entry.topic.startswith(("conveyor.staff", "conveyor.pay")):
            look(entry.model, seen)
    assert {"net", "weight"} <= found
    assert found <= AMOUNTS | PARTS
