"""Competitor cards: opened, claims stated and dropped, published, retired; those that went stale."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, NewId
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.headers import etag, json_response
from belt.io.http.paging import Cursor, Limit, decode_cursor, page
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conveyor_events.words import Instant
from lead_gen.api.acting import acting
from lead_gen.api.bodies import Text, Word
from lead_gen.papers import competitor as k
from lead_gen.views import COMPETITORS_TABLE as COMPETITORS

WRITE, READ = "leads:write", "leads:read"
Filter = Annotated[GivenId | None, Query()]


class CardBody(BaseBody):
    card_id: NewId = None
    name: Word


class ClaimBody(BaseBody):
    """Said again with the same `claim_id` it was seen again. A price is believed for 60 days, all else for 180."""

    claim_id: NewId = None
    topic: Annotated[Word, Field(description=", ".join(k.TOPICS))]
    text: Annotated[Text, Field(description="kept sealed")]
    source: Annotated[Word, Field(description="kept sealed")]
    confidence: Annotated[int, Field(ge=1, le=5)]
    seen_on: date


class CardReply(BaseModel):
    card_id: str
    stage: str
    claim_id: str | None = None
    version: int


class ClaimTold(BaseModel):
    claim_id: str
    topic: str
    text: str
    source: str
    confidence: int
    seen_on: date
    valid_until: Annotated[Instant, Field(description="exclusive")]


class CardTold(BaseModel):
    card_id: str
    name: str
    stage: str
    claims: list[ClaimTold]
    version: int


class CardRow(BaseModel):
    card_id: str
    name: str
    stage: str
    claims: int
    published_at: Instant | None
    stale_at: Instant | None
    version: int


class CardList(BaseModel):
    items: list[CardRow]
    next: str | None


def doors(desk: Desk) -> Doors:
    doors = Doors(prefix="/v1/competitors", tags=["competitors"])
    _write(doors, desk)
    _look(doors, desk)
    return doors


def _write(doors: Doors, desk: Desk) -> None:
    @doors.command("", WRITE, reply=CardReply, status=201)
    async def open_card(request: Request, body: CardBody) -> Response:
        """A card for a rival."""
        act, card = acting(desk, request, body), body.card_id or fresh()
        step = Step(k.CATEGORY, card, k.OpenCard(card, body.name, act.by, act.at))
        return await desk.do(request, step, body=body, reply=_reply(card), created=True)

    @doors.command("/{card}/claims", WRITE, reply=CardReply, status=201)
    async def state_claim(request: Request, card: GivenId, body: ClaimBody) -> Response:
        """Something that is said of the rival, or was seen again."""
        act, name = acting(desk, request, body), body.claim_id or fresh()
        claim = k.Claim(name, body.topic, body.text, body.source, body.confidence, body.seen_on)
        step = Step(k.CATEGORY, card, k.StateClaim(claim, desk.settings.zone, act.by, act.at))
        return await desk.do(request, step, body=body, reply=_reply(card, claim_id=name), created=True)

    @doors.command("/{card}/claims/{claim}/drop", WRITE, reply=CardReply)
    async def drop_claim(request: Request, card: GivenId, claim: GivenId, body: BaseBody) -> Response:
        """Nobody believes it any more."""
        act = acting(desk, request, body)
        step = Step(k.CATEGORY, card, k.DropClaim(claim, act.by, act.at))
        return await desk.do(request, step, body=body, reply=_reply(card))

    @doors.command("/{card}/publish", WRITE, reply=CardReply)
    async def publish_card(request: Request, card: GivenId, body: BaseBody) -> Response:
        """Everybody may rely on it, until the first of its claims is over."""
        act = acting(desk, request, body)
        step = Step(k.CATEGORY, card, k.PublishCard(act.by, act.at))
        return await desk.do(request, step, body=body, reply=_reply(card))

    @doors.command("/{card}/retire", WRITE, reply=CardReply)
    async def retire_card(request: Request, card: GivenId, body: BaseBody) -> Response:
        """The rival is none any more."""
        act = acting(desk, request, body)
        step = Step(k.CATEGORY, card, k.RetireCard(act.by, act.at))
        return await desk.do(request, step, body=body, reply=_reply(card))


def _look(doors: Doors, desk: Desk) -> None:
    @doors.query("", READ, reply=CardList)
    async def cards(stage: Filter = None, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """Cards by id; in a stage, such as stale."""
        of = COMPETITORS.c
        wanted = select(COMPETITORS).order_by(of.card_id).limit(limit + 1)
        if stage is not None:
            wanted = wanted.where(of.stage == stage)
        if cursor is not None:
            wanted = wanted.where(of.card_id > decode_cursor(cursor, str)[0])
        rows, following = page(await desk.rows(wanted), limit, lambda row: [row["card_id"]])
        items = [{name: value for name, value in row.items() if name not in ("stated", "shape")} for row in rows]
        return json_response({"items": items, "next": following})

    @doors.query("/{card}", READ, reply=CardTold, versioned=True)
    async def one_card(request: Request, card: GivenId) -> Response:
        """One card with what is said on it."""
        entry = await desk.state(k.CATEGORY, card)
        state: k.Card = entry.state
        if state.stage == "none":
            raise Refused("competitor.unknown")
        claims = [
            {
                "claim_id": one.claim,
                "topic": one.topic,
                "text": one.text,
                "source": one.source,
                "confidence": one.confidence,
                "seen_on": one.seen_on,
                "valid_until": one.over_at,
            }
            for one in state.claims.values()
        ]
        await desk.tell(request, "personal", card)  # what is sealed may name people
        told = {"card_id": card, "name": state.name, "stage": state.stage, "claims": claims, "version": entry.version}
        return json_response(told, headers={"etag": etag(entry.version)})


def _reply(card: str, **ids: str) -> Any:
    def reply(outcome: Outcome) -> dict[str, Any]:
        return {"card_id": card, "stage": outcome.state(f"{k.CATEGORY}-{card}").stage, **ids}

    return reply
