"""Accounts: whom the station serves, where they stand, and what falls due."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from account_mgmt.account import CATEGORY, Account, Status
from account_mgmt.api.sight import Seen
from account_mgmt.api.words import Counts, Filter, Holder, Listing, shown
from account_mgmt.views import ACCOUNTS_TABLE
from belt.core.decider import Refused
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from conveyor_events.words import Instant


class HoldingTold(BaseModel):
    """A seat from an instant on, until the next one begins."""

    holder: Holder
    since: datetime
    legacy: Annotated[str | None, Field(description="who is remembered in the pay of repeat sales")]
    legacy_until: datetime | None


class JourneyTold(BaseModel):
    journey_id: str | None
    variant: str
    since: datetime


class PurchaseTold(BaseModel):
    sale_id: str
    sold_at: datetime
    counts: Annotated[bool, Field(description="false: all of its money went back")]


class RiskTold(BaseModel):
    cause: Annotated[str, Field(description="silence, complaint, low_score")]
    ref: Annotated[str, Field(description="the complaint or questionnaire that says so")]
    since: datetime


class AccountTold(BaseModel):
    client_id: str
    journey_id: str | None
    variant: str
    line: str
    stage: str
    sourced_by: Holder
    converted_by: Holder
    served_by: Annotated[Holder, Field(description="now")]
    holdings: list[HoldingTold]
    journeys: list[JourneyTold]
    purchases: list[PurchaseTold]
    regular_since: datetime | None
    risks: list[RiskTold]
    risk_due_at: Annotated[datetime | None, Field(description="without a purchase until then it is at risk")]
    lapse_due_at: Annotated[datetime | None, Field(description="without a purchase until then it lapses")]
    gone_at: Annotated[datetime | None, Field(description="when it lapsed or churned")]
    left: Annotated[str | None, Field(description="why it churned")]
    open_complaints: int
    version: int


class AccountRow(BaseModel):
    client_id: str
    stage: str
    line: str
    variant: str
    sourced_by: str
    converted_by: str
    served_by: str | None
    served_since: datetime | None
    purchases: int
    last_purchase_at: datetime | None
    regular_since: datetime | None
    journey_id: str | None
    risks: Annotated[list[str], Field(description="silence, complaint, low_score; one for each complaint")]
    at_risk_since: datetime | None
    lapse_due_at: datetime | None
    gone_at: datetime | None
    open_complaints: int
    last_contact_at: datetime | None
    next_contact_at: datetime | None
    version: int


class AccountList(BaseModel):
    items: list[AccountRow]
    next: str | None
    counts: Counts = None


Order = Annotated[
    Literal["client", "lapse", "contact", "risk"],
    Query(description="by client; by when it lapses; by when it is to be contacted; by how long it is at risk"),
]


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.query("/v1/accounts", "accounts:read", reply=AccountList)
    async def list_accounts(
        request: Request,
        line: Filter = None,
        served_by: Filter = None,
        stage: Filter = None,
        risk: Annotated[Filter, Query(description="silence, complaint or low_score")] = None,
        complaints: Annotated[bool, Query(description="only with an open complaint")] = False,
        lapses_before: Annotated[Instant | None, Query(description="those about to lapse")] = None,
        contact_before: Annotated[Instant | None, Query(description="those to be contacted")] = None,
        order: Order = "client",
        counts: Annotated[bool, Query(description="how many in each stage, by the other filters")] = False,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Accounts of a line, of who serves them, in a stage, at risk, about to lapse, to be contacted."""
        of = ACCOUNTS_TABLE.c
        by = {"client": None, "lapse": of.lapse_due_at, "contact": of.next_contact_at, "risk": of.at_risk_since}
        listing = Listing(ACCOUNTS_TABLE, of.client_id, by[order]).only(of.stage != Status.NONE.value)
        listing = listing.equal((of.line, line), (of.served_by, served_by))
        if risk is not None:
            listing = listing.only(of.risks.contains([risk]))
        if complaints:
            listing = listing.only(of.open_complaints > 0)
        if lapses_before is not None:
            listing = listing.only(of.lapse_due_at < lapses_before)
        if contact_before is not None:
            listing = listing.only(of.next_contact_at < contact_before)
        listing = listing.only(await sights.rows(request, ACCOUNTS_TABLE))
        return await listing.answer(desk, limit, cursor, (of.stage, stage), counts)

    @doors.query("/v1/accounts/{client}", "accounts:read", reply=AccountTold, versioned=True)
    async def get_account(request: Request, client: str) -> Response:
        """One account as it stands."""
        await sights.of_account(request, client)
        entry = await desk.state(CATEGORY, client)
        return shown(entry, _told(entry.state, desk.clock.now()))


def _told(account: Account, now: datetime) -> dict[str, Any]:
    if account.status is Status.NONE:
        raise Refused("account.unknown")
    return {
        "client_id": account.client,
        "journey_id": account.journey,
        "variant": account.variant,
        "line": account.line,
        "stage": account.status,
        "sourced_by": account.sourced_by,
        "converted_by": account.converted_by,
        "served_by": account.holder_at(now),
        "holdings": [
            {
                "holder": held.seat,
                "since": held.since,
                "legacy": held.legacy.person if held.legacy else None,
                "legacy_until": held.legacy.until if held.legacy else None,
            }
            for held in account.holdings
        ],
        "journeys": [
            {"journey_id": one.journey, "variant": one.variant, "since": one.since} for one in account.journeys
        ],
        "purchases": [
            {"sale_id": made.sale_id, "sold_at": made.sold_at, "counts": made.counts} for made in account.purchases
        ],
        "regular_since": account.regular_since,
        "risks": [{"cause": risk.cause, "ref": risk.ref, "since": risk.since} for risk in account.risks],
        "risk_due_at": account.risk_due_at,
        "lapse_due_at": account.lapse_due_at,
        "gone_at": account.gone_at,
        "left": account.left,
        "open_complaints": len(account.open_complaints),
    }
