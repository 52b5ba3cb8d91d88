"""Pay: who earned what in which month; a statement line by line, each down to its events and its arithmetic."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from board.apis import Answer
from board.arithmetic import steps
from board.visit import Visit, visit

MONTHS = 6
LEAST = 2
SHOWN = 400
Name = Annotated[str, InPath(max_length=100)]
MONTH = r"^[12]\d{3}-(0[1-9]|1[0-2])$"
Month = Annotated[str, InPath(pattern=MONTH)]
Until = Annotated[str | None, Query(pattern=MONTH)]
Said = Annotated[str | None, Query(max_length=40)]
DISPUTABLE = ("published", "acknowledged")

routes = APIRouter()


def months_until(last: str, many: int = MONTHS) -> list[str]:
    """Months up to this one, the earliest first."""
    count = int(last[:4]) * 12 + int(last[5:]) - 1
    return [f"{at // 12:04}-{at % 12 + 1:02}" for at in range(count - many + 1, count + 1)]


def months_after(last: str) -> str:
    """The month that ends the next page."""
    count = int(last[:4]) * 12 + int(last[5:]) - 1 + MONTHS
    return f"{count // 12}-{count % 12 + 1:02}"


@routes.get("/pay")
async def overview(who: Annotated[Visit, Depends(visit)], until: Until = None) -> Response:
    """Everybody whose pay the viewer may see, by month; one's own first."""
    now = await who.now()
    this = f"{now.astimezone(who.hall.zone):%Y-%m}"
    months = months_until(until or this)
    earnings, disputes = await asyncio.gather(
        who.asked.listed("compensation", "/v1/earnings", SHOWN * MONTHS, from_=months[0], to=months[-1]),
        who.asked.get("compensation", "/v1/disputes", limit=20),
    )
    while len(months) > LEAST and not any(one["period"] == months[0] for one in earnings.items):
        months = months[1:]  # nobody had anything then
    people: dict[str, dict[str, Mapping[str, Any]]] = {}
    for statement in earnings.items:
        people.setdefault(statement["person"], {})[statement["period"]] = statement
    return who.page(
        "pay.html",
        months=months,
        this=this,
        people=dict(sorted(people.items(), key=lambda one: (one[0] != who.person, one[0]))),
        earnings=earnings,
        disputes=disputes,
        before=months_until(until or this, MONTHS + 1)[0],
        after=None if months[-1] >= this else min(this, months_after(months[-1])),
    )


@routes.get("/pay/lines/{line_id}")
async def line(who: Annotated[Visit, Depends(visit)], line_id: Name) -> Response:
    """One line unfolded; as a part of the statement, or as a page of its own."""
    answer = await who.asked.get("compensation", f"/v1/lines/{quote(line_id, safe='')}")
    part = bool(who.request.headers.get("hx-request"))
    shown = {"line": answer.document, "steps": steps(answer.document)} if answer.ok else {"line": None, "steps": []}
    status = 200 if answer.ok or part else 404
    return who.page("pay_line.html" if part else "pay_line_page.html", status, answer=answer, line_id=line_id, **shown)


@routes.get("/pay/{person}/{period}")
async def statement(who: Annotated[Visit, Depends(visit)], person: Name, period: Month, said: Said = None) -> Response:
    return await _statement(who, person, period, said=said)


async def _statement(
    who: Visit,
    person: str,
    period: str,
    said: str | None = None,
    refused: Answer | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    answer, disputes, plans = await asyncio.gather(
        who.asked.get("compensation", f"/v1/statements/{quote(person, safe='')}/{period}"),
        who.asked.listed("compensation", "/v1/disputes"),
        who.asked.listed("compensation", "/v1/plans"),
    )
    told = answer.document if answer.ok else None
    mine = [d for d in disputes.items if (d["person"], d["period"]) == (person, period)]
    status = 409 if refused is not None else 200 if answer.ok or answer.state == "away" else 404
    return who.page(
        "statement.html",
        status,
        answer=answer,
        told=told,
        lines=running(told["lines"] or ()) if told is not None else [],
        titles=titles(plans),
        person=person,
        period=period,
        before=months_until(period, 2)[0],
        after=_next(period),
        disputes=mine,
        disputable=told is not None and told["stage"] in DISPUTABLE and person == who.person,
        said=said,
        refused=refused,
        given=given or {},
        key=str(uuid4()),
    )


def _next(period: str) -> str:
    year, month = int(period[:4]), int(period[5:])
    return f"{year + month // 12}-{month % 12 + 1:02}"


def running(lines: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Decimal | None]]:
    """Each line with the total of what is earned up to it, in its currency; conditional ones add nothing yet."""
    totals: dict[str, Decimal] = {}
    found: list[tuple[Mapping[str, Any], Decimal | None]] = []
    for one in lines:
        if one["state"] == "earned":
            totals[one["currency"]] = totals.get(one["currency"], Decimal(0)) + Decimal(one["amount"])
        found.append((one, totals.get(one["currency"]) if one["state"] == "earned" else None))
    return found


def titles(plans: Answer) -> dict[tuple[str, int, str], str]:
    """What the rules of the plans are called, where the viewer may read the plan: (plan, version, rule) -> title."""
    found: dict[tuple[str, int, str], str] = {}
    for plan in plans.items:
        for version in plan["versions"]:
            document = version["document"]
            read = json.loads(document) if isinstance(document, str) else document
            found |= {
                (plan["plan"], version["version"], rule["id"]): str(rule["title"])
                for rule in read.get("rules", ())
                if rule.get("title")
            }
    return found


FILES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


@routes.get("/pay/{person}/{period}/statement.{kind}")
async def paper(who: Annotated[Visit, Depends(visit)], person: Name, period: Month, kind: str) -> Response:
    """The statement to print or to reckon with, as the API makes it."""
    if kind not in FILES:
        return who.page("error.html", 404, code=404)
    language = {"lang": who.words.language} if kind == "pdf" else {}
    answer = await who.asked.get("compensation", f"/v1/statements/{quote(person, safe='')}/{period}.{kind}", **language)
    if not answer.ok:
        return await _statement(who, person, period, refused=answer if answer.state != "hidden" else None)
    name = f"{quote(person, safe='')}-{period}.{kind}"
    disposition = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(answer.content, media_type=FILES[kind], headers=disposition)


@routes.post("/pay/{person}/{period}/dispute")
async def dispute(who: Annotated[Visit, Depends(visit)], person: Name, period: Month) -> Response:
    """Objects to one's own statement, about some of its lines or all of it."""
    given = await who.form()
    lines = [line_id for line_id in given.get("lines", "").split() if line_id]
    body = {"period": period, "text": given.get("text", "").strip(), "lines": lines}
    answer = await who.asked.post("compensation", "/v1/disputes", body, given.get("key", ""))
    if answer.state == "away":
        return who.unsent(given, "away", 503)
    if not answer.ok:
        return await _statement(who, person, period, refused=answer, given=given)
    await who.announce(who.person)
    return RedirectResponse(f"/pay/{quote(person, safe='')}/{period}?said=disputed#disputes", 303)
