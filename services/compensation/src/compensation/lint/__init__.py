"""What in a set of pay plans sets the roles of a line against each other, before anybody is paid by it.

A finding of level block forbids approval; one of level warn is shown to whoever approves. Each says which role is set
against which, and what that means in money. L1 to L14 come from the plans, L15 from what people did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from compensation.conflict import Case
from compensation.lint import roles, single
from compensation.lint.finding import Finding, Level, Line
from compensation.lint.habits import habits
from compensation.plan import Plan
from conveyor_events.words import VARIANTS

__all__ = ["Finding", "Level", "Line", "blocking", "fitting", "lint", "meet"]

LOOKS: tuple[Callable[[Line], Iterator[Finding]], ...] = (
    roles.paid_for_handing_over,
    roles.two_seats_for_one_event,
    roles.repeats_like_first_sales,
    roles.taken_from_the_judge,
    roles.upside_down,
    roles.nothing_to_gain,
    roles.seats_that_are_not_there,
    roles.silence_costs_the_scout,
    roles.punished_for_anothers_time,
    single.cliffs,
    single.before_the_money,
    single.windows_that_overlap,
    single.first_and_repeat_at_once,
    single.judged_by_themselves,
)


def lint(
    plans: Sequence[Plan], variant: str, accept_within_hours: int | None = None, cases: Sequence[Case] = ()
) -> list[Finding]:
    """Everything that is found, in the order of the codes. The variant is one of the table's.

    What blocks two plans together stands on the later of them: so the plan that is asked about comes last.
    """
    line = Line(variant, tuple(plans), accept_within_hours)
    found = [finding for look in LOOKS for finding in look(line)]
    found += habits(cases)
    return sorted(found, key=lambda finding: int(finding.code[1:]))


def fitting(plan: Plan) -> list[str]:
    """The variants a plan is written for: those it names, else all in which its role works."""
    return list(plan.variants) or [name for name, seats in VARIANTS.items() if plan.role in map(str, seats.values())]


def meet(plan: Plan, other: Plan) -> bool:
    """Whether there is a variant that both are written for: else no line has both."""
    return not set(fitting(plan)).isdisjoint(fitting(other))


def blocking(plan: Plan, others: Sequence[Plan]) -> list[Finding]:
    """What forbids to approve the plan beside the others: what blocks in every variant it is written for."""
    by_variant = []
    for variant in fitting(plan):
        found = [finding for finding in lint([*others, plan], variant) if finding.level == "block"]
        by_variant.append([finding for finding in found if finding.plan == plan.plan])
    return min(by_variant, key=len, default=[])
