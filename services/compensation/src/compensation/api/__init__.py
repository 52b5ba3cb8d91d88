"""The doors of compensation. Nothing is decided here: commands go to their stream, statements come from the fold."""

from __future__ import annotations

from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
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
from compensation.clerk.cases import cases_of
from compensation.clerk.company import company


def routes(desk: Desk) -> Doors:
    doors = Doors()
    books, cases, everybody = of(desk), cases_of(desk), company(desk)
    sights = Sights(desk, books)
    plans.add(doors.room(plans.__name__), desk, cases, sights)
    rates.add(doors.room(rates.__name__), desk)
    conflicts.add(doors.room(conflicts.__name__), desk, books, cases, sights)
    papers.add(doors.room(papers.__name__), desk, books, sights)
    statements.add(doors.room(statements.__name__), desk, books, sights)
    sheets.add(doors.room(sheets.__name__), desk, sights)
    periods.add(doors.room(periods.__name__), desk, everybody, sights)
    disputes.add(doors.room(disputes.__name__), desk, books, sights)
    adjustments.add(doors.room(adjustments.__name__), desk, sights)
    payouts.add(doors.room(payouts.__name__), desk, sights)
    simulations.add(doors.room(simulations.__name__), desk, everybody, sights)
    people.add(doors.room(people.__name__), desk, books, sights)
    return doors
