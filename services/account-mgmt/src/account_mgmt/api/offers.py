"""Offers of accounts: what waits for an answer, and the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import or_

from account_mgmt.api.sight import Seen
from account_mgmt.api.words import Counts, Filter, Holder, Listing, disclosed
from account_mgmt.offer import CATEGORY, REASONS, AcceptOffer, Offer, RejectOffer
from account_mgmt.views import OFFERS_TABLE
from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.store.unit import Outcome


class AcceptBody(BaseBody):
    to: Annotated[GivenId | None, Field(description="a manager may name whose it becomes")] = None


class RejectBody(BaseBody):
    reason: Annotated[str, StringConstraints(max_length=100), Field(description=", ".join(sorted(REASONS)))]
    note: Annotated[str | None, StringConstraints(min_length=1, max_length=2_000)] = None


class OfferReply(BaseModel):
    offer_id: str
    client_id: str
    stage: str
    served_by: Holder | None = None
    version: int


class RejectionTold(BaseModel):
    by: Holder
    reason: str
    note: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None


class OfferTold(BaseModel):
    offer_id: str
    client_id: str
    journey_id: str | None
    variant: str
    line: str
    deal_id: str
    team: str
    stage: str
    mode: str
    attempt: int
    to: Annotated[Holder | None, Field(description="who is asked now; none is the queue of the team")]
    offered_at: datetime
    due_at: datetime | None
    reroutes: int
    sourced_by: Holder
    converted_by: Holder
    checklist: list[str]
    open_promises: list[str]
    served_by: Holder | None
    rejected: RejectionTold | None
    version: int


class OfferRow(BaseModel):
    offer_id: str
    client_id: str
    line: str
    deal_id: str
    team: str
    stage: str
    attempt: int
    to_person: str | None
    offered_at: datetime
    due_at: datetime | None
    reroutes: int
    served_by: str | None
    reason: str | None
    version: int


class OfferList(BaseModel):
    items: list[OfferRow]
    next: str | None
    counts: Counts = None


WAITING = ("offered", "escalated")


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.query("/v1/offers", "accounts:read", "handoffs:decide", reply=OfferList)
    async def list_offers(
        request: Request,
        line: Filter = None,
        to: Filter = None,
        stage: Filter = None,
        client: Filter = None,
        waiting: Annotated[bool, Query(description="only those that wait for an answer")] = False,
        queue: Annotated[bool, Query(description="with `to`: what waits in the queue of the team as well")] = False,
        order: Annotated[Literal["offer", "due"], Query(description="by id; by when the answer is due")] = "offer",
        counts: Annotated[bool, Query(description="how many in each stage, by the other filters")] = False,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Offers of a line, to a person, in a stage, of a client. `waiting` in the order `due`: what to answer next."""
        of = OFFERS_TABLE.c
        listing = Listing(OFFERS_TABLE, of.offer_id, of.due_at if order == "due" else None)
        listing = listing.equal((of.line, line), (of.client_id, client))
        if to is not None:
            listing = listing.only(or_(of.to_person == to, of.to_person.is_(None)) if queue else of.to_person == to)
        if waiting:
            listing = listing.only(of.stage.in_(WAITING))
        listing = listing.only(await sights.rows(request, OFFERS_TABLE))
        return await listing.answer(desk, limit, cursor, (of.stage, stage), counts)

    @doors.query("/v1/offers/{offer}", "accounts:read", "handoffs:decide", reply=OfferTold, versioned=True)
    async def get_offer(request: Request, offer: str) -> Response:
        """One offer as it stands."""
        sight = await sights.of_offer(request, offer)
        entry = await desk.state(CATEGORY, offer)
        private = sight.may("know")
        return await disclosed(desk, request, entry, _told(entry.state, private=private), private)

    @doors.command("/v1/offers/{offer}/accept", "handoffs:decide", reply=OfferReply)
    async def accept_offer(request: Request, offer: str, body: AcceptBody) -> Response:
        """Takes the account: whoever is asked, anybody of the team while it is queued, or a manager."""
        subject = desk.subject(request)
        command = AcceptOffer(desk.when(subject, body.occurred_at), desk.who(subject, body.by), body.to)
        return await desk.do(
            request, Step(CATEGORY, offer, command), body=body, reply=_reply(offer), guard=sights.offer(request, offer)
        )

    @doors.command("/v1/offers/{offer}/reject", "handoffs:decide", reply=OfferReply)
    async def reject_offer(request: Request, offer: str, body: RejectBody) -> Response:
        """Refuses the account for one of the reasons; the sender mends it and offers again."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        command = RejectOffer(at, by, body.reason, body.note)
        return await desk.do(
            request, Step(CATEGORY, offer, command), body=body, reply=_reply(offer), guard=sights.offer(request, offer)
        )


def _reply(offer: str) -> Any:
    def reply(outcome: Outcome) -> dict[str, Any]:
        state: Offer = outcome.state(f"{CATEGORY}-{offer}")
        accepted = state.handover.accepted
        return {
            "offer_id": offer,
            "client_id": state.received.client if state.received else None,
            "stage": state.stage,
            "served_by": accepted.to.model_dump() if accepted else None,
        }

    return reply


def _told(offer: Offer, *, private: bool) -> dict[str, Any]:
    about, asked = offer.received, offer.handover.offered
    if about is None or asked is None:
        raise Refused("offer.unknown")
    accepted, rejected = offer.handover.accepted, offer.handover.rejected
    rejection = {"by": rejected.by, "reason": rejected.reason} if rejected else None
    return {
        "offer_id": about.offer_id,
        "client_id": about.client,
        "journey_id": about.journey,
        "variant": about.variant,
        "line": about.line,
        "deal_id": about.deal_id,
        "team": about.team,
        "stage": offer.stage,
        "mode": asked.mode,
        "attempt": asked.attempt,
        "to": offer.handover.to,
        "offered_at": asked.at,
        "due_at": offer.handover.due_at,
        "reroutes": offer.handover.reroutes,
        "sourced_by": about.sourced_by,
        "converted_by": about.converted_by,
        "checklist": about.checklist,
        "open_promises": about.promises,
        "served_by": accepted.to if accepted else None,
        "rejected": {**rejection, **({"note": offer.note} if private else {})} if rejection else None,
    }
