"""L15, from history: what people do under the plans they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from compensation.conflict import Case
from compensation.lint.finding import Finding
from conveyor_events.money import plain


def habits(cases: Iterable[Case]) -> Iterator[Finding]:
    """A receiver earns more by rejecting (C8), a sender by keeping what was handed over (C3, C4)."""
    found = list(cases)
    yield from _found(found, ("C8",), "sold to {n} clients whose leads {who} had rejected", "sold past the finder")
    yield from _found(
        found, ("C3", "C4"), "went on working {n} clients that somebody else serves", "sold past who serves"
    )


def _found(cases: Iterable[Case], kinds: tuple[str, ...], message: str, example: str) -> Iterator[Finding]:
    """One finding for each person whose claim is the younger one."""
    by_person: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.kind in kinds and case.b is not None:
            by_person[case.b.person].append(case)
    for person, found in sorted(by_person.items()):
        net: defaultdict[str, Decimal] = defaultdict(Decimal)
        for case in found:
            if case.net is not None:
                net[case.currency or ""] += case.net
        roles = dict.fromkeys(
            [*(case.b.role for case in found if case.b is not None), *(case.a.role for case in found)]
        )
        sold = ", ".join(f"{plain(amount)} {currency} {example}" for currency, amount in sorted(net.items()))
        said = f"{person} {message.format(n=len({case.client for case in found}), who=person)}"
        yield Finding("L15", "warn", "", None, tuple(roles), said, sold or "nothing sold yet")
