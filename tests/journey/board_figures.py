"""The figures of the board's pages by their ids and data attributes, as people read them: what is shown counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "input", "br", "rect", "path", "img", "hr"}
THIN, MINUS = "\u202f", "\u2212"


@dataclass
class Element:
    """One element with what is in it."""

    tag: str
    attributes: Mapping[str, str]
    inside: list[Element | str] = field(default_factory=list)

    def all(self, wanted: Callable[[Element], bool]) -> Iterator[Element]:
        for one in self.inside:
            if isinstance(one, Element):
                if wanted(one):
                    yield one
                yield from one.all(wanted)

    def having(self, attribute: str, value: str | None = None) -> list[Element]:
        """Those with an attribute, of this value if one is given; in the order of the page."""
        return list(self.all(lambda e: attribute in e.attributes and value in (None, e.attributes[attribute])))

    def by_id(self, id_: str) -> Element:
        (found,) = self.having("id", id_)
        return found

    @property
    def text(self) -> str:
        return "".join(one if isinstance(one, str) else one.text for one in self.inside)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)


def read(page: str) -> Element:
    """The page as a tree. A tag that is not closed fails."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.root


def number(text: str) -> Decimal:
    """An amount as an English page writes it."""
    return Decimal(text.strip().replace(MINUS, "-").replace(",", "").lstrip("+"))


def money(within: Element) -> list[tuple[Decimal, str]]:
    """Amounts with their currencies. What machines are told and what people read must be the same."""
    found = []
    for one in within.all(lambda e: e.tag == "data" and e.attributes.get("class") == "money"):
        (currency,) = one.having("class", "currency")
        shown = number(one.text.removesuffix(currency.text))
        assert shown == Decimal(one.attributes["value"]), f"{one.text} is not {one.attributes['value']}"
        found.append((shown, currency.text.strip(THIN)))
    return found


def amount(within: Element) -> Decimal:
    """The one amount that stands here."""
    ((found, _),) = money(within)
    return found


TOTALS = ("payable", "fixed", "variable", "guarantee", "conditional", "carry_in", "carry_out")


def statement(page: str) -> dict[str, Any]:
    """Totals by currency; each line with its amount, its state and the running total; what relates to the month."""
    tree = read(page)
    lines = list(tree.all(lambda e: e.tag == "details" and e.attributes.get("id", "").startswith("line-")))
    related = [row for table in tree.having("id", "related") for row in table.having("data-line")]
    return {
        "totals": {
            block.attributes["data-currency"]: {
                part.attributes["data-total"]: amount(part) for part in block.having("data-total")
            }
            for block in tree.having("data-currency")
        },
        "lines": [
            (
                line.attributes["id"].removeprefix("line-"),
                line.attributes["class"].split()[-1],
                *money(line.having("data-of", "amount")[0])[0],
                number(text) if (text := line.having("data-of", "running")[0].text.strip()) else None,
            )
            for line in lines
        ],
        "related": [(row.attributes["data-line"], *money(row)[0]) for row in related],
    }


def stated(told: Mapping[str, Any]) -> dict[str, Any]:
    """The same of what the API tells."""
    running: dict[str, Decimal] = {}
    lines = []
    for line in told["lines"] or ():
        earned = line["state"] == "earned"
        if earned:
            running[line["currency"]] = running.get(line["currency"], Decimal(0)) + Decimal(line["amount"])
        after = running[line["currency"]] if earned else None
        lines.append((line["line_id"], line["state"], Decimal(line["amount"]), line["currency"], after))
    always = ("payable", "fixed", "variable", "conditional")
    return {
        "totals": {
            total["currency"]: {
                name: Decimal(total[name]) for name in TOTALS if name in always or Decimal(total[name]) != 0
            }
            for total in told["totals"]
        },
        "lines": lines,
        "related": [(line["line_id"], Decimal(line["amount"]), line["currency"]) for line in told["related"]],
    }


def overview(page: str) -> dict[str, list[tuple[Decimal, str]]]:
    """person and month -> payable, of those that stand there."""
    cells = {cell.attributes["data-cell"]: money(cell) for cell in read(page).having("data-cell")}
    return {place: found for place, found in cells.items() if found}


def cases(page: str) -> tuple[dict[str, list[tuple[Decimal, str]]], dict[str, int]]:
    """case -> what is at stake; pair of people -> how many cases."""
    tree = read(page)
    rows = list(tree.all(lambda e: e.tag == "tr" and e.attributes.get("id", "").startswith("case-")))
    stakes = {row.attributes["id"].removeprefix("case-"): money(row.having("data-of", "stake")[0]) for row in rows}
    pairs = {e.attributes["data-pair"]: int(e.having("data-of", "cases")[0].text) for e in tree.having("data-pair")}
    return stakes, pairs


PARTS = ("actual", "simulated", "delta")


def supposed(page: str) -> tuple[dict[str, list[Decimal]], dict[tuple[str, str], list[Decimal]]]:
    """The totals of a what-if by currency, and by person and currency: actual, simulated, delta."""
    tree = read(page)

    def parts(of: Element) -> list[Decimal]:
        return [amount(of.having("data-of", part)[0]) for part in PARTS]

    blocks = [e for e in tree.having("data-currency") if e.tag == "dl"]
    rows = tree.having("data-person")
    people = [row for row in rows if row.tag == "tr"]
    return (
        {block.attributes["data-currency"]: parts(block) for block in blocks},
        {(row.attributes["data-person"], row.attributes["data-currency"]): parts(row) for row in people},
    )


def counts(page: str) -> dict[str, str]:
    """How much there is in each part of a day."""
    found = read(page).all(lambda e: e.attributes.get("id", "").endswith("-count"))
    return {e.attributes["id"].removesuffix("-count"): e.text.strip() for e in found}
