"""Meeting plans and negotiation plans: written, made ready, used, scored. What stands in them is personal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, NewId, Strict
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conversion.api.sight import Seen
from conversion.api.words import Item, Reason, Words, disclosed
from conversion.papers import meeting_plan as m
from conversion.papers import negotiation_plan as n
from conveyor_events.money import Amount

Text = Annotated[str, Field(max_length=2_000)]
Few = Field(max_length=50)
Percent = Annotated[int | None, Field(ge=0, le=100)]


class AttendeeBody(Strict):
    name: Item
    position: Item
    influence: Annotated[Reason, Field(description=", ".join(m.INFLUENCES))]
    attitude: Annotated[int, Field(ge=-2, le=2)] = 0
    interest: Text = ""


class QuestionBody(Strict):
    kind: Annotated[Reason, Field(description=", ".join(m.QUESTIONS))]
    text: Words


class OfferPointBody(Strict):
    point: Words
    need: Item


class ExpectedBody(Strict):
    objection: Words
    answer: Words


class AgendaBody(Strict):
    minutes: Annotated[int, Field(ge=1, le=1_440)]
    what: Words


class MeetingPaper(BaseBody):
    """What is wanted from a meeting. A draft may lack anything; `ready` says what it still needs."""

    plan_id: NewId = None
    goal: Text = ""
    fallback: Text = ""
    minimum_step: Text = ""
    theirs: Annotated[tuple[AttendeeBody, ...], Few] = ()
    ours: Annotated[tuple[GivenId, ...], Few] = ()
    facts: Annotated[tuple[Words, ...], Few] = ()
    questions: Annotated[tuple[QuestionBody, ...], Few] = ()
    offer_points: Annotated[tuple[OfferPointBody, ...], Few] = ()
    objections: Annotated[tuple[ExpectedBody, ...], Few] = ()
    materials: Annotated[tuple[Words, ...], Few] = ()
    agenda: Annotated[tuple[AgendaBody, ...], Few] = ()
    next_step: Text = ""

    def paper(self) -> m.Paper:
        return m.Paper(
            goal=self.goal,
            fallback=self.fallback,
            minimum_step=self.minimum_step,
            theirs=tuple(m.Attendee(**one.model_dump()) for one in self.theirs),
            ours=self.ours,
            facts=self.facts,
            questions=tuple(m.Question(one.kind, one.text) for one in self.questions),
            offer_points=tuple(m.OfferPoint(one.point, one.need) for one in self.offer_points),
            objections=tuple(m.Expected(one.objection, one.answer) for one in self.objections),
            materials=self.materials,
            agenda=tuple(m.AgendaItem(one.minutes, one.what) for one in self.agenda),
            next_step=self.next_step,
        )


class IssueBody(Strict):
    """`alternative` is what our best alternative gives on this issue: the limit is never worse."""

    name: Item
    weight: Annotated[Amount, Field(gt=0, le=100, description="all together make 100")]
    target: Amount
    opening: Amount
    limit: Amount
    their_position: Amount | None = None
    confidence: Percent = None
    alternative: Amount | None = None


class AlternativeBody(Strict):
    what: Words
    value: Amount | None = None


class GiveBody(Strict):
    give: Words
    get: Words
    order: Annotated[int, Field(ge=1, le=100)]
    cost: Amount | None = None


class NegotiationPaper(BaseBody):
    """How far we go, for what, and when we walk away."""

    plan_id: NewId = None
    issues: Annotated[tuple[IssueBody, ...], Few] = ()
    best_alternative: AlternativeBody | None = None
    their_alternative: AlternativeBody | None = None
    deadline: date | None = None
    concessions: Annotated[tuple[GiveBody, ...], Few] = ()
    red_lines: Annotated[tuple[Words, ...], Few] = ()
    roles: Annotated[tuple[Words, ...], Few] = ()
    mandate_limit: Amount | None = None
    exit_sentence: Text = ""

    def paper(self) -> n.Paper:
        ours, theirs = self.best_alternative, self.their_alternative
        return n.Paper(
            issues=tuple(n.Issue(**dict(one)) for one in self.issues),
            ours=n.Alternative(ours.what, ours.value) if ours else None,
            theirs=n.Alternative(theirs.what, theirs.value) if theirs else None,
            deadline=self.deadline,
            concessions=tuple(n.Give(one.give, one.get, one.order, one.cost) for one in self.concessions),
            red_lines=self.red_lines,
            roles=self.roles,
            mandate_limit=self.mandate_limit,
            exit_sentence=self.exit_sentence,
        )


class ScoreBody(BaseBody):
    results: Annotated[dict[Item, Amount], Field(max_length=50, description="issue: what came of it")]


class PlanReply(BaseModel):
    plan_id: str
    opportunity_id: str
    stage: str
    version: int


class ScoreReply(PlanReply):
    score: Amount


class PlanTold(PlanReply):
    client_id: str
    missing: Annotated[list[str], Field(description="what it lacks to be ready")]
    paper: Annotated[dict[str, Any] | None, Field(description="for whose client it is, with pii:read")] = None


class NegotiationPlanTold(PlanTold):
    score: Amount | None


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    _meetings(doors, desk, sights)
    _negotiations(doors, desk, sights)


def _meetings(doors: Doors, desk: Desk, sights: Seen) -> None:
    at = "/v1/meeting-plans/{plan}"

    @doors.command("/v1/opportunities/{opportunity}/meeting-plans", "deals:write", reply=PlanReply, status=201)
    async def write_meeting_plan(request: Request, opportunity: str, body: MeetingPaper) -> Response:
        """Writes a plan, or writes it anew: then it is a draft again."""
        subject, plan = desk.subject(request), body.plan_id or fresh()
        when, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(m.CATEGORY, plan, m.WriteMeetingPlan(when, by, plan, opportunity, body.paper()))
        return await desk.do(
            request,
            step,
            body=body,
            reply=_reply(m.CATEGORY, plan),
            created=True,
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command(f"{at}/ready", "deals:write", reply=PlanReply)
    async def ready_meeting_plan(request: Request, plan: str, body: BaseBody) -> Response:
        """The plan is ready: a meeting may be made with it."""
        subject = desk.subject(request)
        when, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(m.CATEGORY, plan, m.ReadyMeetingPlan(when, by))
        return await desk.do(
            request, step, body=body, reply=_reply(m.CATEGORY, plan), guard=sights.plan(request, m.CATEGORY, plan)
        )

    @doors.query(at, "deals:read", reply=PlanTold, versioned=True)
    async def get_meeting_plan(request: Request, plan: str) -> Response:
        """One meeting plan as it stands."""
        sight = await sights.of_plan(request, m.CATEGORY, plan)
        entry = await desk.state(m.CATEGORY, plan)
        state: m.MeetingPlan = entry.state
        if state.written is None:
            raise Refused("meeting-plan.unknown")
        private = sight.may("know")
        return await disclosed(desk, request, entry, _told(plan, state, state.written, private), private)


def _negotiations(doors: Doors, desk: Desk, sights: Seen) -> None:
    at = "/v1/negotiation-plans/{plan}"

    @doors.command("/v1/opportunities/{opportunity}/negotiation-plans", "deals:write", reply=PlanReply, status=201)
    async def write_negotiation_plan(request: Request, opportunity: str, body: NegotiationPaper) -> Response:
        """Writes a plan, or writes it anew: then it is a draft again."""
        subject, plan = desk.subject(request), body.plan_id or fresh()
        when, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(n.CATEGORY, plan, n.WriteNegotiationPlan(when, by, plan, opportunity, body.paper()))
        return await desk.do(
            request,
            step,
            body=body,
            reply=_reply(n.CATEGORY, plan),
            created=True,
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command(f"{at}/ready", "deals:write", reply=PlanReply)
    async def ready_negotiation_plan(request: Request, plan: str, body: BaseBody) -> Response:
        """The plan is ready: a negotiation may begin with it."""
        subject = desk.subject(request)
        when, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(n.CATEGORY, plan, n.ReadyNegotiationPlan(when, by))
        return await desk.do(
            request, step, body=body, reply=_reply(n.CATEGORY, plan), guard=sights.plan(request, n.CATEGORY, plan)
        )

    @doors.command(f"{at}/score", "deals:write", reply=ScoreReply)
    async def score_negotiation(request: Request, plan: str, body: ScoreBody) -> Response:
        """What came of each issue; 100.00 is every target reached, 0.00 every limit."""
        subject = desk.subject(request)
        when, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(n.CATEGORY, plan, n.ScoreNegotiation(when, by, body.results))
        return await desk.do(
            request, step, body=body, reply=_reply(n.CATEGORY, plan), guard=sights.plan(request, n.CATEGORY, plan)
        )

    @doors.query(at, "deals:read", reply=NegotiationPlanTold, versioned=True)
    async def get_negotiation_plan(request: Request, plan: str) -> Response:
        """One negotiation plan as it stands."""
        sight = await sights.of_plan(request, n.CATEGORY, plan)
        entry = await desk.state(n.CATEGORY, plan)
        state: n.NegotiationPlan = entry.state
        if state.written is None:
            raise Refused("negotiation-plan.unknown")
        private = sight.may("know")
        told = _told(plan, state, state.written, private) | {"score": _score(state)}
        return await disclosed(desk, request, entry, told, private)


def _score(state: n.NegotiationPlan) -> Decimal | None:
    return state.scored.score if state.scored else None


def _reply(category: str, plan: str) -> Any:
    def reply(outcome: Outcome) -> dict[str, Any]:
        state: m.MeetingPlan | n.NegotiationPlan = outcome.state(f"{category}-{plan}")
        told = {"plan_id": plan, "opportunity_id": state.opportunity, "stage": state.stage}
        scored = _score(state) if isinstance(state, n.NegotiationPlan) else None
        return told | ({"score": str(scored)} if scored is not None else {})

    return reply


def _told(
    plan: str,
    state: m.MeetingPlan | n.NegotiationPlan,
    written: m.MeetingPlanWritten | n.NegotiationPlanWritten,
    private: bool,
) -> dict[str, Any]:
    return {
        "plan_id": plan,
        "opportunity_id": written.opportunity,
        "client_id": written.client,
        "stage": state.stage,
        "missing": list(state.paper.missing),
        "paper": asdict(written.paper) if private and written.paper is not None else None,
    }
