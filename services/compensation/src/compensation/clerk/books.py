"""The facts, plans and assignments of the database, read for whoever asks: a person's statement out of their own file.

Nothing here grows with the company, but for what is asked of everybody: closing a month, verifying, what-ifs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from opentelemetry.trace import SpanKind
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from belt.io import tracing
from belt.io.http.desk import Desk
from belt.io.telemetry import REFOLDED_EVENTS
from compensation.clerk import archive
from compensation.clerk.agreed import NOTHING, Agreed, agreed, assignments
from compensation.clerk.decisions import Decisions, concerned
from compensation.clerk.file import Cabinet, File, Shelf, filed, read
from compensation.facts import Fact, Hired, Left
from compensation.history import History
from compensation.line import Line
from compensation.months import Month, calendar
from compensation.parties import parties
from compensation.period import Close, frozen_lines
from compensation.plan import Assignment
from compensation.reading import fact
from compensation.statement import Statement, statements
from compensation.views import ASSIGNMENTS
from conveyor_events import Envelope, UnknownEvent

MOST_MONTHS = 240
FACTS_AT_HAND = 50_000
LINES_AT_HAND = 50_000
NEWS_AT_MOST = 1_000
"""Who is further behind looks at nothing of it: every file is read anew when it is asked for."""
T = TypeVar("T")
Read = tuple[Fact, str | None]


class Books:
    """One per process. Asking brings it up to date first; folding runs beside the event loop."""

    def __init__(self, engine: AsyncEngine, zone: str) -> None:
        self.engine, self.zone = engine, zone
        self.staff: list[Envelope] = []
        self.unread: list[str] = []
        self.newest: datetime | None = None
        self.decisions = Decisions()
        self._taken: int | None = None
        self._agreed = NOTHING
        self._staff_facts: dict[str, list[Fact]] = {}
        self._oldest: tuple[int, datetime | None] = (0, None)
        self._cabinet = Cabinet(FACTS_AT_HAND)
        self._frozen: Shelf[tuple[tuple[Close, ...], tuple[Line, ...]]] = Shelf(LINES_AT_HAND)
        self._line_of: dict[str, str] = {}
        self._reading = asyncio.Lock()
        self._clerk = ThreadPoolExecutor(1, "books")  # one hand writes and folds, so nobody folds what is half written

    async def statement(self, person: str, month: Month, known_at: datetime | None = None) -> Statement:
        """A person's statement of a month, from everything taken in so far."""
        return (await self.stated(person, [month], known_at))[month]

    async def stated(
        self, person: str, months: Sequence[Month], known_at: datetime | None = None
    ) -> dict[Month, Statement]:
        """The person's statements of these months."""
        now, file, mine = await self._asked(person)
        asked = (tuple(months), known_at, now.read_at, mine)  # with the facts of the file, everything a fold depends on
        found = file.folded.get(asked)
        if found is None:
            found = await self.by_clerk(self._fold, now, file, mine, months, known_at)
            file.keep(asked, found)
            for by in found.values():
                self._remember(by.lines)
        return found

    async def as_closed(
        self, person: str, months: Sequence[Month], cutoff: datetime
    ) -> tuple[dict[Month, Statement], File]:
        """The same, as if the last of the months were closed with what was recorded by the cutoff; and out of what."""
        now, file, mine = await self._asked(person)
        closes = (*now.closes, Close(months[-1], cutoff))
        basis = (file.history, now.plans, mine, person, months)
        return await self.by_clerk(statements, *basis, None, now.rates, closes), file

    async def file(self, person: str) -> File:
        """What concerns the person, of everything taken in so far."""
        return (await self._asked(person))[1]

    def month(self, at: datetime) -> Month:
        """The company's month at an instant."""
        return calendar(self.zone).month(at)

    async def all_months(self, person: str, last: Month) -> list[Month]:
        """From the first in which the person can have a line."""
        _, file, mine = await self._asked(person)
        days = [a.since for a in mine]
        days += [f.occurred_at.date() for f in file.history.facts.values() if f.client_id is not None]
        return list(first_month(days, last).through(last))

    async def _asked(self, person: str) -> tuple[Agreed, File, tuple[Assignment, ...]]:
        now = await self.current()
        async with self.engine.connect() as connection:
            mine = await assignments(connection, person)
            file = self._cabinet.find(person)
            if file is None:
                read_to, beside = self._taken, self.decisions.clients(person)
                file = await self.by_clerk(self._filed, person, *await self._read(connection, person, beside))
                if read_to == self._taken:  # else something new may have come since for this very file
                    self._cabinet.keep(file)
        return now, file, mine

    async def _read(
        self, connection: AsyncConnection, person: str, beside: Collection[str]
    ) -> tuple[set[str], list[Read]]:
        """The clients of the person and their facts. The clerk reads some while the database looks for the next."""
        clients, found = set[str](), list[Read]()
        reading: asyncio.Future[list[Read]] | None = None
        async for rows in archive.of_person(connection, person, beside):
            found += await reading if reading is not None else ()
            clients |= {client for client, _ in rows}
            REFOLDED_EVENTS.labels("books").inc(len(rows))
            reading = asyncio.ensure_future(self.by_clerk(read, [row[-1] for row in rows]))
        found += await reading if reading is not None else ()
        return clients, found

    def _filed(self, person: str, clients: set[str], found: list[Read]) -> File:
        clients = clients | {*self.decisions.clients(person)}
        beside = [*self._staff_facts.get(person, ()), *self.decisions.of(person, clients)]
        return filed(person, self.zone, found, beside)

    def _fold(
        self,
        now: Agreed,
        file: File,
        mine: Sequence[Assignment],
        months: Sequence[Month],
        known_at: datetime | None,
    ) -> dict[Month, Statement]:
        basis = (file.history, now.plans, mine, file.person)
        frozen = None
        if known_at is None:
            # Found once for each person and set of closes: they never change.
            closes, frozen = self._frozen.find(file.person) or (None, None)
            if closes != now.closes:
                frozen = frozen_lines(*basis, now.rates, now.closes)
                self._frozen.put(file.person, (now.closes, frozen), 1 + len(frozen))
        return statements(*basis, months, known_at, now.rates, now.closes, frozen)

    async def people(self, after: str = "", most: int = 200) -> list[str]:
        """The next people who may have a statement, by name; the house among them."""
        await self.current()
        beside = {*self._staff_facts, *self.decisions.adjusted()}
        name = ASSIGNMENTS.c.person.collate("C")
        wanted = select(name).where(name > after).order_by(name)
        async with self.engine.connect() as connection:
            named = await archive.people(connection, after, most)
            assigned = (await connection.execute(wanted.limit(most))).scalars().all()
        return sorted({*named, *assigned, *(p for p in beside if p > after)})[:most]

    async def everybody(self, whose: Collection[str] | None, begin: str = "") -> AsyncIterator[str]:
        """By name, from this one on; only these, if they are given."""
        if whose is not None:
            for person in sorted(person for person in whose if person >= begin):
                yield person
            return
        if begin:
            yield begin
        while some := await self.people(begin):
            for person in some:
                yield person
            begin = some[-1]

    async def line(self, line_id: str, through: Month, whose: Collection[str] | None) -> tuple[Line, File] | None:
        """A line by its id, out of all statements of these people (None: everybody) up to a month, with the file."""
        known = self._line_of.get(line_id)
        if known is not None and (found := await self._line_in(known, line_id, through)) is not None:
            return found
        async for person in self.everybody(whose):
            if (found := await self._line_in(person, line_id, through)) is not None:
                return found
        return None

    async def _line_in(self, person: str, line_id: str, through: Month) -> tuple[Line, File] | None:
        by = await self.stated(person, await self.all_months(person, through))
        found = next((one for s in by.values() for one in s.lines if str(one.line_id) == line_id), None)
        return (found, await self.file(person)) if found is not None else None

    def _remember(self, lines: Iterable[Line]) -> None:
        """Whose a line is that was shown: it is asked for next."""
        self._line_of.update((str(line.line_id), line.person) for line in lines)
        while len(self._line_of) > LINES_AT_HAND:
            self._line_of.pop(next(iter(self._line_of)))

    async def told(self, ids: Collection[str]) -> dict[str, Envelope]:
        """Events by their ids, as far as they were taken in or told by us."""
        ours = {one: self.decisions.envelopes[one] for one in ids if one in self.decisions.envelopes}
        async with self.engine.connect() as connection:
            rows = await archive.by_id(connection, [one for one in ids if one not in ours])
        return ours | {str(e.id): e for e in archive.read(rows)}

    async def story(self, client: str) -> tuple[list[Envelope], History]:
        """Everything of one client, and the same as facts."""
        await self.current()
        async with self.engine.connect() as connection:
            rows = await archive.of_clients(connection, [client])
        beside = list(self.decisions.of(None, [client]))
        file = await self.by_clerk(lambda: filed("", self.zone, read(row[-1] for row in rows), beside))
        return archive.read(rows) + self.decisions.of_client(client), file.history

    async def oldest(self) -> datetime | None:
        """When the earliest fact of a client happened. Reads everything once in the life of a process."""
        await self.current()
        upto, known = self.read_to, self._oldest
        if upto > known[0]:
            async with self.engine.connect() as connection:
                asked = {"above": known[0], "upto": upto}
                new = (await connection.execute(archive.OLDEST, asked)).scalar_one()
            self._oldest = upto, min((at for at in (known[1], new) if at is not None), default=None)
        return self._oldest[1]

    async def months(self, last: Month) -> list[Month]:
        """From that of the company's earliest fact or assignment, but not longer ago than anybody asks."""
        oldest = await self.oldest()
        days = [oldest.date()] if oldest is not None else []
        async with self.engine.connect() as connection:
            days += [a.since for a in await assignments(connection)]
        return list(first_month(days, last).through(last))

    def forget(self) -> None:
        """Everything at hand: it is read again when it is asked for."""
        self._cabinet.clear()

    async def by_clerk(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does work on histories beside the event loop, when nobody writes them."""
        return await asyncio.get_running_loop().run_in_executor(self._clerk, work, *arguments)

    async def current(self) -> Agreed:
        """Looks at what was taken in since the last time; answers what is agreed now."""
        async with self._reading, self.engine.connect() as connection:
            # First, so that every fact of a month that is closed by now is read after it.
            self._agreed = await agreed(connection, self._agreed)
            await self._follow(connection)
            for news in await self.decisions.follow(connection):
                self._cabinet.outdated(news.client_id, set(concerned(news)))
            return self._agreed

    async def _follow(self, connection: AsyncConnection) -> None:
        last = await archive.last(connection)
        before = self._taken
        if before is None or last - before > NEWS_AT_MOST:
            for envelope in archive.read(await archive.of_nobody(connection, before or 0, last)):
                self._staff(envelope)
            newest = archive.read((await connection.execute(archive.NEWEST)).all())
            self.newest = max((e.recorded_at for e in newest), default=None)
            self.unread = await archive.unread(connection, last)
            self._cabinet.clear()
        elif last > before:
            rows = await archive.above(connection, before)
            await self.by_clerk(self._hear, [row for row in rows if row[0] <= last])
        self._taken = last

    def _hear(self, rows: Sequence[Any]) -> None:
        for envelope in archive.read(rows):
            # From here on every statement that the event is a cause of is reckoned with it.
            with tracing.after(
                envelope.traceparent, "fold", SpanKind.INTERNAL, {"cloudevents.event_id": str(envelope.id)}
            ):
                if envelope.client_id is None:
                    self._staff(envelope)
                else:
                    self._cabinet.outdated(envelope.client_id, parties(envelope))
                try:
                    fact(envelope)
                except UnknownEvent:
                    self.unread.append(str(envelope.id))  # kept; a release that knows the type reads it
                else:
                    self.newest = max(self.newest or envelope.recorded_at, envelope.recorded_at)

    def _staff(self, envelope: Envelope) -> None:
        try:
            found = fact(envelope)
        except UnknownEvent:
            return
        if envelope.type.startswith("conveyor.staff."):
            self.staff.append(envelope)
        if isinstance(found.data, Hired | Left):
            self._staff_facts.setdefault(found.data.person, []).append(found)
            self._cabinet.outdated(None, {found.data.person})

    @property
    def read_to(self) -> int:
        """The number of the last fact that was looked at."""
        return self._taken or 0


def first_month(days: Iterable[Any], last: Month) -> Month:
    """The month of the earliest day, but not after the last one, and not longer ago than anybody asks."""
    earliest = min(days, default=None)
    return last if earliest is None else min(last, max(Month.of(earliest), last.plus(1 - MOST_MONTHS)))


_OPEN: WeakKeyDictionary[Desk, Books] = WeakKeyDictionary()


def of(desk: Desk) -> Books:
    """The books of this process: its doors and its clerk read the same ones."""
    if desk not in _OPEN:
        _OPEN[desk] = Books(desk.engine, desk.settings.zone)
    return _OPEN[desk]
