"""The routes of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from lead_gen.api import competitors, lines, lists, offers, prospects, staff


def routes(desk: Desk) -> Doors:
    """All doors of the station."""
    doors = Doors()
    rooms = (staff, lines, lists, prospects, offers, competitors)
    for room in rooms:
        doors.routes.extend(room.doors(desk).routes)
    return doors
