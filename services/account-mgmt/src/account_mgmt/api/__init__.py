"""The doors of this station: request -> command -> answer. Nothing is decided here."""

from __future__ import annotations

from account_mgmt.api import accounts, offers, sales, selftests, selling, serving, surveys
from belt.io.desk import Desk
from belt.io.doors import Doors


def routes(desk: Desk) -> Doors:
    doors = Doors()
    offers.doors(doors, desk)
    accounts.doors(doors, desk)
    serving.doors(doors, desk)
    selling.doors(doors, desk)
    sales.doors(doors, desk)
    selftests.doors(doors, desk)
    surveys.doors(doors, desk)
    return doors
