"""Opportunities: opened, listed, shown, lost."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from belt.core.decider import Step
from belt.io.http.body import BaseBody, GivenId, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conversion.api.shown import OpportunityTold, opportunity_shown
from conversion.api.sight import Seen
from conversion.api.words import Counts, Filter, Item, Reason, counted, disclosed, listed
from conversion.opportunity import (
    CATEGORY,
    LOST_REASONS,
    LoseOpportunity,
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

    opportunity_id: NewId = None
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
        return await disclosed(desk, request, entry, opportunity_shown(entry.state, private=private), private)

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
