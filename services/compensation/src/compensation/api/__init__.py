"""The doors of compensation. Nothing is decided here: commands go to their stream, statements come from the fold."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from compensation.api import (
    adjustments,
    conflicts,
    disputes,
    papers,
    payouts,
    people,
    periods,
    plans,
    rates,
    sheets,
    simulations,
    statements,
)
from compensation.api.sight import Sights
from compensation.clerk.books import of


def routes(desk: Desk) -> Doors:
    doors = Doors(tags=["compensation"])
    books = of(desk)
    sights = Sights(desk, books)
    plans.add(doors, desk, books, sights)
    rates.add(doors, desk)
    conflicts.add(doors, desk, books, sights)
    papers.add(doors, desk, books, sights)
    statements.add(doors, desk, books, sights)
    sheets.add(doors, desk, sights)
    periods.add(doors, desk, books, sights)
    disputes.add(doors, desk, sights)
    adjustments.add(doors, desk, sights)
    payouts.add(doors, desk, sights)
    simulations.add(doors, desk, books, sights)
    people.add(doors, desk, books, sights)
    return doors
