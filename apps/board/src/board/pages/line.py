"""The line: what waits at each station, which clocks run out, what moved today; live."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from board.drawing.bars import hours
from board.pulse import beats
from board.reading import COUNTED, NEAR, Picture, picture
from board.sight import STATIONS, Seen
from board.thing import WAITS
from board.visit import Visit, visit

GAP = 0.25  # seconds between two beats of one page, at least
KEPT = 512
FRESH = 2.0
LineName = Annotated[str | None, Query(max_length=100)]

routes = APIRouter()
Key = tuple[frozenset[tuple[str, str]], str | None]


class Pictures:
    """The picture is the same for all who may see the same: read once after each beat, for as many as look."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[float, int, Picture]] = OrderedDict()

    async def of(self, who: Visit, seen: Seen, line: str | None) -> Picture:
        key, beat = (seen.parts, line), who.hall.pulse.beat
        made, at, kept = self._kept.get(key, (0.0, -1, None))
        now = await who.now()
        if kept is not None and at == beat and monotonic() - made < FRESH:
            return replace(kept, now=now)
        day = _begin_of_day(now, who)
        found = await picture(who.hall.pool, seen, line, now, day, who.hall.settings.zone)
        self._kept[key] = monotonic(), beat, found
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found


PICTURES = Pictures()


def _begin_of_day(now: datetime, who: Visit) -> datetime:
    return now.astimezone(who.hall.zone).replace(hour=0, minute=0, second=0, microsecond=0)


@routes.get("/")
async def page(who: Annotated[Visit, Depends(visit)], line: LineName = None) -> Response:
    """The landing page."""
    return who.page("line.html", **await _shown(who, line))


@routes.get("/line/now")
async def part(who: Annotated[Visit, Depends(visit)], line: LineName = None) -> Response:
    """The part of it that changes."""
    return who.page("line_now.html", **await _shown(who, line))


@routes.get("/line/moves")
async def moves(who: Annotated[Visit, Depends(visit)]) -> Response:
    """Server-sent events: `moved`, whenever something did that this viewer may see."""

    async def seen() -> frozenset[tuple[str, str]]:
        return (await who.seen()).parts

    await seen()  # who may not ask at all is told so before a stream begins
    return StreamingResponse(beats(who.hall.pulse, seen, GAP), media_type="text/event-stream")


async def _shown(who: Visit, line: str | None) -> dict[str, Any]:
    seen = await who.seen()
    line = line if line in seen.lines else None
    found = await PICTURES.of(who, seen, line)
    most = max((max(found.flow[name]) for some in COUNTED.values() for name in some), default=0)
    open_stations = {station for station in STATIONS if any((one, station) in seen.parts for one in seen.lines)}
    return {
        "picture": found,
        "seen": seen,
        "line": line,
        "states": WAITS,
        "open": open_stations,
        "near_until": found.now + NEAR,
        "flow": {
            topic: [(name, sum(found.flow[name]), hours(found.flow[name], most)) for name in names]
            for topic, names in COUNTED.items()
        },
        "today": _begin_of_day(found.now, who),
    }
