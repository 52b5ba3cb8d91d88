"""One what-if and nothing else, with nothing imported that it does not need: python -m bench.supposing FILE."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from bench.company import people
from bench.memory import peak
from compensation import kept
from compensation.facts import Fact
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, parse, shipped
from compensation.whatif import Basis, Draft, Outcome, Scenario, simulate

SINCE = date(2024, 1, 1)
KNOWN = datetime(2024, 1, 1, tzinfo=UTC)
DRAFT = {
    "plan": "ref-hunter", "version": "2", "role": "hunter", "currency": "EUR", "effective_from": "2024-01-01",
    "salary": "500.00",
    "rules": [{"id": "H1", "kind": "commission", "sales": "first", "percent": "7", "release": "as_paid"}],
}  # fmt: skip
Row = tuple[str, bytes]
"""Type and envelope, as they stand in the table."""


def rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for line in file:
            name, _, envelope = line.partition(b" ")
            yield name.decode(), envelope


def whatif(read: Callable[[], Iterator[Row]]) -> Outcome:
    plans = [
        PlanVersion(shipped(f"ref-{role}").model_copy(update={"effective_from": SINCE}), KNOWN)
        for role in ("scout", "hunter", "farmer")
    ]
    assigned = [Assignment(person, f"ref-{role}", role, SINCE, KNOWN) for person, role in people().items()]
    scenario = Scenario(Month(2024, 1), Month(2025, 12), drafts=(Draft(parse(DRAFT)),))

    def of_types(types: frozenset[str]) -> Iterator[Fact]:
        return kept.facts(envelope for name, envelope in read() if name in types)

    *_, last = simulate(Basis(of_types, "Europe/Berlin", plans, assigned), scenario)
    if not isinstance(last, Outcome):
        raise TypeError("a simulation without an outcome")
    return last


def main() -> None:
    """The peak of memory, and what came out."""
    outcome = whatif(lambda: rows(Path(sys.argv[1])))
    totals = [total.to_json() for total in outcome.totals()]
    print(json.dumps({"peak": peak(), "digest": outcome.digest, "totals": totals}))


if __name__ == "__main__":
    main()
