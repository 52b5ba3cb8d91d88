"""How an opportunity is shown: with its meetings, proposals, objections and what was conceded."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from belt.core.decider import Refused
from conversion.api.words import Holder, LineTold, lines_told
from conversion.opportunity import Meeting, Opportunity
from conveyor_events.money import Amount


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


def opportunity_shown(opportunity: Opportunity, *, private: bool) -> dict[str, Any]:
    """As the door tells it; what is private only if it may be shown."""
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
