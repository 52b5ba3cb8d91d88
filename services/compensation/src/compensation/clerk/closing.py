"""Closing a month: a chore of the worker. It waits until everything recorded by the cutoff is here, then freezes.

Waits for: commands that were under way at the cutoff; the log of each station, read to its watermark whatever Kafka
brought, but for what somebody passed over; nothing parked, nothing unread; no fact of the month that cannot be rated.
What it waits for can be looked up. Conflicts are looked for in between: what was only just read may show one, which
makes lines of the month conditional.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from belt.core.decider import Step
from belt.io.http.desk import Desk
from belt.io.intake.missing import PublisherAway
from belt.io.intake.taking import OUT_OF_REACH, cause
from belt.io.intake.watermark import Publishers, seal
from belt.io.store.engines import KEEPALIVES, never_idle
from compensation import digest, intake
from compensation.clerk.books import Books
from compensation.history import History
from compensation.months import Month, calendar
from compensation.office import ledger, sheet
from compensation.office.views import WAITS
from compensation.statement import Statement
from conveyor_events import HOUSE, Envelope
from conveyor_events.catalog import TOPICS
from conveyor_events.words import instant_text

ONE_CLERK = "select pg_try_advisory_lock(4730)"
PLACE = "select position from checkpoints where name = $1"
KEEP_PLACE = """
insert into checkpoints (name, position) values ($1, $2)
on conflict (name) do update set position = greatest(checkpoints.position, excluded.position)
"""
PARKED = "select count(*) from parked"
SKIPPED = "select event_id from skipped where event_id = any($1::uuid[])"
AT_ONCE = 200
REASONS = 20
STATIONS = tuple(dict.fromkeys(t.publisher for t in TOPICS.values() if t.name != "conveyor.pay.v1"))


Look = Callable[[], Awaitable[None]]
"""Records every conflict that the facts taken in so far show."""


async def close(desk: Desk, books: Books, publishers: Publishers, look: Look) -> bool:
    """One try. True when a month was closed."""
    state: ledger.Ledger = (await desk.state(ledger.CATEGORY, ledger.COMPANY)).state
    if state.closing is None:
        return False
    deadline = desk.settings.database_deadline
    connection = await asyncpg.connect(
        desk.settings.dsn, timeout=deadline, command_timeout=deadline, server_settings=never_idle(deadline) | KEEPALIVES
    )
    try:
        if not await connection.fetchval(ONE_CLERK):
            return False
        reasons = await _everything_here(desk, connection, publishers, state.closing.cutoff)
        if not reasons:
            try:
                await look()
                reasons = await _freeze(desk, books, state, state.closing)
            except Exception as wrong:
                with contextlib.suppress(*OUT_OF_REACH, DBAPIError):  # else the log has it alone
                    await _tell(desk, state.closing.period, [f"a fault of ours: {type(wrong).__name__}: {wrong}"[:300]])
                raise
        await _tell(desk, state.closing.period, reasons)
        return not reasons
    finally:
        await connection.close(timeout=deadline)


async def _everything_here(
    desk: Desk, connection: asyncpg.Connection[asyncpg.Record], publishers: Publishers, cutoff: datetime
) -> list[str]:
    """What is still missing of what was recorded by the cutoff. Whatever a station's log has is taken in on the way."""
    under_way = cutoff + timedelta(seconds=desk.settings.request_deadline)
    if desk.clock.now() < under_way:
        return [f"commands that were under way at the cutoff, until {instant_text(under_way)}"]
    reasons = []
    for station in STATIONS:
        try:
            reasons += await _taken_in(connection, publishers, station, cutoff)
        except PublisherAway as away:
            reasons.append(f"the log of {station}: {away}")
    mark = await seal(connection, desk.clock.stamp(), desk.settings.database_deadline)
    if mark.sealed_at <= cutoff:
        reasons.append("our own log: its clock has not passed the cutoff")
    if parked := await connection.fetchval(PARKED):
        reasons.append(f"{parked} parked events: redrive them")
    return reasons


