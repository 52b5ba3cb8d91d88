"""Accounts: whom the station serves, and what they buy again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field, StringConstraints

from account_mgmt.account import CATEGORY, Account, Status
from account_mgmt.api.words import Currency, Filter, Holder, Holding, listed, shown
from account_mgmt.sale import CATEGORY as SALE
from account_mgmt.sale import Item, RecordRepeatSale, SaleBook
from account_mgmt.views import ACCOUNTS_TABLE
from belt.core.decider import Refused, Step
from belt.io.body import BaseBody, GivenId, Strict
from belt.io.desk import Desk
from belt.io.doors import Doors
from belt.io.ids import fresh
from belt.io.paging import Cursor, Limit
from belt.io.unit import Outcome
from conveyor_events.money import Amount
from conveyor_events.sale import SplitPart
from conveyor_events.words import Instant


class LineBody(Strict):
    sku: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    qty: Annotated[Amount, Field(gt=0)]
    unit_price: Annotated[Amount, Field(ge=0)]
    discount_pct: Annotated[Amount, Field(ge=0, le=100)] = Item.discount_pct


class PartBody(Strict):
    person: GivenId
    role: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    weight: Annotated[Amount, Field(gt=0)]


class RepeatSaleBody(BaseBody):
    """Credited to whoever serves the client at `sold_on` (default: `occurred_at`)."""

    sale_id: GivenId | None = None
    net: Annotated[Amount, Field(description="after discount, before tax")]
    tax: Amount
    currency: Currency
    sold_on: Annotated[Instant | None, Field(description="a past one needs the scope `backdate`")] = None
    lines: Annotated[tuple[LineBody, ...], Field(max_length=500)] = ()
    co_sell: Annotated[tuple[PartBody, ...], Field(max_length=20, description="agreed parts of the sale")] = ()


class RepeatSaleReply(BaseModel):
    sale_id: str
    client_id: str
    stage: str
    served_by: Annotated[Holder, Field(description="who is credited")]
    version: Annotated[int, Field(description="of the sale")]


class PurchaseTold(BaseModel):
    sale_id: str
    sold_at: datetime
    counts: Annotated[bool, Field(description="false: all of its money went back")]


class AccountTold(BaseModel):
    client_id: str
    journey_id: str | None
    variant: str
    line: str
    stage: str
    sourced_by: Holder
    converted_by: Holder
    served_by: Annotated[Holder, Field(description="now")]
    holdings: list[Holding]
    purchases: list[PurchaseTold]
    regular_since: datetime | None
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
    version: int


class AccountList(BaseModel):
    items: list[AccountRow]
    next: str | None


def doors(doors: Doors, desk: Desk) -> None:
    @doors.query("/v1/accounts", "accounts:read", reply=AccountList)
    async def list_accounts(
        line: Filter = None,
        served_by: Filter = None,
        stage: Filter = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Accounts by client; of a line, of who serves them, in a stage."""
        of = ACCOUNTS_TABLE.c
        filters = [(of.line, line), (of.served_by, served_by), (of.stage, stage)]
        return await listed(desk, ACCOUNTS_TABLE, of.client_id, limit, cursor, filters, of.stage != Status.NONE.value)

    @doors.query("/v1/accounts/{client}", "accounts:read", reply=AccountTold)
    async def get_account(client: str) -> Response:
        """One account as it stands."""
        entry = await desk.state(CATEGORY, client)
        return shown(entry, _told(entry.state, desk.clock.now()))

    @doors.command("/v1/accounts/{client}/repeat-sales", "accounts:write", reply=RepeatSaleReply, status=201)
    async def record_repeat_sale(request: Request, client: str, body: RepeatSaleBody) -> Response:
        """The client bought again. If-Match speaks of the sale."""
        subject = desk.subject(request)
        sale = body.sale_id or fresh()
        command = RecordRepeatSale(
            desk.when(subject, body.occurred_at),
            desk.who(subject, body.by),
            sale,
            client,
            body.net,
            body.tax,
            body.currency,
            desk.when(subject, body.sold_on) if body.sold_on is not None else None,
            tuple(Item(line.sku, line.qty, line.unit_price, line.discount_pct) for line in body.lines),
            tuple(SplitPart(person=part.person, role=part.role, weight=part.weight) for part in body.co_sell),
        )

        def reply(outcome: Outcome) -> dict[str, Any]:
            book: SaleBook = outcome.state(f"{SALE}-{sale}")
            sold = book.recorded.sale if book.recorded else None
            return {
                "sale_id": sale,
                "client_id": client,
                "stage": book.stage,
                "served_by": sold.served_by.model_dump() if sold and sold.served_by else None,
            }

        return await desk.do(request, Step(SALE, sale, command), body=body, reply=reply, created=True)


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
        "holdings": [{"holder": held.seat, "since": held.since} for held in account.holdings],
        "purchases": [
            {"sale_id": made.sale_id, "sold_at": made.sold_at, "counts": made.counts} for made in account.purchases
        ],
        "regular_since": account.regular_since,
    }
