"""Plans and who is paid by them: drafts, approvals, assignments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, Strict, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit, cut
from compensation.api.replies import AssignmentReply, LintReply, PlanList, PlanReply
from compensation.api.shown import PAY
from compensation.api.sight import Sights
from compensation.approval import Approve, Draft, Lint, standing
from compensation.assignment import Assign
from compensation.clerk.cases import Cases
from compensation.documents import FaultyDocument
from compensation.lint import Finding, blocking, fitting, lint, meet
from compensation.months import Month
from compensation.office import ledger
from compensation.office.views import SIMULATIONS
from compensation.plan import Plan, parse
from compensation.views import PLANS
from compensation.whatif import document_digest
from conveyor_events.words import VARIANTS


class PlanBody(Strict):
    """A plan document (docs/plans.md), amounts as strings. Its faults are told with their paths."""

    model_config = ConfigDict(extra="allow")


class ApproveBody(BaseBody):
    """Nothing to say but yes."""


class LintBody(BaseBody):
    """`variant`: default is the first one the plan is written for."""

    variant: GivenId | None = None
    accept_within_hours: Annotated[int | None, Field(ge=0, description="how long an offer waits for its answer")] = None


class AssignBody(BaseBody):
    """Puts a person on an approved plan, on one line or on all; `since` and `until` are working days, both included.

    In one role, a day on a line is paid by one assignment: who changes plan ends one, and begins another a day later.
    What was said by mistake is said again with an `until` before its `since`: it was never so.
    """

    model_config = example(person="ben", plan="ref-hunter", role="hunter", since="2026-01-01")

    person: GivenId
    plan: GivenId
    role: str
    since: date
    until: date | None = None
    line: GivenId | None = None


def add(doors: Doors, desk: Desk, cases: Cases, sights: Sights) -> None:
    _assign(doors, desk)

    @doors.command("/v1/plans", "plans:write", reply=PlanReply, status=201)
    async def draft(request: Request, body: PlanBody) -> Response:
        """Drafts a version of a plan. An approved version never changes."""
        document = body.model_dump_json()
        try:
            plan = parse(document)
        except FaultyDocument as faulty:
            errors = [
                {"pointer": "/" + fault.path.replace(".", "/"), "detail": fault.message} for fault in faulty.faults
            ]
            raise Refused("plan.invalid", errors=errors) from None
        command = Draft(
            plan.plan,
            plan.version,
            plan.role,
            plan.currency,
            plan.effective_from,
            document,
            desk.subject(request).person,
            desk.clock.now(),
            desk.settings.zone,
        )
        return await desk.do(
            request,
            Step("plan", plan.plan, command),
            body=body,
            created=True,
            reply=lambda o: {
                "plan": plan.plan,
                "number": plan.version,
                "stage": o.state(f"plan-{plan.plan}").versions[plan.version].stage,
            },
        )

    @doors.command("/v1/plans/{plan}/versions/{number}/lint", "plans:write", "plans:approve", reply=LintReply)
    async def linted(request: Request, plan: str, number: str, body: LintBody) -> Response:
        """What in the version sets roles against each other, beside the plans in force for the others."""
        if not number.isdigit():
            raise Refused("plan.unknown", plan=plan)
        this, others = await _beside(desk, plan, int(number))
        variant = body.variant or next(iter(fitting(this)), None)
        if variant is not None and variant not in VARIANTS:
            raise Refused("variant.unknown", variant=variant, known=sorted(VARIANTS))
        found: tuple[Finding, ...] = ()
        if variant is not None:
            found = tuple(lint([*others, this], variant, body.accept_within_hours, await cases.all()))
        by = desk.who(desk.subject(request), body.by)
        step = Step("plan", plan, Lint(plan, int(number), found, by, desk.clock.now()))
        shown = [asdict(finding) for finding in found]
        told = {"plan": plan, "number": int(number), "stage": "linted", "variant": variant, "findings": shown}
        return await desk.do(request, step, body=body, reply=lambda _: told)

    @doors.command("/v1/plans/{plan}/versions/{number}/approve", "plans:approve", reply=PlanReply)
    async def approve(request: Request, plan: str, number: str, body: ApproveBody) -> Response:
        """Approves a draft that somebody else wrote; from its effective date on it is in force."""
        if not number.isdigit():
            raise Refused("plan.unknown", plan=plan)
        by = desk.who(desk.subject(request), body.by)
        found = tuple(blocking(*await _beside(desk, plan, int(number))))
        now = desk.clock.now()
        last = (await desk.state(ledger.CATEGORY, ledger.COMPANY)).state.last
        closed_through = Month.parse(last.period).last_day if last is not None else None
        seen = await _simulated(desk, plan, int(number))
        step = Step("plan", plan, Approve(plan, int(number), by, now, found, closed_through, seen, desk.settings.zone))
        return await desk.do(
            request, step, body=body, reply=lambda _: {"plan": plan, "number": int(number), "stage": "approved"}
        )

    @doors.query("/v1/plans", "plans:write", "plans:approve", *PAY, reply=PlanList)
    async def listed(request: Request, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """Plans with their versions; to who is paid by a plan, or leads who is, its approved versions are shown."""
        sight = await sights.of(request)
        rows = await desk.rows(select(PLANS))
        today = desk.clock.now().astimezone(ZoneInfo(desk.settings.zone)).date()
        everybody = await sight.assignments()
        await sight.read()
        seen = [shown for row in rows if (shown := sight.plan(_standing(row, today), everybody)) is not None]
        items, following = cut(seen, limit, cursor, lambda plan: (plan["plan"],), str)
        return {"items": items, "next": following}


def _standing(row: Mapping[Any, Any], today: date) -> dict[str, Any]:
    """The plan with the stages of today: active, or superseded."""
    versions = [(v["version"], v["stage"], date.fromisoformat(v["effective_from"])) for v in row["versions"]]
    stands = standing(versions, today)
    return {**row, "versions": [v | {"stage": stands[v["version"]]} for v in row["versions"]]}


async def _simulated(desk: Desk, plan: str, number: int) -> bool:
    """Whether a finished simulation had this very document in it."""
    written = (await desk.state("plan", plan)).state.versions.get(number)
    if written is None:
        return False
    s = SIMULATIONS.c
    mine = s.documents.contains([document_digest(written.drafted.document)])
    return bool(await desk.rows(select(s.simulation_id).where(s.stage == "done", mine).limit(1)))


def _assign(doors: Doors, desk: Desk) -> None:
    @doors.command("/v1/assignments", "assignments:write", reply=AssignmentReply, status=201)
    async def assign(request: Request, body: AssignBody) -> Response:
        """Puts a person on a plan, or moves the end of that."""
        by = desk.who(desk.subject(request), body.by)
        command = Assign(body.person, body.plan, body.role, body.since, by, desk.clock.now(), body.until, body.line)
        return await desk.do(
            request,
            Step("assignment", body.person, command),
            body=body,
            created=True,
            reply=lambda _: body.model_dump(mode="json", include={"person", "plan", "role", "line", "since", "until"}),
        )


async def _beside(desk: Desk, plan: str, number: int) -> tuple[Plan, list[Plan]]:
    """The version, and what is in force for the other roles of the lines it can stand on."""
    rows = await desk.rows(select(PLANS))
    of_plan = next((row["versions"] for row in rows if row["plan"] == plan), ())
    text = next((version["document"] for version in of_plan if version["version"] == number), None)
    if text is None:
        raise Refused("plan.unknown", plan=plan, version=number)
    this = parse(json.loads(text))
    approved = [[v for v in row["versions"] if v["stage"] == "approved"] for row in rows if row["plan"] != plan]
    others = [parse(json.loads(versions[-1]["document"])) for versions in approved if versions]
    return this, [other for other in others if other.role != this.role and meet(this, other)]
