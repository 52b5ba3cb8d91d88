"""Running totals by calendar window: what tiers and caps look at."""

from collections import defaultdict
from decimal import Decimal

from compensation.months import Month
from compensation.rules import Cap, Scale, window_key


class Tally:
    """How much was counted so far for a rule in each month, quarter and year."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)

    def so_far(self, name: str, scale: Scale, month: Month) -> Decimal:
        return self._sums[name, window_key(scale, month)]

    def count(self, name: str, month: Month, amount: Decimal) -> None:
        """Adds to the month's, the quarter's and the year's total."""
        for scale in ("month", "quarter", "year"):
            self._sums[name, window_key(scale, month)] += amount

    def within(self, cap: Cap | None, name: str, month: Month, amount: Decimal) -> Decimal:
        """As much of the amount as the cap still allows; it is counted."""
        if cap is not None:
            amount = min(amount, max(cap.amount - self.so_far(name, cap.per, month), Decimal(0)))
        self.count(name, month, amount)
        return amount
