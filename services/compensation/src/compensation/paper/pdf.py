"""A statement as a PDF: all texts go to the template as data, so nothing that anybody typed is read as markup.

The page is set by statement.typ with the fonts that come with the compiler: nothing is looked up on the machine or the
network, and there is no date in it, so the same statement gives the same bytes.
"""

from __future__ import annotations

import json
from decimal import Decimal
from importlib import resources
from typing import Any

import typst

from compensation.line import Line, payable_text
from compensation.months import calendar
from compensation.paper.rows import base, rates
from compensation.paper.wording import Language, wording
from compensation.statement import Statement
from conveyor_events.words import instant_text

_SUMS = ("fixed", "variable", "guarantee", "carry_in", "carry_out", "conditional", "payable")


def pdf(
    statement: Statement,
    zone: str,
    language: Language = Language.EN,
    *,
    name: str | None = None,
    digest: str | None = None,
) -> bytes:
    """The printed statement. `name`: how the person is called; `digest`: of the frozen lines of a closed month."""
    content = page(statement, zone, language, name=name, digest=digest)
    template = (resources.files("compensation") / "paper" / "statement.typ").read_bytes()
    made = typst.compile(
        template,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"statement": json.dumps(content, ensure_ascii=False)},
        timestamp=0,
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


def page(
    statement: Statement,
    zone: str,
    language: Language,
    *,
    name: str | None = None,
    digest: str | None = None,
) -> dict[str, Any]:
    """What stands on the page, as the template takes it: texts and lists of texts."""
    words = wording(language)
    plans = sorted({(line.plan, line.version) for line in statement.lines if line.plan})
    sure = [line for line in statement.lines if line.state == "earned"]
    return {
        "words": words,
        "language": str(language),
        "person": statement.person,
        "name": name or "",
        "period": str(statement.period),
        "zone": zone,
        "plans": [f"{plan} ({words['version']} {version})" for plan, version in plans],
        "lines": [_row(line, zone, words) for line in sure],
        "conditional": [
            [*_row(line, zone, words), _why(line, words)] for line in statement.lines if line.state == "conditional"
        ],
        "related": [[str(line.period), *_row(line, zone, words)] for line in statement.related],
        "totals": [
            [totals.currency, [[words[each], _money(getattr(totals, each), totals.currency)] for each in _SUMS]]
            for totals in statement.totals
        ],
        "footer": [
            f"{words[key]}: {value}"
            for key, value in (
                ("known_at", instant_text(statement.known_at) if statement.known_at else ""),
                ("digest", digest or ""),
            )
            if value
        ],
    }


def _row(line: Line, zone: str, words: dict[str, str]) -> list[str]:
    kind = words[f"kind_{line.kind}"]
    if line.relates_to is not None:
        kind += f", {words['relates_to']} {line.relates_to}"
    about = " / ".join(part for part in (line.on_line, line.client_id, line.sale_id) if part)
    of = base(line)
    return [
        calendar(zone).day(line.at).isoformat() if line.at else "",
        kind,
        f"{line.plan} {line.rule}".strip() if line.plan else "",
        about,
        _money(of, line.currency) if of is not None else "",
        rates(line),
        f"{_money(line.amount, line.currency)} {line.currency}",
    ]


def _why(line: Line, words: dict[str, str]) -> str:
    if line.kind != "commission":
        return words["why_other"]
    return words["why_cancelled" if line.calc.note == "cancelled" else "why_commission"]


def _money(amount: Decimal, currency: str) -> str:
    """With the currency's digits, thousands apart, and a real minus."""
    whole, dot, cents = (
        payable_text(abs(amount), currency).partition(".") if currency != "XXX" else (str(amount), "", "")
    )
    sign = "−" if amount < 0 else ""
    return f"{sign}{int(whole):,}".replace(",", "\u00a0") + dot + cents
