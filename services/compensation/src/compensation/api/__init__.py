"""The doors of compensation. Nothing is decided here: commands go to their stream, statements come from the fold."""

from __future__ import annotations

from belt.io.desk import Desk
from belt.io.doors import Doors
from compensation.api import conflicts, papers, people, plans, rates, statements
from compensation.api.books import Books
from compensation.api.sight import Sights


def routes(desk: Desk) -> Doors:
    doors = Doors(tags=["compensation"])
    books = Books(desk.engine, desk.settings.zone)
    sights = Sights(desk, books)
    plans.add(doors, desk, books, sights)
    rates.add(doors, desk)
    conflicts.add(doors, desk, books, sights)
    papers.add(doors, books, sights)
    statements.add(doors, desk, books, sights)
    people.add(doors, desk, books, sights)
    return doors
