"""A lead of the funnel -> the requests that tell the stations its story, in its own order. Pure.

The file does not record the hand-over, so a known need goes on at first contact, as the rule of the line has it.
Olist has no third station's people: the hunter serves (variant scout-hunter).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from belt.core.ids import derived
from conveyor.olist.files import Lead, Order
from conveyor_events.words import HOUSE

LINE = "olist"
CURRENCY = "BRL"


@dataclass(frozen=True)
class Request:
    """One request. `waits`: the station may not have heard of its object yet, so an unknown one is asked again."""

    at: datetime
    service: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    waits: bool = False


def client_of(lead: Lead) -> str:
    return derived("olist", lead.id)


def story(lead: Lead) -> Iterator[Request]:
    """Everything that happened to one lead. Ids are derived from the file's own, so a second run says the same."""
    client = client_of(lead)
    base = f"/v1/prospects/{client}"
    scout = lead.deal.scout if lead.deal else HOUSE
    at = lead.first_contact
    said = {"by": scout, "occurred_at": at.isoformat()}
    yield Request(
        at,
        "lead-gen",
        "/v1/prospects",
        {
            "client_id": client,
            "line": LINE,
            "name": lead.id,
            "country": "BR",
            "identity_keys": [],
            "source": lead.origin,
            "segment": (lead.deal.segment or None) if lead.deal else None,
            **said,
        },
    )
    if lead.deal is None:
        return
    need, offer = derived(client, "need"), derived(client, "offer")
    yield Request(at, "lead-gen", f"{base}/calls", {"outcome": "reached", **said})
    yield Request(
        at,
        "lead-gen",
        f"{base}/contacts",
        {"person": lead.deal.seller, "position": "owner", "channel": "other", "influence": "decides", **said},
    )
    yield Request(
        at,
        "lead-gen",
        f"{base}/needs",
        {
            "need_id": need,
            "category": lead.deal.segment or "unknown",
            "statement": "wants to sell in the marketplace",
            "evidence": [f"landing page, {lead.origin}"],
            "budget": "unknown",
            "wish": "unknown",
            **said,
        },
    )
    yield Request(at, "lead-gen", f"{base}/offer", {"offer_id": offer, "to": lead.deal.hunter, **said})
    yield from _sold(lead, client, offer)


def _sold(lead: Lead, client: str, offer: str) -> Iterator[Request]:
    """The hand-over, the first sale, and what came after it."""
    deal = lead.deal
    if deal is None:
        return
    opportunity, won = derived(offer, "opportunity"), derived(client, "deal")
    hunter = {"by": deal.hunter}
    first = lead.first_sale
    net = str(first.value) if first else "0.00"
    handed = {**hunter, "occurred_at": lead.first_contact.isoformat()}
    closed = {**hunter, "occurred_at": deal.won_at.isoformat()}
    yield Request(lead.first_contact, "conversion", f"/v1/offers/{offer}/accept", handed, waits=True)
    yield Request(
        deal.won_at,
        "conversion",
        f"/v1/opportunities/{opportunity}/proposals",
        {
            "proposal_id": derived(client, "proposal"),
            "lines": [{"sku": "first-sale", "qty": "1", "unit_price": net}],
            "tax": "0.00",
            "currency": CURRENCY,
            **closed,
        },
        waits=True,
    )
    yield Request(
        deal.won_at,
        "conversion",
        f"/v1/opportunities/{opportunity}/close",
        {"deal_id": won, "net": net, "tax": "0.00", "currency": CURRENCY, **closed},
    )
    for order in lead.orders:
        if order is first:
            yield Request(
                order.at,
                "conversion",
                f"/v1/deals/{won}/payments",
                {
                    "payment_id": derived(order.id, "payment"),
                    "net": net,
                    "currency": CURRENCY,
                    **hunter,
                    "occurred_at": order.at.isoformat(),
                },
            )
        else:
            yield from _repeat(order, client, hunter)


def _repeat(order: Order, client: str, hunter: dict[str, Any]) -> Iterator[Request]:
    """A later order; one that was cancelled is refunded in full."""
    sale, payment = derived(client, order.id), derived(order.id, "payment")
    money = {"net": str(order.value), "currency": CURRENCY, **hunter, "occurred_at": order.at.isoformat()}
    yield Request(
        order.at,
        "account-mgmt",
        f"/v1/accounts/{client}/repeat-sales",
        {"sale_id": sale, "tax": "0.00", "sold_on": order.at.isoformat(), **money},
        waits=True,
    )
    yield Request(order.at, "account-mgmt", f"/v1/sales/{sale}/payments", {"payment_id": payment, **money})
    if order.void:
        refund = {"refund_id": derived(order.id, "refund"), "payment_id": payment, **money}
        yield Request(order.at, "account-mgmt", f"/v1/sales/{sale}/refunds", refund)
