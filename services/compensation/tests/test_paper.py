"""Statements on paper: what anybody typed is shown as typed, amounts stay numbers, the same gives the same bytes."""

from __future__ import annotations

import asyncio
import csv
import io
import threading
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pay_office import SHARED, Office
from pypdf import PdfReader

from belt.core.decider import Refused
from compensation.api.papers import AT_ONCE, WAITING, Press
from compensation.line import KINDS, Calc, Line, Slice
from compensation.months import Month
from compensation.paper import Language, pdf, sheet
from compensation.paper.sheet import COLUMNS, harmless
from compensation.paper.wording import wording
from compensation.statement import Statement, Totals

ZONE = "Europe/Berlin"
MARCH = Month(2026, 3)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1")
MARKUP = '#import "x" $x$ *b* _i_ `c` @ref <l> \\ // #panic()'


def line(number: int = 1, **changes: Any) -> Line:
    part = Slice(Decimal(0), Decimal(10000), Decimal(1000), Decimal(6), Decimal(60))
    given: dict[str, Any] = {
        "line_id": UUID(int=number),
        "person": "ana",
        "period": MARCH,
        "kind": "commission",
        "amount": Decimal(60),
        "currency": "EUR",
        "state": "earned",
        "plan": "ref-hunter",
        "version": 2,
        "rule": "H1",
        "causes": (str(UUID(int=number)),),
        "calc": Calc(base=Decimal(1000), slices=(part,)),
        "at": datetime(2026, 3, 10, 23, 30, tzinfo=UTC),
        "on_line": "north",
        "client_id": f"client-{number}",
        "sale_id": f"sale-{number}",
    }
    return Line(**(given | changes))


def statement(*lines: Line, person: str = "ana") -> Statement:
    totals = Totals("EUR", Decimal(1000), Decimal("-50.5"), Decimal(60), Decimal(0), Decimal("-50.5"))
    return Statement(person, MARCH, datetime(2026, 4, 30, tzinfo=UTC), lines or (line(),), (totals,), (), ())


def text(made: bytes) -> str:
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    return " ".join(" ".join(pages).replace("\u200b", "").split())


def cells(made: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made, newline="")))


# --- the sheet ----------------------------------------------------------------------------------------------------


def test_a_sheet_has_a_header_and_a_row_for_each_line_in_order() -> None:
    made = sheet(statement(line(1), line(2, amount=Decimal("-1234.5"), kind="clawback")))
    assert made.startswith(",".join(COLUMNS) + "\r\n")
    assert made.endswith("\r\n")
    assert [row["line_id"] for row in cells(made)] == [str(UUID(int=1)), str(UUID(int=2))]
    assert made == sheet(statement(line(1), line(2, amount=Decimal("-1234.5"), kind="clawback")))


def test_a_negative_amount_stays_a_number() -> None:
    (row,) = cells(sheet(statement(line(amount=Decimal("-1234.5")))))
    assert row["amount"] == "-1234.50"
    assert Decimal(row["amount"]) == Decimal("-1234.5")
    assert row["base"] == "1000"


@pytest.mark.parametrize("typed", FORMULAS)
def test_no_text_is_a_formula(typed: str) -> None:
    (row,) = cells(sheet(statement(line(client_id=typed, person=typed, rule=typed, sale_id=typed))))
    assert row["client_id"] == row["person"] == row["rule"] == row["sale_id"] == f"'{typed}"


