"""Repeat sales and their money."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from account_mgmt.api.sight import Seen
from account_mgmt.api.words import Counts, Currency, Filter, Holder, Listing, shown
from account_mgmt.sale import CATEGORY, RecordPayment, RecordRefund, SaleBook
from account_mgmt.views import SALES_TABLE
from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conveyor_events.money import Amount, plain
from conveyor_events.sale import SplitPart


class PaymentBody(BaseBody):
    model_config = example(net="240.00", currency="EUR")

    payment_id: NewId = None
    net: Annotated[Amount, Field(description="without tax")]
    currency: Currency


class RefundBody(BaseBody):
    model_config = example(net="40.00", currency="EUR")

    refund_id: NewId = None
    payment_id: Annotated[GivenId | None, Field(description="the payment given back; default: the oldest first")] = None
    net: Annotated[Amount, Field(description="without tax, as a positive amount")]
    currency: Currency


class MoneyReply(BaseModel):
    sale_id: str
    client_id: str
    stage: str
    paid: Amount
    refunded: Amount
    version: int


class PaymentReply(MoneyReply):
    payment_id: str


class RefundReply(MoneyReply):
    refund_id: str


class PaymentTold(BaseModel):
    payment_id: str
    at: datetime
    net: Amount
    refunded: Amount


class LineTold(BaseModel):
    sku: str
    qty: Amount
    unit_price: Amount
    discount_pct: Amount


class SaleTold(BaseModel):
    sale_id: str
    client_id: str
    journey_id: str | None
    variant: str
    line: str
    stage: str
    net: Amount
    tax: Amount
    currency: str
    sold_at: datetime
    sourced_by: Holder
    converted_by: Holder
    served_by: Holder | None
    co_sell: list[SplitPart]
    legacy: Annotated[str | None, Field(description="who served before and is remembered in the pay of this sale")]
    lines: list[LineTold]
    paid: Amount
    refunded: Amount
    payments: list[PaymentTold]
    version: int


class SaleRow(BaseModel):
    sale_id: str
    client_id: str
    line: str
    stage: str
    served_by: str
    currency: str
    net: Amount
    tax: Amount
    paid: Amount
    refunded: Amount
    sold_at: datetime
    version: int


class SaleList(BaseModel):
    items: list[SaleRow]
    next: str | None
    counts: Counts = None


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.query("/v1/sales", "accounts:read", reply=SaleList)
    async def list_sales(
        request: Request,
        client: Filter = None,
        line: Filter = None,
        served_by: Filter = None,
        stage: Filter = None,
        order: Annotated[Literal["sale", "newest"], Query(description="by id; the newest first")] = "sale",
        counts: Annotated[bool, Query(description="how many in each stage, by the other filters")] = False,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Repeat sales of a client, of a line, to somebody's credit, in a stage."""
        of = SALES_TABLE.c
        newest = order == "newest"
        listing = Listing(SALES_TABLE, of.sale_id, of.sold_at if newest else None, newest)
        listing = listing.equal((of.client_id, client), (of.line, line), (of.served_by, served_by))
        listing = listing.only(await sights.rows(request, SALES_TABLE))
        return await listing.answer(desk, limit, cursor, (of.stage, stage), counts)

    @doors.query("/v1/sales/{sale}", "accounts:read", reply=SaleTold, versioned=True)
    async def get_sale(request: Request, sale: str) -> Response:
        """One repeat sale and its money."""
        await sights.of_sale(request, sale)
        entry = await desk.state(CATEGORY, sale)
        return shown(entry, _told(entry.state))

    @doors.command("/v1/sales/{sale}/payments", "accounts:write", reply=PaymentReply, status=201)
    async def record_payment(request: Request, sale: str, body: PaymentBody) -> Response:
        """Money for the sale came in."""
        subject = desk.subject(request)
        payment = body.payment_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, sale, RecordPayment(at, by, payment, body.net, body.currency))
        reply = _reply(sale, payment_id=payment)
        return await desk.do(request, step, body=body, reply=reply, created=True, guard=sights.sale(request, sale))

    @doors.command("/v1/sales/{sale}/refunds", "accounts:write", reply=RefundReply, status=201)
    async def record_refund(request: Request, sale: str, body: RefundBody) -> Response:
        """Money of the sale went back."""
        subject = desk.subject(request)
        refund = body.refund_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, sale, RecordRefund(at, by, refund, body.net, body.currency, body.payment_id))
        reply = _reply(sale, refund_id=refund)
        return await desk.do(request, step, body=body, reply=reply, created=True, guard=sights.sale(request, sale))


def _reply(sale: str, **ids: str) -> Any:
    def reply(outcome: Outcome) -> dict[str, Any]:
        book: SaleBook = outcome.state(f"{CATEGORY}-{sale}")
        client = book.recorded.client if book.recorded else None
        money = {"paid": plain(book.paid), "refunded": plain(book.refunded)}
        return {"sale_id": sale, **ids, "client_id": client, "stage": book.stage, **money}

    return reply


def _told(book: SaleBook) -> dict[str, Any]:
    about = book.recorded
    if about is None:
        raise Refused("sale.unknown")
    sold = about.sale
    return {
        "sale_id": sold.sale_id,
        "client_id": about.client,
        "journey_id": about.journey,
        "variant": about.variant,
        "line": sold.line,
        "stage": book.stage,
        "net": sold.net,
        "tax": about.tax,
        "currency": sold.currency,
        "sold_at": sold.sold_at,
        "sourced_by": sold.sourced_by,
        "converted_by": sold.converted_by,
        "served_by": sold.served_by,
        "co_sell": sold.splits,
        "legacy": about.legacy.person if about.legacy else None,
        "lines": [
            {"sku": i.sku, "qty": i.qty, "unit_price": i.unit_price, "discount_pct": i.discount_pct}
            for i in about.items
        ],
        "paid": book.paid,
        "refunded": book.refunded,
        "payments": [
            {"payment_id": p.payment_id, "at": p.at, "net": p.net, "refunded": p.refunded} for p in book.payments
        ],
    }
