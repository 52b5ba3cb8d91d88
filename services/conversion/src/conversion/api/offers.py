"""Offers of leads: what waits for an answer, and the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import func, literal, select, text, tuple_

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import json_response
from belt.io.http.paging import Cursor, Limit, decode_cursor, instant_in, page
from belt.io.store.unit import Outcome
from conversion.api.sight import Seen
from conversion.api.words import Filter, Holder, Reason, Words, columns, disclosed, listed
from conversion.offer import (
    CATEGORY,
    REASONS,
    AcceptLead,
    DisputeRejection,
    LeadOffer,
    OverturnRejection,
    RejectLead,
    UpholdRejection,
)
from conversion.views import OFFERS_TABLE


class AcceptBody(BaseBody):
    to: Annotated[GivenId | None, Field(description="a manager may name whose it becomes")] = None


class RejectBody(BaseBody):
    """Budget, intent and readiness are no reasons: a known need is worked whatever they are."""

    reason: Annotated[Reason, Field(description=", ".join(sorted(REASONS)))]
    note: Annotated[Words | None, Field(description="kept sealed, shown for whose client it is, with pii:read")] = None


class OfferReply(BaseModel):
    offer_id: str
    client_id: str
    stage: str
    converted_by: Holder | None = None
    opportunity_id: Annotated[str | None, Field(description="opened by the acceptance")] = None
    version: int


class RejectionTold(BaseModel):
    by: Holder
    reason: str
    note: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None


class OfferTold(BaseModel):
    offer_id: str
    client_id: str
    journey_id: str
    variant: str
    line: str
    need_id: str
    team: str
    stage: str
    mode: str
    attempt: int
    to: Annotated[Holder | None, Field(description="who is asked now; none is the queue of the team")]
    offered_at: datetime
    due_at: datetime | None
    first_touch_due_at: datetime | None
    credit_until: datetime
    reroutes: int
    sourced_by: Holder
    converted_by: Holder | None
    opportunity_id: str | None
    rejected: RejectionTold | None
    version: int


class OfferRow(BaseModel):
    offer_id: str
    client_id: str
    line: str
    need_id: str
    team: str
    attempt: int
    sourced_by: str
    stage: str
    to_person: str | None
    offered_at: datetime
    due_at: datetime | None
    reroutes: int
    converted_by: str | None
    reason: str | None
    version: int


class OfferList(BaseModel):
    items: list[OfferRow]
    next: str | None


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.query("/v1/offers", "deals:read", "handoffs:decide", reply=OfferList)
    async def list_offers(
        request: Request,
        line: Filter = None,
        to: Filter = None,
        stage: Filter = None,
        client: Filter = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Offers by id; of a line, to a person, in a stage, of a client."""
        of = OFFERS_TABLE.c
        filters = [(of.line, line), (of.to_person, to), (of.stage, stage), (of.client_id, client)]
        return await listed(
            desk, OFFERS_TABLE, of.offer_id, limit, cursor, filters, await sights.rows(request, OFFERS_TABLE)
        )

    @doors.query("/v1/offers/{offer}", "deals:read", "handoffs:decide", reply=OfferTold, versioned=True)
    async def get_offer(request: Request, offer: str) -> Response:
        """One offer as it stands."""
        sight = await sights.of_offer(request, offer)
        entry = await desk.state(CATEGORY, offer)
        private = sight.may("know")
        return await disclosed(desk, request, entry, _told(entry.state, private=private), private)

    @doors.command("/v1/offers/{offer}/accept", "handoffs:decide", reply=OfferReply)
    async def accept_offer(request: Request, offer: str, body: AcceptBody) -> Response:
        """Takes the lead and opens its opportunity: who is asked, the team while it is queued, or a manager."""
        subject = desk.subject(request)
        command = AcceptLead(desk.when(subject, body.occurred_at), desk.who(subject, body.by), body.to)
        return await desk.do(
            request, Step(CATEGORY, offer, command), body=body, reply=_reply(offer), guard=sights.offer(request, offer)
        )

    @doors.command("/v1/offers/{offer}/reject", "handoffs:decide", reply=OfferReply)
    async def reject_offer(request: Request, offer: str, body: RejectBody) -> Response:
        """Refuses the lead for one of the reasons; it goes back to who found it."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        command = RejectLead(at, by, body.reason, body.note)
        return await desk.do(
            request, Step(CATEGORY, offer, command), body=body, reply=_reply(offer), guard=sights.offer(request, offer)
        )

    @doors.query("/v1/offers-to-answer", "handoffs:decide", reply=OfferList)
    async def offers_to_answer(
        request: Request, to: Filter = None, line: Filter = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Response:
        """Offers that wait for an answer, the most urgent first; those without a deadline last."""
        of, never = OFFERS_TABLE.c, text("'infinity'::timestamptz")
        due = func.coalesce(of.due_at, never).label("due")
        wanted = select(OFFERS_TABLE).where(of.stage.in_(("offered", "escalated"))).order_by(due, of.offer_id)
        wanted = wanted.where(await sights.rows(request, OFFERS_TABLE))
        for column, value in ((of.to_person, to), (of.line, line)):
            wanted = wanted.where(column == value) if value is not None else wanted
        if cursor is not None:
            last_due, last = decode_cursor(cursor, str, str)
            seen = never if last_due == "infinity" else literal(instant_in(last_due))
            wanted = wanted.where(tuple_(due, of.offer_id) > tuple_(seen, literal(last)))
        rows, following = page(
            await desk.rows(wanted.limit(limit + 1)),
            limit,
            lambda row: [row["due_at"].isoformat() if row["due_at"] else "infinity", row["offer_id"]],
        )
        return json_response({"items": [columns(row) for row in rows], "next": following})

    @doors.command("/v1/offers/{offer}/dispute", "leads:write", "handoffs:decide", reply=OfferReply)
    async def dispute_rejection(request: Request, offer: str, body: BaseBody) -> Response:
        """The sender, or a manager of the line, says that the rejection was wrong."""
        subject = desk.subject(request)
        command = DisputeRejection(desk.when(subject, body.occurred_at), desk.who(subject, body.by))
        return await desk.do(
            request, Step(CATEGORY, offer, command), body=body, reply=_reply(offer), guard=sights.offer(request, offer)
        )

    @doors.command("/v1/offers/{offer}/uphold", "manager", reply=OfferReply)
    async def uphold_rejection(request: Request, offer: str, body: BaseBody) -> Response:
        """A manager finds the rejection right."""
        subject = desk.subject(request)
        command = UpholdRejection(desk.when(subject, body.occurred_at), desk.who(subject, body.by))
        return await desk.do(
            request, Step(CATEGORY, offer, command), body=body, reply=_reply(offer), guard=sights.offer(request, offer)
        )

    @doors.command("/v1/offers/{offer}/overturn", "manager", reply=OfferReply)
    async def overturn_rejection(request: Request, offer: str, body: AcceptBody) -> Response:
        """A manager finds the rejection wrong: the lead goes to the one named, else to who rejected it and is there."""
        subject = desk.subject(request)
        command = OverturnRejection(desk.when(subject, body.occurred_at), desk.who(subject, body.by), body.to)
        return await desk.do(
            request, Step(CATEGORY, offer, command), body=body, reply=_reply(offer), guard=sights.offer(request, offer)
        )


def _reply(offer: str) -> Any:
    def reply(outcome: Outcome) -> dict[str, Any]:
        state: LeadOffer = outcome.state(f"{CATEGORY}-{offer}")
        accepted = state.handover.accepted
        return {
            "offer_id": offer,
            "client_id": state.lead.client if state.lead else None,
            "stage": state.handover.stage,
            "converted_by": accepted.to.model_dump() if accepted else None,
            "opportunity_id": state.opportunity,
        }

    return reply


def _told(offer: LeadOffer, *, private: bool) -> dict[str, Any]:
    lead, asked = offer.lead, offer.handover.offered
    if lead is None or asked is None:
        raise Refused("offer.unknown")
    accepted, rejected = offer.handover.accepted, offer.handover.rejected
    rejection = {"by": rejected.by, "reason": rejected.reason} if rejected else None
    return {
        "offer_id": lead.offer,
        "client_id": lead.client,
        "journey_id": lead.journey,
        "variant": lead.variant,
        "line": lead.line,
        "need_id": lead.need,
        "team": lead.team,
        "stage": offer.handover.stage,
        "mode": asked.mode,
        "attempt": lead.attempt,
        "to": offer.handover.to,
        "offered_at": asked.at,
        "due_at": offer.handover.due_at,
        "first_touch_due_at": lead.first_touch_due_at,
        "credit_until": lead.credit_until,
        "reroutes": offer.handover.reroutes,
        "sourced_by": lead.sourced_by,
        "converted_by": accepted.to if accepted else None,
        "opportunity_id": offer.opportunity,
        "rejected": {**rejection, **({"note": offer.note} if private else {})} if rejection else None,
    }
