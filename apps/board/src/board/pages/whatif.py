"""What if: months replayed under another plan, variant or deadline, and a picture of who would gain and lose."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from board.apis import Answer
from board.document import Unreadable, read, written
from board.drawing.bars import Swing, swings
from board.pages.pay import months_until
from board.visit import Visit, visit
from conveyor_events.words import VARIANTS

Name = Annotated[str, InPath(max_length=100)]
Text = Annotated[str | None, Query(max_length=100)]
RUNNING = ("queued", "running")

routes = APIRouter()


@routes.get("/what-if")
async def ask(who: Annotated[Visit, Depends(visit)], plan: Text = None) -> Response:
    """The form, filled with a plan if one is named, and what was asked before."""
    return await _form(who, {"plan": plan or ""})


async def _form(who: Visit, given: dict[str, str], refused: Answer | None = None, wrong: str = "") -> Response:
    asked = who.asked
    simulations, plans, lines = await asyncio.gather(
        asked.get("compensation", "/v1/simulations", limit=20),
        asked.listed("compensation", "/v1/plans"),
        asked.listed("lead-gen", "/v1/lines"),
    )
    this = f"{(await who.now()).astimezone(who.hall.zone):%Y-%m}"
    chosen = next((row for row in plans.items if row["plan"] == given.get("plan")), None)
    filled = {"from": months_until(this, 3)[0], "to": this, "document": "", **given}
    if chosen is not None and not filled["document"]:
        filled["document"] = written(_parsed(chosen["versions"][-1]["document"]))
    return who.page(
        "whatif.html",
        409 if refused is not None or wrong else 200,
        simulations=simulations,
        plans=plans,
        lines=lines.items,
        variants=sorted(VARIANTS),
        given=filled,
        asks=who.viewer.may("plans:write", "plans:approve"),
        refused=refused,
        wrong=wrong,
        key=str(uuid4()),
    )


def _parsed(document: Any) -> dict[str, Any]:
    return read(document) if isinstance(document, str) else dict(document)


@routes.post("/what-if")
async def begin(who: Annotated[Visit, Depends(visit)]) -> Response:
    """Asks the API to replay; it takes a moment."""
    given = dict(await who.form())
    body: dict[str, Any] = {"from": given.get("from", ""), "to": given.get("to", "")}
    body |= {name: given[name] for name in ("line", "variant") if given.get(name)}
    if given.get("accept_within_hours", "").isdigit():
        body["accept_within_hours"] = int(given["accept_within_hours"])
    if given.get("document", "").strip():
        try:
            document = read(given["document"])
        except Unreadable as wrong:
            return await _form(who, given, wrong=str(wrong))
        body["plans"] = [{"document": document, "from_start": given.get("from_start") == "yes"}]
    answer = await who.asked.post("compensation", "/v1/simulations", body, given.get("key", ""))
    if answer.state == "away":
        return who.unsent(given, "away", 503)
    if not answer.ok:
        return await _form(who, given, refused=answer)
    return RedirectResponse(f"/what-if/{quote(answer.document['simulation_id'], safe='')}", 303)


@routes.get("/what-if/{simulation_id}")
async def one(who: Annotated[Visit, Depends(visit)], simulation_id: Name) -> Response:
    """How far it is, and then what came out; asks again by itself until it is done."""
    answer = await who.asked.get("compensation", f"/v1/simulations/{quote(simulation_id, safe='')}")
    part = bool(who.request.headers.get("hx-request"))
    told = answer.document if answer.ok else None
    return who.page(
        "whatif_result.html" if part else "whatif_one.html",
        200 if answer.ok or part or answer.state == "away" else 404,
        answer=answer,
        told=told,
        running=told is not None and told["stage"] in RUNNING,
        pictures=_pictures(told["result"]["people"]) if told and told.get("result") else {},
    )


def _pictures(people: list[dict[str, Any]]) -> dict[str, list[tuple[dict[str, Any], Swing]]]:
    """By currency: each person with their bar, from the largest gain to the largest loss."""
    found: dict[str, list[tuple[dict[str, Any], Swing]]] = {}
    for currency in sorted({one["currency"] for one in people}):
        mine = {one["person"]: one for one in people if one["currency"] == currency}
        drawn = swings([(person, Decimal(one["delta"]["payable"])) for person, one in mine.items()])
        found[currency] = [(mine[swing.label], swing) for swing in drawn]
    return found
