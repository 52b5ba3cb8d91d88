"""The doors of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from conversion.api import bargaining, deals, offers, opportunities, plans, selling


def routes(desk: Desk) -> Doors:
    doors = Doors()
    offers.doors(doors, desk)
    opportunities.doors(doors, desk)
    plans.doors(doors, desk)
    selling.doors(doors, desk)
    bargaining.doors(doors, desk)
    deals.doors(doors, desk)
    return doors
