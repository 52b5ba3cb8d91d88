"""The company of the demo, as data: four lines, one for each variant, the people on them, and how they are paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from conveyor_events.words import Station

ZONE = "Europe/Berlin"
CURRENCY = "EUR"
FIRST_DAY = date(2026, 1, 1)
AFTER = date(2026, 4, 1)
MONTHS = ("2026-01", "2026-02", "2026-03")
HOLIDAYS = (date(2026, 1, 1), date(2026, 1, 6))

DRAFTS = "pia"  # payroll: one drafts a plan, the other approves it
APPROVES = "quentin"


@dataclass(frozen=True)
class Person:
    """Somebody who is paid. `line` is where they work."""

    id: str
    name: str
    role: str
    line: str
    plan: str
    hired: date = FIRST_DAY
    last_day: date | None = None


@dataclass(frozen=True)
class Absence:
    """Nobody of these is at work in [since, until), given as day and hour in the company's zone."""

    people: tuple[str, ...]
    since: tuple[date, int]
    until: tuple[date, int]


@dataclass(frozen=True)
class SalesLine:
    """One line: its variant, who works at each station, and what is sold there."""

    id: str
    variant: str
    teams: Mapping[Station, tuple[str, ...]]
    manager: str
    clients: int
    typical: int  # what a usual first sale is worth
    segment: str
    policy: Mapping[str, Any] = field(default_factory=dict)


def _people(line: str, role: str, plan: str, **names: str) -> list[Person]:
    return [Person(id_, name, role, line, plan) for id_, name in names.items()]


PEOPLE: dict[str, Person] = {
    person.id: person
    for person in (
        *_people("factories", "scout", "ref-scout", ana="Ana Lindqvist", mira="Mira Kaplan"),
        Person("egor", "Egor Petrov", "scout", "factories", "ref-scout", last_day=date(2026, 2, 20)),
        Person("yusuf", "Yusuf Aydin", "scout", "factories", "ref-scout", hired=date(2026, 2, 16)),
        *_people("factories", "hunter", "ref-hunter", boris="Boris Weiss", dina="Dina Morel", oskar="Oskar Lindner"),
        *_people("factories", "farmer", "ref-farmer", clara="Clara Jensen", jonas="Jonas Falk"),
        *_people("workshops", "hunter", "ref-hunter", felix="Felix Braun", greta="Greta Sand", hanna="Hanna Ottosen"),
        *_people("workshops", "farmer", "ref-farmer", ivan="Ivan Sokolov", lena="Lena Hartmann"),
        *_people("offices", "scout", "ref-scout", karl="Karl Nowak", nadia="Nadia Rahimi"),
        *_people("offices", "hunter", "demo-hunter-serves", paul="Paul Girard", sofia="Sofia Marino"),
        *_people("shops", "hunter", "demo-hunter-serves", tomas="Tomas Berg", ulla="Ulla Krause", wanda="Wanda Lis"),
        *_people("factories", "manager", "demo-manager", vera="Vera Stein"),
        *_people("shops", "manager", "demo-manager", ruth="Ruth Castell"),
    )
}

LINES: tuple[SalesLine, ...] = (
    SalesLine(
        "factories",
        "scout-hunter-farmer",
        {
            Station.LEAD_GEN: ("ana", "egor", "mira", "yusuf"),
            Station.CONVERSION: ("boris", "dina", "oskar"),
            Station.ACCOUNT_MGMT: ("clara", "jonas"),
        },
        manager="vera",
        clients=60,
        typical=9_000,
        segment="machine building",
    ),
    SalesLine(
        "workshops",
        "hunter-farmer",
        {
            Station.LEAD_GEN: ("felix", "greta", "hanna"),
            Station.CONVERSION: ("felix", "greta", "hanna"),
            Station.ACCOUNT_MGMT: ("ivan", "lena"),
        },
        manager="vera",
        clients=40,
        typical=4_500,
        segment="metal workshops",
    ),
    SalesLine(
        "offices",
        "scout-hunter",
        {
            Station.LEAD_GEN: ("karl", "nadia"),
            Station.CONVERSION: ("paul", "sofia"),
            Station.ACCOUNT_MGMT: ("paul", "sofia"),
        },
        manager="ruth",
        clients=34,
        typical=3_000,
        segment="planning offices",
    ),
    SalesLine(
        "shops",
        "hunter",
        {
            Station.LEAD_GEN: ("tomas", "ulla", "wanda"),
            Station.CONVERSION: ("tomas", "ulla", "wanda"),
            Station.ACCOUNT_MGMT: ("tomas", "ulla", "wanda"),
        },
        manager="ruth",
        clients=28,
        typical=1_800,
        segment="tool shops",
    ),
)

# Both hunters of the offices are at a fair until the afternoon: what is offered to them meanwhile waits in the queue.
ABSENCES: tuple[Absence, ...] = (
    Absence(("paul", "sofia"), (date(2026, 2, 10), 9), (date(2026, 2, 10), 14)),
    Absence(("paul", "sofia"), (date(2026, 3, 3), 9), (date(2026, 3, 3), 14)),
    Absence(("clara",), (date(2026, 3, 9), 9), (date(2026, 3, 13), 18)),
)

PLANS = ("ref-scout", "ref-hunter", "ref-farmer", "demo-hunter-serves", "demo-manager")


@cache
def line_of(line: str) -> SalesLine:
    return next(one for one in LINES if one.id == line)


@cache
def plan_document(plan: str) -> dict[str, Any]:
    """A plan as it is posted. Numbers stay the text that was written."""
    package = "conveyor" if plan.startswith("demo-") else "compensation"
    folder = ("demo", "plans") if package == "conveyor" else ("plans",)
    text = files(package).joinpath(*folder, f"{plan}.yaml").read_text(encoding="utf-8")
    document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (the loader that makes nothing but text)
    if not isinstance(document, dict):
        raise TypeError(f"{plan} is no mapping")
    return document
