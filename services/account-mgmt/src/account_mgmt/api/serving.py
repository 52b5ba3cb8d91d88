"""Serving the client: contacts, complaints, the risk of losing it, and who serves it from now on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field, StringConstraints

from account_mgmt.account import (
    CATEGORY,
    Account,
    Channel,
    ClearRisk,
    CustomerLeft,
    LeaveReason,
    LogContact,
    Matter,
    MoveReason,
    ReassignAccount,
    ReceiveComplaint,
    Remedy,
    ResolveComplaint,
)
from account_mgmt.api.sight import Seen
from account_mgmt.api.words import Holder
from belt.core.decider import Step
from belt.io.http.body import BaseBody, GivenId, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import json_response
from belt.io.http.paging import Cursor, Limit, decode_cursor, page
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conveyor_events.words import Instant, instant_text

Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
SEALED = "kept sealed, shown for whose client it is, with pii:read"


class ContactBody(BaseBody):
    model_config = example(channel="phone", summary="content with the drills", next_at="2027-02-01T09:00:00Z")

    contact_id: NewId = None
    channel: Channel
    person: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=200)] | None,
        Field(description=f"who spoke for the client; {SEALED}"),
    ] = None
    summary: Annotated[Words | None, Field(description=SEALED)] = None
    next_at: Annotated[Instant | None, Field(description="when to speak again")] = None


class ComplaintBody(BaseBody):
    model_config = example(about="delivery", text="came two days late")

    complaint_id: NewId = None
    about: Matter
    text: Annotated[Words, Field(description=SEALED)]


class ResolveBody(BaseBody):
    remedy: Remedy
    note: Annotated[Words | None, Field(description=SEALED)] = None


class ClearBody(BaseBody):
    """Whoever serves the client has made sure of it. An open complaint has to be resolved instead."""


class LeftBody(BaseBody):
    reason: LeaveReason
    note: Annotated[Words | None, Field(description=SEALED)] = None


class ReassignBody(BaseBody):
    """`occurred_at` is the instant from which the receiver serves the client."""

    to: Annotated[GivenId, Field(description="one of the line's account team, or `house`")]
    reason: MoveReason
    legacy_until: Annotated[
        Instant | None, Field(description="repeat sales made before name the one who served until now as well")
    ] = None


class AccountReply(BaseModel):
    client_id: str
    stage: str
    served_by: Holder
    version: int


class ContactReply(AccountReply):
    contact_id: str


class ComplaintReply(AccountReply):
    complaint_id: str


class ContactTold(BaseModel):
    contact_id: str
    at: datetime
    by: Holder
    channel: str
    next_at: datetime | None
    person: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None
    summary: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None


class ContactList(BaseModel):
    items: list[ContactTold]
    next: str | None


class ComplaintTold(BaseModel):
    complaint_id: str
    at: datetime
    by: Holder
    about: str
    text: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None
    resolved_at: datetime | None
    resolved_by: Holder | None
    remedy: str | None
    note: Annotated[str | None, Field(description="for whose client it is, with pii:read")] = None


class ComplaintList(BaseModel):
    items: list[ComplaintTold]
    next: str | None


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    _contacts(doors, desk, sights)
    _complaints(doors, desk, sights)

    @doors.command("/v1/accounts/{client}/clear-risk", "accounts:write", reply=AccountReply)
    async def clear_risk(request: Request, client: str, body: ClearBody) -> Response:
        """The client is made sure of: silence and low scores are no risk any more."""
        subject = desk.subject(request)
        command = ClearRisk(desk.when(subject, body.occurred_at), desk.who(subject, body.by))
        return await desk.do(
            request,
            Step(CATEGORY, client, command),
            body=body,
            reply=_reply(client, desk),
            guard=sights.account(request, client),
        )

    @doors.command("/v1/accounts/{client}/left", "accounts:write", reply=AccountReply)
    async def customer_left(request: Request, client: str, body: LeftBody) -> Response:
        """The client said that it will not buy any more."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, client, CustomerLeft(at, by, body.reason, body.note))
        return await desk.do(
            request, step, body=body, reply=_reply(client, desk), guard=sights.account(request, client)
        )

    @doors.command("/v1/accounts/{client}/reassign", "manager", reply=AccountReply)
    async def reassign_account(request: Request, client: str, body: ReassignBody) -> Response:
        """A manager of the line gives the account to somebody else."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, client, ReassignAccount(at, by, body.to, body.reason, body.legacy_until))
        return await desk.do(
            request, step, body=body, reply=_reply(client, desk), guard=sights.account(request, client)
        )


def _contacts(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.command("/v1/accounts/{client}/contacts", "accounts:write", reply=ContactReply, status=201)
    async def log_contact(request: Request, client: str, body: ContactBody) -> Response:
        """Somebody spoke with the client."""
        subject = desk.subject(request)
        contact = body.contact_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        command = LogContact(at, by, contact, body.channel, body.person, body.summary, body.next_at)
        reply = _reply(client, desk, contact_id=contact)
        return await desk.do(
            request,
            Step(CATEGORY, client, command),
            body=body,
            reply=reply,
            created=True,
            guard=sights.account(request, client),
        )

    @doors.query("/v1/accounts/{client}/contacts", "accounts:read", reply=ContactList)
    async def list_contacts(request: Request, client: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """The contacts with one client, the newest first."""
        private = (await sights.of_account(request, client)).may("know")
        if private:
            await desk.tell(request, "personal", client)
        account: Account = (await desk.state(CATEGORY, client)).state
        told = [
            {
                "contact_id": one.contact_id,
                "at": one.at,
                "by": one.by,
                "channel": one.channel,
                "next_at": one.next_at,
                **({"person": one.person, "summary": one.summary} if private else {}),
            }
            for one in account.contacts
        ]
        return _newest(told, "contact_id", limit, cursor)


def _complaints(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.command("/v1/accounts/{client}/complaints", "accounts:write", reply=ComplaintReply, status=201)
    async def receive_complaint(request: Request, client: str, body: ComplaintBody) -> Response:
        """The client complained: while the complaint is open it is at risk."""
        subject = desk.subject(request)
        complaint = body.complaint_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        command = ReceiveComplaint(at, by, complaint, body.about, body.text)
        reply = _reply(client, desk, complaint_id=complaint)
        return await desk.do(
            request,
            Step(CATEGORY, client, command),
            body=body,
            reply=reply,
            created=True,
            guard=sights.account(request, client),
        )

    @doors.command("/v1/accounts/{client}/complaints/{complaint}/resolve", "accounts:write", reply=ComplaintReply)
    async def resolve_complaint(request: Request, client: str, complaint: str, body: ResolveBody) -> Response:
        """The complaint is settled."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, client, ResolveComplaint(at, by, complaint, body.remedy, body.note))
        return await desk.do(
            request,
            step,
            body=body,
            reply=_reply(client, desk, complaint_id=complaint),
            guard=sights.account(request, client),
        )

    @doors.query("/v1/accounts/{client}/complaints", "accounts:read", reply=ComplaintList)
    async def list_complaints(request: Request, client: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """The complaints of one client, the newest first."""
        private = (await sights.of_account(request, client)).may("know")
        if private:
            await desk.tell(request, "personal", client)
        account: Account = (await desk.state(CATEGORY, client)).state
        told = []
        for one in account.complaints:
            received, resolved = one.received, one.resolved
            words = {"text": received.text, "note": resolved.note if resolved else None}
            told.append(
                {
                    "complaint_id": received.complaint_id,
                    "at": received.at,
                    "by": received.by,
                    "about": received.about,
                    "resolved_at": resolved.at if resolved else None,
                    "resolved_by": resolved.by if resolved else None,
                    "remedy": resolved.remedy if resolved else None,
                    **(words if private else {}),
                }
            )
        return _newest(told, "complaint_id", limit, cursor)


def _newest(told: Sequence[dict[str, Any]], key: str, limit: int, cursor: str | None) -> Response:
    """A page of what one client's stream remembers."""

    def place(one: dict[str, Any]) -> tuple[str, str]:
        return instant_text(one["at"]), one[key]

    rows = sorted(told, key=place, reverse=True)
    if cursor is not None:
        seen = decode_cursor(cursor, str, str)
        rows = [one for one in rows if place(one) < seen]
    items, following = page(rows, limit, place)
    return json_response({"items": items, "next": following})


def _reply(client: str, desk: Desk, **ids: str) -> Callable[[Outcome], dict[str, Any]]:
    def reply(outcome: Outcome) -> dict[str, Any]:
        account: Account = outcome.state(f"{CATEGORY}-{client}")
        served_by = account.holder_at(desk.clock.now()).model_dump()
        return {"client_id": client, **ids, "stage": account.status, "served_by": served_by}

    return reply
