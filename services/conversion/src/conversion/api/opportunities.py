"""Opportunities: opened, listed, shown, lost."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conversion.api.sight import Seen
from conversion.api.words import Counts, Filter, Holder, Item, LineTold, Reason, counted, disclosed, lines_told, listed
from conversion.opportunity import (
    CATEGORY,
    LOST_REASONS,
    LoseOpportunity,
    Meeting,
    OpenOpportunity,
    Opportunity,
    RecycleOpportunity,
    ReopenOpportunity,
)
from conversion.views import OPPORTUNITIES_TABLE
from conveyor_events.money import Amount
from conveyor_events.words import Instant


class OpenBody(BaseBody):
    """A hunter's own find; an accepted lead opens its opportunity by itself."""

    model_config = example(client_id="drillworks", line="north")

    opportunity_id: GivenId | None = None
    client_id: GivenId
    line: GivenId
    need_ids: Annotated[tuple[Item, ...], Field(max_length=20)] = ()


class LoseBody(BaseBody):
    model_config = example(reason="competitor")

    reason: Annotated[Reason, Field(description=", ".join(LOST_REASONS))]


class RecycleBody(BaseBody):
    model_config = example(reason="timing", not_before="2027-01-04T08:00:00Z")

    reason: Annotated[Reason, Field(description=", ".join(LOST_REASONS))]
    not_before: Annotated[Instant | None, Field(description="lead generation calls again not before")] = None


class OpportunityReply(BaseModel):
    opportunity_id: str
    client_id: str
    stage: str
    version: int


class NextStepTold(BaseModel):
    what: str
    who: str
    by: date | None


class MeetingTold(BaseModel):
    meeting_id: str
    starts_at: datetime
    plan_id: str | None
    objective_met: Annotated[str | None, Field(description="none: planned")]
    facts: Annotated[list[str] | None, Field(description="for whose client it is, with pii:read")] = None
    next_step: Annotated[NextStepTold | None, Field(description="for whose client it is, with pii:read")] = None
    answers: Annotated[list[str] | None, Field(description="for whose client it is, with pii:read")] = None
    surprises: Annotated[list[str] | None, Field(description="for whose client it is, with pii:read")] = None


class PresentationTold(BaseModel):
    presentation_id: str
    given_at: datetime
    need_ids: list[str]
    note: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None


class ObjectionTold(BaseModel):
    objection_id: str
    kind: str
    technique: str | None
    result: str
    words: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None


class ConcessionTold(BaseModel):
    concession_id: str
    value: Amount | None
    item: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None
    in_return_for: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None


class ProposalTold(BaseModel):
    proposal_id: str
    revision: int
    sent_at: datetime
    lines: list[LineTold]
    net: Amount
    tax: Amount
    currency: str
    valid_until: date | None


class OpportunityTold(BaseModel):
    opportunity_id: str
    client_id: str
    journey_id: str
    variant: str
    line: str
    need_ids: list[str]
    stage: str
    sourced_by: Holder
    converted_by: Holder
    opened_at: datetime
    first_touch_due_at: datetime | None
    touched_at: datetime | None
    touch_missed: bool
    active_at: datetime
    stalled: bool
    meetings: list[MeetingTold]
    presentations: list[PresentationTold]
    objections: list[ObjectionTold]
    concessions: list[ConcessionTold]
    negotiation_plan_id: str | None
    proposals: Annotated[list[ProposalTold], Field(description="the latest revision of each")]
    deal_id: str | None
    lost: Annotated[str | None, Field(description="the reason")]
    not_before: Annotated[datetime | None, Field(description="recycled: not to be called before")]
    version: int


class OpportunityRow(BaseModel):
    opportunity_id: str
    client_id: str
    line: str
    stage: str
    sourced_by: str
    converted_by: str
    opened_at: datetime
    meetings: int
    net: Amount | None
    currency: str | None
    deal_id: str | None
    reason: str | None
    touched_at: datetime | None
    active_at: datetime
    stalled: bool
    not_before: datetime | None
    version: int


