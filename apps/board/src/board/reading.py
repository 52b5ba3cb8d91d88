"""What the line page reads of the board's own picture: only of the parts that its viewer may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from belt.io.store.public_log import Pool
from board.moved import STATION_OF
from board.sight import Seen
from board.thing import DOORS, WAITS

CLOCKS = 40
COUNTED = {
    "leads": ("ProspectRegistered", "NeedIdentified", "LeadQualified"),
    "deals": ("LeadAccepted", "ProposalSent", "DealClosed"),
    "accounts": ("AccountAccepted", "RepeatSale", "CustomerBecameRegular"),
}
"""What counts as flow, by topic: two or three steps of each station."""

DUE = """
select client_id, kind, ref, line, state, since, holder, due_at
from things join unnest($1::text[], $2::text[]) as seen(line, kind) using (line, kind)
where due_at is not null and (kind || ':' || state) = any($3::text[]) order by due_at, ref limit $4
"""
LONGEST = """
select distinct on (kind) first.*
from unnest($1::text[], $2::text[]) as seen(line, kind)
join unnest($3::text[]) as waits(name) on split_part(waits.name, ':', 1) = seen.kind
cross join lateral (
    select client_id, kind, ref, line, state, since, holder, due_at from things
    where things.line = seen.line and things.kind = seen.kind and things.state = split_part(waits.name, ':', 2)
    order by since, ref limit 1
) as first order by kind, since, ref
"""
FLOW = """
select topic, name, line, date_trunc('hour', occurred_at at time zone $3) as hour, count(*) as many
from happened where occurred_at >= $1 and occurred_at < $2 and name = any($4::text[]) group by 1, 2, 3, 4
"""
LATEST = """
select last.*
from unnest($1::text[], $2::text[]) as seen(line, topic)
cross join lateral (
    select position, topic, name, client_id, line, occurred_at from happened
    where happened.line = seen.line and happened.topic = seen.topic order by position desc limit $3
) as last order by position desc limit $3
"""


@dataclass(frozen=True)
class Row:
    """A thing with a clock, or the one that has waited longest."""

    client_id: str
    kind: str
    ref: str
    line: str
    state: str
    since: datetime
    holder: str | None
    due_at: datetime | None


@dataclass(frozen=True)
class Picture:
    """The line as one viewer sees it at one instant."""

    now: datetime
    clocks: Sequence[Row]
    longest: Mapping[str, Row]
    flow: Mapping[str, Sequence[int]]
    """name -> how many in each hour of the day"""
    latest: Sequence[Mapping[str, Any]]
    position: int


def kinds_seen(seen: Seen, line: str | None) -> list[tuple[str, str]]:
    """(line, kind) pairs that may be seen: a handover from either of its two stations."""
    return sorted(
        (one, kind)
        for one in seen.lines
        if line in (None, one)
        for kind, doors in DOORS.items()
        if any((one, door) in seen.parts for door in doors)
    )


async def picture(pool: Pool, seen: Seen, line: str | None, now: datetime, day: datetime, zone: str) -> Picture:
    """`day`: when today began."""
    pairs = kinds_seen(seen, line)
    lines, kinds = [one for one, _ in pairs], [kind for _, kind in pairs]
    waits = [f"{kind}:{state}" for kind, states in WAITS.items() for state in states]
    clocks = [Row(**row) for row in await pool.fetch(DUE, lines, kinds, waits, CLOCKS)]
    longest = {row["kind"]: Row(**row) for row in await pool.fetch(LONGEST, lines, kinds, waits)}
    names = [name for some in COUNTED.values() for name in some]
    flow = {name: [0] * 24 for name in names}
    for row in await pool.fetch(FLOW, day, day + timedelta(days=1), zone, names):
        if line in (None, row["line"]) and (row["line"], STATION_OF[row["topic"]]) in seen.parts:
            flow[row["name"]][row["hour"].hour] += row["many"]
    latest: list[Mapping[str, Any]] = [dict(row) for row in await pool.fetch(LATEST, *_topics(seen, line), 12)]
    position = max((row["position"] for row in latest), default=0)
    return Picture(now, clocks, longest, flow, latest, position)


def _topics(seen: Seen, line: str | None) -> tuple[list[str], list[str]]:
    """(line, topic) pairs that may be seen."""
    pairs: Iterable[tuple[str, str]] = (
        (one, topic)
        for one, station in seen.parts
        if line in (None, one)
        for topic, where in STATION_OF.items()
        if where == station
    )
    found = sorted(pairs)
    return [one for one, _ in found], [topic for _, topic in found]
