"""People: hired, in roles, away, gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import GivenId
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import etag, json_response
from belt.io.http.paging import Cursor, Limit, decode_cursor, page
from lead_gen.api.acting import acting
from lead_gen.api.bodies import AbsenceBody, HireBody, LeaveBody, RevokeBody, RoleBody
from lead_gen.api.replies import PersonShown, StaffList, StaffReply
from lead_gen.staffing import (
    CATEGORY,
    COMPANY,
    Command,
    GrantRole,
    Hire,
    Leave,
    RevokeRole,
    SetAbsence,
    Staffing,
)

WRITE, READ = "staff:write", "staff:read"


def doors(desk: Desk) -> Doors:
    doors = Doors(prefix="/v1/staff", tags=["staff"])

    async def do(request: Request, command: Command, body: Any, person: str, *, created: bool = False) -> Response:
        step = Step(CATEGORY, COMPANY, command)
        return await desk.do(request, step, body=body, reply=lambda _: {"person": person}, created=created)

    @doors.command("", WRITE, reply=StaffReply, status=201)
    async def hire(request: Request, body: HireBody) -> Response:
        """A person starts to work here. Said again it corrects name or first day."""
        act = acting(desk, request, body)
        command = Hire(body.person, body.name, body.hired_on, act.by, act.at)
        return await do(request, command, body, body.person, created=True)

    @doors.command("/{person}/roles", WRITE, reply=StaffReply)
    async def grant(request: Request, person: GivenId, body: RoleBody) -> Response:
        """A role, for a time or until further notice."""
        act = acting(desk, request, body)
        command = GrantRole(person, body.role, body.since or act.at, body.until, act.by, act.at)
        return await do(request, command, body, person)

    @doors.command("/{person}/roles/revoke", WRITE, reply=StaffReply)
    async def revoke(request: Request, person: GivenId, body: RevokeBody) -> Response:
        """The role ends."""
        act = acting(desk, request, body)
        return await do(request, RevokeRole(person, body.role, body.until or act.at, act.by, act.at), body, person)

    @doors.command("/{person}/absences", WRITE, reply=StaffReply)
    async def absence(request: Request, person: GivenId, body: AbsenceBody) -> Response:
        """Away from `since` to `until`: gets nothing new. Set again with the same `since` it replaces."""
        act = acting(desk, request, body)
        return await do(request, SetAbsence(person, body.since, body.until, act.by, act.at), body, person)

    @doors.command("/{person}/leave", WRITE, reply=StaffReply)
    async def leave(request: Request, person: GivenId, body: LeaveBody) -> Response:
        """Leaves the company at the end of the last day."""
        act = acting(desk, request, body)
        return await do(request, Leave(person, body.last_day, act.by, act.at), body, person)

    @doors.query("", READ, reply=StaffList)
    async def people(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """Everybody, by id."""
        after = decode_cursor(cursor, str)[0] if cursor is not None else ""
        staffing: Staffing = (await desk.state(CATEGORY, COMPANY)).state
        names = sorted(person for person in staffing.roster.people if person > after)[: limit + 1]
        shown, following = page(names, limit, lambda person: [person])
        named = await _may_name(desk, request, shown)
        items = [_shown(staffing, person, desk.clock.now(), named=named) for person in shown]
        return json_response({"items": items, "next": following})

    @doors.query("/{person}", READ, reply=PersonShown, versioned=True)
    async def person(request: Request, person: GivenId) -> Response:
        """One person: employments, roles, absences."""
        found = await desk.state(CATEGORY, COMPANY)
        if person not in found.state.roster.people:
            raise Refused("person.unknown", people=[person])
        named = await _may_name(desk, request, [person])
        shown = _shown(found.state, person, desk.clock.now(), named=named)
        return json_response(shown, headers={"etag": etag(found.version)})

    return doors


async def _may_name(desk: Desk, request: Request, people: Sequence[str]) -> bool:
    """Whether the reader sees names; if so, whose is written down, but for one's own."""
    subject = desk.subject(request)
    others = [person for person in people if person != subject.person]
    if subject.may("pii:read") and others:
        await desk.tell(request, "personal", *others)
    return subject.may("pii:read")


def _shown(staffing: Staffing, person: str, at: datetime, *, named: bool) -> dict[str, Any]:
    known = staffing.roster.people[person]
    return {
        "person": person,
        "name": staffing.names.get(person) if named else None,
        "active": staffing.roster.active(person, at),
        "employments": [{"first_day": e.first_day, "last_day": e.last_day} for e in known.employments],
        "roles": [{"role": role, "since": span.since, "until": span.until} for role, span in known.roles],
        "absences": [{"since": span.since, "until": span.until} for span in known.absences],
    }
