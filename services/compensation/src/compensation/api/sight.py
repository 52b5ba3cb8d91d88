"""What the subject of a request may see: `authorize` with everything it asks for at hand, and the audit log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request

from belt.io import tracing
from belt.io.http.desk import Desk
from compensation.access import Action, Deed, Pay, Reader, Thing, authorize
from compensation.clerk.agreed import assignments
from compensation.clerk.books import Books
from compensation.facts import sale_key
from compensation.history import History
from compensation.known import Known
from compensation.line import Line
from compensation.masking import masked_event, masked_line, masked_told
from compensation.plan import Assignment
from compensation.statement import Statement
from compensation.teams import Teams
from conveyor_events import HOUSE, Envelope, UnknownEvent
from conveyor_events import open as open_event
from conveyor_events.roster import Roster, evolve
from conveyor_events.words import COLLEAGUE, instant_text, parse_instant

Told = Coroutine[Any, Any, None]
IN_FORCE = ("approved", "active", "superseded")


class Sights:
    """Makes the sight of each request. The roster is folded anew only when something new was said of it."""

    def __init__(self, desk: Desk, books: Books) -> None:
        self._desk, self._books = desk, books
        self._known = 0, Teams(Roster(), books.zone)

    async def of(self, request: Request) -> Sight:
        """What this request's subject sees, by everything taken in so far."""
        await self._books.current()
        subject = self._desk.subject(request)
        reader = Reader(subject.person, subject.scopes)
        return Sight(reader, self._teams(), self._desk.clock.now(), self._books, partial(self.read, request))

    async def read(self, request: Request, *whose: str) -> None:
        """Written down before pay is answered: whose it is. Only of one's own pay, and of what is nobody's, nothing is
        written; but all of it if it is an auditor who reads.
        """
        subject = self._desk.subject(request)
        named = {*whose} - {HOUSE, COLLEAGUE}
        if named - {subject.person} or Reader(subject.person, subject.scopes).audits:
            await self._desk.tell(request, "pay", *named)

    def _teams(self) -> Teams:
        if len(self._books.staff) != self._known[0]:
            said, roster = list(self._books.staff), Roster()
            for envelope in sorted(said, key=lambda e: (e.recorded_at, e.sequence, str(e.id))):
                try:
                    roster = evolve(roster, open_event(envelope))
                except UnknownEvent:
                    continue  # a release that knows the type reads it
            self._known = len(said), Teams(roster, self._books.zone)
        return self._known[1]


class Sight:
    """One reader's, at one instant."""

    def __init__(self, reader: Reader, teams: Teams, now: datetime, books: Books, read: Callable[..., Told]) -> None:
        self.reader, self._teams, self._now = reader, teams, now
        self._books = books
        self.read = read

    @property
    def whose(self) -> frozenset[str] | None:
        """Whose pay may be seen in part at least, at most; None: everybody's."""
        if self.reader.everything or self.reader.may("pay:read:totals"):
            return None
        own = {self.reader.person} if self.reader.may("pay:read:own") else set()
        led = self._teams.ever_led(self.reader.person, self._now) if self.reader.may("pay:read:team") else frozenset()
        return frozenset(own | led)

    def may(self, action: Action, thing: Thing) -> bool:
        return authorize(self.reader, action, thing, self._teams, self._now)

    def sees(self, action: Action, at: datetime) -> Callable[[str], bool]:
        """Whether somebody's deed of that instant is shown by name and amount."""
        return lambda person: self.may(action, Deed(person, at))

    def named(self, person: str, at: datetime) -> str:
        """The name, or that it is somebody else."""
        return person if person == HOUSE or self.may("deed", Deed(person, at)) else COLLEAGUE

    def statement(self, found: Statement, history: History) -> Statement | None:
        """The statement as this reader sees it: whole, without lines, or None. `history`: of the person's clients."""
        pay = Pay(found.person, found.period)
        if self.may("lines", pay):
            return replace(found, lines=self.lines(found.lines, history), related=self.lines(found.related, history))
        return replace(found, lines=(), related=(), waiting=()) if self.may("sums", pay) else None

    def lines(self, lines: Collection[Line], history: History) -> tuple[Line, ...]:
        return tuple(self.line(line, history) for line in lines)

    def line(self, line: Line, history: History) -> Line:
        """A line that may be seen; of a shared sale only its payee's part, if others in it may not be seen."""
        if self.reader.everything or line.sale_id is None:
            return line
        earners = _earners(line.sale_id, history) - {line.person}
        return masked_line(line, earners, self.sees("deed", line.at or self._now))

    def frozen(self, line: Mapping[str, Any], history: History) -> Mapping[str, Any]:
        """The same of a line as it was frozen."""
        if self.reader.everything or line["sale_id"] is None:
            return line
        at = parse_instant(line["at"]) if line["at"] else self._now
        return masked_told(line, _earners(line["sale_id"], history) - {line["person"]}, self.sees("deed", at))

    async def told(self, events: Collection[Envelope], action: Action = "deed") -> list[dict[str, Any]]:
        """Events in short, with what this reader may not see taken out."""
        if self.reader.everything:
            return [_in_short(envelope) for envelope in events]
        staff = {*self._teams.roster.people, *(one.person for one in await self.assignments())}
        stories: dict[str | None, History] = {}
        shown = []
        for envelope in events:
            sale, earners = envelope.data.get("sale"), set[str]()
            if isinstance(sale, Mapping) and (client := envelope.client_id) is not None:
                if client not in stories:
                    stories[client] = (await self._books.story(client))[1]
                earners = _earners(str(sale.get("sale_id")), stories[client])
            shown.append(masked_event(_in_short(envelope), staff, earners, self.sees(action, envelope.occurred_at)))
        return shown

    async def assignments(self) -> tuple[Assignment, ...]:
        """Everybody's."""
        async with self._books.engine.connect() as connection:
            return await assignments(connection)

    def plan(self, row: Mapping[str, Any], everybody: Collection[Assignment]) -> dict[str, Any] | None:
        """A plan with its versions; for who is paid by it only the approved ones, without who wrote them."""
        whole = {key: value for key, value in row.items() if key not in ("version", "shape")}
        if self.reader.everything or self.reader.may("plans:write") or self.reader.may("plans:approve"):
            return whole
        if not any(self.may("terms", a) for a in _assigned(row["plan"], everybody)):
            return None
        kept = ("version", "stage", "document", "effective_from", "approved_at")
        versions = [{k: v[k] for k in kept if k in v} for v in row["versions"] if v["stage"] in IN_FORCE]
        return whole | {"versions": versions}


def _earners(sale_id: str, history: History) -> set[str]:
    """Who is paid for a sale; nobody while it is not known."""
    known = Known(history)
    made = (known.sale(sale_key(sale_id, first=first)) for first in (True, False))
    return {person for one in made if one is not None for person, _ in known.parts(one)}


def _assigned(plan: str, everybody: Collection[Assignment]) -> list[Assignment]:
    """The latest word on each assignment to the plan."""
    latest: dict[tuple[Any, ...], Assignment] = {}
    for one in sorted(everybody, key=lambda a: a.recorded_at):
        if one.plan == plan:
            latest[one.person, one.role, one.line, one.since] = one
    return list(latest.values())


def _in_short(e: Envelope) -> dict[str, Any]:
    """An event as people read it."""
    return {
        "event_id": str(e.id),
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
