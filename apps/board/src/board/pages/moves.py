"""Pages that refresh themselves: my day, pay and conflicts are told when something concerns those whom they are about.

What is told is only that something did. The page then asks for itself again, with its viewer's own token.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from board.pulse import nudges
from board.teams import led
from board.visit import Visit, visit

GAP, WIDE_GAP = 1.0, 2.0  # seconds between two refreshes of a page, at least: about some people, about everybody
SPREAD = 0.5  # seconds over which pages about everybody ask again
EVERYBODYS = ("pay:read:all", "pay:read:totals", "pay:audit", "conflicts:resolve")
Person = Annotated[str | None, Query(max_length=100)]

routes = APIRouter()


@routes.get("/moves")
async def moves(who: Annotated[Visit, Depends(visit)], of: Person = None) -> Response:
    """Server-sent events: `moved`. `of`: about one person, if they are among those whose pages the viewer may see."""
    people = await circle(who)
    if of is not None:
        if people is not None and of not in people:
            return who.page("error.html", 404, code=404)
        people = frozenset({of})
    gap = GAP if people is not None else WIDE_GAP
    return StreamingResponse(
        nudges(who.hall.pulse, people, gap, SPREAD, who.viewer.rest), media_type="text/event-stream"
    )


async def circle(who: Visit) -> frozenset[str] | None:
    """About whom the viewer's pages may be: themselves, the teams they lead; None: everybody."""
    if who.viewer.may(*EVERYBODYS):
        return None
    if not who.viewer.may("manager", "pay:read:team"):
        return frozenset({who.person})
    return frozenset({who.person, *led(await who.asked.listed("lead-gen", "/v1/lines"), who.person)})
