"""Looks at rules by themselves: cliffs, money that is not there yet, double definitions, triggers that lie."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations, pairwise

from compensation.lint.asked import (
    SAMPLE,
    money,
    on_sample,
    overlap,
    payee,
    pays_for,
)
from compensation.lint.finding import Finding, Line
from compensation.rules import Bounty, Commission
from conveyor_events.money import minor_units, plain, round_half_up


def cliffs(line: Line) -> Iterator[Finding]:
    """L8: a cent more jumps by hundreds, so sales are kept back or pulled forward."""
    for plan in line.plans:
        for rule in plan.rules:
            if isinstance(rule, Commission) and rule.bands is not None and rule.bands.mode == "whole":
                for before, after in pairwise(rule.bands.in_money):
                    cent = Decimal(1).scaleb(-minor_units(plan.currency))
                    start = round_half_up(after.start, plan.currency)
                    below = round_half_up((start - cent) * before.percent / 100, plan.currency)
                    above = round_half_up(start * after.percent / 100, plan.currency)
                    if above - below > cent:
                        yield Finding(
                            "L8",
                            "warn",
                            plan.plan,
                            rule.id,
                            (plan.role,),
                            f"a cliff at {plain(start)}",
                            f"{plain(start - cent)} → {plain(start)} jumps {plain(below)} → {plain(above)}",
                        )


def before_the_money(line: Line) -> Iterator[Finding]:
    """L9: paid for a signature, whether or not the client ever pays. What takes back nothing is no clawback."""
    for plan in line.plans:
        for rule in plan.rules:
            if not isinstance(rule, Commission) or rule.release != "at_sale":
                continue
            if not any(step.percent > 0 for step in rule.clawback):
                yield Finding(
                    "L9",
                    "block",
                    plan.plan,
                    rule.id,
                    (plan.role, "house"),
                    "paid before the client pays, and never taken back",
                    f"a sale of {plain(SAMPLE)} that is never paid costs {money(on_sample(rule), plan)}",
                )


def windows_that_overlap(line: Line) -> Iterator[Finding]:
    """L11: two rules of one plan pay for the same thing on the same day."""
    for plan in line.plans:
        for rule, other in combinations(plan.rules, 2):
            same = payee(plan, rule) == payee(plan, other) and set(pays_for(rule)) & set(pays_for(other))
            if same and overlap(rule.valid, other.valid):
                yield Finding(
                    "L11",
                    "warn",
                    plan.plan,
                    other.id,
                    (plan.role,),
                    f"pays for the same as {rule.id}, on the same days",
                    f"{rule.id} and {other.id} both pay",
                )


def first_and_repeat_at_once(line: Line) -> Iterator[Finding]:
    """L12: one sale is a first and a repeat sale at the same time."""
    for plan in line.plans:
        sales = [rule for rule in plan.rules if isinstance(rule, Commission)]
        for rule, other in combinations(sales, 2):
            kinds = {rule.sales, other.sales}
            if "all" in kinds and kinds & {"first", "repeat"} and overlap(rule.valid, other.valid):
                paid = on_sample(rule) + on_sample(other)
                yield Finding(
                    "L12",
                    "block",
                    plan.plan,
                    other.id,
                    (line.hunter, line.farmer),
                    f"{rule.id} and {other.id} both take the same sale",
                    f"a sale of {plain(SAMPLE)} pays {money(paid, plan)}",
                )


def judged_by_themselves(line: Line) -> Iterator[Finding]:
    """L14: what people say of themselves, or ask their own clients, is no longer true once it pays."""
    for plan in line.plans:
        for rule in plan.rules:
            if isinstance(rule, Bounty) and "SurveyAnswered" in rule.on:
                yield Finding(
                    "L14",
                    "block",
                    plan.plan,
                    rule.id,
                    (plan.role, "house"),
                    "paid for a survey that the same person asks their clients to answer",
                    f"{money(rule.amount, plan)} for every friendly answer",
                )
