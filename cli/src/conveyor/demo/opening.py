"""The first morning: people are hired and given roles, lines are staffed, plans are drafted, approved and assigned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from conveyor.demo.company import (
    ABSENCES,
    APPROVES,
    CURRENCY,
    DRAFTS,
    HOLIDAYS,
    LINES,
    PEOPLE,
    PLANS,
    ZONE,
    plan_document,
)
from conveyor.demo.play import Over, Play, Teller
from conveyor.demo.slots import first_slot_of, instant, opening
from conveyor.line import Line
from conveyor_events.words import instant_text

OFFICE = "vera"
LEAD_GEN, COMPENSATION = "lead-gen", "compensation"
NOTICE = timedelta(days=4)


@dataclass(frozen=True)
class Order:
    """One request of the first morning."""

    service: str
    path: str
    body: dict[str, Any]
    who: str = OFFICE
    role: str = "manager"


def rounds() -> Iterator[list[Order]]:
    """What may be said at once; a round rests on the one before."""
    yield [Order(LEAD_GEN, "/v1/staff", _hire(person)) for person in PEOPLE] + [
        Order(COMPENSATION, "/v1/plans", plan_document(plan), DRAFTS, "payroll") for plan in PLANS
    ]
    yield [
        Order(LEAD_GEN, f"/v1/staff/{person.id}/roles", {"role": person.role, "since": _midnight(person.hired)})
        for person in PEOPLE.values()
    ] + [Order(COMPENSATION, f"/v1/plans/{plan}/versions/1/approve", {}, APPROVES, "payroll") for plan in PLANS]
    yield [Order(LEAD_GEN, f"/v1/lines/{line.id}/staffing", _staffing(line.id)) for line in LINES] + [
        Order(COMPENSATION, "/v1/assignments", _assignment(person), DRAFTS, "payroll") for person in PEOPLE
    ]
    yield [
        Order(LEAD_GEN, f"/v1/staff/{person}/absences", {
            "since": instant_text(instant(*absence.since)), "until": instant_text(instant(*absence.until)),
        })
        for absence in ABSENCES
        for person in absence.people
    ]  # fmt: skip


async def open_company(line: Line) -> None:
    """Sends the rounds."""
    for number, orders in enumerate(rounds()):
        await asyncio.gather(
            *(
                line.post(order.service, order.path, order.body, key=f"open-{number}-{n}", person=order.who,
                          roles=(order.role,))
                for n, order in enumerate(orders)
            )
        )  # fmt: skip


def departures(seed: int) -> Iterable[Play]:
    """Who leaves says so some days before."""
    for person in PEOPLE.values():
        if person.last_day is not None:
            yield _leaving(seed, person.id, person.last_day)


def _leaving(seed: int, person: str, last_day: date) -> Play:
    teller = Teller.of(seed, f"leave-{person}", first_slot_of(last_day - NOTICE))
    try:
        yield from teller.act(OFFICE, LEAD_GEN, f"/v1/staff/{person}/leave", {"last_day": last_day.isoformat()})
    except Over:
        return


def _hire(person: str) -> dict[str, Any]:
    known = PEOPLE[person]
    return {"person": person, "name": known.name, "hired_on": known.hired.isoformat()}


def _midnight(day: date) -> str:
    return instant_text(instant(day, 0))


def _staffing(line_id: str) -> dict[str, Any]:
    line = next(one for one in LINES if one.id == line_id)
    return {
        "variant": line.variant,
        "since": instant_text(opening()),
        "zone": ZONE,
        "currency": CURRENCY,
        "teams": {
            station.value: {"team": f"{line.id}-{station.value}", "members": list(members)}
            for station, members in line.teams.items()
        },
        "managers": [line.manager],
        "policy": {"calendar": {"holidays": [day.isoformat() for day in HOLIDAYS]}, **line.policy},
    }


def _assignment(person: str) -> dict[str, Any]:
    known = PEOPLE[person]
    return {
        "person": person, "plan": known.plan, "role": known.role, "line": known.line, "since": known.hired.isoformat(),
    }  # fmt: skip
