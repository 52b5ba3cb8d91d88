"""What the linter asks of plans and rules: rates, fixed pay, what a sample sale pays, whose seat a rule pays."""

from __future__ import annotations

from decimal import Decimal

from compensation.plan import Plan
from compensation.rules import Bands, Bounty, Commission, Growth, Guarantee, Rule, Salary, Window
from conveyor_events.money import plain, round_half_up
from conveyor_events.words import Station

SAMPLE = Decimal(10_000)
"""The sale of the worked examples."""
SEATS = {"sourced_by": Station.LEAD_GEN, "converted_by": Station.CONVERSION, "served_by": Station.ACCOUNT_MGMT}
SALES = {"first": Station.CONVERSION, "repeat": Station.ACCOUNT_MGMT}


def money(amount: Decimal, plan: Plan) -> str:
    return f"{plain(round_half_up(amount, plan.currency))} {plan.currency}"


def commissions(plan: Plan, sales: str) -> list[Commission]:
    return [rule for rule in plan.rules if isinstance(rule, Commission) and rule.sales in (sales, "all")]


def fixed_pay(plan: Plan) -> Decimal:
    return sum((rule.amount for rule in plan.rules if isinstance(rule, Salary)), Decimal(0))


def variable_share(plan: Plan, sales: str, fixed: Decimal) -> Decimal:
    """How many per cent of the pay for a month with one sample sale are variable."""
    variable = sum((on_sample(rule) for rule in commissions(plan, sales)), Decimal(0))
    whole = fixed + variable
    return round_half_up(variable * 100 / whole, "EUR") if whole else Decimal(0)


def on_sample(rule: Commission) -> Decimal:
    """What the sample sale pays, alone in its window."""
    if rule.flat is not None:
        return rule.flat
    if rule.percent is not None:
        return SAMPLE * rule.percent / 100
    return banded(rule.bands, SAMPLE) if rule.bands is not None else Decimal(0)


def banded(bands: Bands, net: Decimal) -> Decimal:
    if bands.mode == "whole":
        reached = [step for step in bands.in_money if step.start <= net]
        return net * reached[-1].percent / 100
    steps = bands.in_money
    ends = [step.start for step in steps[1:]] + [net]
    parts = (max(min(net, end) - s.start, Decimal(0)) * s.percent for s, end in zip(steps, ends, strict=True))
    return sum(parts, Decimal(0)) / 100


def percents(rule: Commission) -> list[Decimal]:
    if rule.percent is not None:
        return [rule.percent]
    return [step.percent for step in rule.bands.steps] if rule.bands is not None else []


def lowest(rule: Commission) -> Decimal | None:
    return min(percents(rule), default=None)


def highest(rule: Commission) -> Decimal | None:
    return max(percents(rule), default=None)


def station(rule: Rule) -> Station | None:
    """The station whose seat a rule pays; None: any."""
    match rule:
        case Bounty(seat=seat):
            return SEATS[seat]
        case Growth(metric="prospect_base"):
            return Station.LEAD_GEN
        case Commission(sales=sales):
            return SALES.get(sales)
        case _:
            return None


def pays_for(rule: Rule) -> tuple[object, ...]:
    match rule:
        case Bounty(on=on, seat=seat):
            return ("bounty", frozenset(on), seat)
        case Growth(metric=metric):
            return ("growth", metric)
        case Commission(sales=sales):
            return ("commission", sales)
        case Guarantee():
            return ("guarantee",)
        case _:
            return ("salary",)


def overlap(one: Window, other: Window) -> bool:
    begins = max(filter(None, (one.since, other.since)), default=None)
    ends = min(filter(None, (one.until, other.until)), default=None)
    return begins is None or ends is None or begins <= ends
