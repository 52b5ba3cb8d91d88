"""The doors of compensation. Nothing is decided here: commands go to their stream, statements come from the fold."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from compensation.api import (
    adjustments,
    conflicts,
    disputes,
    payouts,
    people,
    periods,
    plans,
    rates,
    sheets,
    simulations,
    statements,
)
from compensation.clerk.books import of


def routes(desk: Desk) -> Doors:
    doors = Doors(tags=["compensation"])
    books = of(desk)
    plans.add(doors, desk, books)
    rates.add(doors, desk)
    conflicts.add(doors, desk, books)
    statements.add(doors, desk, books)
    sheets.add(doors, desk)
    periods.add(doors, desk, books)
    disputes.add(doors, desk)
    adjustments.add(doors, desk)
    payouts.add(doors, desk)
    simulations.add(doors, desk, books)
    people.add(doors, desk, books)
    return doors
