"""Objections, negotiation, concessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field

from belt.core.decider import Step
from belt.io.http.body import BaseBody, GivenId, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.ids import fresh
from conversion.api.opportunities import OpportunityReply, replied
from conversion.api.sight import Seen
from conversion.api.words import Item, Reason, Words
from conversion.opportunity import (
    CATEGORY,
    OBJECTIONS,
    RESULTS,
    AnswerObjection,
    MakeConcession,
    RaiseObjection,
    StartNegotiation,
)
from conveyor_events.money import Amount


class ObjectionBody(BaseBody):
    model_config = example(kind="price", words="too dear")

    objection_id: NewId = None
    kind: Annotated[Reason, Field(description=", ".join(OBJECTIONS))]
    words: Annotated[Words | None, Field(description="as it was said; kept sealed")] = None


class AnswerBody(BaseBody):
    model_config = example(technique="compare the cost of a year", result="resolved")

    technique: Annotated[Item, Field(description="how it was answered")]
    result: Annotated[Reason, Field(description=", ".join(RESULTS))]


class NegotiationBody(BaseBody):
    plan_id: Annotated[GivenId | None, Field(description="needed above the limit of the line")] = None


class ConcessionBody(BaseBody):
    """Nothing is given for nothing."""

    model_config = example(item="free delivery", in_return_for="payment in advance", value="80.00")

    concession_id: NewId = None
    item: Annotated[Words, Field(description="what was given; kept sealed")]
    in_return_for: Annotated[Words, Field(description="what came back; kept sealed")]
    value: Annotated[Annotated[Amount, Field(ge=0)] | None, Field(description="what it costs us")] = None


class ObjectionReply(OpportunityReply):
    objection_id: str


class ConcessionReply(OpportunityReply):
    concession_id: str


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    def step(request: Request, opportunity: str, body: BaseBody, command: Any, *rest: Any) -> Step:
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        return Step(CATEGORY, opportunity, command(at, by, *rest))

    @doors.command("/v1/opportunities/{opportunity}/objections", "deals:write", reply=ObjectionReply, status=201)
    async def raise_objection(request: Request, opportunity: str, body: ObjectionBody) -> Response:
        """The client objects."""
        name = body.objection_id or fresh()
        raised = step(request, opportunity, body, RaiseObjection, name, body.kind, body.words)
        return await desk.do(
            request,
            raised,
            body=body,
            reply=replied(opportunity, objection_id=name),
            created=True,
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command("/v1/opportunities/{opportunity}/objections/{objection}/answer", "deals:write", reply=ObjectionReply)
    async def answer_objection(request: Request, opportunity: str, objection: str, body: AnswerBody) -> Response:
        """How an objection was answered, and what came of it. The last answer stands."""
        answered = step(request, opportunity, body, AnswerObjection, objection, body.technique, body.result)
        return await desk.do(
            request,
            answered,
            body=body,
            reply=replied(opportunity, objection_id=objection),
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command("/v1/opportunities/{opportunity}/negotiation", "deals:write", reply=OpportunityReply)
    async def start_negotiation(request: Request, opportunity: str, body: NegotiationBody) -> Response:
        """The proposal is bargained about."""
        begun = step(request, opportunity, body, StartNegotiation, body.plan_id)
        return await desk.do(
            request, begun, body=body, reply=replied(opportunity), guard=sights.opportunity(request, opportunity)
        )

    @doors.command("/v1/opportunities/{opportunity}/concessions", "deals:write", reply=ConcessionReply, status=201)
    async def concede(request: Request, opportunity: str, body: ConcessionBody) -> Response:
        """Something is given for something."""
        name = body.concession_id or fresh()
        given = step(request, opportunity, body, MakeConcession, name, body.item, body.in_return_for, body.value)
        return await desk.do(
            request,
            given,
            body=body,
            reply=replied(opportunity, concession_id=name),
            created=True,
            guard=sights.opportunity(request, opportunity),
        )