async def _taken_in(
    connection: asyncpg.Connection[asyncpg.Record], publishers: Publishers, station: str, cutoff: datetime
) -> list[str]:
    mark = await publishers.seal(station)
    if mark.sealed_at <= cutoff:
        return [f"the log of {station}: its clock has not passed the cutoff"]
    name = f"closing/{station}"
    place = await connection.fetchval(PLACE, name) or 0
    while place < mark.position:
        page = await publishers.page(station, place)
        if not page:
            return [f"the log of {station}: it ends at {place}, not at {mark.position}"]
        place = page[-1][0]
        passed_over = {row["event_id"] for row in await connection.fetch(SKIPPED, [one.id for _, one in page])}
        envelopes = [envelope for _, envelope in page if envelope.id not in passed_over]
        try:
            async with connection.transaction():
                await intake.take(connection, envelopes)
                await connection.execute(KEEP_PLACE, name, place)
        except OUT_OF_REACH:
            raise
        except Exception as wrong:  # noqa: BLE001 (any fault: it is told, and holds the close up)
            return await _unfit(connection, envelopes) or [f"the log of {station}: {cause(wrong)}"[:300]]
    return []


async def _unfit(connection: asyncpg.Connection[asyncpg.Record], envelopes: Sequence[Envelope]) -> list[str]:
    """The events that cannot be taken in, and why; the others are."""
    reasons = []
    for envelope in envelopes:
        try:
            async with connection.transaction():
                await intake.take(connection, [envelope])
        except OUT_OF_REACH:
            raise
        except Exception as wrong:  # noqa: BLE001 (the same)
            reasons.append(f"event {envelope.id} cannot be taken in: {cause(wrong)}"[:300])
    return reasons[:REASONS]


async def _freeze(desk: Desk, books: Books, state: ledger.Ledger, closing: ledger.CloseBegun) -> list[str]:
    """Freezes every statement of the month (the first time: of all months before, too), then closes it."""
    last = Month.parse(closing.period)
    await books.current()
    if unread := books.unread:
        return [f"{len(unread)} events that this release cannot read, such as {unread[0]}"]
    first = Month.parse(state.last.period).plus(1) if state.last is not None else None
    months = list(first.through(last)) if first is not None else await books.months(last)
    now = desk.clock.now()
    reasons: dict[str, None] = {}
    stated: defaultdict[Month, list[Statement]] = defaultdict(list)
    async for person in books.everybody(None):  # each out of their own file: that has bounds, all facts have none
        if person == HOUSE:
            continue  # what it holds nobody is paid for
        found, file = await books.as_closed(person, months, closing.cutoff)
        reasons |= dict.fromkeys(_waiting(file.history, found, last))
        if len(reasons) >= REASONS:
            break
        for statement in found.values():
            if statement.lines:
                stated[statement.period].append(statement)
    if reasons:
        return list(reasons)[:REASONS]
    previous, closed = (state.last.digest if state.last else None), []
    for month in months:
        mine = [freeze(one, now) for one in stated[month]]
        for start in range(0, len(mine), AT_ONCE):
            steps = [Step(sheet.CATEGORY, sheet.key(c.period, c.person), c) for c in mine[start : start + AT_ONCE]]
            await desk.writer.handle(*steps)
        chained = digest.of_month(previous, str(month), [(c.person, c.digest) for c in mine])
        closed.append(ledger.Frozen(str(month), len(mine), chained, previous))
        previous = chained
    finish = ledger.FinishClose(closing.period, closing.cutoff, tuple(closed), now)
    await desk.writer.handle(Step(ledger.CATEGORY, ledger.COMPANY, finish))
    return []


def freeze(statement: Statement, at: datetime) -> sheet.Freeze:
    """The command that freezes a statement as it stands."""
    shown = statement.to_json()
    period, person, lines, totals = shown["period"], shown["person"], shown["lines"], shown["totals"]
    said = digest.of_statement(period, person, lines, totals)
    return sheet.Freeze(period, person, json.dumps(lines), json.dumps(totals), said, at)


def _waiting(history: History, found: Mapping[Month, Statement], last: Month) -> Iterator[str]:
    """Facts of the month, or of an earlier one, that cannot be rated yet."""
    zone = calendar(history.zone)
    for statement in found.values():
        for one in statement.waiting:
            fact = history.facts.get(one.event_id)
            if fact is None or zone.month(fact.occurred_at) <= last:
                yield f"event {one.event_id}: {one.reason}"


async def _tell(desk: Desk, period: str, reasons: Sequence[str]) -> None:
    async with desk.engine.begin() as connection:
        if not reasons:
            await connection.execute(delete(WAITS))
            return
        told = insert(WAITS).values(period=period, reasons=list(reasons), looked_at=desk.clock.now())
        new = {"reasons": told.excluded.reasons, "looked_at": told.excluded.looked_at}
        await connection.execute(told.on_conflict_do_update(index_elements=[WAITS.c.period], set_=new))
