"""The dossier: what the receiver of a lead reads of the client. Personal data passes here and on no topic."""

from __future__ import annotations

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused
from belt.io.http.body import GivenId
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import json_response
from lead_gen.api.replies import Dossier
from lead_gen.api.shown import need_shown, personal
from lead_gen.api.sight import Seen
from lead_gen.api.sight import prospect as prospect_of
from lead_gen.prospect.state import CATEGORY, Prospect
from lead_gen.views import PROSPECTS_TABLE as PROSPECTS


def doors(desk: Desk, sights: Seen) -> Doors:
    doors = Doors(prefix="/v1/offers", tags=["offers"])

    @doors.query("/{offer}/dossier", "pii:read", reply=Dossier)
    async def dossier(request: Request, offer: GivenId) -> Response:
        """For who receives the lead, who found the client, and the managers of the line."""
        rows = await desk.rows(select(PROSPECTS.c.client_id).where(PROSPECTS.c.offers.contains([offer])))
        if not rows:
            raise Refused("offer.unknown")
        client = rows[0]["client_id"]
        await sights.of(request, "know", prospect_of(client), "offer.unknown")
        prospect: Prospect = (await desk.state(CATEGORY, client)).state
        if offer not in prospect.offers:
            raise Refused("offer.unknown")
        await desk.tell(request, "personal", prospect.client)
        offered = prospect.offers[offer]
        return json_response(
            {
                "offer_id": offer,
                "client_id": prospect.client,
                "line": prospect.line,
                "sourced_by": offered.sourced_by,
                "country": prospect.country,
                "source": prospect.source,
                "segment": prospect.segment,
                "need": need_shown(prospect.needs[offered.need_id], knowing=True),
                "personal": personal(prospect),
            },
            headers={"cache-control": "no-store"},
        )

    return doors
