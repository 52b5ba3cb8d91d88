"""The doors to what is parked: look at it, try it again, or pass it over for good with a reason that is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import structlog
from pydantic import BaseModel, Field
from starlette.requests import Request

from belt.core.decider import Refused
from belt.io.http.body import Strict
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit, decode_cursor, page
from belt.io.intake import skipping
from belt.io.intake.parking import Parked, Parking
from belt.io.intake.taking import OUT_OF_REACH, Intake
from conveyor_events.envelope import to_json

log = structlog.get_logger()

LAST = 2**63 - 1


class ParkedEvent(BaseModel):
    """An event that could not be taken in. `sequence` below zero: it cannot be read, and has no place in its key."""

    id: int
    topic: str
    key: str
    sequence: int
    event_id: UUID
    type: str | None
    reason: str
    parked_at: datetime


class ParkedPage(BaseModel):
    items: list[ParkedEvent]
    next: str | None


class ParkedShown(ParkedEvent):
    """With the event itself, as its publisher sent it: attributes and data, or as text what cannot be read."""

    event: dict[str, Any] | None
    raw: dict[str, str] | None


class SkippedEvent(ParkedEvent):
    """An event that was passed over for good: by whom, when, and why. `reason` is why it was parked."""

    skipped_by: str
    because: str
    skipped_at: datetime


class SkippedPage(BaseModel):
    items: list[SkippedEvent]
    next: str | None


class SkipBody(Strict):
    reason: Annotated[str, Field(min_length=3, max_length=500, description="why it may be passed over; kept for ever")]


class RedriveReply(BaseModel):
    """Events of the key that were handled, those still parked, and why the redrive stopped, if it did."""

    handled: int
    left: int
    reason: str | None


def doors(desk: Desk, parking: Parking, intake: Intake | None) -> Doors:
    found = Doors(tags=["parked"])
    _to_look(found, parking)
    if intake is not None:
        _to_act(found, desk, intake)
    return found


def _to_look(found: Doors, parking: Parking) -> None:
    @found.query("/v1/parked", "parked:write", reply=ParkedPage)
    async def parked(limit: Limit = 50, cursor: Cursor = None) -> ParkedPage:
        """Events that could not be taken in, and those that wait behind them."""
        after = decode_cursor(cursor, int)[0] if cursor is not None else 0
        rows, following = page(await parking.listed(after, limit + 1), limit, lambda row: (row.id,))
        return ParkedPage(items=[_told(row) for row in rows], next=following)

    @found.query("/v1/parked/skipped", "parked:write", reply=SkippedPage)
    async def skipped(limit: Limit = 50, cursor: Cursor = None) -> SkippedPage:
        """Events that somebody decided to pass over: who, when and why."""
        after = decode_cursor(cursor, int)[0] if cursor is not None else 0
        found = await skipping.listed(parking, after, limit + 1)
        rows, following = page(found, limit, lambda row: (row.parked.id,))
        more = [{"skipped_by": row.by, "because": row.because, "skipped_at": row.at} for row in rows]
        items = [SkippedEvent(**_told(row.parked).model_dump(), **told) for row, told in zip(rows, more, strict=True)]
        return SkippedPage(items=items, next=following)

    @found.query("/v1/parked/{parked_id}", "parked:write", reply=ParkedShown)
    async def parked_one(parked_id: int) -> ParkedShown:
        """One parked event, with what is in it."""
        row = await parking.find(parked_id) if 0 < parked_id <= LAST else None
        if row is None:
            raise Refused("not-found")
        told, envelope = _told(row).model_dump(), row.arrival.envelope
        raw = None if row.arrival.raw is None else dict(zip(("attributes", "value"), row.arrival.raw, strict=True))
        return ParkedShown(**told, event=to_json(envelope) if envelope is not None else None, raw=raw)


def _to_act(found: Doors, desk: Desk, intake: Intake) -> None:
    @found.command(
        "/v1/parked/{parked_id}/redrive", "parked:write", reply=RedriveReply, when_full=True, versioned=False
    )
    async def redrive(parked_id: int) -> RedriveReply:
        """Tries all parked events of this one's key again, in order. What nobody can read is thrown away and listed
        with what was passed over.
        """
        if not 0 < parked_id <= LAST:
            raise Refused("not-found")
        try:
            done = await intake.redrive(parked_id)
        except OUT_OF_REACH as away:
            log.warning("parked.redrive_waits", error=f"{type(away).__name__}: {away}")
            raise Refused("unavailable") from away
        if done is None:
            raise Refused("not-found")
        return RedriveReply(handled=done.handled, left=done.left, reason=done.reason)

    @found.command("/v1/parked/{parked_id}/skip", "parked:write", reply=RedriveReply, when_full=True, versioned=False)
    async def skip(request: Request, parked_id: int, body: SkipBody) -> RedriveReply:
        """Passes over the first parked event of its key for good, keeps who said so and why, and redrives the rest."""
        if not 0 < parked_id <= LAST:
            raise Refused("not-found")
        by = desk.subject(request).person
        try:
            done = await intake.skip(parked_id, by, body.reason)
        except OUT_OF_REACH as away:
            log.warning("parked.skip_waits", error=f"{type(away).__name__}: {away}")
            raise Refused("unavailable") from away
        if done is None:
            raise Refused("not-found")
        return RedriveReply(handled=done.handled, left=done.left, reason=done.reason)


def _told(row: Parked) -> ParkedEvent:
    kind = row.arrival.envelope.type if row.arrival.envelope is not None else None
    return ParkedEvent(
        id=row.id,
        topic=row.topic,
        key=row.key,
        sequence=row.sequence,
        event_id=row.event_id,
        type=kind,
        reason=row.reason,
        parked_at=row.parked_at,
    )
