"""A random company as the fold takes it, and the months that it may have closed."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st
from pay_histories import ZONE, Company

from compensation.history import History
from compensation.months import Month
from compensation.period import Close
from compensation.plan import Assignment, PlanVersion, Rate, parse
from compensation.reading import fact
from conveyor_events import Envelope

Basis = tuple[History, list[PlanVersion], list[Assignment], list[Rate]]


def read(made: Company, envelopes: Sequence[Envelope] | None = None) -> Basis:
    """Its facts (or these), plan versions, assignments and rates."""
    return (
        History((fact(e) for e in envelopes or made.envelopes), zone=ZONE),
        [PlanVersion(parse(document), at) for document, at in made.plans],
        [Assignment(**a) for a in made.assignments],
        [Rate(r["id"], "USD", "EUR", r["day"], r["rate"], r["recorded_at"]) for r in made.rates],
    )


closings = st.lists(st.integers(1, 11), max_size=4, unique=True).map(
    lambda numbers: [Close(Month(2026, n), datetime(2026, n + 1, 7, tzinfo=UTC)) for n in sorted(numbers)]
)
