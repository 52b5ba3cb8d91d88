"""Who can be picked: the people of the running line with their roles, as lead-gen shows them, and the office."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conveyor.line import Line
from conveyor_events.scopes import NEVER_GRANTED, ROLES
from conveyor_events.words import Station, parse_instant

BUNDLES = tuple(sorted(ROLES.keys() - NEVER_GRANTED))
"""What can be picked. `driver` cannot: it plays everybody, and no page needs it."""
LONGEST_NAME = 100
ME = "sign-in"
STATIONS = tuple(str(station) for station in Station)


@dataclass(frozen=True)
class Person:
    """Somebody to be: an id, bundles of scopes, and where they are found."""

    id: str
    roles: tuple[str, ...]
    where: str = ""

    def __post_init__(self) -> None:
        if not self.id.strip() or not self.id.isprintable() or len(self.id) > LONGEST_NAME:
            raise ValueError("a person has a name of at most 100 letters")
        if not self.roles or not set(self.roles) <= set(BUNDLES):
            raise ValueError("a person has one or more of the roles that can be picked")


OFFICE = (
    Person("olga", ("finance", "manager"), "owner: leads, and sees what pay comes to"),
    Person("pia", ("payroll",), "drafts plans, closes months"),
    Person("quentin", ("payroll",), "approves what others drafted"),
    Person("frida", ("finance",), "sees what pay comes to, approves plans"),
    Person("arthur", ("auditor",), "sees all pay; each look is written down"),
    Person("otto", ("operator",), "sees what is parked"),
)


async def on_the_line(line: Line) -> list[Person]:
    """Everybody who works now and has a role, by line and station. Names are personal data: ids do."""
    reader = ("staff:read",)
    staff = [one async for one in line.items("lead-gen", "/v1/staff", person=ME, roles=reader)]
    lines = [one async for one in line.items("lead-gen", "/v1/lines", person=ME, roles=reader)]
    now = (await line.get("lead-gen", "/v1/clock", person=ME, roles=("events:read",)))["at"]
    return people_of(staff, lines, now)


def people_of(staff: Iterable[Mapping[str, Any]], lines: Iterable[Mapping[str, Any]], now: str) -> list[Person]:
    """The same, from what lead-gen has shown. Whoever manages a line has the manager's bundle."""
    places: dict[str, list[tuple[str, int, str]]] = defaultdict(list)  # in the order of the line
    managers: set[str] = set()
    for shown in lines:
        current = shown["current"] or {"teams": {}, "managers": ()}
        for manager in current["managers"]:
            places[manager].append((shown["line"], -1, "leads it"))
            managers.add(manager)
        for station, team in current["teams"].items():
            for member in team["members"]:
                places[member].append((shown["line"], STATIONS.index(station), station))
    found = []
    for shown in staff:
        held = {span["role"] for span in shown["roles"] if _holds(span, now)}
        held |= {"manager"} if shown["person"] in managers else set()
        roles = tuple(sorted(held & set(BUNDLES)))
        if shown["active"] and roles:
            found.append(Person(shown["person"], roles, _where(places[shown["person"]])))
    return sorted(found, key=lambda one: (not places[one.id], sorted(places[one.id])[:1], one.id))


def _where(places: Iterable[tuple[str, int, str]]) -> str:
    by_line: dict[str, list[str]] = defaultdict(list)
    for line, _, place in sorted(places):
        by_line[line].append(place)
    return "; ".join(f"{line}: {', '.join(found)}" for line, found in by_line.items())


def _holds(span: Mapping[str, Any], now: str) -> bool:
    at = parse_instant(now)
    return parse_instant(span["since"]) <= at and (span["until"] is None or at < parse_instant(span["until"]))
