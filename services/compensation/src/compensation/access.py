"""Who sees what of pay: one question, `authorize(reader, action, thing, teams, now)`, asked by every door and list.

Who holds `pay:read:all` or `pay:audit` sees everything. `pay:read:own` opens what is one's own. `pay:read:team` opens
the pay of the members of the lines that one manages today, for the months in which they were members; a month is shown
whole. `pay:read:totals` opens sums, never lines. Being forbidden looks like not being there (404).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from compensation.months import Month
from compensation.plan import Assignment
from compensation.teams import Teams
from conveyor_events import HOUSE

Action = Literal["sums", "lines", "deed", "follow", "terms"]
"""sums: of a person's month. lines: with their reasons. deed: what somebody did, by name and amount, where pay is
explained. follow: the same in a client's journey, which is more than pay. terms: the plan of an assignment."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is asking, by the token."""

    person: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    @property
    def everything(self) -> bool:
        return self.may("pay:read:all") or self.audits

    @property
    def audits(self) -> bool:
        """Whether it is only as an auditor that everything is seen."""
        return self.may("pay:audit") and not self.may("pay:read:all")


@dataclass(frozen=True, slots=True)
class Pay:
    """A person's month."""

    person: str
    month: Month


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person did at an instant."""

    person: str
    at: datetime


Thing = Pay | Deed | Assignment


def authorize(reader: Reader, action: Action, thing: Thing, teams: Teams, now: datetime) -> bool:
    """Whether the reader may do this with that."""
    if reader.everything:
        return True
    match action, thing:
        case "sums", Pay():
            return reader.may("pay:read:totals") or _own_or_led(reader, thing, teams, now)
        case "lines", Pay():
            return _own_or_led(reader, thing, teams, now)
        case "deed", Deed():
            return thing.person == HOUSE or _own_or_led(reader, thing, teams, now)
        case "follow", Deed():
            mine = reader.may("events:read") or thing.person in (reader.person, HOUSE)
            return mine or _own_or_led(reader, thing, teams, now)
        case "terms", Assignment():
            writes = reader.may("plans:write") or reader.may("plans:approve")
            return writes or _own_or_led(reader, thing, teams, now)
        case _:
            return False


def _own_or_led(reader: Reader, thing: Thing, teams: Teams, now: datetime) -> bool:
    if reader.may("pay:read:own") and thing.person == reader.person:
        return True
    if not reader.may("pay:read:team"):
        return False
    return bool(teams.led(reader.person, now) & _lines_of(thing, teams))


def _lines_of(thing: Thing, teams: Teams) -> frozenset[str]:
    """The lines in whose teams the person was when it counts."""
    match thing:
        case Pay(person, month):
            return teams.member_in(person, month)
        case Deed(person, at):
            return teams.member(person, at)
        case Assignment():
            return teams.member_between(thing.person, thing.since, thing.until)
