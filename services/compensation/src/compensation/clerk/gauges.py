"""Whether pay is up to date, as gauges: what is decided, what the books lack, and what a close waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from belt.io.http.desk import Desk
from belt.io.telemetry import gauge
from belt.io.watching import Deadline, Reading, Sample, Watched
from compensation.clerk.books import of
from compensation.months import Month, calendar
from compensation.office import dispute
from compensation.office.views import CONFLICTS, DISPUTES, LEDGER, WAITS
from compensation.views import FACTS

CONFLICTS_OPEN = gauge("conflicts_open", "Conflicts that nobody has decided yet", "kind")
DISPUTES_OPEN = gauge("disputes_open", "Disputes that nobody has decided yet; overdue: past the date", "overdue")
PAY_FACTS_UNREAD = gauge("pay_facts_unread", "Facts taken in that the clerk has not looked at yet")
PAY_FACTS_UNREADABLE = gauge("pay_facts_unreadable", "Facts of a kind that this release does not know; a close waits")
PAY_NEWEST_FACT_SECONDS = gauge(
    "pay_newest_fact_seconds", "Since the newest fact that the clerk has looked at was recorded"
)
PERIOD_OPEN_SECONDS = gauge("period_open_seconds", "Since the end of the oldest open month; 0: none has ended")
CLOSE_WAITS_FOR = gauge("close_waits_for", "Reasons why the close under way does not end")
CLOSE_SECONDS = gauge("close_seconds", "Since the close under way was begun; 0: none is under way")

UNDECIDED = ("opened", "in_review", "info_requested")


async def read(desk: Desk) -> list[Sample]:
    """One look at everything."""
    books, now = of(desk), desk.clock.now()
    ledgers = await desk.rows(select(LEDGER.c.closed, LEDGER.c.closing))
    waits = await desk.rows(select(WAITS.c.reasons))
    last_taken = (await desk.rows(select(func.coalesce(func.max(FACTS.c.taken), 0).label("taken"))))[0]["taken"]
    closing: Mapping[str, Any] | None = ledgers[0]["closing"] if ledgers else None
    begun = datetime.fromisoformat(closing["at"]) if closing else now
    return [
        *await _conflicts(desk),
        *await _disputes(desk),
        (PAY_FACTS_UNREAD, (), max(last_taken - books.read_to, 0)),
        (PAY_FACTS_UNREADABLE, (), len(books.unread)),
        (PAY_NEWEST_FACT_SECONDS, (), (now - books.newest).total_seconds() if books.newest else 0.0),
        (PERIOD_OPEN_SECONDS, (), await _since_end(desk, ledgers[0]["closed"] if ledgers else [], now)),
        (CLOSE_WAITS_FOR, (), sum(len(row["reasons"]) for row in waits)),
        (CLOSE_SECONDS, (), (now - begun).total_seconds()),
    ]


async def _conflicts(desk: Desk) -> list[Sample]:
    c = CONFLICTS.c
    counted = select(c.kind, func.count().label("cases")).where(c.stage != "resolved").group_by(c.kind)
    return [(CONFLICTS_OPEN, (row["kind"],), row["cases"]) for row in await desk.rows(counted)]


async def _disputes(desk: Desk) -> list[Sample]:
    d = DISPUTES.c
    rows = await desk.rows(select(d.overdue, d.dispute_id).where(d.stage.in_(UNDECIDED)))
    late = sum(bool(row["overdue"]) for row in rows)
    return [(DISPUTES_OPEN, ("yes",), late), (DISPUTES_OPEN, ("no",), len(rows) - late)]


async def _since_end(desk: Desk, closed: list[Mapping[str, Any]], now: datetime) -> float:
    """How long ago the oldest month that is not closed has ended."""
    this = calendar(desk.settings.zone).month(now)
    last = max((Month.parse(month["period"]) for month in closed), default=None)
    oldest = last.plus(1) if last is not None else (await of(desk).months(this))[0]
    ended = datetime.combine(oldest.plus(1).first_day, time.min, ZoneInfo(desk.settings.zone))
    return max((now - ended) / timedelta(seconds=1), 0.0)


WATCHED = Watched(
    deadlines=(Deadline("dispute_answer", "overdue", dispute.CATEGORY, DISPUTES.c.dispute_id, None, None),),
    readings=(
        Reading(
            (
                CONFLICTS_OPEN,
                DISPUTES_OPEN,
                PAY_FACTS_UNREAD,
                PAY_FACTS_UNREADABLE,
                PAY_NEWEST_FACT_SECONDS,
                PERIOD_OPEN_SECONDS,
                CLOSE_WAITS_FOR,
                CLOSE_SECONDS,
            ),
            read,
        ),
    ),
)
