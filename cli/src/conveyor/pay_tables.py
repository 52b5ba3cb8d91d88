"""Statements, lines and people as tables: what a person earned, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

Shown = Mapping[str, Any]

CALC_WORDS = {
    "exact": "before rounding",
    "monthly": "a month",
    "days": "days",
    "of_days": "of days",
    "each": "each",
    "units": "units",
    "gained": "gained",
    "lost": "lost",
    "carried": "carried over",
    "of_base": "of the sale's",
    "base": "base",
    "weight": "weight",
    "of_weights": "of weights",
    "flat": "flat",
    "percent": "per cent",
    "mode": "bands",
    "window": "in",
    "credited_before": "credited before",
    "uncapped": "without the cap",
    "foreign": "foreign amount",
    "foreign_currency": "currency",
    "rate": "rate of exchange",
    "rate_id": "rate",
    "entitlement": "entitlement",
    "moved": "money that moved",
    "of_money": "of",
    "remainder": "the last one takes the remainder",
    "paid_on": "paid on",
    "day": "day",
    "step": "taken back, per cent",
    "guaranteed": "guaranteed",
    "advanced": "advanced, to come back",
    "recomputed": "recomputed",
    "frozen": "frozen",
    "corrected": "corrected already",
    "note": "note",
}


def money(text: str | Decimal, currency: str = "") -> str:
    """1 234.50, with a gap between thousands; more decimals where there are more."""
    amount = Decimal(text)
    exponent = amount.as_tuple().exponent
    decimals = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"{amount:,.{decimals}f} {currency}".replace(",", " ").strip()


def table(title: str, *columns: str, right: Sequence[str] = ()) -> Table:
    """A plain table; the columns named in `right` hold numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    return made


def statement_table(statement: Shown) -> Table:
    """One statement: its lines, then the sums of each currency."""
    known = f", as known at {statement['known_at']}" if statement.get("known_at") else ""
    made = table(
        f"{statement['person']}, {statement['period']}{known}",
        "when", "kind", "rule", "client", "calculation", "amount", "state", "line",
        right=("amount",),
    )  # fmt: skip
    for line in statement["lines"]:
        made.add_row(*_statement_row(line), style="dim" if line["state"] == "conditional" else None)
    made.add_section()
    for totals in statement["totals"]:
        for name in ("fixed", "variable", "guarantee", "carry_in", "payable", "carry_out", "conditional"):
            if name in ("fixed", "variable", "payable") or Decimal(totals[name]):
                bold = "bold" if name == "payable" else None
                made.add_row("", name, "", "", "", money(totals[name]), totals["currency"], "", style=bold)
    return made


def _statement_row(line: Shown) -> list[str]:
    return [
        (line["at"] or "")[:10],
        line["kind"] + (f" for {line['relates_to_period']}" if line.get("relates_to_period") else ""),
        f"{line['plan']} v{line['version']} {line['rule']}",
        (line["client_id"] or "")[:8],
        in_short(line),
        money(line["amount"]),
        line["state"],
        line["line_id"],
    ]


def in_short(line: Shown) -> str:
    """The calculation of a line in a few words."""
    calc = line["calc"]
    match line["kind"]:
        case "fixed" if "days" in calc:
            return f"{calc['days']}/{calc['of_days']} days of {money(calc['monthly'])}"
        case "bounty" if "each" in calc:
            return f"{money(calc['each'])} each"
        case "growth" if "units" in calc:
            return f"{calc['units']} × {money(calc['each'])} (+{calc.get('gained', 0)} −{calc.get('lost', 0)})"
        case "commission" if "slices" in calc:
            return " + ".join(f"{money(cut['base'])} at {cut['percent']} %" for cut in calc["slices"])
        case "commission" if "percent" in calc:
            return f"{money(calc.get('base', '0'))} at {calc['percent']} %"
        case "release" if "moved" in calc:
            return f"{money(calc['moved'])} of {money(calc['of_money'])} paid"
        case "clawback" if "moved" in calc:
            return f"{money(calc['moved'])} paid back on day {calc.get('day', '?')}, {calc.get('step', '?')} %"
        case _:
            return str(calc.get("note", ""))


