"""A share of sales. The entitlement arises with the sale; released as paid, only what the client paid for is earned."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from compensation.earn.rates import percent_of, rated
from compensation.earn.settle import Entitlement, settle
from compensation.earn.tally import Tally
from compensation.earn.waiting import Waiting
from compensation.known import Credit, Known
from compensation.line import Calc, Line, line_id
from compensation.months import Month
from compensation.plan import Plan
from compensation.post import Post
from compensation.rules import Commission
from conveyor_events import round_half_up, split


def commissions(post: Post, known: Known) -> Iterator[Line | Waiting]:
    """Entitlements of the post in the order of tiers, each followed by its releases and clawbacks."""
    tiers, capped = Tally(), Tally()
    for credit in known.credits(post.person):
        day = post.calendar.day(credit.sale.sold_at)
        if credit.role not in ("", post.role) or not post.covers_at(credit.sale.line, credit.sale.sold_at):
            continue
        plan = post.version(day)
        rules = [r for r in plan.rules if isinstance(r, Commission) and _takes(r, credit)] if plan else []
        if plan is None or not any(rule.valid.covers(day) for rule in rules):
            continue
        base = _base(credit, plan, known, post)
        if isinstance(base, Waiting):
            yield base
            continue
        for rule in rules:
            if rule.valid.covers(day):
                entitlement = _entitlement(post, plan, rule, credit, base, tiers, capped)
                if entitlement is not None:
                    case = known.contested(credit.sale.key)
                    if case is not None:  # nothing is released, and nothing taken back, until it is decided
                        yield entitlement.contested(case)
                        continue
                    yield entitlement.line
                    yield from settle(post, plan, rule, entitlement, known)


def _takes(rule: Commission, credit: Credit) -> bool:
    if rule.sales == "all" and credit.kind in ("first", "repeat"):
        return True
    return rule.sales == credit.kind or (rule.co_sell and credit.kind == "co_sell")


@dataclass(frozen=True, slots=True)
class _Base:
    """The payee's part of a sale in the plan's currency, and how it came from a foreign one."""

    whole: Decimal
    part: Decimal
    weights: Decimal
    foreign: dict[str, Any]


def _base(credit: Credit, plan: Plan, known: Known, post: Post) -> _Base | Waiting:
    """Changed at the sale's own rate, then divided."""
    sale, whole = credit.sale, credit.sale.net
    foreign: dict[str, Any] = {}
    if sale.net < 0:
        return Waiting(credit.fact.event_id, "a sale below zero has no commission")
    if sale.currency != plan.currency:
        day = post.calendar.day(sale.sold_at)
        rate = known.rate(sale.currency, plan.currency, day)
        if rate is None:
            return Waiting(credit.fact.event_id, f"no rate from {sale.currency} to {plan.currency} on {day}")
        whole = round_half_up(sale.net * rate.rate, plan.currency)
        foreign = {"foreign": sale.net, "foreign_currency": sale.currency, "rate": rate.rate, "rate_id": rate.rate_id}
    part = split(whole, credit.weights, plan.currency)[credit.index] if len(credit.weights) > 1 else whole
    return _Base(whole, part, sum(credit.weights, Decimal(0)), foreign)


def _entitlement(
    post: Post, plan: Plan, rule: Commission, credit: Credit, base: _Base, tiers: Tally, capped: Tally
) -> Entitlement | None:
    """The line of the entitlement; None where there is nothing to be entitled to."""
    month = post.month(credit.sale.sold_at)
    exact, reasons = _rate(rule, base.part, credit, plan, month, tiers)
    tiers.count(rule.id, month, base.part)
    full = round_half_up(exact, plan.currency)
    if full == 0 and not base.part:
        return None
    amount = capped.within(rule.cap, rule.id, month, full)
    calc = Calc(
        exact=exact,
        of_base=base.whole,
        base=base.part,
        weight=credit.weights[credit.index],
        of_weights=base.weights,
        uncapped=full if amount != full else None,
        note="legacy" if credit.kind == "legacy" else None,
        **base.foreign,
        **reasons,
    )
    as_paid = rule.release == "as_paid"
    part = credit.index if credit.leg is None else credit.leg
    leg = f"{post.leg}:{'legacy' if credit.kind == 'legacy' else part}"
    line = Line(
        line_id=line_id(credit.fact.event_id, rule.id, plan.plan, plan.version, post.person, leg),
        person=post.person,
        period=month,
        kind="commission",
        amount=amount,
        currency=plan.currency,
        state="conditional" if as_paid else "earned",
        plan=plan.plan,
        version=plan.version,
        rule=rule.id,
        causes=(credit.fact.event_id,),
        calc=calc,
        at=credit.sale.sold_at,
        on_line=credit.sale.line,
        client_id=credit.fact.client_id,
        sale_id=credit.sale.sale_id,
    )
    return Entitlement(line, credit.sale, leg)


def _rate(
    rule: Commission, base: Decimal, credit: Credit, plan: Plan, month: Month, tiers: Tally
) -> tuple[Decimal, dict[str, Any]]:
    """The commission unrounded, and what of its calculation is to be shown."""
    if rule.flat is not None:
        return split(rule.flat, credit.weights, plan.currency)[credit.index], {"flat": rule.flat}
    if rule.percent is not None:
        return percent_of(base, rule.percent), {"percent": rule.percent}
    if rule.bands is None:
        raise AssertionError(f"rule {rule.id} has no rate")
    before = tiers.so_far(rule.id, rule.bands.over, month)
    exact, slices = rated(rule.bands, before, base)
    shown: dict[str, Any] = {"slices": slices, "mode": rule.bands.mode, "window": rule.bands.over}
    shown["credited_before"] = before
    if rule.bands.quota is not None:
        reached = (before + base) * 100 / rule.bands.quota
        shown |= {"quota": rule.bands.quota, "attainment": reached.quantize(Decimal("0.01"), ROUND_HALF_UP)}
    return exact, shown
