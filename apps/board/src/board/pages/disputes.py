"""One dispute: what was said, the lines it is about, and for who decides them the next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from board.apis import Answer
from board.visit import Visit, visit, wrote

Name = Annotated[str, InPath(max_length=100)]
STEPS = ("review", "ask", "answer", "decide", "close")
OUTCOMES = ("accepted", "partly", "refused")
OPEN = ("opened", "in_review", "info_requested")

routes = APIRouter()


@routes.get("/disputes/{dispute_id}")
async def one(who: Annotated[Visit, Depends(visit)], dispute_id: Name) -> Response:
    return await _shown(who, dispute_id)


async def _shown(
    who: Visit, dispute_id: str, refused: Answer | None = None, given: Mapping[str, str] | None = None
) -> Response:
    answer = await who.asked.get("compensation", f"/v1/disputes/{quote(dispute_id, safe='')}")
    status = 409 if refused is not None else 200 if answer.ok or answer.state == "away" else 404
    told = answer.document if answer.ok else None
    return who.page(
        "dispute.html",
        status,
        answer=answer,
        told=told,
        decides=who.viewer.may("conflicts:resolve") and told is not None,
        mine=told is not None and told["person"] == who.person,
        outcomes=OUTCOMES,
        open_stages=OPEN,
        refused=refused,
        given=given or {},
        key=str(uuid4()),
    )


@routes.post("/disputes/{dispute_id}/{step}")
async def go_on(who: Annotated[Visit, Depends(visit)], dispute_id: Name, step: str) -> Response:
    """A step of the dispute, as the API knows it."""
    given = await who.form()
    if step not in STEPS:
        return who.page("error.html", 404, code=404)
    body: dict[str, Any] = {}
    if step in ("ask", "answer"):
        body = {"text": given.get("text", "").strip()}
    if step == "decide":
        body = {"outcome": given.get("outcome", ""), "reason": given.get("reason", "").strip()}
        if given.get("amount", "").strip():
            body |= {"amount": who.words.read(given["amount"]), "currency": given.get("currency", "").strip() or None}
    answer = await who.asked.post(
        "compensation", f"/v1/disputes/{quote(dispute_id, safe='')}/{step}", body, given.get("key", "")
    )
    if answer.state == "away" and wrote(given):
        return who.unsent(given, "away", 503)
    if not answer.ok:
        return await _shown(who, dispute_id, answer, given)
    told = await who.asked.get("compensation", f"/v1/disputes/{quote(dispute_id, safe='')}")
    await who.announce(who.person, *([told.document["person"]] if told.ok else ()))
    return RedirectResponse(f"/disputes/{quote(dispute_id, safe='')}", 303)
