"""Plans: each version's document with what the linter says beside its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from board.apis import Answer
from board.document import rows
from board.visit import Visit, visit

Name = Annotated[str, InPath(max_length=100)]
Number = Annotated[int, InPath(ge=1, le=1_000_000)]

routes = APIRouter()


@routes.get("/plans")
async def listed(who: Annotated[Visit, Depends(visit)]) -> Response:
    """The plans that the viewer may see, with the versions they may see."""
    plans = await who.asked.listed("compensation", "/v1/plans")
    return who.page("plans.html", answer=plans, tries=who.viewer.may("plans:write", "plans:approve"))


@routes.get("/plans/{plan}/{number}")
async def one(who: Annotated[Visit, Depends(visit)], plan: Name, number: Number) -> Response:
    return await _shown(who, plan, number)


async def _shown(who: Visit, plan: str, number: int, refused: Answer | None = None) -> Response:
    """The API shows plans as a list; the one that is asked for is among them, or not the viewer's to see."""
    plans = await who.asked.listed("compensation", "/v1/plans")
    found = next((row for row in plans.items if row["plan"] == plan), None)
    version: Mapping[str, Any] | None = None
    if found is not None:
        version = next((one for one in found["versions"] if one["version"] == number), None)
    findings = (version or {}).get("findings", [])
    lints = who.viewer.may("plans:write", "plans:approve")
    return who.page(
        "plan.html",
        409 if refused is not None else 200 if version or plans.state == "away" else 404,
        answer=plans if not plans.ok else Answer(404),
        plan=found,
        version=version,
        number=number,
        rows=rows(version["document"], findings) if version else [],
        findings=findings,
        linted="findings" in version if version else False,
        lints=lints,
        approves=who.viewer.may("plans:approve"),
        refused=refused,
        key=str(uuid4()),
    )


@routes.post("/plans/{plan}/{number}/{step}")
async def go_on(who: Annotated[Visit, Depends(visit)], plan: Name, number: Number, step: str) -> Response:
    """lint or approve."""
    given = await who.form()
    if step not in ("lint", "approve"):
        return who.page("error.html", 404, code=404)
    path = f"/v1/plans/{quote(plan, safe='')}/versions/{number}/{step}"
    answer = await who.asked.post("compensation", path, {}, given.get("key", ""))
    if not answer.ok:
        return await _shown(who, plan, number, answer)
    return RedirectResponse(f"/plans/{quote(plan, safe='')}/{number}", 303)
