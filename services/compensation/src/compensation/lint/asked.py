"""What the linter asks of plans and rules: rates, fixed pay, what a sample sale pays, whom a rule pays for what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from compensation.plan import Plan
from compensation.rules import Bands, Bounty, Commission, Growth, Rule, Salary, Window
from conveyor_events.money import plain, round_half_up
from conveyor_events.words import Station

SAMPLE = Decimal(10_000)
"""The sale of the worked examples."""
SEATS = {"sourced_by": Station.LEAD_GEN, "converted_by": Station.CONVERSION, "served_by": Station.ACCOUNT_MGMT}
SALES = {"first": Station.CONVERSION, "repeat": Station.ACCOUNT_MGMT}
BASES = {"prospect_base": "ProspectVerified", "buyer_base": "a first payment"}
"""What makes a base grow."""
Variable = Bounty | Growth | Commission


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


def least(rule: Commission) -> Decimal:
    """What the sample sale pays in the lowest band, where the cap allows it."""
    paid = rule.flat if rule.flat is not None else SAMPLE * min(percents(rule)) / 100
    return paid if rule.cap is None else min(paid, rule.cap.amount)


def most(rule: Commission) -> Decimal:
    """What the sample sale pays in the highest band, where the cap allows it."""
    paid = rule.flat if rule.flat is not None else SAMPLE * max(percents(rule)) / 100
    return paid if rule.cap is None else min(paid, rule.cap.amount)


def pays(plan: Plan, rule: Variable) -> bool:
    """Whether the rule can ever pay anything: by its rate, by its cap, and on a day of its plan."""
    if rule.valid.until is not None and rule.valid.until < plan.effective_from:
        return False
    if rule.cap is not None and rule.cap.amount == 0:
        return False
    return (most(rule) if isinstance(rule, Commission) else rule.amount) > 0


def turns(plan: Plan, rules: Sequence[Variable]) -> list[date]:
    """The days on which others of these rules are in force than the day before, from the plan's first day on."""
    begins = {rule.valid.since for rule in rules if rule.valid.since is not None}
    ends = {rule.valid.until for rule in rules if rule.valid.until is not None} - {date.max}
    later = begins | {day + timedelta(days=1) for day in ends}
    return sorted({plan.effective_from, *(day for day in later if day > plan.effective_from)})


def first_day_alone(plan: Plan, rule: Variable, others: Sequence[Variable]) -> date | None:
    """The first day on which the rule pays and none of the others does."""
    day = max(rule.valid.since or plan.effective_from, plan.effective_from)
    while beside := next((other for other in others if other.valid.covers(day)), None):
        last = beside.valid.until or date.max
        if last >= (rule.valid.until or date.max):
            return None
        day = last + timedelta(days=1)
    return day


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


def pays_for(rule: Rule) -> tuple[str, ...]:
    """What a rule pays for; an amount for every one of these."""
    match rule:
        case Bounty(on=on):
            return on
        case Growth(metric=metric):
            return (BASES[metric],)
        case Commission(sales=sales):
            return (f"{sales} sale",)
        case _:
            return (rule.kind,)


def payee(plan: Plan, rule: Rule) -> str:
    """The seat a rule pays, or the role where it pays whichever seat that has."""
    match rule:
        case Bounty(seat=seat):
            return seat
        case Growth(metric="prospect_base"):
            return "sourced_by"
        case _:
            return plan.role


def overlap(one: Window, other: Window) -> bool:
    begins = max(filter(None, (one.since, other.since)), default=None)
    ends = min(filter(None, (one.until, other.until)), default=None)
    return begins is None or ends is None or begins <= ends
