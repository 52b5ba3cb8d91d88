"""The doors of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from conversion.api import bargaining, deals, offers, opportunities, plans, selling
from conversion.api.sight import Seen


def routes(desk: Desk) -> Doors:
    doors, sights = Doors(), Seen(desk)
    offers.doors(doors, desk, sights)
    opportunities.doors(doors, desk, sights)
    plans.doors(doors, desk, sights)
    selling.doors(doors, desk, sights)
    bargaining.doors(doors, desk, sights)
    deals.doors(doors, desk, sights)
    return doors
