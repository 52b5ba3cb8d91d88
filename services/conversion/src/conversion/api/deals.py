"""Deals: their money, and the offer of the buyer to account management."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from belt.io.store.unit import Outcome
from conversion.api.sight import Seen
from conversion.api.words import Code, Currency, Filter, Holder, InstalmentTold, Reason, listed, schedule_told, shown
from conversion.deal import CANCEL_REASONS, CATEGORY, CancelDeal, Deal, OfferAccount, RecordPayment, RecordRefund
from conversion.views import DEALS_TABLE
from conveyor_events.money import Amount, plain
from conveyor_events.sale import SplitPart


class PaymentBody(BaseBody):
    model_config = example(net="1140.00", currency="EUR")

    payment_id: NewId = None
    net: Annotated[Amount, Field(description="without tax")]
    currency: Currency


class RefundBody(BaseBody):
    model_config = example(net="140.00", currency="EUR")

    refund_id: NewId = None
    payment_id: Annotated[GivenId | None, Field(description="the payment given back; default: the oldest first")] = None
    net: Annotated[Amount, Field(description="without tax, as a positive amount")]
    currency: Currency


class CancelBody(BaseBody):
    model_config = example(reason="withdrawn_by_client")

    reason: Annotated[Reason, Field(description=", ".join(CANCEL_REASONS))]


class OfferBody(BaseBody):
    """After a rejection: what was missing is mended, and the buyer is offered again."""

    checklist: Annotated[tuple[Code, ...], Field(max_length=50, description="what is handed over now as well")] = ()
    open_promises: Annotated[
        tuple[Code, ...] | None, Field(max_length=50, description="what is still promised; default: as before")
    ] = None
    to: Annotated[GivenId | None, Field(description="the receiver; default: as the rejection and the turn say")] = None


class MoneyReply(BaseModel):
    deal_id: str
    client_id: str
    stage: str
    paid: Amount
    refunded: Amount
    version: int


class PaymentReply(MoneyReply):
    payment_id: str


class RefundReply(MoneyReply):
    refund_id: str


class OfferReply(MoneyReply):
    account_offer_id: str
    attempt: int


class PaymentTold(BaseModel):
    payment_id: str
    at: datetime
    net: Amount
    refunded: Amount


class AccountTold(BaseModel):
    offer_id: str
    stage: Annotated[str, Field(description="offered, accepted or rejected")]
    mode: str
    attempt: int
    to: Holder | None
    team: str
    due_at: datetime | None
    checklist: list[str]
    open_promises: list[str]
    reason: str | None


class DealTold(BaseModel):
    deal_id: str
    sale_id: str
    opportunity_id: str
    client_id: str
    journey_id: str
    variant: str
    line: str
    stage: str
    sold_at: datetime
    net: Amount
    tax: Amount
    currency: str
    sourced_by: Holder
    converted_by: Holder
    splits: list[SplitPart]
    payment_schedule: list[InstalmentTold]
    paid: Amount
    refunded: Amount
    payments: list[PaymentTold]
    account: AccountTold | None
    cancelled: Annotated[str | None, Field(description="why the sale is off")]
    version: int


class DealRow(BaseModel):
    deal_id: str
    opportunity_id: str
    client_id: str
    line: str
    stage: str
    sourced_by: str
    converted_by: str
    sold_at: datetime
    net: Amount
    tax: Amount
    currency: str
    paid: Amount
    refunded: Amount
    account: str
    account_to: str | None
    cancelled: Annotated[str | None, Field(description="why the sale is off")]
    version: int


class DealList(BaseModel):
    items: list[DealRow]
    next: str | None


def doors(doors: Doors, desk: Desk, sights: Seen) -> None:
    @doors.query("/v1/deals", "deals:read", reply=DealList)
    async def list_deals(
        request: Request,
        line: Filter = None,
        converted_by: Filter = None,
        client: Filter = None,
        account: Filter = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Deals by id; of a line, of a hunter, of a client, with the account in a stage."""
        of = DEALS_TABLE.c
        filters = [(of.line, line), (of.converted_by, converted_by), (of.client_id, client), (of.account, account)]
        return await listed(
            desk, DEALS_TABLE, of.deal_id, limit, cursor, filters, await sights.rows(request, DEALS_TABLE)
        )

    @doors.query("/v1/deals/{deal}", "deals:read", reply=DealTold, versioned=True)
    async def get_deal(request: Request, deal: str) -> Response:
        """One deal and its money."""
        await sights.of_deal(request, deal)
        entry = await desk.state(CATEGORY, deal)
        return shown(entry, _told(entry.state))

    @doors.command("/v1/deals/{deal}/payments", "deals:write", reply=PaymentReply, status=201)
    async def record_payment(request: Request, deal: str, body: PaymentBody) -> Response:
        """Money for the deal came in."""
        subject = desk.subject(request)
        payment = body.payment_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, deal, RecordPayment(at, by, payment, body.net, body.currency))
        reply = _reply(deal, payment_id=payment)
        return await desk.do(request, step, body=body, reply=reply, created=True, guard=sights.deal(request, deal))

    @doors.command("/v1/deals/{deal}/refunds", "deals:write", reply=RefundReply, status=201)
    async def record_refund(request: Request, deal: str, body: RefundBody) -> Response:
        """Money of the deal went back."""
        subject = desk.subject(request)
        refund = body.refund_id or fresh()
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, deal, RecordRefund(at, by, refund, body.payment_id, body.net, body.currency))
        reply = _reply(deal, refund_id=refund)
        return await desk.do(request, step, body=body, reply=reply, created=True, guard=sights.deal(request, deal))

    @doors.command("/v1/deals/{deal}/cancel", "deals:write", reply=MoneyReply)
    async def cancel_deal(request: Request, deal: str, body: CancelBody) -> Response:
        """The sale is off. What was paid is given back by refunds."""
        subject = desk.subject(request)
        at, by = desk.when(subject, body.occurred_at), desk.who(subject, body.by)
        step = Step(CATEGORY, deal, CancelDeal(at, by, body.reason))
        return await desk.do(request, step, body=body, reply=_reply(deal), guard=sights.deal(request, deal))

    @doors.command("/v1/deals/{deal}/offer", "handoffs:decide", reply=OfferReply, status=201)
    async def offer_account(request: Request, deal: str, body: OfferBody) -> Response:
        """Offers a rejected buyer to account management again."""
        subject = desk.subject(request)
        command = OfferAccount(
            at=desk.when(subject, body.occurred_at),
            now=desk.clock.now(),
            by=desk.who(subject, body.by),
            checklist=body.checklist,
            to=body.to,
            promises=body.open_promises,
        )

        def reply(outcome: Outcome) -> dict[str, Any]:
            state: Deal = outcome.state(f"{CATEGORY}-{deal}")
            offered = (
                {"account_offer_id": state.account.offer, "attempt": state.account.attempt} if state.account else {}
            )
            return {**_reply(deal)(outcome), **offered}

        return await desk.do(
            request,
            Step(CATEGORY, deal, command),
            body=body,
            reply=reply,
            created=True,
            guard=sights.deal(request, deal),
        )


