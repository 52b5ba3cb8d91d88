"""Amounts beside the rules: whatever two people agreed on, in the month in which the second one approved it."""

from collections.abc import Iterator

from compensation.facts import Adjusted
from compensation.known import Known
from compensation.line import Calc, Line, line_id
from compensation.months import Month, calendar


def adjustments(person: str, known: Known) -> Iterator[Line]:
    """One line for each adjustment. It counts as variable pay: a negative one carries forward."""
    for fact in known.of(known.history.adjustments.get(person, ())):
        data = fact.data
        if not isinstance(data, Adjusted):
            continue
        month = calendar(known.history.zone).month(fact.occurred_at)
        about = Month.parse(data.relates_to) if data.relates_to else month
        yield Line(
            line_id=line_id(fact.event_id, "adjustment", "", 0, person, data.adjustment_id),
            person=person,
            period=month,
            kind="adjustment",
            amount=data.amount,
            currency=data.currency,
            state="earned",
            plan="",
            version=0,
            rule="adjustment",
            causes=(fact.event_id,),
            calc=Calc(
                exact=data.amount,
                note=data.reason,
                asked_by=data.asked_by,
                approved_by=data.approved_by,
                adjustment_id=data.adjustment_id,
                dispute_id=data.dispute_id,
            ),
            at=fact.occurred_at,
            relates_to=about if about != month else None,
        )
