"""The line: what waits at each station, which clocks run out, what moved today; live."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import HTMLResponse, Response, StreamingResponse

from board.drawing.bars import hours
from board.moved import Moved
from board.pulse import beats
from board.reading import COUNTED, Picture, picture
from board.thing import WAITS
from board.visit import Visit, visit
from board.waiting import STATIONS, waiting

GAP = 0.25  # seconds between two beats of one page, at least
LineName = Annotated[str | None, Query(max_length=100)]

routes = APIRouter()


def _begin_of_day(now: datetime, who: Visit) -> datetime:
    return now.astimezone(who.hall.zone).replace(hour=0, minute=0, second=0, microsecond=0)


@routes.get("/")
async def page(who: Annotated[Visit, Depends(visit)], line: LineName = None) -> Response:
    """The landing page."""
    return who.page("line.html", **await _shown(who, line))


@routes.get("/line/now")
async def part(who: Annotated[Visit, Depends(visit)], line: LineName = None) -> Response:
    """The part of it that changes."""
    return HTMLResponse(await _part(who, line))


@routes.get("/line/moves")
async def moves(who: Annotated[Visit, Depends(visit)], line: LineName = None) -> Response:
    """Server-sent events: `moved`, when something did that this viewer may see, and `now`, the part as it is then."""

    async def heard(moved: Moved) -> frozenset[str] | None:
        if who.person in moved.people and not await who.still_here():
            return None
        return (await who.seen()).heard(moved)

    await who.seen()  # who may not ask at all is told so before a stream begins
    stream = beats(who.hall.pulse, heard, lambda: _part(who, line), GAP, who.viewer.rest)
    return StreamingResponse(stream, media_type="text/event-stream")


async def _part(who: Visit, line: str | None) -> str:
    """Made once for all who see the same, in the same language: two hundred open pages cost little more than one."""
    seen = await who.seen()

    async def made() -> str:
        return who.text("line_now.html", **await _shown(who, line))

    answers = *sorted(seen.answers.items()), *sorted(seen.numbers.items())
    key = seen.parts, answers, line, who.words.language
    return await who.hall.parts.of(key, who.hall.pulse.beat, made)


async def _shown(who: Visit, line: str | None) -> dict[str, Any]:
    seen, now = await who.seen(), await who.now()
    told = waiting(now, answers := await who.hall.looks.of(seen.counted, who.asked))
    lines = sorted({*seen.lines, *told.lines})
    line = line if line in lines else None
    day = _begin_of_day(now, who)

    async def read() -> Picture:
        return await picture(who.hall.pool, seen, line, now, day, who.hall.settings.zone)

    found = replace(await who.hall.pictures.of((seen.parts, line), who.hall.pulse.beat, read), now=now)
    most = max((max(found.flow[name]) for some in COUNTED.values() for name in some), default=0)
    numbers = {**seen.numbers, **{at: one.state for at, one in zip(seen.counted, answers, strict=True)}}
    open_stations = {station for station in STATIONS if any((one, station) in seen.parts for one in seen.lines)}
    return {
        "picture": found,
        "waiting": told.of(line),
        "numbers": numbers,
        "seen": seen,
        "lines": lines,
        "line": line,
        "states": WAITS,
        "open": open_stations,
        "flow": {
            topic: [(name, sum(found.flow[name]), hours(found.flow[name], most)) for name in names]
            for topic, names in COUNTED.items()
        },
        "today": day,
    }
