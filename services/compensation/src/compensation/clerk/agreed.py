"""What is agreed: plans in force, rates, closed months, and who is paid by which plan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from compensation.months import Month
from compensation.office.views import LEDGER
from compensation.period import Close
from compensation.plan import Assignment, PlanVersion, Rate, parse
from compensation.views import ASSIGNMENTS, PLANS, RATES

MARKS = text("""
select (select coalesce(sum(version), 0) from ledger) as ledger,
       (select coalesce(sum(version), 0) from plans) as plans,
       (select coalesce(sum(version), 0) from rates) as rates
""")


@dataclass(frozen=True)
class Agreed:
    """Plans in force, rates and closes, as recorded so far."""

    plans: tuple[PlanVersion, ...]
    rates: tuple[Rate, ...]
    closes: tuple[Close, ...]
    read_at: tuple[int, int, int]


NOTHING = Agreed((), (), (), (-1, -1, -1))


async def agreed(connection: AsyncConnection, before: Agreed) -> Agreed:
    """What is agreed now; what was read before if nothing is new."""
    found = (await connection.execute(MARKS)).one()
    mark = int(found.ledger), int(found.plans), int(found.rates)
    if mark == before.read_at:
        return before
    closes = _closes((await connection.execute(select(LEDGER))).mappings().all())
    plans = _versions((await connection.execute(select(PLANS))).mappings().all())
    rates = _rates((await connection.execute(select(RATES))).mappings().all())
    return Agreed(tuple(plans), tuple(rates), tuple(closes), mark)


async def assignments(connection: AsyncConnection, *people: str) -> tuple[Assignment, ...]:
    """Of these people; of everybody if none is named."""
    wanted = select(ASSIGNMENTS)
    if people:
        wanted = wanted.where(ASSIGNMENTS.c.person.in_(people))
    rows = (await connection.execute(wanted.order_by(ASSIGNMENTS.c.person))).mappings().all()
    return tuple(_assignments(rows))


def _closes(rows: Sequence[Any]) -> list[Close]:
    """A close of several months at once counts as that of the last of them."""
    by_cutoff = {entry["cutoff"]: Month.parse(entry["period"]) for row in rows for entry in row["closed"]}
    return [Close(month, datetime.fromisoformat(cutoff)) for cutoff, month in by_cutoff.items()]


def _rates(rows: Sequence[Any]) -> list[Rate]:
    return [
        Rate(
            rate_id=entry["rate_id"],
            source=entry["from"],
            target=entry["to"],
            day=date.fromisoformat(entry["on"]),
            rate=Decimal(entry["rate"]),
            recorded_at=datetime.fromisoformat(entry["recorded_at"]),
        )
        for row in rows
        for entry in row["entries"]
    ]


def _versions(rows: Sequence[Any]) -> list[PlanVersion]:
    return [
        PlanVersion(parse(json.loads(version["document"])), datetime.fromisoformat(version["approved_at"]))
        for row in rows
        for version in row["versions"]
        if version["stage"] == "approved"
    ]


def _assignments(rows: Sequence[Any]) -> list[Assignment]:
    return [
        Assignment(
            person=row["person"],
            plan=entry["plan"],
            role=entry["role"],
            since=date.fromisoformat(entry["since"]),
            recorded_at=datetime.fromisoformat(entry["recorded_at"]),
            until=date.fromisoformat(entry["until"]) if entry["until"] else None,
            line=entry["line"],
        )
        for row in rows
        for entry in row["entries"]
    ]
