"""Fixed pay: a monthly amount, prorated by the calendar days on which the post and the plan version hold."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from compensation.line import Calc, Line, line_id
from compensation.months import Month, Span
from compensation.plan import Plan
from compensation.post import Post
from compensation.rules import Salary
from conveyor_events import round_half_up


def salaries(post: Post, through: Month) -> Iterator[Line]:
    """One line a month and plan version."""
    for plan, span in post.version_spans():
        for rule in plan.rules:
            if not isinstance(rule, Salary):
                continue
            valid = span.meet(Span(rule.valid.since or date.min, rule.valid.until))
            held = [days for s in post.spans if valid and (days := s.meet(valid))]
            if held:
                first = Month.of(min(days.since for days in held))
                for month in first.through(through):
                    if line := _salary(post, plan, rule, month, held):
                        yield line


def _salary(post: Post, plan: Plan, rule: Salary, month: Month, held: list[Span]) -> Line | None:
    whole = Span(month.first_day, month.last_day)
    days = sum(((both.until or both.since) - both.since).days + 1 for s in held if (both := s.meet(whole)))
    if not days:
        return None
    exact = rule.amount * days / month.days
    prorating = tuple(event for day, event in post.staff_causes if whole.covers(day)) if days < month.days else ()
    return Line(
        line_id=line_id(str(month), rule.id, plan.plan, plan.version, post.person, post.leg),
        person=post.person,
        period=month,
        kind="fixed",
        amount=round_half_up(exact, plan.currency),
        currency=plan.currency,
        state="earned",
        plan=plan.plan,
        version=plan.version,
        rule=rule.id,
        causes=prorating,
        calc=Calc(exact=Decimal(exact), monthly=rule.amount, days=days, of_days=month.days),
        on_line=post.line,
        fixed=True,
    )
