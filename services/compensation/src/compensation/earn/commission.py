"""A share of sales. The entitlement arises with the sale; released as paid, only what the client paid for is earned."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from compensation.earn.rates import percent_of, rated
from compensation.earn.settle import Entitlement, settle
from compensation.earn.tally import Tally
from compensation.earn.waiting import Waiting
from compensation.history import Credit, Known
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
        if credit.role != post.role or not post.concerns(credit.sale.line) or not post.covers(day):
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
                    yield entitlement.line
                    yield from settle(post, plan, rule, entitlement, known)


def _takes(rule: Commission, credit: Credit) -> bool:
    return rule.sales == credit.kind or (rule.co_sell and credit.kind == "co_sell")


def _base(credit: Credit, plan: Plan, known: Known, post: Post) -> Calc | Waiting:
    """The payee's part of the sale in the plan's currency: changed at the sale's own rate, then divided."""
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
    weights = sum(credit.weights, Decimal(0))
    return Calc(of_base=whole, base=part, weight=credit.weights[credit.index], of_weights=weights, **foreign)


def _entitlement(
    post: Post, plan: Plan, rule: Commission, credit: Credit, base: Calc, tiers: Tally, capped: Tally
) -> Entitlement | None:
    """The line of the entitlement; None where there is nothing to be entitled to."""
    month = post.month(credit.sale.sold_at)
    calc = _rate(rule, base, credit, plan, month, tiers)
    tiers.count(rule.id, month, calc.base or Decimal(0))
    full = round_half_up(calc.exact or Decimal(0), plan.currency)
    if full == 0 and not calc.base:
        return None
    amount = capped.within(rule.cap, rule.id, month, full)
    if amount != full:
        calc = replace(calc, uncapped=full)
    as_paid = rule.release == "as_paid"
    leg = f"{post.leg}:{credit.index}"
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


def _rate(rule: Commission, calc: Calc, credit: Credit, plan: Plan, month: Month, tiers: Tally) -> Calc:
    base = calc.base or Decimal(0)
    if rule.flat is not None:
        part = split(rule.flat, credit.weights, plan.currency)[credit.index]
        return replace(calc, exact=part, flat=rule.flat)
    if rule.percent is not None:
        return replace(calc, exact=percent_of(base, rule.percent), percent=rule.percent)
    if rule.bands is None:
        raise AssertionError(f"rule {rule.id} has no rate")
    before = tiers.so_far(rule.id, rule.bands.over, month)
    exact, slices = rated(rule.bands, before, base)
    scale = rule.bands.over
    return replace(calc, exact=exact, slices=slices, mode=rule.bands.mode, window=scale, credited_before=before)
