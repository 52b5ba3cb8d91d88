"""Lines: variant, teams, managers and rules, by date."""

from __future__ import annotations

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
from conveyor_events.roster import Roster
from conveyor_events.staff import Policy, StationTeam
from conveyor_events.words import instant_text
from lead_gen.api.acting import acting
from lead_gen.api.bodies import StaffingBody
from lead_gen.api.replies import LineList, LineReply, LineShown
from lead_gen.api.sight import Seen, staffed
from lead_gen.staffing import CATEGORY, COMPANY, StaffLine

WRITE, READ = "staff:write", "staff:read"


def doors(desk: Desk, sights: Seen) -> Doors:
    doors = Doors(prefix="/v1/lines", tags=["staff"])

    @doors.command("/{line}/staffing", WRITE, reply=LineReply, status=201)
    async def staff_line(request: Request, line: GivenId, body: StaffingBody) -> Response:
        """From `since` on the line works like this. Journeys that have begun keep their variant."""
        act = acting(desk, request, body)
        since = body.since or act.at
        command = StaffLine(
            line=line,
            variant=body.variant,
            since=since,
            zone=body.zone,
            currency=body.currency,
            teams={name: StationTeam(team=team.team, members=team.members) for name, team in body.teams.items()},
            managers=tuple(body.managers),
            policy=Policy.model_validate(body.policy.model_dump()),
            by=act.by,
            at=act.at,
        )
        step = Step(CATEGORY, COMPANY, command)
        people = (member for team in body.teams.values() for member in team.members)
        guard = sights.guard(request, "staff", staffed(line, since, people), "line.not-yours")
        told = {"line": line, "since": instant_text(since)}
        return await desk.do(request, step, body=body, reply=lambda _: told, created=True, guard=guard)

    @doors.query("", READ, reply=LineList)
    async def lines(limit: Limit = 50, cursor: Cursor = None) -> Response:
        """Every line, by id: how it is staffed now, before, and from when on differently."""
        after = decode_cursor(cursor, str)[0] if cursor is not None else ""
        roster: Roster = (await desk.state(CATEGORY, COMPANY)).state.roster
        names = sorted(line for line in roster.lines if line > after)[: limit + 1]
        shown, following = page(names, limit, lambda line: [line])
        items = [_shown(roster, line, desk.clock.now()) for line in shown]
        return json_response({"items": items, "next": following})

    @doors.query("/{line}/staffing", READ, reply=LineShown, versioned=True)
    async def staffing(line: GivenId) -> Response:
        """How one line is staffed."""
        found = await desk.state(CATEGORY, COMPANY)
        if line not in found.state.roster.lines:
            raise Refused("line.unknown", line=line)
        shown = _shown(found.state.roster, line, desk.clock.now())
        return json_response(shown, headers={"etag": etag(found.version)})

    return doors


def _shown(roster: Roster, line: str, at: datetime) -> dict[str, Any]:
    return {"line": line, "current": roster.line(line, at), "staffings": list(roster.lines[line])}
