"""Lists of pay come in pages: each row once, in the same order, and nothing tells of what is hidden."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pay_office import Office

from belt.io.http.paging import encode_cursor

MARCH, APRIL = "2026-03", "2026-04"
LISTS = (
    "/v1/plans", "/v1/fx-rates", "/v1/conflicts", f"/v1/earnings?from={MARCH}&to={APRIL}", "/v1/statements",
    "/v1/periods", "/v1/disputes", "/v1/adjustments", "/v1/payouts", "/v1/simulations", "/v1/people",
    "/v1/simulations/s-1/people/ana",
)  # fmt: skip
READERS = ("boris", "egor", "lena", "otto", "pia", "vera", "fred")
SOME_OF_IT = {
    # list, reader: whose entries they see among those of others
    ("/v1/statements", "boris"): ["boris"],
    ("/v1/statements", "lena"): ["ana", "boris", "clara", "dina"],
    ("/v1/disputes", "boris"): ["boris"],
    (f"/v1/earnings?from={MARCH}&to={MARCH}", "egor"): ["egor"],
    ("/v1/plans", "boris"): ["ref-hunter"],
}


def rows(shown: dict[str, Any]) -> list[Any]:
    return list(shown["people"].items()) if "people" in shown else shown["items"]


async def walked(office: Office, path: str, by: str, limit: int) -> list[list[Any]]:
    """Every page of a list."""
    pages: list[list[Any]] = []
    mark, following = "&" if "?" in path else "?", ""
    while True:
        shown = await office.json(f"{path}{mark}limit={limit}{following}", by)
        pages.append(rows(shown))
        if shown["next"] is None:
            return pages
        following = f"&cursor={shown['next']}"
        assert len(pages) < 1_000


@pytest.fixture(scope="module", autouse=True)
async def more(office: Office) -> None:
    """More than one page of what the office itself writes."""
    for day in (1, 2, 2, 3):
        for pair in ({"from": "USD", "to": "EUR"}, {"from": "CHF", "to": "EUR"}):
            await office.post("/v1/fx-rates", pair | {"on": f"2026-01-0{day}", "rate": "0.9"}, "office")
    for number in range(5):
        asked = {"person": ("ana", "dina")[number % 2], "amount": "1.00", "currency": "EUR", "reason": "paged"}
        await office.post("/v1/adjustments", asked | {"adjustment_id": f"paged-{number}"}, "pia")
        tried = {"from": MARCH, "to": MARCH, "accept_within_hours": number, "simulation_id": f"paged-{number}"}
        await office.post("/v1/simulations", tried, "pia")


@pytest.mark.parametrize("path", LISTS)
async def test_pages_are_the_list_neither_skipping_nor_repeating(office: Office, path: str) -> None:
    seen = 0
    for reader in READERS:
        answer = await office.get(path, reader)
        if answer.status_code == 403:
            continue
        (whole,) = await walked(office, path, reader, 200)
        assert rows(answer.json()) == whole
        for limit in (1, 2):
            pages = await walked(office, path, reader, limit)
            assert [row for page in pages for row in page] == whole
            assert all(len(page) == limit for page in pages[:-1]), "a short page would tell of hidden rows"
            assert pages[-1] or not whole, "so would an empty one"
        seen = max(seen, len(whole))
    assert seen > 1 or path in ("/v1/conflicts", "/v1/disputes", "/v1/payouts", "/v1/periods"), "one row is no proof"


@pytest.mark.parametrize(("path", "reader"), SOME_OF_IT)
async def test_neither_page_nor_cursor_tells_of_hidden_rows(office: Office, path: str, reader: str) -> None:
    expected = SOME_OF_IT[path, reader]
    mark = "&" if "?" in path else "?"
    shown = await office.json(f"{path}{mark}limit={len(expected)}", reader)
    assert [item.get("person") or item["plan"] for item in shown["items"]] == expected
    assert shown["next"] is None, "there is more, but not for this reader"
    if len(expected) > 1:
        shown = await office.json(f"{path}{mark}limit=1", reader)
        inside = base64.urlsafe_b64decode(shown["next"] + "==").decode()
        assert expected[0] in inside
        assert not [person for person in ("egor", "otto") if person in inside]


async def test_what_is_added_meanwhile_moves_nothing(office: Office) -> None:
    before = [row["adjustment_id"] for (row,) in await walked(office, "/v1/adjustments", "pia", 1)]
    first = await office.json("/v1/adjustments?limit=2", "pia")
    asked = {"person": "ana", "amount": "2.00", "currency": "EUR", "reason": "paged", "adjustment_id": "paged-late"}
    await office.post("/v1/adjustments", asked, "pia")
    read, shown = list(first["items"]), first
    while shown["next"]:
        shown = await office.json(f"/v1/adjustments?limit=2&cursor={shown['next']}", "pia")
        read += shown["items"]
    assert [row["adjustment_id"] for row in read] == before
    assert (await office.json("/v1/adjustments?limit=1", "pia"))["items"][0]["adjustment_id"] == "paged-late"


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "cursor", ["x", encode_cursor("0001-01-01T00:00:00+01:00", "x"), encode_cursor("never", "x"), encode_cursor(True)]
)
async def test_a_cursor_that_is_none_is_refused(office: Office, path: str, cursor: str) -> None:
    if cursor != "x" and path.startswith(("/v1/earnings", "/v1/conflicts")):
        return  # two texts are a place there, if an empty one
    mark = "&" if "?" in path else "?"
    answer = await office.get(f"{path}{mark}cursor={cursor}", "pia")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-cursor"), answer.text


@pytest.mark.parametrize("path", LISTS)
async def test_a_page_has_two_hundred_rows_at_most(office: Office, path: str) -> None:
    mark = "&" if "?" in path else "?"
    assert (await office.get(f"{path}{mark}limit=201", "pia")).status_code == 422
