"""The doors of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from account_mgmt.api import accounts, offers, sales, selftests, selling, serving, surveys
from account_mgmt.api.sight import Seen
from account_mgmt.views import WAITING
from belt.io.http import waiting
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors


def routes(desk: Desk) -> Doors:
    doors, sights = Doors(), Seen(desk)
    for room in (offers, accounts, serving, selling, sales, selftests, surveys):
        room.doors(doors.room(room.__name__), desk, sights)
    doors.routes.extend(waiting.doors(desk, WAITING, "staff:read").routes)
    return doors
