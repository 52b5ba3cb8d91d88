"""The facts, plans and assignments of the database, held ready for the fold. Only ever grows by what is new."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from compensation.conflict import Case, conflicts
from compensation.facts import fact
from compensation.history import History
from compensation.line import Line
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, Rate, parse
from compensation.statement import Statement, earnings, statement
from compensation.views import ASSIGNMENTS, FACTS, PLANS, RATES
from conveyor_events import Envelope, UnknownEvent, from_json
from conveyor_events.words import instant_text

AT_ONCE = 5_000
MOST_MONTHS = 240
T = TypeVar("T")


@dataclass(frozen=True)
class Agreed:
    """Plans in force and who is paid by which, as recorded so far."""

    plans: tuple[PlanVersion, ...]
    assignments: tuple[Assignment, ...]
    rates: tuple[Rate, ...]
    read_at: tuple[int, int, int]


class Books:
    """One per process. Reading brings it up to date first; folding runs beside the event loop."""

    def __init__(self, engine: AsyncEngine, zone: str) -> None:
        self._engine = engine
        self.history = History(zone=zone)
        self.envelopes: dict[str, Envelope] = {}
        self.unread: list[str] = []
        self.staff: list[Envelope] = []
        self._taken = 0
        self._agreed = Agreed((), (), (), (-1, -1, -1))
        self._cases: tuple[int, list[Case]] = (-1, [])
        self._reading = asyncio.Lock()
        self._clerk = ThreadPoolExecutor(1, "books")  # one hand writes and folds, so nobody folds what is half written
        self._lines: tuple[Any, dict[str, Line]] = (None, {})

    async def statement(self, person: str, month: Month, known_at: datetime | None = None) -> Statement:
        """A person's statement of a month, from everything taken in so far."""
        agreed = await self.current()
        basis = (self.history, agreed.plans, agreed.assignments)
        return await self._by_clerk(statement, *basis, person, month, known_at, agreed.rates)

    async def earnings(self, months: Sequence[Month]) -> dict[str, dict[Month, Statement]]:
        """Everybody's statements of these months."""
        agreed = await self.current()
        basis = (self.history, agreed.plans, agreed.assignments)
        found = await self._by_clerk(earnings, *basis, list(months), None, agreed.rates)
        return dict(found)

    async def conflicts(self) -> list[Case]:
        """Every case that the facts taken in so far show, oldest first."""
        await self.current()
        if self._cases[0] != self._taken:
            taken = self._taken
            self._cases = (taken, await self._by_clerk(conflicts, list(self.envelopes.values())))
        return self._cases[1]

    async def at_stake(self, through: Month) -> dict[tuple[str, str], list[Line]]:
        """By person and client: the lines that are paid for it, up to and including a month."""
        lines: dict[tuple[str, str], list[Line]] = {}
        for line in (await self._stated(through)).values():
            if line.client_id is not None and line.kind in ("bounty", "commission"):
                lines.setdefault((line.person, line.client_id), []).append(line)
        return lines

    async def _by_clerk(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._clerk, work, *arguments)

    async def reckoned(self, work: Callable[..., T], *arguments: Any) -> T:
        """Something else from the history, by the hand that writes it: nobody reads what is half written."""
        return await self._by_clerk(work, *arguments)

    async def line(self, line_id: str, through: Month) -> Line | None:
        """A line by its id, out of all statements up to and including a month."""
        return (await self._stated(through)).get(line_id)

    async def _stated(self, through: Month) -> dict[str, Line]:
        """Every line of everybody up to and including a month, by its id; folded anew only when something is new."""
        agreed = await self.current()
        mark = (self._taken, agreed.read_at, through)
        if self._lines[0] != mark:
            found = await self.earnings(list(self.first_month(through).through(through)))
            self._lines = (
                mark,
                {str(line.line_id): line for by in found.values() for s in by.values() for line in s.lines},
            )
        return self._lines[1]

    def first_month(self, last: Month) -> Month:
        """The month of the earliest fact or assignment, but not longer ago than anybody asks."""
        days = [a.since for a in self._agreed.assignments]
        days += [f.occurred_at.date() for f in self.history.facts.values() if f.client_id is not None]
        return max(Month.of(min(days)), last.plus(1 - MOST_MONTHS)) if days else last

    async def current(self) -> Agreed:
        """Reads what was taken in since the last time; answers what is agreed now."""
        async with self._reading:
            async with self._engine.connect() as connection:
                while True:
                    wanted = select(FACTS.c.taken, FACTS.c.envelope).where(FACTS.c.taken > self._taken)
                    rows = (await connection.execute(wanted.order_by(FACTS.c.taken).limit(AT_ONCE))).all()
                    if rows:
                        await self._by_clerk(self._add, rows)
                    if len(rows) < AT_ONCE:
                        break
                plans = (await connection.execute(select(PLANS))).mappings().all()
                people = (await connection.execute(select(ASSIGNMENTS))).mappings().all()
                rates = (await connection.execute(select(RATES))).mappings().all()
            mark = _mark(plans), _mark(people), _mark(rates)
            if mark != self._agreed.read_at:
                self._agreed = Agreed(tuple(_versions(plans)), tuple(_assignments(people)), tuple(_rates(rates)), mark)
            return self._agreed

    def _add(self, rows: Sequence[Any]) -> None:
        for taken, text in rows:
            envelope = from_json(json.loads(text))
            self.envelopes[str(envelope.id)] = envelope
            if envelope.type.startswith("conveyor.staff."):
                self.staff.append(envelope)
            try:
                self.history.add(fact(envelope))
            except UnknownEvent:
                self.unread.append(str(envelope.id))  # kept; a release that knows the type reads it
            self._taken = taken


def _mark(rows: Sequence[Any]) -> int:
    return sum(row["version"] for row in rows)


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


def told(books: Books, event_id: str) -> dict[str, Any]:
    """An event in short, as people read it."""
    e = books.envelopes[event_id]
    return {
        "event_id": event_id,
        "type": e.type,
        "occurred_at": instant_text(e.occurred_at),
        "recorded_at": instant_text(e.recorded_at),
        "actor": e.actor.model_dump() if e.actor else None,
        "client_id": e.client_id,
        "journey_id": e.journey_id,
        "variant": e.variant,
        "data": e.data,
    }
