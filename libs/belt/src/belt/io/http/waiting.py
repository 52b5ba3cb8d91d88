"""GET /v1/waiting: how much waits at a station, by line, and which clocks run out first.

Numbers and instants, and nothing that says of whom or whose: who may not see the things themselves may see how many
there are. Read from the read models of the station, by index. Nothing is counted further than to COUNTED_TO, so a look
costs the same however long the history is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field
from sqlalchemy import Column, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import json_response
from conveyor_events.words import instant_text

COUNTED_TO = 10_000
CLOCKS = 40


@dataclass(frozen=True)
class Kind:
    """Things of one kind, one row each in a table with the columns `line` and `stage`, and an index on both.

    The index goes on with the table's key: asked for in its order, a part of the table is never read as a whole.
    `states`: what is told, and the stages that count as it. `clock` is when a thing falls due, while it stands in one
    of the stages `runs`; an index on line and clock is wanted, too.
    """

    name: str
    table: Table
    states: Mapping[str, Collection[str]]
    clock: Column[Any] | None = None
    runs: Collection[str] = ()


class WaitingTold(BaseModel):
    """What waits on one line."""

    line: str
    kind: str
    states: Annotated[dict[str, int], Field(description="how many in each state")]
    clocks: Annotated[list[datetime], Field(description=f"when they fall due, the earliest {CLOCKS}")]


class WaitingReply(BaseModel):
    """What waits at this station now. No client, nobody's name, no seat."""

    at: datetime
    counted_to: Annotated[int, Field(description="a number that has come this far means: so many or more")]
    waiting: list[WaitingTold]


def doors(desk: Desk, kinds: Sequence[Kind], scope: str) -> Doors:
    found = Doors(tags=["waiting"])

    @found.query("/v1/waiting", scope, reply=WaitingReply)
    async def waiting() -> Response:
        """How much waits at this station, by line and state, and when the next clocks run out."""
        now = desk.clock.now()
        async with desk.engine.connect() as connection:
            told = [one for kind in kinds for one in await told_of(connection, kind)]
        return json_response({"at": instant_text(now), "counted_to": COUNTED_TO, "waiting": told})

    return found


LINES = """
with recursive lines(line) as (
    select min(line) from {table}
    union all
    select (select min(line) from {table} where line > lines.line) from lines where lines.line is not null
)
"""
"""The lines there are, one step down the index each."""

COUNTS = (
    LINES
    + """
select line, stage, (
    select count(*) from (
        select from {table} where {table}.line = lines.line and {table}.stage = asked.stage order by {key} limit :most
    ) as standing
) as many
from lines cross join unnest(array[{stages}]) as asked(stage) where line is not null order by line
"""
)
DUES = (
    LINES
    + """
select line, due from lines cross join lateral (
    select {clock} as due from {table}
    where {table}.line = lines.line and {table}.stage in ({stages}) and {clock} is not null
    order by {clock} limit :most
) as clocks order by line, due
"""
)


def counts(kind: Kind, most: int = COUNTED_TO) -> tuple[str, dict[str, int]]:
    """How many stand in each stage that is told of, by line."""
    stages = _quoted(stage for some in kind.states.values() for stage in some)
    (key,) = kind.table.primary_key.columns
    return COUNTS.format(table=kind.table.name, key=key.name, stages=stages), {"most": most}


def dues(kind: Kind, most: int = CLOCKS) -> tuple[str, dict[str, int]] | None:
    """The earliest clocks, by line; None where things of this kind have none."""
    if kind.clock is None:
        return None
    stages = _quoted(kind.runs)
    return DUES.format(table=kind.table.name, clock=kind.clock.name, stages=stages), {"most": most}


def _quoted(stages: Any) -> str:
    """As literals: only so an index of some stages is taken for a question about them."""
    return ", ".join(f"'{stage}'" for stage in sorted(str(one) for one in stages))


async def told_of(connection: AsyncConnection, kind: Kind) -> list[dict[str, Any]]:
    """What waits of one kind, a document for each line."""
    asked, most = counts(kind)
    many: dict[str, dict[str, int]] = {}
    for line, stage, found in await connection.execute(text(asked), most):
        many.setdefault(line, {})[stage] = found
    clocks: dict[str, list[str]] = {line: [] for line in many}
    if (about := dues(kind)) is not None:
        for line, due in await connection.execute(text(about[0]), about[1]):
            clocks[line].append(instant_text(due))
    return [
        {
            "line": line,
            "kind": kind.name,
            "states": {
                state: min(COUNTED_TO, sum(stages[str(stage)] for stage in some)) for state, some in kind.states.items()
            },
            "clocks": clocks[line],
        }
        for line, stages in many.items()
    ]
