"""After three months: what the services say, collected from their doors, and what must hold of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from conveyor.addresses import SERVICES
from conveyor.demo.company import MONTHS, PEOPLE
from conveyor.demo.laws import Books, PayLine, Statement, check, sales_of
from conveyor.line import Line
from conveyor_events.catalog import TOPICS, entry

AUDITOR = "quentin"
PAYROLL = ("payroll",)
TELLING = ("release", "clawback", "bounty")


@dataclass(frozen=True)
class PayOffice:
    """What payroll did: closed months, conflicts, what the linter stopped, payout runs; and whether it all holds."""

    periods: Sequence[Mapping[str, Any]]
    conflicts: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    payouts: Sequence[Mapping[str, Any]]
    verified: Mapping[str, Any]

    @classmethod
    async def of(cls, line: Line) -> PayOffice:
        paths = ("/v1/periods", "/v1/conflicts", "/v1/plans", "/v1/payouts")
        periods, conflicts, plans, payouts = await asyncio.gather(*(_all(line, path) for path in paths))
        verified = await line.get("compensation", "/v1/verification", person=AUDITOR, roles=PAYROLL, slow=True)
        stopped = [v for plan in plans for v in plan["versions"] if v["stage"] == "linted"]
        findings = [finding for version in stopped for finding in version["findings"]]
        return cls(periods, conflicts, findings, payouts, verified)

    def broken(self, lines: Sequence[PayLine]) -> dict[str, list[str]]:
        """What the story promises of the office, and does not hold."""
        late = [line for line in lines if line.kind == "clawback" and line.relates_to in self.closed]
        faults = [f"{one['period']} {one['person']}: {one['what']}" for one in self.verified["faults"]]
        faults += self.verified["laws"]
        told = {
            "two months are not closed": len(self.closed) != 2,
            "no refund came after its month was closed": not late,
            "the linter found nothing": not self.findings,
            "no conflict was decided": not any(case["outcome"] for case in self.conflicts),
            "nothing was paid out": not self.payouts,
        }
        return {
            "closed months verify": faults,
            "the office did its work": [what for what, is_so in told.items() if is_so],
        }

    @property
    def closed(self) -> set[str]:
        return {month["period"] for month in self.periods}


@dataclass(frozen=True)
class Audit:
    """All statements of the quarter, all public events, and the laws that are broken."""

    shown: Sequence[Mapping[str, Any]]
    books: Books
    events: Sequence[Mapping[str, Any]]
    office: PayOffice
    broken: Mapping[str, Sequence[str]]

    @property
    def ok(self) -> bool:
        return not any(self.broken.values())

    @property
    def events_per_topic(self) -> dict[str, int]:
        counted = Counter(entry(event["type"], 1).topic for event in self.events)
        return {topic: counted[topic] for topic in TOPICS}

    @property
    def clients(self) -> int:
        return len({event["clientid"] for event in self.events if event.get("clientid")})

    @property
    def total(self) -> Decimal:
        return sum((statement.payable for statement in self.books.statements), Decimal(0))

    def telling_line(self) -> str:
        """The line that tells most: of a sale, with the most causes and the most bands, then the largest."""
        lines = [line for shown in self.shown for line in shown["lines"] if line["kind"] in TELLING]

        def tells(line: Mapping[str, Any]) -> tuple[int, int, Decimal, str]:
            return TELLING[::-1].index(line["kind"]), len(line["causes"]), Decimal(line["amount"]), line["line_id"]

        return str(max(lines, key=tells)["line_id"])


async def audit(line: Line) -> Audit:
    """Asks for everybody's earnings, for each statement by itself, and for all feeds."""
    span = {"from": MONTHS[0], "to": MONTHS[-1]}
    shown = await _all(line, "/v1/earnings", span)
    again = await asyncio.gather(
        *(
            line.get("compensation", f"/v1/statements/{one['person']}/{one['period']}", person=AUDITOR, roles=PAYROLL)
            for one in shown
        )
    )
    events = [event for service in SERVICES async for event in line.events(service)]
    books = Books(
        statements=[Statement.of(one) for one in shown],
        events=frozenset(event["id"] for event in events),
        sales=sales_of(events),
        asked_again=[Statement.of(one) for one in again],
    )
    office = await PayOffice.of(line)
    broken = dict(check(books)) | office.broken(books.lines)
    broken["nobody is missing"] = _missing(books.lines)
    return Audit(shown, books, events, office, broken)


async def _all(line: Line, path: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Every item of a list of pay."""
    return [item async for item in line.items("compensation", path, params, person=AUDITOR, roles=PAYROLL)]


def _missing(lines: Sequence[PayLine]) -> list[str]:
    """Everybody in the company is paid something."""
    paid = {line.person for line in lines}
    return [f"{person} has no line at all" for person in PEOPLE if person not in paid]
