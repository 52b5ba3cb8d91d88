"""Opportunities: opened, listed, shown, lost."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from belt.core.decider import Refused, Step
from belt.io.body import BaseBody, GivenId
from belt.io.desk import Desk
from belt.io.doors import Doors
from belt.io.ids import fresh
from belt.io.paging import Cursor, Limit
from belt.io.unit import Outcome
from conversion.api.words import Filter, Holder, Item, LineTold, Reason, lines_told, listed, shown
from conversion.opportunity import (
    CATEGORY,
    LOST_REASONS,
    LoseOpportunity,
    Meeting,
    OpenOpportunity,
    Opportunity,
)
from conversion.views import OPPORTUNITIES_TABLE
from conveyor_events.money import Amount


class OpenBody(BaseBody):
    """A hunter's own find; an accepted lead opens its opportunity by itself."""

    opportunity_id: GivenId | None = None
    client_id: GivenId
    line: GivenId
    need_ids: Annotated[tuple[Item, ...], Field(max_length=20)] = ()


class LoseBody(BaseBody):
    reason: Annotated[Reason, Field(description=", ".join(LOST_REASONS))]


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
    objective_met: Annotated[str | None, Field(description="none: planned")]
    facts: Annotated[list[str] | None, Field(description="with the scope pii:read")] = None
    next_step: Annotated[NextStepTold | None, Field(description="with the scope pii:read")] = None


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
    meetings: list[MeetingTold]
    proposals: Annotated[list[ProposalTold], Field(description="the latest revision of each")]
    deal_id: str | None
    lost: Annotated[str | None, Field(description="the reason")]
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
    version: int


class OpportunityList(BaseModel):
    items: list[OpportunityRow]
    next: str | None


def doors(doors: Doors, desk: Desk) -> None:
    @doors.query("/v1/opportunities", "deals:read", reply=OpportunityList)
    async def list_opportunities(
        line: Filter = None,
        converted_by: Filter = None,
        stage: Filter = None,
        client: Filter = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Opportunities by id; of a line, of a hunter, in a stage, of a client."""
        of = OPPORTUNITIES_TABLE.c
        filters = [(of.line, line), (of.converted_by, converted_by), (of.stage, stage), (of.client_id, client)]
        return await listed(desk, OPPORTUNITIES_TABLE, of.opportunity_id, limit, cursor, filters)

    @doors.query("/v1/opportunities/{opportunity}", "deals:read", reply=OpportunityTold)
    async def get_opportunity(request: Request, opportunity: str) -> Response:
        """One opportunity as it stands."""
        entry = await desk.state(CATEGORY, opportunity)
        return shown(entry, _told(entry.state, private=desk.subject(request).may("pii:read")))

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
        return await desk.do(request, step, body=body, reply=replied(opportunity))


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
        "meetings": [_meeting(meeting, private=private) for meeting in opportunity.meetings],
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
    }


def _meeting(meeting: Meeting, *, private: bool) -> dict[str, Any]:
    told = {
        "meeting_id": meeting.meeting,
        "starts_at": meeting.starts_at,
        "objective_met": meeting.objective_met,
    }
    if not private:
        return told
    step = meeting.next_step
    next_step = {"what": step.what, "who": step.who, "by": step.by} if step else None
    return {**told, "facts": list(meeting.facts), "next_step": next_step}