def line_tree(line: Shown, found: Mapping[str, Shown]) -> Tree:
    """One line down to its events. `found`: the events as the services' own feeds show them."""
    amount = money(line["amount"], line["currency"])
    title = f"[bold]{amount}[/bold] {line['kind']} for {line['person']} in {line['period']}"
    tree = Tree(f"{title}  [dim]{line['line_id']}[/dim]")
    tree.add(f"rule {line['rule']} of plan {line['plan']}, version {line['version']}; {line['state']}")
    about = [
        f"{word} {line[key]}"
        for key, word in (("line", "line"), ("client_id", "client"), ("sale_id", "sale"))
        if line[key]
    ]
    if about:
        tree.add(", ".join(about))
    calculated = tree.add("calculation")
    for name, value in line["calc"].items():
        if name == "slices":
            for cut in value:
                upto = f"up to {money(cut['below'])}" if cut.get("below") else "and more"
                calculated.add(
                    f"{money(cut['base'])} in the band from {money(cut['above'])} {upto}: "
                    f"{cut['percent']} % = {money(cut['amount'])}"
                )
        else:
            calculated.add(f"{CALC_WORDS.get(name, name)}: {value}")
    because = tree.add("because of")
    for cause in line["causes"]:
        because.add(event_text(cause, found.get(cause)))
    return tree


def event_text(event_id: str, event: Shown | None) -> Text:
    """An event on one line: what, when, who, and where it was published."""
    if event is None:
        return Text(f"{event_id}  in no feed", style="red")
    name = event["type"].rpartition(".")[2]
    who = event.get("actorperson")
    text = Text.assemble((name, "bold"), f" at {event['time'][:16].replace('T', ' ')}")
    if who:
        text.append(f", by {who} ({event.get('actorrole', '?')})")
    text.append(f", from {event['source'].rpartition('/')[2]}")
    text.append(f"  {event_id}", style="dim")
    return text


def people_table(people: Mapping[str, Shown], line: str | None) -> Table:
    """What each person did and earned."""
    numbers = ("prospects", "accepted", "deals", "first", "first value", "repeats", "repeat value", "voids", "earned")
    made = table(f"People{f' on {line}' if line else ''}", "person", *numbers, right=numbers)
    for person, shown in people.items():
        earned = sum((Decimal(amount) for amount in shown["earned"].values()), Decimal(0))
        made.add_row(
            person, str(shown["prospects"]), str(shown["leads_accepted"]), str(shown["deals_closed"]),
            str(shown["first_sales"]), money(shown["first_value"]), str(shown["repeats"]), money(shown["repeat_value"]),
            str(shown["voids"]), money(earned),
        )  # fmt: skip
    return made


def journey_table(journey: Shown) -> Table:
    """One client's way, event by event."""
    made = table(f"Client {journey['client']}", "when", "event", "who", "what", "id")
    for event in journey["events"]:
        actor = event["actor"] or {}
        made.add_row(
            event["occurred_at"][:16].replace("T", " "),
            event["type"].removeprefix("conveyor."),
            f"{actor.get('person', '')} {actor.get('role', '')}".strip(),
            _said(event["data"]),
            event["event_id"],
        )
    return made


def _said(data: Shown) -> str:
    """The part of an event that people look for first."""
    sale = data.get("sale") or {}
    to = data.get("to")
    words = [
        f"to {to['person']}" if isinstance(to, dict) else "",
        str(data.get("reason") or ""),
        f"{data.get('net') or sale.get('net')} {sale.get('currency') or data.get('currency')}"
        if data.get("net") or sale
        else "",
        str(data.get("objective_met") or ""),
        str(data.get("mode") or ""),
    ]
    return ", ".join(word for word in words if word)
