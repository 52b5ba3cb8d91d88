"""The client bought again: one sale, or many at once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field, StringConstraints

from account_mgmt.api.sight import Seen
from account_mgmt.api.words import Currency, Holder
from account_mgmt.sale import CATEGORY, Item, RecordRepeatSale, SaleBook
from belt.core.decider import Step
from belt.io.http.body import BaseBody, GivenId, NewId, Strict, example
from belt.io.http.bulk import bulk
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
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

    model_config = example(net="240.00", tax="45.60", currency="EUR")

    sale_id: NewId = None
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


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
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
            book: SaleBook = outcome.state(f"{CATEGORY}-{sale}")
            sold = book.recorded.sale if book.recorded else None
            return {
                "sale_id": sale,
                "client_id": client,
                "stage": book.stage,
                "served_by": sold.served_by.model_dump() if sold and sold.served_by else None,
            }

        return await desk.do(
            request,
            Step(CATEGORY, sale, command),
            body=body,
            reply=reply,
            created=True,
            guard=sights.account(request, client),
        )

    bulk(doors, "/v1/repeat-sales/bulk", of=record_repeat_sale)
