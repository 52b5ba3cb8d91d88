"""The routes of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from lead_gen.api import lines, lists, offers, prospects, staff


def routes(desk: Desk) -> Doors:
    """All doors of the station."""
    doors = Doors()
    for some in (staff.doors(desk), lines.doors(desk), lists.doors(desk), prospects.doors(desk), offers.doors(desk)):
        doors.routes.extend(some.routes)
    return doors
