"""GET /v1/audit: who has read whose pay or personal data. Looking at it is a read, too, and is written down."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request

from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Limit
from conveyor_events.words import Instant

LAST = 2**63 - 1
Name = Annotated[str | None, Query(max_length=200)]
After = Annotated[int, Query(ge=0, le=LAST, description="id of the last read seen")]


class ReadTold(BaseModel):
    """One read. `kind`: pay, personal, or audit. `scopes`: by which rights of the token. `whose`: people or clients."""

    id: int
    read_at: Instant
    person: str
    scopes: list[str]
    kind: str
    whose: list[str]
    route: str
    path: str
    request_id: str
    trace_id: str | None


class AuditPage(BaseModel):
    """`next`: what to give as `after` for the page that follows; null at the end."""

    items: list[ReadTold]
    next: int | None


def doors(desk: Desk) -> Doors:
    found = Doors(tags=["audit"])

    @found.query("/v1/audit", "audit:read", reply=AuditPage)
    async def audit(
        request: Request, person: Name = None, of: Name = None, after: After = 0, limit: Limit = 50
    ) -> AuditPage:
        """Reads of pay and personal data in their order; by one person, or of one person's or client's data."""
        rows = await desk.audit.listed(after, limit + 1, person, of)
        shown = rows[:limit]
        await desk.tell(request, "audit", *(name for name in (person, of) if name is not None))
        items = [ReadTold(id=row.id, read_at=row.read_at, **asdict(row.read)) for row in shown]
        return AuditPage(items=items, next=shown[-1].id if len(rows) > limit else None)

    return found
