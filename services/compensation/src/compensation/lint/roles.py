"""Looks at one role beside another: who is set against whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import combinations

from compensation.lint.asked import (
    SAMPLE,
    SEATS,
    Variable,
    commissions,
    first_day_alone,
    fixed_pay,
    least,
    money,
    most,
    on_sample,
    overlap,
    payee,
    pays,
    pays_for,
    percents,
    station,
    turns,
    variable_share,
)
from compensation.lint.finding import Finding, Line
from compensation.plan import Plan
from compensation.rules import Bounty, Commission, Growth
from conveyor_events.money import plain
from conveyor_events.words import VARIANTS

LONGEST_CLAWBACK = 180
"""Days after which a client that leaves leaves its farmer, not the hunter who won it."""


def paid_for_handing_over(line: Line) -> Iterator[Finding]:
    """L1: a scout paid when a lead is offered earns by quantity; the hunter has the work of refusing."""
    for plan, rule in line.rules(line.scout):
        if isinstance(rule, Bounty) and "LeadQualified" in rule.on:
            yield Finding(
                "L1",
                "warn",
                plan.plan,
                rule.id,
                (line.scout, line.hunter),
                "paid when a lead is offered, whether or not anybody takes it",
                f"100 leads of which 5 are taken pay {money(rule.amount * 100, plan)};"
                f" by acceptance they pay {money(rule.amount * 5, plan)}",
            )


def two_seats_for_one_event(line: Line) -> Iterator[Finding]:
    """L2: one event pays two seats in full. It stands on the later of the two plans."""
    paying = [
        (plan, rule)
        for plan in line.plans
        for rule in plan.rules
        if isinstance(rule, Bounty | Growth) and pays(plan, rule)
    ]
    for (plan, rule), (other_plan, other) in combinations(paying, 2):
        both = [name for name in pays_for(rule) if name in pays_for(other)]
        one, another = payee(plan, rule), payee(other_plan, other)
        if both and one != another and overlap(rule.valid, other.valid):
            yield Finding(
                "L2",
                "block",
                other_plan.plan,
                other.id,
                tuple(dict.fromkeys((plan.role, other_plan.role))),
                f"{both[0]} pays {one} by {plan.plan}/{rule.id} and {another} by {other_plan.plan}/{other.id}",
                f"one event costs {money(rule.amount, plan)} and {money(other.amount, other_plan)}",
            )


def repeats_like_first_sales(line: Line) -> Iterator[Finding]:
    """L3: a hunter who earns as much by repeats hunts no more; who is paid for a farmer's repeats keeps the client.

    What a sale pays on a day is the sum of all rules in force: a bonus on top of a first sale lowers nothing.
    A rule of `sales: legacy` is exempt: it pays for no sale after the end that the change of hands itself has.
    """
    for plan in line.of(line.hunter):
        first = [rule for rule in commissions(plan, "first") if pays(plan, rule)]
        repeat = [rule for rule in commissions(plan, "repeat") if pays(plan, rule)]
        if line.farmer != line.hunter:
            for rule in repeat:
                yield Finding(
                    "L3",
                    "block",
                    plan.plan,
                    rule.id,
                    (line.hunter, line.farmer),
                    "paid for repeat sales although another role serves the client",
                    f"{money(on_sample(rule), plan)} for a repeat sale of {plain(SAMPLE)} that the {line.farmer} makes",
                )
            continue
        for rule in repeat:
            for day in turns(plan, [*first, *repeat]):
                again = [other for other in repeat if other.valid.covers(day)]
                anew = [other for other in first if other.valid.covers(day)]
                sold, won = sum(map(most, again), Decimal(0)), sum(map(least, anew), Decimal(0))
                if rule not in again or sold < won:
                    continue
                yield Finding(
                    "L3",
                    "block",
                    plan.plan,
                    rule.id,
                    (line.hunter, line.farmer),
                    _as_dear(plan, again, anew, day),
                    f"{plain(SAMPLE)} sold again pay {money(sold, plan)}, won anew {money(won, plan)}",
                )
                break


def _as_dear(plan: Plan, again: list[Commission], anew: list[Commission], day: date) -> str:
    """By what a repeat sale of that day pays as much as a first one. All rules that are in force count together."""
    if not anew:
        return f"paid for repeat sales where no first sale pays, as on {day}"
    sold = " and ".join(_rate(rule, most(rule), plan) for rule in again)
    won = " and ".join(_rate(rule, least(rule), plan) for rule in anew)
    later = f", as on {day}" if day > plan.effective_from else ""
    return f"a repeat sale pays {sold}, a first sale from {won} on{later}"


def _rate(rule: Commission, paid: Decimal, plan: Plan) -> str:
    """The percentage by which the sample sale pays so much; an amount where the rule is flat, or capped at it."""
    rates = {SAMPLE * percent / 100: percent for percent in percents(rule)}
    return f"{plain(rates[paid])} %" if paid in rates else money(paid, plan)


def taken_from_the_judge(line: Line) -> Iterator[Finding]:
    """L4: who judges a lead must not pay for it."""
    for plan in line.plans:
        for rule in plan.rules:
            if isinstance(rule, Bounty) and rule.charged_to is not None and rule.charged_to != rule.seat:
                judge = line.role(SEATS[rule.charged_to])
                yield Finding(
                    "L4",
                    "block",
                    plan.plan,
                    rule.id,
                    (plan.role, judge),
                    f"taken from the variable pay of the {judge} who accepts or rejects",
                    f"every lead taken costs the {judge} {money(rule.amount, plan)}, every lead refused nothing",
                )


def upside_down(line: Line) -> Iterator[Finding]:
    """L5: a hunter lives by the bonus, a farmer by the salary; the other way round nobody hunts or nobody stays."""
    if line.hunter == line.farmer:
        return
    for hunter in line.of(line.hunter):
        for farmer in line.of(line.farmer):
            hunted, farmed = fixed_pay(hunter), fixed_pay(farmer)
            if hunted >= farmed:
                yield Finding(
                    "L5",
                    "warn",
                    hunter.plan,
                    "salary",
                    (line.hunter, line.farmer),
                    "the hunter's fixed pay is not below the farmer's",
                    f"{money(hunted, hunter)} against {money(farmed, farmer)} a month",
                )
            risk, calm = variable_share(hunter, "first", hunted), variable_share(farmer, "repeat", farmed)
            if calm >= risk and calm > 0:
                yield Finding(
                    "L5",
                    "warn",
                    farmer.plan,
                    None,
                    (line.hunter, line.farmer),
                    "the farmer's variable share is not below the hunter's",
                    f"of {plain(SAMPLE)} sold in a month: {plain(calm)} % of the farmer's pay is variable,"
                    f" {plain(risk)} % of the hunter's",
                )


def nothing_to_gain(line: Line) -> Iterator[Finding]:
    """L6: a role without a variable rule does not care how its station does; a guarantee alone is a second salary.

    A rule that can only ever pay nothing is none. It stands on the last plan of the role.
    """
    for role in dict.fromkeys(map(str, VARIANTS[line.variant].values())):
        plans = list(line.of(role))
        variable = ((plan, rule) for plan in plans for rule in plan.rules if isinstance(rule, Variable))
        if plans and not any(pays(plan, rule) for plan, rule in variable):
            yield Finding(
                "L6",
                "block",
                plans[-1].plan,
                None,
                (role,),
                "a role of the line has no variable rule that can ever pay",
                f"{money(fixed_pay(plans[-1]), plans[-1])} a month, whatever the {role} does",
            )


def seats_that_are_not_there(line: Line) -> Iterator[Finding]:
    """L7: a rule pays a seat that the role does not hold in this variant."""
    roles = set(map(str, VARIANTS[line.variant].values()))
    for plan in line.plans:
        if plan.role not in roles:
            yield Finding(
                "L7", "block", plan.plan, None, (plan.role,), f"nobody is a {plan.role} in {line.variant}", "0.00"
            )
            continue
        for rule in plan.rules:
            place = station(rule)
            farmed = isinstance(rule, Commission) and rule.sales == "repeat" and plan.role == line.hunter
            if place is not None and line.role(place) != plan.role and not farmed:
                yield Finding(
                    "L7",
                    "block",
                    plan.plan,
                    rule.id,
                    (plan.role, line.role(place)),
                    f"pays for {place}, where a {line.role(place)} works in {line.variant}",
                    f"nothing is ever paid by {rule.id}",
                )


def silence_costs_the_scout(line: Line) -> Iterator[Finding]:
    """L10: without a deadline, or when silence pays nobody, not answering is the cheapest way to refuse."""
    if line.scout == line.hunter:
        return
    if line.accept_within_hours is not None and line.accept_within_hours <= 0:
        for plan in list(line.of(line.scout))[-1:]:
            yield Finding(
                "L10", "block", plan.plan, None, (line.scout, line.hunter), "an offer has no deadline", "never expires"
            )
    for plan in line.of(line.scout):
        bounties = [rule for rule in plan.rules if isinstance(rule, Bounty) and rule.seat == "sourced_by"]
        paying = [rule for rule in bounties if pays(plan, rule)]
        unanswered = [rule for rule in paying if "LeadOfferExpired" in rule.on or "LeadQualified" in rule.on]
        for rule in paying:
            silent = first_day_alone(plan, rule, unanswered) if "LeadAccepted" in rule.on else None
            if silent is not None:
                yield Finding(
                    "L10",
                    "block",
                    plan.plan,
                    rule.id,
                    (line.scout, line.hunter),
                    f"a lead that nobody answers pays nobody, as on {silent}",
                    f"the {line.hunter} saves the {line.scout}'s {money(rule.amount, plan)} by silence",
                )


def punished_for_anothers_time(line: Line) -> Iterator[Finding]:
    """L13: a hunter answers for what the farmer did with the client."""
    if line.hunter == line.farmer:
        return
    for plan in line.of(line.hunter):
        for rule in commissions(plan, "first"):
            late = [step for step in rule.clawback if step.days > LONGEST_CLAWBACK and step.percent > 0]
            if late:
                back = on_sample(rule) * late[0].percent / 100
                yield Finding(
                    "L13",
                    "warn",
                    plan.plan,
                    rule.id,
                    (line.hunter, line.farmer),
                    f"taken back up to day {late[-1].days}, long after the {line.farmer} took over",
                    f"a client of {plain(SAMPLE)} lost on day {late[-1].days} costs the {line.hunter}"
                    f" {money(back, plan)}",
                )