class OpportunityList(BaseModel):
    items: list[OpportunityRow]
    next: str | None


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.query("/v1/opportunities", "deals:read", reply=OpportunityList)
    async def list_opportunities(
        request: Request,
        line: Filter = None,
        converted_by: Filter = None,
        stage: Filter = None,
        client: Filter = None,
        stalled: bool | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Opportunities by id; of a line, of a hunter, in a stage, of a client, stalled or not."""
        of = OPPORTUNITIES_TABLE.c
        filters = [
            (of.line, line),
            (of.converted_by, converted_by),
            (of.stage, stage),
            (of.client_id, client),
            (of.stalled, stalled),
        ]
        return await listed(
            desk,
            OPPORTUNITIES_TABLE,
            of.opportunity_id,
            limit,
            cursor,
            filters,
            await sights.rows(request, OPPORTUNITIES_TABLE),
        )

    @doors.query("/v1/opportunity-counts", "deals:read", reply=Counts)
    async def count_opportunities(
        request: Request, line: Filter = None, converted_by: Filter = None, stalled: bool | None = None
    ) -> Response:
        """How many opportunities stand in each stage; of a line, of a hunter, stalled or not."""
        of = OPPORTUNITIES_TABLE.c
        filters = [(of.line, line), (of.converted_by, converted_by), (of.stalled, stalled)]
        return await counted(desk, of.stage, filters, await sights.rows(request, OPPORTUNITIES_TABLE))

    @doors.query("/v1/opportunities/{opportunity}", "deals:read", reply=OpportunityTold, versioned=True)
    async def get_opportunity(request: Request, opportunity: str) -> Response:
        """One opportunity as it stands."""
        sight = await sights.of_opportunity(request, opportunity)
        entry = await desk.state(CATEGORY, opportunity)
        private = sight.may("know")
        return await disclosed(desk, request, entry, _told(entry.state, private=private), private)

    @doors.command("/v1/opportunities", "deals:write", reply=OpportunityReply, status=201)
    async def open_opportunity(request: Request, body: OpenBody) -> Response:
        """Opens an opportunity that no lead led to."""
        subject = desk.subject(request)
        opportunity = body.opportunity_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        command = OpenOpportunity(at, by, opportunity, body.client_id, body.line, body.need_ids)
        step = Step(CATEGORY, opportunity, command)
        return await desk.do(request, step, body=body, reply=replied(opportunity), created=True)

    @doors.command("/v1/opportunities/{opportunity}/lose", "deals:write", reply=OpportunityReply)
    async def lose_opportunity(request: Request, opportunity: str, body: LoseBody) -> Response:
        """The chance to sell is gone."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, opportunity, LoseOpportunity(at, by, body.reason))
        return await desk.do(
            request, step, body=body, reply=replied(opportunity), guard=sights.opportunity(request, opportunity)
        )

    @doors.command("/v1/opportunities/{opportunity}/reopen", "deals:write", reply=OpportunityReply)
    async def reopen_opportunity(request: Request, opportunity: str, body: BaseBody) -> Response:
        """A lost opportunity goes on where it stood."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, opportunity, ReopenOpportunity(at, by))
        return await desk.do(
            request, step, body=body, reply=replied(opportunity), guard=sights.opportunity(request, opportunity)
        )

    @doors.command("/v1/opportunities/{opportunity}/recycle", "deals:write", reply=OpportunityReply)
    async def recycle_opportunity(request: Request, opportunity: str, body: RecycleBody) -> Response:
        """A lost client goes back to lead generation."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, opportunity, RecycleOpportunity(at, by, body.reason, body.not_before))
        return await desk.do(
            request, step, body=body, reply=replied(opportunity), guard=sights.opportunity(request, opportunity)
        )


def replied(opportunity: str, **ids: Any) -> Any:
    """The answer to a command on an opportunity."""

    def reply(outcome: Outcome) -> dict[str, Any]:
        state: Opportunity = outcome.state(f"{CATEGORY}-{opportunity}")
        client = state.opened.client if state.opened else None
        return {"opportunity_id": opportunity, "client_id": client, "stage": state.stage.value, **ids}

    return reply


def _told(opportunity: Opportunity, *, private: bool) -> dict[str, Any]:
    opened = opportunity.opened
    if opened is None:
        raise Refused("opportunity.unknown")
    return {
        "opportunity_id": opened.opportunity,
        "client_id": opened.client,
        "journey_id": opened.journey,
        "variant": opened.variant,
        "line": opened.line,
        "need_ids": opened.needs,
        "stage": opportunity.stage,
        "sourced_by": opened.sourced_by,
        "converted_by": opened.converted_by,
        "opened_at": opened.at,
        "first_touch_due_at": opened.first_touch_due_at,
        "touched_at": opportunity.touched_at,
        "touch_missed": opportunity.touch_missed,
        "active_at": opportunity.active_at,
        "stalled": opportunity.stalled,
        "meetings": [_meeting(meeting, private=private) for meeting in opportunity.meetings],
        "presentations": [
            {"presentation_id": one.presentation, "given_at": one.at, "need_ids": list(one.needs)}
            | ({"note": one.note} if private else {})
            for one in opportunity.presentations
        ],
        "objections": [
            {"objection_id": one.objection, "kind": one.kind, "technique": one.technique, "result": one.result}
            | ({"words": one.words} if private else {})
            for one in opportunity.objections
        ],
        "concessions": [
            {"concession_id": one.concession, "value": one.value}
            | ({"item": one.item, "in_return_for": one.in_return_for} if private else {})
            for one in opportunity.concessions
        ],
        "negotiation_plan_id": opportunity.negotiation.plan if opportunity.negotiation else None,
        "proposals": [
            {
                "proposal_id": sent.proposal,
                "revision": sent.revision,
                "sent_at": sent.at,
                "lines": lines_told(sent.lines),
                "net": sent.net,
                "tax": sent.tax,
                "currency": sent.currency,
                "valid_until": sent.valid_until,
            }
            for sent in opportunity.proposals
        ],
        "deal_id": opportunity.closed.deal if opportunity.closed else None,
        "lost": opportunity.lost.reason if opportunity.lost else None,
        "not_before": opportunity.recycled.not_before if opportunity.recycled else None,
    }


def _meeting(meeting: Meeting, *, private: bool) -> dict[str, Any]:
    told = {
        "meeting_id": meeting.meeting,
        "starts_at": meeting.starts_at,
        "plan_id": meeting.plan,
        "objective_met": meeting.objective_met,
    }
    if not private:
        return told
    step = meeting.next_step
    next_step = {"what": step.what, "who": step.who, "by": step.by} if step else None
    said = {"facts": list(meeting.facts), "answers": list(meeting.answers), "surprises": list(meeting.surprises)}
    return {**told, **said, "next_step": next_step}
