"""The facts, plans and assignments of the database, held ready for the fold. Only ever grows by what is new."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from opentelemetry.trace import SpanKind
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from belt.core.calendar import Calendar
from belt.io import tracing
from belt.io.http.desk import Desk
from belt.io.http.feed import line as told_line
from belt.io.telemetry import REFOLDED_EVENTS
from compensation.conflict import Case, conflicts
from compensation.facts import Adjusted, Contested, Fact, Ruled
from compensation.history import History
from compensation.line import Line
from compensation.months import Month
from compensation.office.views import LEDGER
from compensation.period import Close, frozen_lines
from compensation.plan import Assignment, PlanVersion, Rate, parse
from compensation.reading import fact
from compensation.statement import Statement, earnings, everybody, statement
from compensation.views import ASSIGNMENTS, FACTS, PLANS, RATES
from compensation.whatif import Basis
from conveyor_events import Envelope, UnknownEvent, from_json, wire_type
from conveyor_events import open as open_event
from conveyor_events.staff import LineStaffed
from conveyor_events.words import instant_text

AT_ONCE = 5_000
STAFFED = wire_type(LineStaffed)
MOST_MONTHS = 240
T = TypeVar("T")


@dataclass(frozen=True)
class Agreed:
    """Plans in force and who is paid by which, as recorded so far."""

    plans: tuple[PlanVersion, ...]
    assignments: tuple[Assignment, ...]
    rates: tuple[Rate, ...]
    closes: tuple[Close, ...]
    read_at: tuple[int, int, int, int]


NOTHING = Agreed((), (), (), (), (-1, -1, -1, -1))
OURS = text("select * from published where position > :after order by position limit :most")
"""What compensation itself told: conflicts found and decided, and adjustments, are facts of pay, too."""


class Books:
    """One per process. Reading brings it up to date first; folding runs beside the event loop."""

    def __init__(self, engine: AsyncEngine, zone: str) -> None:
        self._engine = engine
        self.history = History(zone=zone)
        self.envelopes: dict[str, Envelope] = {}
        self.unread: list[str] = []
        self.staff: list[Envelope] = []
        self.newest: datetime | None = None
        self._begun = False
        self._taken = 0
        self._told = 0
        self._agreed = NOTHING
        self._stories: dict[str, list[Envelope]] = {}
        self._touched: set[str] = set()
        self._cases: dict[str, list[Case]] = {}
        self._frozen: tuple[tuple[Close, ...], dict[str, tuple[Line, ...]]] = ((), {})
        self._reading = asyncio.Lock()
        self._clerk = ThreadPoolExecutor(1, "books")  # one hand writes and folds, so nobody folds what is half written
        self._lines: tuple[Any, dict[str, Line]] = (None, {})

    async def statement(self, person: str, month: Month, known_at: datetime | None = None) -> Statement:
        """A person's statement of a month, from everything taken in so far."""
        agreed = await self.current()
        return await self.by_clerk(self._statement, agreed, person, month, known_at)

    def _statement(self, agreed: Agreed, person: str, month: Month, known_at: datetime | None) -> Statement:
        basis = (self.history, agreed.plans, agreed.assignments)
        frozen = self._frozen_of(agreed, person) if known_at is None else None
        return statement(*basis, person, month, known_at, agreed.rates, agreed.closes, frozen)

    async def earnings(self, months: Sequence[Month]) -> dict[str, dict[Month, Statement]]:
        """Everybody's statements of these months."""
        agreed = await self.current()
        return await self.by_clerk(self._earnings, agreed, list(months))

    async def as_closed(self, months: Sequence[Month], cutoff: datetime) -> dict[str, dict[Month, Statement]]:
        """The same, as if the last of the months were closed with what was recorded by the cutoff."""
        agreed = await self.current()
        closed = replace(agreed, closes=(*agreed.closes, Close(months[-1], cutoff)))
        basis = (self.history, agreed.plans, agreed.assignments, list(months), None, agreed.rates, closed.closes)
        return dict(await self.by_clerk(earnings, *basis))

    async def replayed(self) -> dict[str, dict[Month, Statement]]:
        """Every closed statement out of the facts alone: nothing that was kept is looked at."""
        agreed = await self.current()
        if not agreed.closes:
            return {}
        last = max(close.month for close in agreed.closes)
        months = list(self.first_month(last).through(last))
        basis = (self.history, agreed.plans, agreed.assignments, months, None, agreed.rates, agreed.closes)
        return dict(await self.by_clerk(earnings, *basis))

    def _earnings(self, agreed: Agreed, months: list[Month]) -> dict[str, dict[Month, Statement]]:
        frozen = {p: self._frozen_of(agreed, p) for p in everybody(self.history, agreed.assignments)}
        basis = (self.history, agreed.plans, agreed.assignments, months, None, agreed.rates, agreed.closes)
        return dict(earnings(*basis, frozen))

    def _frozen_of(self, agreed: Agreed, person: str) -> tuple[Line, ...]:
        """Found once for each person and set of closes: they never change."""
        if self._frozen[0] != agreed.closes:
            self._frozen = (agreed.closes, {})
        found = self._frozen[1].get(person)
        if found is None:
            basis = (self.history, agreed.plans, agreed.assignments, person, agreed.rates, agreed.closes)
            found = self._frozen[1][person] = frozen_lines(*basis)
        return found

    async def conflicts(self) -> list[Case]:
        """Every case that the facts taken in so far show, oldest first. Looks only at clients of whom it heard."""
        await self.current()
        return await self.by_clerk(self._conflicts)

    def _conflicts(self) -> list[Case]:
        for client in self._touched:
            self._cases[client] = conflicts(self._stories[client])
        self._touched.clear()
        return sorted((c for found in self._cases.values() for c in found), key=lambda c: (c.at, c.case_id))

    async def at_stake(self, through: Month) -> dict[tuple[str, str], list[Line]]:
        """By person and client: the lines that are paid for it, up to and including a month."""
        lines: dict[tuple[str, str], list[Line]] = {}
        for line in (await self._stated(through)).values():
            if line.client_id is not None and line.kind in ("bounty", "commission"):
                lines.setdefault((line.person, line.client_id), []).append(line)
        return lines

    async def basis(self, asked_at: datetime) -> Basis:
        """What was known and agreed at an instant, copied: a simulation reads it while the books go on."""
        agreed = await self.current()

        def known() -> tuple[list[Fact], dict[str, Calendar]]:
            facts = [fact for fact in self.history.facts.values() if fact.recorded_at <= asked_at]
            return facts, _calendars(self.staff)

        facts, calendars = await self.by_clerk(known)
        plans = [plan for plan in agreed.plans if plan.recorded_at <= asked_at]
        assignments = [a for a in agreed.assignments if a.recorded_at <= asked_at]
        rates = [rate for rate in agreed.rates if rate.recorded_at <= asked_at]
        return Basis(facts, self.history.zone, plans, assignments, rates, calendars)

    async def by_clerk(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does work on the history beside the event loop, when nobody writes it."""
        return await asyncio.get_running_loop().run_in_executor(self._clerk, work, *arguments)

    async def line(self, line_id: str, through: Month) -> Line | None:
        """A line by its id, out of all statements up to and including a month."""
        return (await self._stated(through)).get(line_id)

    async def _stated(self, through: Month) -> dict[str, Line]:
        """Every line of everybody up to and including a month, by its id; folded anew only when something is new."""
        agreed = await self.current()
        mark = (self._taken, self._told, agreed.read_at, through)
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
                # First, so that every fact of a month that is closed by now is read after it.
                ledger = (await connection.execute(select(LEDGER))).mappings().all()
                while True:
                    wanted = select(FACTS.c.taken, FACTS.c.envelope).where(FACTS.c.taken > self._taken)
                    rows = (await connection.execute(wanted.order_by(FACTS.c.taken).limit(AT_ONCE))).all()
                    if rows:
                        await self.by_clerk(self._add, rows)
                    if len(rows) < AT_ONCE:
                        self._begun = True
                        break
                await self._hear(connection)
                plans = (await connection.execute(select(PLANS))).mappings().all()
                people = (await connection.execute(select(ASSIGNMENTS))).mappings().all()
                rates = (await connection.execute(select(RATES))).mappings().all()
            mark = _mark(plans), _mark(people), _mark(rates), _mark(ledger)
            if mark != self._agreed.read_at:
                found = tuple(_versions(plans)), tuple(_assignments(people)), tuple(_rates(rates))
                self._agreed = Agreed(*found, tuple(_closes(ledger)), mark)
            return self._agreed

    async def _hear(self, connection: AsyncConnection) -> None:
        """What we told ourselves since the last time."""
        while True:
            rows = (await connection.execute(OURS, {"after": self._told, "most": AT_ONCE})).mappings().all()
            for row in rows:
                envelope = from_json(json.loads(told_line(row)))
                found = fact(envelope)
                if isinstance(found.data, Contested | Ruled | Adjusted):
                    self.envelopes[str(envelope.id)] = envelope
                    await self.by_clerk(self.history.add, found)
                self._told = row["position"]
            if len(rows) < AT_ONCE:
                return

    def _add(self, rows: Sequence[Any]) -> None:
        REFOLDED_EVENTS.labels("books").inc(len(rows))
        for taken, written in rows:
            envelope = from_json(json.loads(written))
            self._taken = taken
            if str(envelope.id) in self.envelopes:
                continue
            self.envelopes[str(envelope.id)] = envelope
            # What stood there before this process began is history, and so is its trace.
            news = envelope.traceparent if self._begun else None
            with tracing.after(news, "fold", SpanKind.INTERNAL, {"cloudevents.event_id": str(envelope.id)}):
                self._enter(envelope)

    def _enter(self, envelope: Envelope) -> None:
        """From here on every statement that the event is a cause of is reckoned with it."""
        try:
            found = fact(envelope)
        except UnknownEvent:
            self.unread.append(str(envelope.id))  # kept; a release that knows the type reads it
            return
        if envelope.client_id is not None:
            self._stories.setdefault(envelope.client_id, []).append(envelope)
            self._touched.add(envelope.client_id)
        elif envelope.type.startswith("conveyor.staff."):
            self.staff.append(envelope)
        self.history.add(found)
        self.newest = max(self.newest or envelope.recorded_at, envelope.recorded_at)

    @property
    def read_to(self) -> int:
        """The number of the last fact that was read."""
        return self._taken

    def traces(self, lines: Iterable[Line]) -> list[str | None]:
        """The contexts in which the causes of these lines were recorded, as far as they are known."""
        causes = dict.fromkeys(cause for line in lines for cause in line.causes if cause in self.envelopes)
        return [self.envelopes[cause].traceparent for cause in causes]


def _calendars(envelopes: Sequence[Envelope]) -> dict[str, Calendar]:
    """The working hours with which each line was staffed last."""
    found: dict[str, Calendar] = {}
    for envelope in sorted((e for e in envelopes if e.type == STAFFED), key=lambda e: (e.occurred_at, e.sequence)):
        staffed = open_event(envelope)
        if isinstance(staffed, LineStaffed):
            hours = staffed.policy.calendar
            found[staffed.line] = Calendar.of(
                staffed.zone, hours.weekdays, hours.opens, hours.closes, hours.holidays, hours.pauses
            )
    return found


def _closes(rows: Sequence[Any]) -> list[Close]:
    """A close of several months at once counts as that of the last of them."""
    by_cutoff = {entry["cutoff"]: Month.parse(entry["period"]) for row in rows for entry in row["closed"]}
    return [Close(month, datetime.fromisoformat(cutoff)) for cutoff, month in by_cutoff.items()]


_OPEN: WeakKeyDictionary[Desk, Books] = WeakKeyDictionary()


def of(desk: Desk) -> Books:
    """The books of this process: its doors and its clerk read the same ones."""
    if desk not in _OPEN:
        _OPEN[desk] = Books(desk.engine, desk.settings.zone)
    return _OPEN[desk]


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
        "trace_id": tracing.trace_id(e.traceparent),
        "data": e.data,
    }
