"""Both languages say the same things, and no template says anything by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from board.document import Unreadable, read, rows, written
from board.words import LANGUAGES, Words, preferred, texts
from conveyor_events.catalog import CATALOG

BERLIN = ZoneInfo("Europe/Berlin")
EN, RU = Words("en", BERLIN), Words("ru", BERLIN)
TEMPLATES = {
    path.name: path.read_text(encoding="utf-8")
    for path in files("board").joinpath("templates").iterdir()
    if path.name.endswith(".html")
}
SAYS_BY_ITSELF = {"PDF", "CSV"}
"""Names that are the same in every language."""


def untranslated(template: str) -> list[str]:
    """Words that stand in a template outside of its tags, or in an attribute that people hear or read."""
    plain = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template, flags=re.DOTALL)
    said = [found for found in re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', plain) if found.strip()]
    outside = re.sub(r"<[^>]*>", " ", plain)
    outside = re.sub(r"&[a-z]+;", " ", outside)
    return [word for word in re.findall(r"[^\W\d_]{2,}", " ".join([outside, *said])) if word not in SAYS_BY_ITSELF]


def test_both_languages_have_the_same_texts_with_the_same_gaps() -> None:
    gaps = re.compile(r"\{(\w+)\}")
    english, russian = texts("en"), texts("ru")
    assert set(english) == set(russian)
    different = {key for key in english if sorted(gaps.findall(english[key])) != sorted(gaps.findall(russian[key]))}
    assert not different
    assert all(text.strip() for language in LANGUAGES for text in texts(language).values())


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_no_template_says_anything_by_itself(name: str) -> None:
    assert untranslated(TEMPLATES[name]) == []


def test_a_word_in_a_template_is_seen() -> None:
    assert untranslated("<p>{{ t('a') }} waits</p>") == ["waits"]
    assert untranslated('<a aria-label="Close">×</a>') == ["Close"]


def test_every_text_that_a_template_names_exists() -> None:
    named = {key for text in TEMPLATES.values() for key in re.findall(r"""[^\w.]t\(["']([\w.-]+)["'][,)]""", text)}
    assert len(named) > 150
    assert named <= set(texts("en"))


def test_every_event_of_the_language_has_a_name_in_both() -> None:
    names = {kind.wire.rpartition(".")[2] for kind in CATALOG}
    assert {f"event.{name}" for name in names} <= set(texts("en"))


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert RU.of("reason", "phase_of_the_moon") == "phase of the moon"


@pytest.mark.parametrize(
    ("given", "english", "russian"),
    [
        ("1234567.50", "1,234,567.50", "1\u202f234\u202f567,50"),
        ("-0.05", "\u22120.05", "\u22120,05"),
        ("0.00", "0.00", "0,00"),
        ("-0.00", "0.00", "0,00"),
        ("999", "999", "999"),
        ("1000", "1,000", "1\u202f000"),
    ],
)
def test_amounts_keep_every_digit(given: str, english: str, russian: str) -> None:
    assert EN.amount(given) == english
    assert RU.amount(given) == russian


@pytest.mark.parametrize(
    ("language", "written", "meant"),
    [
        ("en", "1,234.50", "1234.50"),
        ("en", " -1234.5 ", "-1234.5"),
        ("en", "100,50", "100,50"),  # refused: nobody knows whether it is a hundred or ten thousand
        ("ru", "1 234,50", "1234.50"),
        ("ru", "1\u202f234,50", "1234.50"),
        ("ru", "\u2212100,5", "-100.5"),
        ("ru", "100.50", "100.50"),
    ],
)
def test_an_amount_is_read_as_it_is_written_in_the_language(language: str, written: str, meant: str) -> None:
    assert Words(language, BERLIN).read(written) == meant


def test_machines_read_the_amount_as_the_api_wrote_it() -> None:
    assert 'value="1234.50"' in EN.money("1234.50", "EUR")
    assert "EUR" in EN.money("1234.50", "EUR")
    assert EN.amount("5.00", sign=True) == "+5.00"
    assert EN.amount("0.00", sign=True) == "0.00"


def test_instants_are_shown_in_the_companys_zone() -> None:
    assert ">3 Mar 2026, 00:30<" in EN.when("2026-03-02T23:30:00Z")
    assert ">3 мар 2026, 00:30<" in RU.when("2026-03-02T23:30:00Z")
    assert 'datetime="2026-03-02T23:30:00' in EN.when("2026-03-02T23:30:00Z").replace("+00:00", "Z")
    assert RU.month("2026-05") == "май 2026"


def test_spans_are_as_exact_as_they_matter() -> None:
    assert EN.lasting(timedelta(minutes=42)) == "42 min"
    assert EN.lasting(-timedelta(hours=3, minutes=20)) == "3 h 20 min"
    assert RU.lasting(timedelta(days=5, hours=4)) == "5 д 4 ч"
    assert EN.lasting(datetime(2026, 3, 3, tzinfo=UTC) - datetime(2026, 1, 3, tzinfo=UTC)) == "59 d"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de,en;q=0.5", "en"),
        ("", "en"),
        ("en;q=0.2,ru;q=0.9", "ru"),
        (";;;q=x", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_likes_best(header: str, language: str) -> None:
    assert preferred(header) == language


DOCUMENT = {
    "plan": "p",
    "role": "hunter",
    "salary": "500.00",
    "rules": [{"id": "H1", "percent": "6"}, {"id": "H2", "percent": "7"}],
}


def test_findings_stand_beside_the_rule_they_speak_of() -> None:
    findings: list[dict[str, Any]] = [
        {"code": "L9", "level": "block", "plan": "p", "rule": "H2"},
        {"code": "L6", "level": "block", "plan": "p", "rule": None},
        {"code": "L2", "level": "block", "plan": "another", "rule": "H1"},
    ]
    shown = rows(DOCUMENT, findings)
    beside = {row.rule or row.number: [one["code"] for one in row.findings] for row in shown if row.findings}
    assert beside == {1: ["L6", "L2"], "H2": ["L9"]}


def test_a_document_is_read_as_it_was_written() -> None:
    assert read(written(DOCUMENT)) == DOCUMENT
    with pytest.raises(Unreadable):
        read("- just\n- a list")
    with pytest.raises(Unreadable):
        read("a: [")
