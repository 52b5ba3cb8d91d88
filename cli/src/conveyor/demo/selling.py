"""Station 2 in the stories: met, offered a price, won or lost, paid, sometimes paid back."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from conveyor.demo.company import CURRENCY, line_of
from conveyor.demo.fates import Fate
from conveyor.demo.play import Act, Answer, Teller
from conveyor.demo.sourcing import Prospect
from conveyor_events.money import plain, round_half_up
from conveyor_events.words import Station

SERVICE = "conversion"
TAX = Decimal("0.19")


@dataclass(frozen=True)
class Won:
    """A first sale: its deal, its price, and the offer of the buyer that follows from it."""

    deal: str
    net: Decimal
    account_offer: str


def price(teller: Teller, typical: int) -> list[dict[str, str]]:
    """A few positions, about as much as is typical for the line."""
    dice = teller.dice
    rest = typical * dice.uniform(0.35, 2.1)
    lines = []
    for position in range(dice.randint(1, 3)):
        qty = dice.choice((1, 1, 2, 5))
        unit = Decimal(str(round(rest / qty / (position + 1.4), 2)))
        lines.append({
            "sku": f"{dice.choice('ABCDE')}-{dice.randint(100, 999)}", "qty": str(qty), "unit_price": f"{unit:.2f}",
            "discount_pct": dice.choice(("0", "0", "3", "5")),
        })  # fmt: skip
    return lines


def net_of(lines: list[dict[str, str]]) -> Decimal:
    """Each line rounded once, then added."""
    total = Decimal(0)
    for line in lines:
        kept = (Decimal(100) - Decimal(line["discount_pct"])) / Decimal(100)
        total += round_half_up(Decimal(line["qty"]) * Decimal(line["unit_price"]) * kept, CURRENCY)
    return total


def tax_on(net: Decimal) -> Decimal:
    return round_half_up(net * TAX, CURRENCY)


def amounts(net: Decimal) -> dict[str, str]:
    return {"net": plain(net), "tax": plain(tax_on(net)), "currency": CURRENCY}


def own_find(prospect: Prospect) -> Generator[Act, Answer, str]:
    """A hunter opens an opportunity nobody handed over: the house holds the seat of the finder."""
    body = {
        "opportunity_id": prospect.teller.id("opportunity"),
        "client_id": prospect.id,
        "line": prospect.client.line.id,
        "need_ids": [],
    }
    opened = yield from prospect.teller.act(prospect.holder, SERVICE, "/v1/opportunities", body)
    return str(opened["opportunity_id"])


def hunter_of(prospect: Prospect, opportunity: str) -> Generator[Act, Answer, str]:
    shown = yield from prospect.teller.ask(prospect.client.line.manager, SERVICE, f"/v1/opportunities/{opportunity}")
    by = shown["converted_by"]
    return str(by["person"] if isinstance(by, dict) else by)


def sell(prospect: Prospect, opportunity: str) -> Generator[Act, Answer, Won | None]:
    """From the first meeting to the first sale; None if it is lost."""
    teller, fate, line = prospect.teller, prospect.client.fate, prospect.client.line
    prospect.holder = hunter = yield from hunter_of(prospect, opportunity)
    path = f"/v1/opportunities/{opportunity}"
    teller.wait(2, 6)
    met: dict[str, Any] = {"meeting_id": teller.id("meeting"), "facts": ["showed us the hall"]}
    met["objective_met"] = teller.dice.choice(("full", "fallback"))
    yield from teller.act(hunter, SERVICE, f"{path}/meetings", met)
    teller.wait(1, 6)
    if fate is Fate.LOST and teller.likely(0.5):
        reason = teller.dice.choice(("no_decision", "lost_contact", "timing"))
        yield from teller.act(hunter, SERVICE, f"{path}/lose", {"reason": reason})
        return None
    lines = price(teller, line.typical)
    net = net_of(lines)
    proposal = {"proposal_id": teller.id("proposal"), "lines": lines, **amounts(net)}
    yield from teller.act(hunter, SERVICE, f"{path}/proposals", proposal)
    teller.wait(2, 8)
    if fate is Fate.LOST:
        reason = teller.dice.choice(("price", "competitor", "no_fit"))
        yield from teller.act(hunter, SERVICE, f"{path}/lose", {"reason": reason})
        return None
    closed = {"deal_id": teller.id("deal"), "lines": lines, **amounts(net)}
    if fate is Fate.SHARED:
        partner = teller.somebody(line_of(line.id).teams[Station.CONVERSION], but=hunter)
        closed["splits"] = [{"person": hunter, "weight": "2"}, {"person": partner, "weight": "1"}]
    answer = yield from teller.act(hunter, SERVICE, f"{path}/close", closed, lane=f"account {line.id}")
    return Won(str(answer["deal_id"]), net, str(answer["account_offer_id"]))


def pay(prospect: Prospect, service: str, path: str, net: Decimal, parts: int) -> Generator[Act, Answer, None]:
    """The client pays, in as many parts; the last one takes the remainder."""
    teller, paid = prospect.teller, Decimal(0)
    for part in range(parts):
        teller.wait(3, 10)
        sum_ = net - paid if part == parts - 1 else round_half_up(net / parts, CURRENCY)
        paid += sum_
        body = {"payment_id": teller.id("payment"), "net": plain(sum_), "currency": CURRENCY}
        yield from teller.act(prospect.holder, service, f"{path}/payments", body)


def refund(prospect: Prospect, service: str, path: str, net: Decimal) -> Generator[Act, Answer, None]:
    prospect.teller.wait(2, 12)
    body = {"refund_id": prospect.teller.id("refund"), "net": plain(net), "currency": CURRENCY}
    yield from prospect.teller.act(prospect.holder, service, f"{path}/refunds", body)


def collect(prospect: Prospect, won: Won) -> Generator[Act, Answer, None]:
    """The money of the first sale, and what goes back of it."""
    fate = prospect.client.fate
    path = f"/v1/deals/{won.deal}"
    yield from pay(prospect, SERVICE, path, won.net, prospect.teller.between(2, 3) if fate is Fate.INSTALMENTS else 1)
    if fate is Fate.REFUNDED:
        yield from refund(prospect, SERVICE, path, won.net)
    elif fate is Fate.PARTLY_REFUNDED:
        yield from refund(prospect, SERVICE, path, round_half_up(won.net * Decimal("0.3"), CURRENCY))
