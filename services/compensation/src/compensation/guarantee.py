"""At least so much variable pay: what is added to a month that earned less, and how an advance comes back.

It looks at a month as it stands, after what is owed from before: so it follows the lines like carry does, and what is
added in a closed month stays. What becomes known later counts in the open month in which it is corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from compensation.known import Known
from compensation.line import Calc, Line, line_id
from compensation.months import Month, Span
from compensation.plan import Assignment, Plan, PlanVersion
from compensation.post import Post, posts
from compensation.rules import Guarantee
from conveyor_events import round_half_up

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Term:
    """What is guaranteed in a month under one rule of one post."""

    month: Month
    currency: str
    amount: Decimal
    plan: str
    version: int
    rule: str
    leg: str
    recoverable: bool

    @property
    def account(self) -> tuple[str, str, str]:
        """Where its advances are kept, whatever the version."""
        return self.plan, self.rule, self.leg


Advances = Mapping[tuple[str, str, str], tuple[Term, Decimal]]
"""What was advanced and did not come back yet, with the term that shows it."""


def guarantees(plans: Iterable[PlanVersion]) -> bool:
    """Whether any plan guarantees anything."""
    return any(isinstance(rule, Guarantee) for version in plans for rule in version.plan.rules)


def terms(
    known: Known, plans: Sequence[PlanVersion], assignments: Iterable[Assignment], person: str, through: Month
) -> Iterator[Term]:
    """Everything that is guaranteed to the person up to and including a month."""
    if not guarantees(plans):
        return
    for post in posts(known, plans, assignments, person):
        for plan, span in post.version_spans():
            for rule in plan.rules:
                if isinstance(rule, Guarantee):
                    yield from _of_rule(post, plan, rule, span, through)


def _of_rule(post: Post, plan: Plan, rule: Guarantee, span: Span, through: Month) -> Iterator[Term]:
    valid = span.meet(Span(rule.valid.since or date.min, rule.valid.until))
    held = [days for s in post.spans if valid and (days := s.meet(valid))]
    if not held or not post.spans:
        return
    begun = Month.of(min(s.since for s in post.spans))
    for month in Month.of(min(days.since for days in held)).through(through):
        whole = Span(month.first_day, month.last_day)
        at_work = sum(((b.until or b.since) - b.since).days + 1 for s in held if (b := s.meet(whole)))
        amount = rule.in_month(1 + (month.year - begun.year) * 12 + month.number - begun.number)
        if at_work and amount is not None:
            prorated = round_half_up(amount * at_work / month.days, plan.currency)
            about = plan.plan, plan.version, rule.id, post.leg, rule.recoverable
            yield Term(month, plan.currency, prorated, *about)


def topped_up(
    person: str, month: Month, currency: str, variable: Decimal, held: Sequence[Term], advances: Advances
) -> tuple[list[Line], dict[tuple[str, str, str], tuple[Term, Decimal]]]:
    """(guarantee lines of the month, advances after it). `variable`: what is left of variable pay, never below zero."""
    lines: list[Line] = []
    after, cover = dict(advances), variable
    for term in held:
        added = max(term.amount - cover, _ZERO)
        cover = max(cover - term.amount, _ZERO)
        if added:
            owed = after.get(term.account, (term, _ZERO))[1]
            if term.recoverable:
                after[term.account] = term, owed + added
            advanced = owed + added if term.recoverable else None
            lines.append(
                _line(person, month, term, added, Calc(exact=added, guaranteed=term.amount, advanced=advanced))
            )
    for account, (term, owed) in list(after.items()):
        back = min(cover, owed)
        if back and term.currency == currency:
            cover -= back
            after[account] = term, owed - back
            calc = Calc(exact=-back, note="recovered", advanced=owed - back)
            lines.append(_line(person, month, term, -back, calc, "recovered"))
    return lines, {account: kept for account, kept in after.items() if kept[1]}


def _line(person: str, month: Month, term: Term, amount: Decimal, calc: Calc, leg: str = "") -> Line:
    name = line_id(str(month), term.rule, term.plan, term.version, person, f"{term.leg}:{leg}")
    return Line(
        line_id=name,
        person=person,
        period=month,
        kind="guarantee",
        amount=amount,
        currency=term.currency,
        state="earned",
        plan=term.plan,
        version=term.version,
        rule=term.rule,
        causes=(),
        calc=calc,
    )
