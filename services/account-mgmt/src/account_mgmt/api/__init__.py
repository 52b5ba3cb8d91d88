"""The doors of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from account_mgmt.api import accounts, offers, sales, selftests, selling, serving, surveys
from account_mgmt.api.sight import Seen
from belt.io.desk import Desk
from belt.io.doors import Doors


def routes(desk: Desk) -> Doors:
    doors, sights = Doors(), Seen(desk)
    offers.doors(doors, desk, sights)
    accounts.doors(doors, desk, sights)
    serving.doors(doors, desk, sights)
    selling.doors(doors, desk, sights)
    sales.doors(doors, desk, sights)
    selftests.doors(doors, desk, sights)
    surveys.doors(doors, desk, sights)
    return doors
