"""Who earned what in the demo: a table by line and role, and bars beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from conveyor.demo.audit import PayOffice
from conveyor.demo.company import LINES, MONTHS, PEOPLE
from conveyor.demo.laws import ZERO, Statement
from conveyor.pay_tables import money, table

COLOURS = {"fixed": "blue", "leads": "green", "sales": "yellow", "taken back": "red"}
GROUPS = {
    "fixed": "fixed",
    "bounty": "leads",
    "growth": "leads",
    "release": "sales",
    "commission": "sales",
    "clawback": "taken back",
}
ROLES = ("scout", "hunter", "farmer", "manager")
EIGHTHS = " ▏▎▍▌▋▊▉█"
WIDTH = 56


def by_group(statements: Iterable[Statement]) -> dict[str, dict[str, Decimal]]:
    """What each person earned, split by what it was for."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for statement in statements:
        for line in statement.lines:
            if line.state == "earned" and line.kind != "carry":
                found[statement.person][GROUPS.get(line.kind, line.kind)] += line.amount
    return {person: dict(groups) for person, groups in found.items()}


def office_table(office: PayOffice) -> Table:
    """What payroll did in the quarter."""
    made = table("The pay office", "what", "when", "result")
    for finding in office.findings:
        made.add_row(f"plan {finding['plan']} stopped", finding["code"], f"{finding['message']}: {finding['example']}")
    for month in office.periods:
        made.add_row("month closed", month["period"], f"{month['statements']} statements, {month['digest'][:12]}…")
    for run in office.payouts:
        paid = ", ".join(f"{money(total['payable'])} {total['currency']}" for total in run["totals"])
        made.add_row("paid out", run["period"], f"{paid}, {run['digest'][:12]}…")
    for case in office.conflicts:
        people = " / ".join(claim["person"] for claim in (case["a"], case["b"]) if claim is not None)
        decided = f"{case['outcome']} by {case['resolved_by']}" if case["outcome"] else case["stage"]
        made.add_row(f"conflict {case['kind']}: {case['what']}", case["at"][:10], f"{people}: {decided}")
    return made


def order(people: Iterable[str]) -> list[str]:
    """By line, then role, then name."""
    lines = [line.id for line in LINES]

    def place(person: str) -> tuple[int, int, str]:
        known = PEOPLE[person]
        return lines.index(known.line), ROLES.index(known.role), person

    return sorted(people, key=place)


def earnings_table(statements: Sequence[Statement]) -> Table:
    """A row a person, a sum a role, by line."""
    paid: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for statement in statements:
        paid[statement.person][statement.period] += statement.payable
    numbers = (*MONTHS, "total")
    made = table("Who earned what (EUR)", "line", "variant", "role", "person", *numbers, right=numbers)
    for line in LINES:
        people = [person for person in order(PEOPLE) if PEOPLE[person].line == line.id]
        for role in ROLES:
            team = [person for person in people if PEOPLE[person].role == role]
            for person in team:
                first = person == people[0]
                made.add_row(line.id if first else "", line.variant if first else "", role if person == team[0] else "",
                             PEOPLE[person].name, *_amounts([paid[person]]))  # fmt: skip
            if len(team) > 1:
                made.add_row("", "", "", f"{len(team)} {role}s", *_amounts([paid[one] for one in team]), style="dim")
        made.add_row("", "", "", f"all of {line.id}", *_amounts([paid[one] for one in people]), style="bold",
                     end_section=True)  # fmt: skip
    made.add_row("all", "", "", f"{len(paid)} people", *_amounts(list(paid.values())), style="bold")
    return made


def _amounts(rows: Sequence[Mapping[str, Decimal]]) -> list[str]:
    months = [sum((row.get(month, ZERO) for row in rows), ZERO) for month in MONTHS]
    return [*(money(amount) for amount in months), money(sum(months, ZERO))]


def bars(groups: Mapping[str, Mapping[str, Decimal]], width: int = WIDTH) -> Group:
    """A bar for each person: what it was earned for, side by side. What was taken back stands apart."""
    most = max((_upwards(earned) for earned in groups.values()), default=Decimal(1)) or Decimal(1)
    names = max((len(PEOPLE[person].name) for person in groups), default=0)
    legend = Text("earned for: ")
    for name, colour in COLOURS.items():
        legend.append("█ ", style=colour)
        legend.append(f"{name}   ")
    rows: list[Text] = [legend]
    for person in order(groups):
        earned = groups[person]
        row = Text(f"{PEOPLE[person].name:<{names}}  {PEOPLE[person].role:<7} ")
        for name, colour in COLOURS.items():
            amount = earned.get(name, ZERO)
            if amount:
                row.append(bar(abs(amount) / most * width), style=colour)
        row.append(f" {money(sum(earned.values(), ZERO))}", style="dim")
        rows.append(row)
    return Group(*rows)


def _upwards(earned: Mapping[str, Decimal]) -> Decimal:
    return sum((abs(amount) for amount in earned.values()), ZERO)


def bar(length: Decimal) -> str:
    """A bar of this many columns, to an eighth of one; something that is there is never drawn as nothing."""
    eighths = max(int(length * 8), 1)
    whole, rest = divmod(eighths, 8)
    return EIGHTHS[8] * whole + (EIGHTHS[rest] if rest else "")


def events_table(counts: Mapping[str, int], clients: int, facts: Mapping[str, Any]) -> Table:
    """How much happened."""
    made = table("What happened", "topic", "events", right=("events",))
    for topic, count in counts.items():
        made.add_row(topic, f"{count:,}".replace(",", " "))
    made.add_section()
    made.add_row("clients", str(clients))
    for name, value in facts.items():
        made.add_row(name, str(value))
    return made
