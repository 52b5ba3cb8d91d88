"""Conflicts: cases with their claims and what is at stake, by kind and by pair of people; and their decision."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from board.apis import Answer
from board.visit import Visit, visit, wrote

PAGE = 50
OUTCOMES = ("credit_a", "credit_b", "split", "house", "dismissed")
OPEN = ("detected", "claims_invited")
Name = Annotated[str, InPath(max_length=100)]
Kind = Annotated[str | None, Query(pattern=r"^C[1-9]$")]
Text = Annotated[str | None, Query(max_length=500)]

routes = APIRouter()


@routes.get("/conflicts")
async def listed(
    who: Annotated[Visit, Depends(visit)], kind: Kind = None, person: Text = None, cursor: Text = None
) -> Response:
    """The cases that the viewer may see, oldest first, with their number by kind and by pair."""
    found, every = await asyncio.gather(
        who.asked.get("compensation", "/v1/conflicts", kind=kind, person=person or None, cursor=cursor, limit=PAGE),
        who.asked.get("compensation", "/v1/conflicts", limit=1),
    )
    pairs = every.document["by_pair"] if every.ok else []
    return who.page(
        "conflicts.html",
        answer=found,
        kinds=every.document["by_kind"] if every.ok else [],
        pairs=pairs,
        most=max((pair["cases"] for pair in pairs), default=1),
        kind=kind,
        person=person,
        open_stages=OPEN,
    )


@routes.get("/conflicts/{case_id}")
async def one(who: Annotated[Visit, Depends(visit)], case_id: Name) -> Response:
    return await _shown(who, case_id)


async def _shown(
    who: Visit, case_id: str, refused: Answer | None = None, given: Mapping[str, str] | None = None
) -> Response:
    answer = await who.asked.get("compensation", f"/v1/conflicts/{quote(case_id, safe='')}")
    told = answer.document if answer.ok else None
    parties = {told[side]["person"] for side in ("a", "b") if told[side]} if told else set[str]()
    return who.page(
        "conflict.html",
        409 if refused is not None else 200 if answer.ok or answer.state == "away" else 404,
        answer=answer,
        told=told,
        resolves=who.viewer.may("conflicts:resolve"),
        party=who.person in parties,
        open_stages=OPEN,
        outcomes=OUTCOMES,
        refused=refused,
        given=given or {},
        key=str(uuid4()),
    )


@routes.post("/conflicts/{case_id}/{step}")
async def go_on(who: Annotated[Visit, Depends(visit)], case_id: Name, step: str) -> Response:
    """invite, claims or resolve: what the API knows of a case."""
    given = await who.form()
    bodies: dict[str, dict[str, Any]] = {
        "invite": {},
        "claims": {"text": given.get("text", "").strip()},
        "resolve": {"outcome": given.get("outcome", ""), "reason": given.get("reason", "").strip()},
    }
    if step not in bodies:
        return who.page("error.html", 404, code=404)
    path = f"/v1/conflicts/{quote(case_id, safe='')}/{step}"
    answer = await who.asked.post("compensation", path, bodies[step], given.get("key", ""))
    if answer.state == "away" and wrote(given):
        return who.unsent(given, "away", 503)
    if not answer.ok:
        return await _shown(who, case_id, answer, given)
    told = await who.asked.get("compensation", f"/v1/conflicts/{quote(case_id, safe='')}")
    sides = [told.document[side]["person"] for side in ("a", "b") if told.document[side]] if told.ok else []
    await who.announce(who.person, *sides)
    return RedirectResponse(f"/conflicts/{quote(case_id, safe='')}", 303)
