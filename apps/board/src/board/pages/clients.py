"""Clients: lists of each station, and one client's way along the line with every event."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from board.apis import Answer
from board.drawing.band import band
from board.visit import Visit, visit

PAGE = 50
LISTS = {
    "prospects": ("lead-gen", "/v1/prospects"),
    "opportunities": ("conversion", "/v1/opportunities"),
    "accounts": ("account-mgmt", "/v1/accounts"),
}
Text = Annotated[str | None, Query(max_length=500)]

routes = APIRouter()


@routes.get("/clients")
async def listed(
    who: Annotated[Visit, Depends(visit)], at: Text = None, line: Text = None, stage: Text = None, cursor: Text = None
) -> Response:
    """A page of a station's list, as the station shows it to this viewer."""
    places = [at] if at in LISTS else list(LISTS)
    place, answer = places[0], Answer(404)
    lines = await who.asked.listed("lead-gen", "/v1/lines")
    for place in places:
        service, path = LISTS[place]
        answer = await who.asked.get(service, path, line=line or None, stage=stage or None, cursor=cursor, limit=PAGE)
        if at in LISTS or answer.state != "closed":
            break
    return who.page("clients.html", at=place, answer=answer, lines=lines.items, line=line, stage=stage, lists=LISTS)


@routes.get("/clients/find")
async def find(_who: Annotated[Visit, Depends(visit)], client: Annotated[str, Query(max_length=100)]) -> Response:
    return RedirectResponse(f"/clients/{quote(client.strip(), safe='')}", 303)


@routes.get("/clients/{client}")
async def one(who: Annotated[Visit, Depends(visit)], client: str, event: Text = None) -> Response:
    """One client: the way it went, and where it stands at each station. Each part is asked for by itself."""
    at, asked = quote(client, safe=""), who.asked
    journey, prospect, offers, opportunities, account, deals, sales = await asyncio.gather(
        asked.get("compensation", f"/v1/journeys/{at}"),
        asked.get("lead-gen", f"/v1/prospects/{at}"),
        asked.get("conversion", "/v1/offers", client=client),
        asked.get("conversion", "/v1/opportunities", client=client),
        asked.get("account-mgmt", f"/v1/accounts/{at}"),
        asked.get("conversion", "/v1/deals", client=client),
        asked.get("account-mgmt", "/v1/sales", client=client),
    )
    prospect, account = _about(client, prospect), _about(client, account)
    parts = [prospect, offers, opportunities, account, deals, sales]
    known = journey.ok or any(part.ok and _something(part) for part in parts)
    events = journey.document["events"] if journey.ok else []
    drawn = band(events, await who.now()) if events else None
    return who.page(
        "client.html",
        200 if known else 404,
        client=client,
        known=known,
        away=any(part.state == "away" for part in [journey, *parts]),
        name=_name(prospect),
        journey=journey,
        events=events,
        band=drawn,
        prospect=prospect,
        offers=offers,
        opportunities=opportunities,
        account=account,
        deals=deals,
        sales=sales,
        event=event,
    )


def _about(client: str, answer: Answer) -> Answer:
    """What was told of this client. A station's list may go by the name that somebody looked for."""
    return answer if not answer.ok or answer.document.get("client_id") == client else Answer(404)


def _something(answer: Answer) -> bool:
    return "items" not in answer.document or bool(answer.items)


def _name(prospect: Answer) -> str | None:
    """The client's name, for whom the first station tells it."""
    personal: Any = prospect.document.get("personal") if prospect.ok else None
    return personal["name"] if personal else None
