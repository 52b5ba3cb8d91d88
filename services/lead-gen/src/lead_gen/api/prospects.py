"""Prospects: registered, worked, offered, claimed; and the lists of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Step
from belt.io.http.body import BaseBody, GivenId
from belt.io.http.bulk import bulk
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.ids import fresh
from belt.io.store.unit import Guard, Reads, Taken
from conveyor_events.words import instant_text
from lead_gen.api import bodies as b
from lead_gen.api.acting import acting
from lead_gen.api.replies import NeedReply, OfferReply, ProspectReply
from lead_gen.api.sight import Seen, prospect
from lead_gen.prospect import commands as c
from lead_gen.prospect.state import CATEGORY, Prospect

WRITE, READ = "leads:write", "leads:read"
KEYS = ("tax_no", "domain", "phone", "name_city")
Filter = Annotated[GivenId | None, Query()]


def doors(desk: Desk, sights: Seen) -> Doors:
    doors = Doors(prefix="/v1/prospects", tags=["prospects"])
    _register(doors, desk)
    _work(doors, desk, sights)
    _hand_on(doors, desk, sights)
    _set_aside(doors, desk, sights)
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
    guard: Guard | None = None,
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

    return await desk.do(request, step, body=body, reply=reply, created=created, guard=guard)


def _on_seen(desk: Desk, sights: Seen) -> Callable[..., Awaitable[Response]]:
    """A command on prospects that the subject sees; `beside` is another one that it needs to see as well."""

    async def do(
        request: Request, client: str, command: c.Command, body: BaseBody, *, beside: str | None = None, **how: Any
    ) -> Response:
        guards = [
            sights.guard(request, "work", prospect(one), "prospect.unknown")
            for one in (client, beside)
            if one is not None
        ]

        def guard(read: Reads) -> None:
            for each in guards:
                each(read)

        return await _do(desk, request, client, command, body, guard=guard, **how)

    return do


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

    bulk(doors, "/bulk", of=register)


def _work(doors: Doors, desk: Desk, sights: Seen) -> None:
    do = _on_seen(desk, sights)

    @doors.command("/{client}/verify", WRITE, reply=ProspectReply)
    async def verify(request: Request, client: GivenId, body: b.VerifyBody) -> Response:
        """The prospect is checked and counts for the base, once."""
        act = acting(desk, request, body)
        command = c.VerifyProspect(tuple(body.checks), act.by, act.at, act.manager)
        return await do(request, client, command, body)

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
        return await do(request, client, command, body, created=True)

    @doors.command("/{client}/gatekeepers", WRITE, reply=ProspectReply, status=201)
    async def gatekeeper(request: Request, client: GivenId, body: b.GatekeeperBody) -> Response:
        """A gatekeeper was met; with an approach, passed."""
        act = acting(desk, request, body)
        command = c.RecordGatekeeper(
            body.role, body.attitude, body.best_time, body.approach, body.attempts, act.by, act.at, act.manager
        )
        return await do(request, client, command, body, created=True)

    @doors.command("/{client}/contacts", WRITE, reply=ProspectReply, status=201)
    async def contact(request: Request, client: GivenId, body: b.ContactBody) -> Response:
        """Somebody who has a say was reached."""
        act = acting(desk, request, body)
        command = c.RecordContactReached(
            body.person, body.position, body.channel, body.influence, act.by, act.at, act.manager
        )
        return await do(request, client, command, body, created=True)

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
        return await do(request, client, command, body, created=True, more=lambda state: {"need_id": state.need_id})


def _hand_on(doors: Doors, desk: Desk, sights: Seen) -> None:
    do = _on_seen(desk, sights)

    @doors.command("/{client}/offer", WRITE, reply=OfferReply, status=201)
    async def offer(request: Request, client: GivenId, body: b.OfferBody) -> Response:
        """The lead is offered to the next station. After a rejection: with new evidence."""
        act = acting(desk, request, body)
        command = c.OfferLead(body.offer_id, body.to, tuple(body.evidence), act.by, act.at, act.now, act.manager)
        return await do(request, client, command, body, created=True, more=_offered)

    @doors.command("/{client}/withdraw", WRITE, reply=ProspectReply)
    async def withdraw(request: Request, client: GivenId, body: b.WithdrawBody) -> Response:
        """A request to the receiver: it loses against an acceptance."""
        act = acting(desk, request, body)
        command = c.WithdrawOffer(body.reason, act.by, act.at, act.now, act.manager)
        return await do(request, client, command, body)

    @doors.command("/{client}/invalidate", WRITE, reply=ProspectReply)
    async def invalidate(request: Request, client: GivenId, body: b.InvalidateBody) -> Response:
        """This is no client at all: closed_down, no_such, duplicate or out_of_market."""
        act = acting(desk, request, body)
        return await do(request, client, c.Invalidate(body.reason, act.by, act.at, act.manager), body)

    @doors.command("/{client}/claim", WRITE, reply=ProspectReply)
    async def claim(request: Request, client: GivenId, body: b.ClaimBody) -> Response:
        """A released prospect becomes yours; so does one that nobody protects any more."""
        act = acting(desk, request, body)
        return await do(request, client, c.ClaimProspect(act.by, act.at), body)


def _set_aside(doors: Doors, desk: Desk, sights: Seen) -> None:
    do = _on_seen(desk, sights)

    @doors.command("/{client}/park", WRITE, reply=ProspectReply)
    async def park(request: Request, client: GivenId, body: b.ParkBody) -> Response:
        """Not now. A known need is never parked."""
        act = acting(desk, request, body)
        return await do(request, client, c.Park(body.until, body.reason, act.by, act.at, act.manager), body)

    @doors.command("/{client}/resume", WRITE, reply=ProspectReply)
    async def resume(request: Request, client: GivenId, body: b.ClaimBody) -> Response:
        """A parked prospect is worked again."""
        act = acting(desk, request, body)
        return await do(request, client, c.Resume(act.by, act.at, act.manager), body)

    @doors.command("/{client}/forbid-contact", WRITE, reply=ProspectReply)
    async def forbid(request: Request, client: GivenId, body: b.ForbidBody) -> Response:
        """The client asks not to be contacted any more. Nobody can enter it anew."""
        act = acting(desk, request, body)
        return await do(request, client, c.ForbidContact(body.reason, act.by, act.at, act.manager), body)

    @doors.command("/{client}/reassign", "manager", reply=ProspectReply)
    async def reassign(request: Request, client: GivenId, body: b.ReassignBody) -> Response:
        """A manager gives the prospect to another person of the team."""
        act = acting(desk, request, body)
        command = c.Reassign(body.to, body.reason, act.by, act.at, act.manager)
        return await do(request, client, command, body)

    @doors.command("/{client}/merge", WRITE, reply=ProspectReply)
    async def merge(request: Request, client: GivenId, body: b.MergeBody) -> Response:
        """The same client was entered twice: this entry ends, and its identity keys belong to the one that stays."""
        act = acting(desk, request, body)
        return await do(request, client, c.Merge(body.into, act.by, act.at, act.manager), body, beside=body.into)

    @doors.command("/{client}/erase", "manager", reply=ProspectReply)
    async def erase(request: Request, client: GivenId, body: b.EraseBody) -> Response:
        """Destroys the key of the client's personal data, here and at the other stations. Cannot be undone."""
        act = acting(desk, request, body)
        return await do(request, client, c.ErasePersonalData(act.by, act.at, act.manager), body)

    @doors.command("/{client}/migrate", "manager", reply=ProspectReply)
    async def migrate(request: Request, client: GivenId, body: b.MigrateBody) -> Response:
        """The client's journey goes on under another variant."""
        act = acting(desk, request, body)
        command = c.MigrateJourney(body.variant, body.served_by, body.legacy_until, act.by, act.at, act.manager)
        return await do(request, client, command, body)


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
