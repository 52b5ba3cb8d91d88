"""Texts and figures in the viewer's language. The texts are data: texts/en.yaml, texts/ru.yaml, with the same keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from markupsafe import Markup

from board.arithmetic import Step
from conveyor_events.words import instant_text, parse_instant

LANGUAGES = {"en": "English", "ru": "Русский"}
THIN = "\u202f"
MINUS = "\u2212"
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
"""Thousands, as English writes them: 1,234.50; where a comma stands otherwise, nobody knows what it means."""


@cache
def texts(language: str) -> Mapping[str, str]:
    """Every text by its path in the file: `line.title`."""
    read = yaml.safe_load(files("board").joinpath("texts", f"{language}.yaml").read_text(encoding="utf-8"))
    return dict(_flat(read))


def _flat(told: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in told.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)


def preferred(header: str) -> str:
    """The language that a browser asks for, of those there are."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        short = tag.strip().lower()[:2]
        if short in LANGUAGES:
            ranked.append((-_weight(weight), place, short))
    return min(ranked)[2] if ranked else "en"


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Words:
    """One language and the company's zone: what templates write with."""

    language: str
    zone: ZoneInfo

    def __call__(self, key: str, **parts: Any) -> str:
        """The text of this key; a key without a text is a fault of ours."""
        return texts(self.language)[key].format(**parts) if parts else texts(self.language)[key]

    def of(self, kind: str, code: Any) -> str:
        """The word for a code of the services. One that this release does not know is shown as it is."""
        return texts(self.language).get(f"{kind}.{code}", str(code).replace("_", " "))

    def amount(self, text: Any, *, sign: bool = False) -> str:
        """An amount, digits grouped, as many decimals as it came with."""
        whole, dot, rest = str(text).lstrip("-").partition(".")
        grouped = ""
        while len(whole) > 3:
            whole, grouped = whole[:-3], f"{self._group}{whole[-3:]}{grouped}"
        minus = str(text).startswith("-") and str(text).strip("-0.") != ""
        before = MINUS if minus else "+" if sign and str(text).strip("-0.") else ""
        return before + whole + grouped + (("," if self.language == "ru" else ".") + rest if dot else "")

    def read(self, text: str) -> str:
        """An amount as it is written in this language, as the APIs take it."""
        plain = re.sub(r"\s", "", text).replace(MINUS, "-")
        if self.language == "ru":
            return plain.replace(",", ".")
        return plain.replace(",", "") if GROUPED.fullmatch(plain) else plain

    @property
    def _group(self) -> str:
        return THIN if self.language == "ru" else ","

    def money(self, text: Any, currency: str | None, *, sign: bool = False) -> Markup:
        """An amount with its currency, which machines can read as it came."""
        if text is None:
            return Markup('<span class="none">–</span>')
        shown = self.amount(text, sign=sign)
        return Markup('<data class="money" value="{}">{}<span class="currency">{}</span></data>').format(
            text, shown, THIN + currency if currency else ""
        )

    def here(self, value: datetime | str) -> datetime:
        """An instant in the company's zone."""
        return (parse_instant(value) if isinstance(value, str) else value).astimezone(self.zone)

    def step(self, step: Step) -> str:
        """A step of a line's arithmetic, as a sentence."""
        figures = {name: self.amount(value) for name, value in step.amounts.items()}
        plain = {name: self.of(name, value) if name == "window" else value for name, value in step.plain.items()}
        return self(f"calc.{step.key}", **figures, **plain)

    def when(self, value: datetime | str | None, *, day: bool = True, seconds: bool = False) -> Markup:
        """An instant, in the company's zone."""
        if value is None:
            return Markup('<span class="none">–</span>')
        here = self.here(value)
        clock = f"{here:%H:%M:%S}" if seconds else f"{here:%H:%M}"
        shown = f"{self.day(here.date())}, {clock}" if day else clock
        return Markup('<time datetime="{}">{}</time>').format(instant_text(here), shown)

    def day(self, value: date | str) -> str:
        """A day: 3 Mar 2026, or 3 мар 2026."""
        on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        return f"{on.day} {self(f'month.short.m{on.month}')} {on.year}"

    def month(self, period: str) -> str:
        """A month: March 2026, or март 2026."""
        year, _, number = period.partition("-")
        return f"{self(f'month.long.m{int(number)}')} {year}"

    def lasting(self, span: timedelta) -> str:
        """How long: 42 min, 3 h 20 min, 5 d 4 h."""
        minutes = int(abs(span).total_seconds() // 60)
        days, hours = divmod(minutes // 60, 24)
        d, h, m = self("unit.day"), self("unit.hour"), self("unit.minute")
        if days:
            return f"{days} {d} {hours} {h}" if hours and days < 10 else f"{days} {d}"
        if hours:
            return f"{hours} {h} {minutes % 60} {m}" if minutes % 60 and hours < 10 else f"{hours} {h}"
        return f"{minutes} {m}"
