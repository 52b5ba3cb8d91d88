"""One pure function for each kind of rule: a post and what is known give lines."""

from collections.abc import Iterator

from compensation.earn.adjusted import adjustments
from compensation.earn.bounty import bounties
from compensation.earn.commission import commissions
from compensation.earn.growth import growth
from compensation.earn.salary import salaries
from compensation.earn.waiting import Waiting
from compensation.known import Known
from compensation.line import Line
from compensation.months import Month
from compensation.post import Post

__all__ = ["Waiting", "adjustments", "earned"]


def earned(post: Post, known: Known, through: Month) -> Iterator[Line | Waiting]:
    """Everything the post earns up to and including the month, and the facts that cannot be rated yet."""
    yield from salaries(post, through)
    yield from bounties(post, known)
    yield from growth(post, known)
    yield from commissions(post, known)
