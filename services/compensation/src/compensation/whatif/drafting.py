"""Plans that are tried, put among those in force."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from compensation.months import Month
from compensation.plan import Assignment, Plan, PlanVersion, known_assignments
from compensation.whatif.scenario import Draft

ALWAYS_KNOWN = datetime.min.replace(tzinfo=UTC)


def tried(
    plans: Sequence[PlanVersion], assignments: Sequence[Assignment], drafts: Iterable[Draft], first: Month
) -> tuple[list[PlanVersion], list[Assignment]]:
    """The plans and assignments with the drafts among them.

    Instead: the draft becomes the last version of the plan of its id, or, where there is none, of every plan of its
    role; so nobody has to be assigned anew. Beside: whoever is paid in the role is paid by the draft as well.
    """
    versions, people = list(plans), known_assignments(assignments, None)
    for draft in drafts:
        plan = draft.plan
        if draft.from_start:
            plan = plan.model_copy(update={"effective_from": first.first_day})
        if draft.place == "beside":
            own = _free(plan.plan, {version.plan.plan for version in versions})
            versions.append(PlanVersion(plan.model_copy(update={"plan": own}), ALWAYS_KNOWN))
            people += [replace(a, plan=own) for a in people if a.role == plan.role]
            continue
        last: defaultdict[str, int] = defaultdict(int)
        for version in versions:
            if version.plan.role == plan.role:
                last[version.plan.plan] = max(last[version.plan.plan], version.plan.version)
        for target in [plan.plan] if plan.plan in last or not last else sorted(last):
            number = max(plan.version, last[target] + 1)
            versions.append(PlanVersion(_named(plan, target, number), ALWAYS_KNOWN))
    return versions, people


def _named(plan: Plan, name: str, number: int) -> Plan:
    return plan.model_copy(update={"plan": name, "version": number})


def _free(name: str, taken: set[str]) -> str:
    """A name that no plan has yet: a draft beside its own plan is another plan."""
    while name in taken:
        name += "-beside"
    return name
