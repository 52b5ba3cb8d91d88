"""The doors of compensation. Nothing is decided here: commands go to their stream, statements come from the fold."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from compensation.api import conflicts, people, plans, rates, statements
from compensation.api.books import Books


def routes(desk: Desk) -> Doors:
    doors = Doors(tags=["compensation"])
    books = Books(desk.engine, desk.settings.zone)
    plans.add(doors, desk, books)
    rates.add(doors, desk)
    conflicts.add(doors, desk, books)
    statements.add(doors, desk, books)
    people.add(doors, desk, books)
    return doors
