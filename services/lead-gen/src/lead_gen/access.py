"""Who may see and do what at this station: one question, `authorize(reader, action, thing, roster, now)`.

The scopes of a token open the door; behind it every door and list asks here. Being forbidden looks like not being there
(404). Whoever sees a prospect may ask to work on it: whose seat that takes, the stream decides (403, `…not-yours`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from belt.core.subject import Subject
from conveyor_events.nearness import Matter, Near, nearness
from conveyor_events.roster import Roster
from conveyor_events.staff import LineStaffed
from conveyor_events.words import Role, Station
from lead_gen.prospect.state import Prospect, Stage

Action = Literal["see", "work", "know", "staff"]
"""see: that the client is there, and how far it is. work: send a command. know: names, phones, notes. staff: say who
works on a line."""


@dataclass(frozen=True)
class Staffed:
    """A line as something that can be staffed; until somebody manages it, anybody who may staff at all can.

    `people`: who shall stand in its teams from `since` on.
    """

    line: str
    since: datetime
    people: frozenset[str]


Thing = Matter | Staffed


def authorize(reader: Subject, action: Action, thing: Thing, roster: Roster, now: datetime) -> bool:
    """Whether the reader may do this with that."""
    match action, thing:
        case "see" | "work", Matter():
            return nearness(reader.person, reader.scopes, thing, roster, now) >= Near.PEER
        case "know", Matter():
            return reader.may("pii:read") and nearness(reader.person, reader.scopes, thing, roster, now) is Near.OWN
        case "staff", Staffed(line):
            if reader.may("act_for"):
                return True
            # Who could staff a line that others manage would make themselves its manager, and see its clients and pay.
            staffed = roster.line(line, now) or next(iter(roster.lines.get(line, ())), None)
            managers = staffed.managers if staffed is not None else []
            manages = reader.person in managers and roster.holds(reader.person, Role.MANAGER, now)
            return (manages or not managers) and not _led_by_others(reader.person, thing, roster)
        case _:
            return False


def _led_by_others(reader: str, thing: Staffed, roster: Roster) -> bool:
    """Whether somebody is taken into a team who stands in one that others manage: their pay would be seen at once."""
    before = roster.line(thing.line, thing.since)
    taken = thing.people - (_team(before) if before is not None else frozenset())
    return any(
        taken & _team(staffed)
        for line, staffings in roster.lines.items()
        if line != thing.line
        for staffed, later in zip(staffings, [*staffings[1:], None], strict=True)
        if (later is None or thing.since < later.since) and staffed.managers and reader not in staffed.managers
    )


def _team(staffed: LineStaffed) -> frozenset[str]:
    return frozenset(member for team in staffed.teams.values() for member in team.members)


def matter(prospect: Prospect, roster: Roster, now: datetime) -> Matter | None:
    """A prospect: whose it is, and who is offered it. An offer in the queue is the whole receiving team's."""
    if prospect.stage is Stage.NONE:
        return None
    people = {prospect.sourced_by.person, prospect.keeper.person}
    if prospect.offer is not None:
        asked = prospect.offer.to
        people |= {asked.person} if asked else set(roster.members(prospect.line, Station.CONVERSION, now))
    return Matter(prospect.line, frozenset(people))


ASKED: Mapping[str, tuple[str, str]] = {
    # door: what is asked, of which kind of thing. company: the scopes alone decide. line: its stream decides, openly.
    "POST /v1/staff": ("-", "company"),
    "POST /v1/staff/{person}/roles": ("-", "company"),
    "POST /v1/staff/{person}/roles/revoke": ("-", "company"),
    "POST /v1/staff/{person}/absences": ("-", "company"),
    "POST /v1/staff/{person}/leave": ("-", "company"),
    "GET /v1/staff": ("-", "company"),
    "GET /v1/staff/{person}": ("-", "company"),
    "POST /v1/lines/{line}/staffing": ("staff", "staffing"),
    "GET /v1/lines": ("-", "company"),
    "GET /v1/lines/{line}/staffing": ("-", "company"),
    "GET /v1/prospects": ("see", "prospects"),
    "GET /v1/prospects/calls": ("see", "prospects"),
    "GET /v1/prospects/counts": ("see", "prospects"),
    "GET /v1/prospects/{client}": ("see", "prospect"),
    "POST /v1/prospects": ("-", "line"),
    "POST /v1/prospects/bulk": ("-", "line"),
    "POST /v1/prospects/{client}/verify": ("work", "prospect"),
    "POST /v1/prospects/{client}/calls": ("work", "prospect"),
    "POST /v1/prospects/{client}/gatekeepers": ("work", "prospect"),
    "POST /v1/prospects/{client}/contacts": ("work", "prospect"),
    "POST /v1/prospects/{client}/needs": ("work", "prospect"),
    "POST /v1/prospects/{client}/offer": ("work", "prospect"),
    "POST /v1/prospects/{client}/withdraw": ("work", "prospect"),
    "POST /v1/prospects/{client}/invalidate": ("work", "prospect"),
    "POST /v1/prospects/{client}/claim": ("work", "prospect"),
    "POST /v1/prospects/{client}/park": ("work", "prospect"),
    "POST /v1/prospects/{client}/resume": ("work", "prospect"),
    "POST /v1/prospects/{client}/forbid-contact": ("work", "prospect"),
    "POST /v1/prospects/{client}/reassign": ("work", "prospect"),
    "POST /v1/prospects/{client}/merge": ("work", "prospect"),
    "POST /v1/prospects/{client}/erase": ("work", "prospect"),
    "POST /v1/prospects/{client}/migrate": ("work", "prospect"),
    "GET /v1/offers/{offer}/dossier": ("know", "prospect"),
    "POST /v1/competitors": ("-", "company"),
    "POST /v1/competitors/{card}/claims": ("-", "company"),
    "POST /v1/competitors/{card}/claims/{claim}/drop": ("-", "company"),
    "POST /v1/competitors/{card}/publish": ("-", "company"),
    "POST /v1/competitors/{card}/retire": ("-", "company"),
    "GET /v1/competitors": ("-", "company"),
    "GET /v1/competitors/{card}": ("-", "company"),
    "GET /v1/waiting": ("-", "company"),
}
