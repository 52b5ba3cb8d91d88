"""The doors of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from belt.io.http import waiting
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from conversion.api import bargaining, deals, offers, opportunities, plans, selling
from conversion.api.sight import Seen
from conversion.views import WAITING


def routes(desk: Desk) -> Doors:
    doors, sights = Doors(), Seen(desk)
    for room in (offers, opportunities, plans, selling, bargaining, deals):
        room.doors(doors.room(room.__name__), desk, sights)
    doors.routes.extend(waiting.doors(desk, WAITING, "staff:read").routes)
    return doors
