"""The routes of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from belt.io.http import waiting
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from lead_gen.api import competitors, lines, lists, offers, prospects, staff
from lead_gen.api.sight import sights
from lead_gen.views import WAITING


def routes(desk: Desk) -> Doors:
    """All doors of the station."""
    doors = Doors()
    seen = sights(desk)
    doors.routes.extend(staff.doors(desk).routes)
    for room in (lines, lists, prospects, offers):
        doors.routes.extend(room.doors(desk, seen).routes)
    doors.routes.extend(competitors.doors(desk).routes)
    doors.routes.extend(waiting.doors(desk, WAITING, "staff:read").routes)
    return doors
