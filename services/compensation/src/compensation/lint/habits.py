"""L15, from history: what people do under the plans they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from compensation.facts import Fact, Rejected, Sold
from compensation.history import History
from compensation.lint.finding import Finding
from conveyor_events.money import plain


def rejected_and_sold(history: History) -> Iterator[Finding]:
    """A receiver who rejects leads and sells to the same clients earns more by rejecting than by accepting."""
    rejected: defaultdict[str, list[Rejected]] = defaultdict(list)
    sold: defaultdict[str, dict[str, Sold]] = defaultdict(dict)
    for facts in history.rejections.values():
        for fact in facts:
            if isinstance(fact.data, Rejected):
                rejected[fact.data.rejected_by.person].append(fact.data)
                for sale in _own_sales_after(history, fact, fact.data):
                    sold[fact.data.rejected_by.person][sale.sale.sale_id] = sale
    for person, sales in sorted(sold.items()):
        net: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in sales.values():
            net[one.sale.currency] += one.sale.net
        scouts = sorted({one.sourced_by.role for one in rejected[person]})
        yield Finding(
            "L15",
            "warn",
            "",
            None,
            (rejected[person][0].rejected_by.role, *scouts),
            f"{person} rejected {len(rejected[person])} leads and sold to {len(sales)} of those clients",
            ", ".join(f"{plain(amount)} {currency} sold past the finder" for currency, amount in sorted(net.items())),
        )


def _own_sales_after(history: History, fact: Fact, rejection: Rejected) -> Iterator[Sold]:
    for later in history.journeys.get(fact.client_id or "", ()):
        data = later.data
        if (
            isinstance(data, Sold)
            and data.sale.first
            and later.occurred_at > fact.occurred_at
            and data.sale.converted_by.person == rejection.rejected_by.person
            and data.sale.sourced_by.person != rejection.sourced_by.person
        ):
            yield data
