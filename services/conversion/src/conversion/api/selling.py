"""Work on an opportunity: meetings, proposals, and the deal."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self

from fastapi import Request, Response
from pydantic import Field, model_validator

from belt.core.decider import Step
from belt.core.ids import derived
from belt.io.http.body import BaseBody, GivenId, NewId, Strict, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conversion.api.opportunities import OpportunityReply, replied
from conversion.api.sight import Seen
from conversion.api.words import Code, Currency, InstalmentBody, Item, LineBody, Reason, SplitBody, Words
from conversion.opportunity import (
    CATEGORY,
    CHANNELS,
    OBJECTIVES,
    CancelMeeting,
    CloseDeal,
    NextStep,
    Opportunity,
    RecordMeeting,
    RecordPresentation,
    ScheduleMeeting,
    SendProposal,
    TouchClient,
)
from conveyor_events.money import Amount, plain
from conveyor_events.words import Instant


class NextStepBody(Strict):
    what: Words
    who: Words
    by: date | None = None

    def next_step(self) -> NextStep:
        return NextStep(self.what, self.who, self.by)


class MeetingBody(BaseBody):
    """With `starts_at` a meeting is planned, with `objective_met` it is told; with both, both."""

    model_config = example(objective_met="full", facts=["three sites", "decides in March"])

    meeting_id: NewId = None
    starts_at: Instant | None = None
    plan_id: Annotated[GivenId | None, Field(description="a meeting that is planned needs a plan that is ready")] = None
    objective_met: Annotated[Reason | None, Field(description=", ".join(OBJECTIVES))] = None
    facts: Annotated[tuple[Words, ...], Field(max_length=50, description="kept sealed")] = ()
    next_step: Annotated[NextStepBody | None, Field(description="kept sealed")] = None
    answers: Annotated[tuple[Words, ...], Field(max_length=50, description="to the plan's questions; sealed")] = ()
    surprises: Annotated[tuple[Words, ...], Field(max_length=50, description="kept sealed")] = ()

    @model_validator(mode="after")
    def _planned_or_told(self) -> Self:
        if self.starts_at is None and self.objective_met is None:
            raise ValueError("a meeting is planned (starts_at) or told (objective_met)")
        if (self.starts_at is None) is not (self.plan_id is None):
            raise ValueError("a meeting is planned with both starts_at and plan_id")
        if self.objective_met is None and (self.facts or self.next_step or self.answers or self.surprises):
            raise ValueError("what was said is told with objective_met")
        return self


class TouchBody(BaseBody):
    model_config = example(channel="phone")

    channel: Annotated[Reason, Field(description=", ".join(CHANNELS))]
    note: Annotated[Words | None, Field(description="kept sealed")] = None


class PresentationBody(BaseBody):
    presentation_id: NewId = None
    need_ids: Annotated[tuple[Item, ...], Field(max_length=20, description="the needs it was for")] = ()
    note: Annotated[Words | None, Field(description="kept sealed")] = None


class ProposalBody(BaseBody):
    """With a `proposal_id` that was sent before, its next revision. Without `net` the lines make the price."""

    model_config = example(
        lines=[{"sku": "drill", "qty": "10", "unit_price": "120.00", "discount_pct": "5"}],
        tax="216.60",
        currency="EUR",
        valid_until="2027-06-30",
    )

    proposal_id: NewId = None
    lines: Annotated[tuple[LineBody, ...], Field(max_length=500)] = ()
    net: Annotated[Amount | None, Field(description="after discount, before tax")] = None
    tax: Amount
    currency: Currency
    valid_until: date | None = None


class CloseBody(BaseBody):
    model_config = example(net="1140.00", tax="216.60", currency="EUR")

    deal_id: Annotated[GivenId | None, Field(description="default: derived from the opportunity")] = None
    net: Annotated[Amount, Field(description="after discount, before tax; may be 0.00")]
    tax: Amount
    currency: Currency
    lines: Annotated[tuple[LineBody, ...], Field(max_length=500)] = ()
    payment_schedule: Annotated[
        tuple[InstalmentBody, ...], Field(max_length=120, description="adds up to net and tax")
    ] = ()
    splits: Annotated[
        tuple[SplitBody, ...], Field(max_length=20, description="agreed parts; none: the hunter alone")
    ] = ()
    checklist: Annotated[
        tuple[Code, ...], Field(max_length=50, description="what is handed over; default: what the record shows")
    ] = ()
    open_promises: Annotated[
        tuple[Code, ...], Field(max_length=50, description="codes of what was promised and is not kept yet")
    ] = ()


class MeetingReply(OpportunityReply):
    meeting_id: str


class PresentationReply(OpportunityReply):
    presentation_id: str


class ProposalReply(OpportunityReply):
    proposal_id: str
    revision: int
    net: Amount


class CloseReply(OpportunityReply):
    deal_id: str
    sale_id: str
    account_offer_id: Annotated[str, Field(description="the offer of the buyer to account management")]


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.command("/v1/opportunities/{opportunity}/meetings", "deals:write", reply=MeetingReply, status=201)
    async def meet(request: Request, opportunity: str, body: MeetingBody) -> Response:
        """Plans a meeting, tells how it went, or both."""
        subject = desk.subject(request)
        meeting = body.meeting_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        commands: list[ScheduleMeeting | RecordMeeting] = []
        if body.starts_at is not None and body.plan_id is not None:
            commands.append(ScheduleMeeting(at, by, meeting, body.starts_at, body.plan_id))
        if body.objective_met is not None:
            step = body.next_step.next_step() if body.next_step else None
            told = RecordMeeting(at, by, meeting, body.objective_met, body.facts, step, body.answers, body.surprises)
            commands.append(told)
        steps = [Step(CATEGORY, opportunity, command) for command in commands]
        reply = replied(opportunity, meeting_id=meeting)
        return await desk.do(
            request, *steps, body=body, reply=reply, created=True, guard=sights.opportunity(request, opportunity)
        )

    @doors.command("/v1/opportunities/{opportunity}/meetings/{meeting}/cancel", "deals:write", reply=MeetingReply)
    async def cancel(request: Request, opportunity: str, meeting: str, body: BaseBody) -> Response:
        """The planned meeting does not take place."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, opportunity, CancelMeeting(at, by, meeting))
        return await desk.do(
            request,
            step,
            body=body,
            reply=replied(opportunity, meeting_id=meeting),
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command("/v1/opportunities/{opportunity}/touches", "deals:write", reply=OpportunityReply, status=201)
    async def touch(request: Request, opportunity: str, body: TouchBody) -> Response:
        """The client was reached, and there is nothing more to tell of it. The first contact stops its clock."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, opportunity, TouchClient(at, by, body.channel, body.note))
        return await desk.do(
            request,
            step,
            body=body,
            reply=replied(opportunity),
            created=True,
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command("/v1/opportunities/{opportunity}/presentations", "deals:write", reply=PresentationReply, status=201)
    async def present(request: Request, opportunity: str, body: PresentationBody) -> Response:
        """What we have was shown."""
        subject = desk.subject(request)
        name = body.presentation_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, opportunity, RecordPresentation(at, by, name, body.need_ids, body.note))
        return await desk.do(
            request,
            step,
            body=body,
            reply=replied(opportunity, presentation_id=name),
            created=True,
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command("/v1/opportunities/{opportunity}/proposals", "deals:write", reply=ProposalReply, status=201)
    async def propose(request: Request, opportunity: str, body: ProposalBody) -> Response:
        """Sends a proposal or a revision of it. A discount above the line's limit needs a manager."""
        subject = desk.subject(request)
        proposal = body.proposal_id or fresh()
        command = SendProposal(
            at=desk.when(subject, body.occurred_at),
            by=desk.who(subject, body.by),
            proposal=proposal,
            lines=tuple(line.line() for line in body.lines),
            net=body.net,
            tax=body.tax,
            currency=body.currency,
            valid_until=body.valid_until,
        )

        def reply(outcome: Outcome) -> dict[str, Any]:
            state: Opportunity = outcome.state(f"{CATEGORY}-{opportunity}")
            sent = state.proposal(proposal)
            price = {"revision": sent.revision, "net": plain(sent.net)} if sent else {}
            return {**replied(opportunity)(outcome), "proposal_id": proposal, **price}

        return await desk.do(
            request,
            Step(CATEGORY, opportunity, command),
            body=body,
            reply=reply,
            created=True,
            guard=sights.opportunity(request, opportunity),
        )

    @doors.command("/v1/opportunities/{opportunity}/close", "deals:write", reply=CloseReply)
    async def close(request: Request, opportunity: str, body: CloseBody) -> Response:
        """The first sale is made; the buyer is offered to account management in the same breath."""
        subject = desk.subject(request)
        deal = body.deal_id or derived(opportunity, "deal")
        command = CloseDeal(
            at=desk.when(subject, body.occurred_at),
            now=desk.clock.now(),
            by=desk.who(subject, body.by),
            deal=deal,
            net=body.net,
            tax=body.tax,
            currency=body.currency,
            lines=tuple(line.line() for line in body.lines),
            schedule=tuple(part.instalment() for part in body.payment_schedule),
            splits=tuple((part.person, part.weight) for part in body.splits),
            checklist=body.checklist,
            promises=body.open_promises,
        )

        def reply(outcome: Outcome) -> dict[str, Any]:
            return {
                **replied(opportunity)(outcome),
                "deal_id": deal,
                "sale_id": deal,
                "account_offer_id": derived(deal, "account-offer", 1),
            }

        return await desk.do(
            request,
            Step(CATEGORY, opportunity, command),
            body=body,
            reply=reply,
            guard=sights.opportunity(request, opportunity),
        )
