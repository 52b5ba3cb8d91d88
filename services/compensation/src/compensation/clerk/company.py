"""Everybody's pay at once: for verifying, and for what-ifs.

All facts are read for it. They are kept for as long as somebody goes on asking, and let go of a minute later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from belt.core.calendar import Calendar
from belt.io.http.desk import Desk
from belt.io.telemetry import REFOLDED_EVENTS
from compensation import kept
from compensation.clerk import archive
from compensation.clerk.agreed import assignments
from compensation.clerk.books import Books, of
from compensation.facts import Fact
from compensation.history import History
from compensation.months import Month
from compensation.statement import Statement, earnings
from compensation.whatif import Basis
from conveyor_events import Envelope, wire_type
from conveyor_events import open as open_event
from conveyor_events.staff import LineStaffed

STAFFED = wire_type(LineStaffed)
KEPT = 60.0
T = TypeVar("T")
ByPerson = Mapping[str, dict[Month, Statement]]


class Company:
    """One per process."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._history: History | None = None
        self._read_to = 0
        self._forget: asyncio.TimerHandle | None = None
        self._reading = asyncio.Lock()
        self._hand = ThreadPoolExecutor(1, "company")

    async def earnings(self, months: Sequence[Month]) -> ByPerson:
        """Everybody's statements of these months."""
        history = await self.history()
        agreed = await self.books.current()
        async with self.books.engine.connect() as connection:
            everybody = await assignments(connection)
        basis = (history, agreed.plans, everybody, list(months), None, agreed.rates, agreed.closes)
        return await self.beside(earnings, *basis)

    async def replayed(self) -> ByPerson:
        """Every closed statement out of the facts alone: nothing that was kept is looked at."""
        closes = (await self.books.current()).closes
        if not closes:
            return {}
        last = max(close.month for close in closes)
        return await self.earnings(await self.books.months(last))

    async def history(self) -> History:
        """All facts taken in so far, indexed."""
        async with self._reading:
            await self.books.current()
            history, upto = self._history, self.books.read_to
            if history is None:
                history, self._read_to = History(zone=self.books.zone), 0
            async with self.books.engine.connect() as connection:
                async for rows in archive.pages(connection, self._read_to, upto):
                    await self.beside(_enter, history, rows)
            await self.beside(_add, history, list(self.books.decisions))
            self._history, self._read_to = history, upto
            self._keep()
            return history

    def _keep(self) -> None:
        """For a minute more."""
        if self._forget is not None:
            self._forget.cancel()
        self._forget = asyncio.get_running_loop().call_later(KEPT, self.let_go)

    def let_go(self) -> None:
        """Of everything at hand."""
        self._history = self._forget = None

    async def beside(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does work on the history beside the event loop, when nobody writes it."""
        return await asyncio.get_running_loop().run_in_executor(self._hand, work, *arguments)

    async def basis(self, asked_at: datetime, person: str | None = None) -> Basis:
        """What was known and agreed at an instant; of one person, or of everybody.

        Everybody's facts are read while they are folded, from another thread, so that they are never held as they came.
        """
        agreed = await self.books.current()
        async with self.books.engine.connect() as connection:
            everybody = await assignments(connection)
        if person is None:
            loop, upto, decisions = asyncio.get_running_loop(), self.books.read_to, list(self.books.decisions)

            def facts(types: frozenset[str]) -> Iterator[Fact]:
                read = self._stream(loop, upto, sorted(types))
                return (one for one in chain(read, decisions) if one.recorded_at <= asked_at)
        else:
            own = [*(await self.books.file(person)).history.facts.values()]

            def facts(types: frozenset[str]) -> Iterator[Fact]:  # noqa: ARG001 (they are at hand)
                return (one for one in own if one.recorded_at <= asked_at)

        plans = [plan for plan in agreed.plans if plan.recorded_at <= asked_at]
        assigned = [a for a in everybody if a.recorded_at <= asked_at]
        rates = [rate for rate in agreed.rates if rate.recorded_at <= asked_at]
        return Basis(facts, self.books.zone, plans, assigned, rates, _calendars(self.books.staff))

    def _stream(self, loop: asyncio.AbstractEventLoop, upto: int, types: list[str]) -> Iterator[Fact]:
        """In a thread; the loop fetches the pages."""
        after = 0
        while after < upto:
            rows = asyncio.run_coroutine_threadsafe(self._page(after, upto, types), loop).result()
            if not rows:
                return
            yield from kept.facts(row[-1] for row in rows)
            after = rows[-1][0]

    async def _page(self, after: int, upto: int, types: list[str]) -> Sequence[Any]:
        async with self.books.engine.connect() as connection:
            return await archive.of_types(connection, types, after, upto)


def _enter(history: History, rows: Sequence[Any]) -> None:
    REFOLDED_EVENTS.labels("books").inc(len(rows))
    _add(history, kept.facts(row[-1] for row in rows))


def _add(history: History, facts: Any) -> None:
    for one in facts:
        history.add(one)


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


_OPEN: WeakKeyDictionary[Desk, Company] = WeakKeyDictionary()


def company(desk: Desk) -> Company:
    """The company's in this process."""
    if desk not in _OPEN:
        _OPEN[desk] = Company(of(desk))
    return _OPEN[desk]