def _reply(deal: str, **ids: str) -> Any:
    def reply(outcome: Outcome) -> dict[str, Any]:
        state: Deal = outcome.state(f"{CATEGORY}-{deal}")
        client = state.sale.client if state.sale else None
        money = {"paid": plain(state.paid), "refunded": plain(state.refunded)}
        return {"deal_id": deal, **ids, "client_id": client, "stage": state.stage, **money}

    return reply


def _told(deal: Deal) -> dict[str, Any]:
    sale = deal.sale
    if sale is None:
        raise Refused("deal.unknown")
    return {
        "deal_id": sale.deal,
        "sale_id": sale.deal,
        "opportunity_id": sale.opportunity,
        "client_id": sale.client,
        "journey_id": sale.journey,
        "variant": sale.variant,
        "line": sale.line,
        "stage": deal.stage,
        "sold_at": sale.at,
        "net": sale.net,
        "tax": sale.tax,
        "currency": sale.currency,
        "sourced_by": sale.sourced_by,
        "converted_by": sale.converted_by,
        "splits": [{"person": part.person, "role": part.role, "weight": part.weight} for part in sale.splits],
        "payment_schedule": schedule_told(sale.schedule),
        "paid": deal.paid,
        "refunded": deal.refunded,
        "payments": [
            {"payment_id": paid.payment, "at": paid.at, "net": paid.net, "refunded": paid.refunded}
            for paid in deal.payments
        ],
        "account": _account(deal),
        "cancelled": deal.cancelled.reason if deal.cancelled else None,
    }


def _account(deal: Deal) -> dict[str, Any] | None:
    offered = deal.account
    if offered is None:
        return None
    return {
        "offer_id": offered.offer,
        "stage": deal.account_stage,
        "mode": offered.mode,
        "attempt": offered.attempt,
        "to": offered.to,
        "team": offered.team,
        "due_at": offered.due_at,
        "checklist": offered.checklist,
        "open_promises": offered.promises,
        "reason": deal.answer.reason if deal.answer else None,
    }
