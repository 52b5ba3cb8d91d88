"""Prospects: registered, worked, offered, claimed; and the lists of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.body import BaseBody, GivenId
from belt.io.desk import Desk
from belt.io.doors import Doors
from belt.io.headers import etag, json_response
from belt.io.ids import fresh
from belt.io.paging import Cursor, Limit, decode_cursor, page
from belt.io.unit import Taken
from conveyor_events.words import instant_text
from lead_gen.api import bodies as b
from lead_gen.api.acting import acting
from lead_gen.api.replies import NeedReply, OfferReply, ProspectList, ProspectReply, ProspectShown
from lead_gen.api.shown import may_know, prospect_shown
from lead_gen.prospect import commands as c
from lead_gen.prospect.state import CATEGORY, Prospect, Stage
from lead_gen.staffing import CATEGORY as STAFFING
from lead_gen.staffing import COMPANY
from lead_gen.views import PROSPECTS_TABLE as PROSPECTS

WRITE, READ = "leads:write", "leads:read"
KEYS = ("tax_no", "domain", "phone", "name_city")
Filter = Annotated[GivenId | None, Query()]


def doors(desk: Desk) -> Doors:
    doors = Doors(prefix="/v1/prospects", tags=["prospects"])
    _register(doors, desk)
    _work(doors, desk)
    _hand_on(doors, desk)
    _look(doors, desk)
    return doors


async def _do(
    desk: Desk,
    request: Request,
    client: str,
    command: c.Command,
    body: BaseBody,
    *,
    created: bool = False,
    more: Callable[[Prospect], dict[str, Any]] = lambda _: {},
) -> Response:
    step = Step(CATEGORY, client, command)

    def reply(outcome: Any) -> dict[str, Any]:
        prospect: Prospect = outcome.state(step.stream_id)
        return {
            "client_id": prospect.client,
            "journey_id": prospect.journey,
            "stage": prospect.stage.value,
            **more(prospect),
        }

    return await desk.do(request, step, body=body, reply=reply, created=created)


def _register(doors: Doors, desk: Desk) -> None:
    @doors.command("", WRITE, reply=ProspectReply, status=201)
    async def register(request: Request, body: b.RegisterBody) -> Response:
        """A new prospect. A client that somebody works already is refused, and the attempt is written down."""
        act = acting(desk, request, body)
        client = body.client_id or fresh()
        keys = tuple(key.key for key in body.identity_keys)
        command = c.RegisterProspect(
            client, body.line, body.name, body.country, keys, body.source, body.segment, act.by, act.at
        )
        try:
            return await _do(desk, request, client, command, body, created=True)
        except Taken as taken:
            if taken.kind not in KEYS:
                raise
            holder = taken.holder.removeprefix(f"{CATEGORY}-")
            return await _do(desk, request, holder, c.ContestClient(body.line, act.by, act.at), body)


def _work(doors: Doors, desk: Desk) -> None:
    @doors.command("/{client}/verify", WRITE, reply=ProspectReply)
    async def verify(request: Request, client: GivenId, body: b.VerifyBody) -> Response:
        """The prospect is checked and counts for the base, once."""
        act = acting(desk, request, body)
        command = c.VerifyProspect(tuple(body.checks), act.by, act.at, act.manager)
        return await _do(desk, request, client, command, body)

    @doors.command("/{client}/calls", WRITE, reply=ProspectReply, status=201)
    async def call(request: Request, client: GivenId, body: b.CallBody) -> Response:
        """A call was made."""
        act = acting(desk, request, body)
        command = c.LogCall(
            body.outcome,
            body.started_at or act.at,
            body.duration_s,
            body.next_call_at,
            body.note,
            act.by,
            act.at,
            act.manager,
        )
        return await _do(desk, request, client, command, body, created=True)

    @doors.command("/{client}/gatekeepers", WRITE, reply=ProspectReply, status=201)
    async def gatekeeper(request: Request, client: GivenId, body: b.GatekeeperBody) -> Response:
        """A gatekeeper was met; with an approach, passed."""
        act = acting(desk, request, body)
        command = c.RecordGatekeeper(
            body.role, body.attitude, body.best_time, body.approach, body.attempts, act.by, act.at, act.manager
        )
        return await _do(desk, request, client, command, body, created=True)

    @doors.command("/{client}/contacts", WRITE, reply=ProspectReply, status=201)
    async def contact(request: Request, client: GivenId, body: b.ContactBody) -> Response:
        """Somebody who has a say was reached."""
        act = acting(desk, request, body)
        command = c.RecordContactReached(
            body.person, body.position, body.channel, body.influence, act.by, act.at, act.manager
        )
        return await _do(desk, request, client, command, body, created=True)

    @doors.command("/{client}/needs", WRITE, reply=NeedReply, status=201)
    async def need(request: Request, client: GivenId, body: b.NeedBody) -> Response:
        """A need is known. From here the client is to be handed on, whatever budget and wish."""
        act = acting(desk, request, body)
        command = c.IdentifyNeed(
            need_id=body.need_id,
            category=body.category,
            statement=body.statement,
            evidence=tuple(body.evidence),
            current_supplier=body.current_supplier,
            competitor_id=body.competitor_id,
            budget=body.budget,
            wish=body.wish,
            by=act.by,
            at=act.at,
            now=act.now,
            manager=act.manager,
        )
        return await _do(
            desk, request, client, command, body, created=True, more=lambda state: {"need_id": state.need_id}
        )


def _hand_on(doors: Doors, desk: Desk) -> None:
    @doors.command("/{client}/offer", WRITE, reply=OfferReply, status=201)
    async def offer(request: Request, client: GivenId, body: b.OfferBody) -> Response:
        """The lead is offered to the next station. After a rejection: with new evidence."""
        act = acting(desk, request, body)
        command = c.OfferLead(body.offer_id, body.to, tuple(body.evidence), act.by, act.at, act.now, act.manager)
        return await _do(desk, request, client, command, body, created=True, more=_offered)

    @doors.command("/{client}/withdraw", WRITE, reply=ProspectReply)
    async def withdraw(request: Request, client: GivenId, body: b.WithdrawBody) -> Response:
        """A request to the receiver: it loses against an acceptance."""
        act = acting(desk, request, body)
        command = c.WithdrawOffer(body.reason, act.by, act.at, act.now, act.manager)
        return await _do(desk, request, client, command, body)

    @doors.command("/{client}/invalidate", WRITE, reply=ProspectReply)
    async def invalidate(request: Request, client: GivenId, body: b.InvalidateBody) -> Response:
        """This is no client at all: closed_down, no_such, duplicate or out_of_market."""
        act = acting(desk, request, body)
        return await _do(desk, request, client, c.Invalidate(body.reason, act.by, act.at, act.manager), body)

    @doors.command("/{client}/claim", WRITE, reply=ProspectReply)
    async def claim(request: Request, client: GivenId, body: b.ClaimBody) -> Response:
        """A released prospect becomes yours; so does one that nobody protects any more."""
        act = acting(desk, request, body)
        return await _do(desk, request, client, c.ClaimProspect(act.by, act.at), body)


def _offered(prospect: Prospect) -> dict[str, Any]:
    offer = prospect.offer
    if offer is None:
        return {}
    return {
        "offer_id": offer.offer_id,
        "need_id": offer.need_id,
        "to": offer.to.person if offer.to is not None else None,
        "mode": offer.mode,
        "attempt": offer.attempt,
        "accept_due_at": instant_text(offer.accept_due_at) if offer.accept_due_at is not None else None,
    }


def _look(doors: Doors, desk: Desk) -> None:
    @doors.query("", READ, reply=ProspectList)
    async def prospects(
        line: Filter = None,
        stage: Stage | None = None,
        sourced_by: Filter = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Prospects by id, without personal data."""
        wanted = select(PROSPECTS).order_by(PROSPECTS.c.client_id).limit(limit + 1)
        if line is not None:
            wanted = wanted.where(PROSPECTS.c.line == line)
        if stage is not None:
            wanted = wanted.where(PROSPECTS.c.stage == stage.value)
        if sourced_by is not None:
            wanted = wanted.where(PROSPECTS.c.sourced_by == sourced_by)
        if cursor is not None:
            wanted = wanted.where(PROSPECTS.c.client_id > decode_cursor(cursor, str)[0])
        rows, following = page(await desk.rows(wanted), limit, lambda row: [row["client_id"]])
        hidden = ("offers", "shape")
        items = [{name: value for name, value in row.items() if name not in hidden} for row in rows]
        return json_response({"items": items, "next": following})

    @doors.query("/{client}", READ, reply=ProspectShown)
    async def prospect(request: Request, client: GivenId) -> Response:
        """One prospect; with its personal part for those whose client it is."""
        found = await desk.state(CATEGORY, client)
        state: Prospect = found.state
        if state.stage is Stage.NONE:
            raise Refused("prospect.unknown")
        roster = (await desk.state(STAFFING, COMPANY)).state.roster
        knowing = may_know(desk.subject(request), state, roster, desk.clock.now())
        shown = prospect_shown(state, found.version, knowing=knowing)
        return json_response(shown, headers={"etag": etag(found.version)})