@given(st.text())
def test_whatever_is_typed_comes_back_from_the_sheet(typed: str) -> None:
    (row,) = cells(sheet(statement(line(client_id=typed or "x"))))
    assert row["client_id"] == harmless(typed or "x")
    assert row["client_id"].removeprefix("'") == (typed or "x").removeprefix("'")
    assert not row["client_id"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_quotes_commas_and_line_ends_are_quoted() -> None:
    made = sheet(statement(line(client_id='a "b", c\r\nd')))
    assert '"a ""b"", c\r\nd"' in made


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_same_statement_gives_the_same_bytes() -> None:
    made = [pdf(statement(line(1), line(2)), ZONE, Language.RU, name="Анна") for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF-")
    assert made[0] != pdf(statement(line(1)), ZONE, Language.RU, name="Анна")


@pytest.mark.parametrize("name", ["Анна Ёлкина", "Zoë Müller-Łącka", "Їжакевич Ґалаґан"])
def test_cyrillic_and_latin_names_are_on_the_page(name: str) -> None:
    assert name in text(pdf(statement(person="анна-17"), ZONE, Language.RU, name=name))


def test_every_word_of_every_language_has_its_glyphs() -> None:
    for language in Language:
        for word in wording(language).values():
            assert " ".join(word.split()) in text(pdf(statement(), ZONE, language, name=word))


def test_what_is_typed_is_never_markup() -> None:
    made = text(pdf(statement(line(rule=MARKUP, client_id="#x"), person="*a*"), ZONE, name=MARKUP, digest="$d$"))
    assert "*a*" in made
    assert "$d$" in made
    assert "#x" in made
    assert MARKUP.replace(" ", "") in made.replace(" ", "")


def test_the_page_says_what_is_paid_what_is_not_and_why() -> None:
    shown = statement(
        line(1),
        line(2, state="conditional"),
        line(3, kind="correction", relates_to=Month(2026, 2), amount=Decimal(-1240)),
    )
    made = text(pdf(replace(shown, related=(line(4, period=Month(2026, 5)),)), ZONE, digest="abc123"))
    for expected in (
        "Person ana", "Period 2026-03", "Time zone Europe/Berlin", "ref-hunter (version 2)", "2026-03-11",
        "1000 × 6 %", "correction, relates to 2026-02", "−1 240.00 EUR", "released as the client pays",
        "Posted elsewhere for this period",
        "Fixed 1 000.00 EUR", "Variable −50.50 EUR", "Guarantee 0.00 EUR", "Payable 1 000.00 EUR",
        "As known at: 2026-04-30",
        "Digest: abc123", "Page 1 / 1",
    ):  # fmt: skip
        assert expected in made.replace("\xa0", " "), expected


def test_many_lines_take_many_pages() -> None:
    made = pdf(statement(*(line(number) for number in range(1, 121))), ZONE)
    assert len(PdfReader(io.BytesIO(made)).pages) > 3
    assert "client-120" in text(made)


def test_a_statement_without_anything_has_a_page() -> None:
    empty = Statement("ana", MARCH, None, (), (), (), ())
    assert "No lines are shown." in text(pdf(empty, ZONE))


def test_every_kind_of_line_has_a_word() -> None:
    for kind in KINDS:
        assert wording(Language.RU)[f"kind_{kind}"] in text(pdf(statement(line(kind=kind)), ZONE, Language.RU))


# --- the doors ----------------------------------------------------------------------------------------------------


async def test_the_files_come_with_their_media_types_and_nothing_typed_in_their_names(office: Office) -> None:
    for kind, media in (("pdf", "application/pdf"), ("csv", "text/csv; charset=utf-8")):
        answer = await office.get(f"/v1/statements/boris/2026-03.{kind}", "boris")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media
        assert answer.headers["content-disposition"] == f'attachment; filename="statement-2026-03.{kind}"'
        assert answer.headers["cache-control"] == "no-store"


async def test_the_page_comes_in_russian_with_the_name_that_was_given(office: Office) -> None:
    answer = await office.get("/v1/statements/boris/2026-03.pdf", "pia", lang="ru", name="Борис Ёж")
    made = text(answer.content)
    assert "Расчётный лист" in made
    assert "Борис Ёж" in made
    assert SHARED in made


@pytest.mark.parametrize("wrong", [{"name": "a\u202eb"}, {"name": "x" * 201}, {"lang": "de"}, {"name": "a\nb"}])
async def test_a_name_is_short_and_printable(office: Office, wrong: dict[str, str]) -> None:
    answer = await office.get("/v1/statements/boris/2026-03.pdf", "pia", **wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")


async def test_a_wrong_month_is_told_as_everywhere(office: Office) -> None:
    answer = await office.get("/v1/statements/boris/2026-13.csv", "pia")
    assert (answer.status_code, answer.json()["code"]) == (422, "period.invalid")


async def test_openapi_tells_the_media_types(office: Office) -> None:
    document = (await office.http.get("/openapi.json")).json()
    paths, problems = document["paths"], document["components"]["responses"]
    for kind, media in (("pdf", "application/pdf"), ("csv", "text/csv")):
        told = paths[f"/v1/statements/{{person}}/{{period}}.{kind}"]["get"]["responses"]
        assert list(told["200"]["content"]) == [media]
        assert list(problems[told["404"]["$ref"].rpartition("/")[2]]["content"]) == ["application/problem+json"]


async def test_the_press_takes_only_so_much_and_gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compensation.api.papers.SECONDS", 0.05)
    press, done = Press(), threading.Event()
    waiting = [asyncio.create_task(press.make(done.wait)) for _ in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as full:
        await press.make(lambda: None)
    assert full.value.code == "overloaded"
    late = await asyncio.gather(*waiting, return_exceptions=True)
    assert {one.code for one in late if isinstance(one, Refused)} == {"deadline-exceeded"}
    assert len(late) == AT_ONCE + WAITING
    done.set()
    monkeypatch.undo()
    for _ in range(1000):
        if not press.busy:
            break
        await asyncio.sleep(0.001)
    assert await press.make(lambda: "printed") == "printed"
