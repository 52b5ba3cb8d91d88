"""How near somebody stands to what concerns a client: the same question at every station, asked of the same roster.

What each nearness opens is each service's own to say (`access.py`); here stands only who is near.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from conveyor_events.roster import Roster


class Near(IntEnum):
    """The nearer one stands, the more one sees."""

    STRANGER = 0  # works on other lines, nowhere, or not any more
    PEER = 1  # in a team of the line, at whichever station
    OWN = 2  # it is theirs, they manage the line, or they speak for everybody


@dataclass(frozen=True)
class Matter:
    """What concerns one client: on which line it is, and whose it is by seat or by being asked."""

    line: str
    people: frozenset[str]


@dataclass(frozen=True)
class Lines:
    """The lines whose matters somebody is near. Not `present`: even what was theirs is so no more."""

    lines: frozenset[str]
    present: bool


def nearness(person: str, scopes: Collection[str], matter: Matter, roster: Roster, now: datetime) -> Near:
    """How near the person stands to the matter now."""
    if "act_for" in scopes:
        return Near.OWN
    if not present(person, roster, now):
        return Near.STRANGER
    if person in matter.people or _manages(person, scopes, matter.line, roster, now):
        return Near.OWN
    return Near.PEER if _on_a_team(person, matter.line, roster, now) else Near.STRANGER


def lines_near(person: str, scopes: Collection[str], roster: Roster, now: datetime) -> Lines | None:
    """The same for a list: near are the matters of these lines, and those whose people name them. None: all are."""
    if "act_for" in scopes:
        return None
    here = present(person, roster, now)
    lines = (
        line
        for line in roster.lines
        if _on_a_team(person, line, roster, now) or _manages(person, scopes, line, roster, now)
    )
    return Lines(frozenset(lines) if here else frozenset(), here)


def present(person: str, roster: Roster, now: datetime) -> bool:
    """Whether the person works here now. Of whom the roster has not heard yet, it says nothing against."""
    known = roster.people.get(person)
    return known is None or not known.employments or known.employed(now)


def _on_a_team(person: str, line: str, roster: Roster, now: datetime) -> bool:
    staffed = roster.line(line, now)
    return staffed is not None and any(person in team.members for team in staffed.teams.values())


def _manages(person: str, scopes: Collection[str], line: str, roster: Roster, now: datetime) -> bool:
    return "manager" in scopes and roster.manages(person, line, now)
