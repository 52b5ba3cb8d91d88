"""L15, from history: what people do under the plans they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from compensation.conflict import Case
from compensation.lint.finding import Finding
from conveyor_events.money import plain


def rejected_and_sold(cases: Iterable[Case]) -> Iterator[Finding]:
    """A receiver who rejects leads and sells to the same clients (C8) earns more by rejecting than by accepting."""
    by_seller: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.kind == "C8" and case.b is not None:
            by_seller[case.b.person].append(case)
    for person, found in sorted(by_seller.items()):
        net: defaultdict[str, Decimal] = defaultdict(Decimal)
        for case in found:
            net[case.currency or ""] += case.net or 0
        roles = dict.fromkeys(
            [*(case.b.role for case in found if case.b is not None), *(case.a.role for case in found)]
        )
        yield Finding(
            "L15",
            "warn",
            "",
            None,
            tuple(roles),
            f"{person} sold to {len(found)} clients whose leads {person} had rejected",
            ", ".join(f"{plain(amount)} {currency} sold past the finder" for currency, amount in sorted(net.items())),
        )
