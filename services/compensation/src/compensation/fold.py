"""The fold itself: facts, plan versions and assignments give every line a person earned or is entitled to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from compensation.earn import Waiting, adjustments, earned
from compensation.facts import Cancelled, Paid, Refunded, Sale
from compensation.known import Known
from compensation.line import Line
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion
from compensation.post import posts


@dataclass(frozen=True, slots=True)
class Fold:
    """All lines of a person, without carry; salaries up to a month only."""

    lines: tuple[Line, ...]
    waiting: tuple[Waiting, ...]
    currencies: frozenset[str] = frozenset()


def fold(
    known: Known, plans: Iterable[PlanVersion], assignments: Iterable[Assignment], person: str, through: Month
) -> Fold:
    """Everything a person earned and is entitled to, with salaries up to and including the month."""
    lines: list[Line] = []
    waiting: dict[Waiting, None] = {}
    held = posts(known, plans, assignments, person)
    for post in held:
        for found in earned(post, known, through):
            if isinstance(found, Waiting):
                waiting[found] = None
            else:
                lines.append(found)
    beside = tuple(adjustments(person, known))
    waiting.update(dict.fromkeys(_unsold(known, person)))
    currencies = {post.versions[0].currency for post in held} | {line.currency for line in beside}
    return Fold((*lines, *beside), tuple(waiting), frozenset(currencies))


def _unsold(known: Known, person: str) -> Iterator[Waiting]:
    """Money of sales that nobody has reported yet: each such fact waits for its sale.

    Who is paid for such a sale is what the money itself says: a part that only the sale tells of is not known either.
    """
    for key in known.history.sales_of.get(person, ()):
        if known.sale(key) is None:
            for fact in known.money(key):
                if isinstance(fact.data, Paid | Refunded | Cancelled) and person in _stamped(fact.data.sale):
                    yield Waiting(fact.event_id, f"sale {fact.data.sale.sale_id} is not known")


def _stamped(sale: Sale) -> list[str]:
    """Who is paid for the sale by its own stamps."""
    holder = sale.converted_by if sale.first else sale.served_by
    return [part.person for part in sale.splits] or ([holder.person] if holder else [])
