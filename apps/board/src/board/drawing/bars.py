"""Bars: a small one for each hour of a day, and those of gain and loss to either side of a middle line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Bar:
    """A rectangle; `label` says what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: str = ""


HOUR, TALL = 8.0, 28.0


def hours(counts: Sequence[int], most: int) -> list[Bar]:
    """A bar for each hour in which something happened, in a picture of 24 x 8 by 28; `most` is its full height."""
    return [
        Bar(hour * HOUR + 1, TALL - height, HOUR - 2, height, f"{hour:02}:00", str(count))
        for hour, count in enumerate(counts)
        if count and (height := round(max(2.0, TALL * count / max(most, 1)), 2))
    ]


WIDE = 100.0


@dataclass(frozen=True)
class Swing:
    """One person's difference: a bar to the right is gain, to the left loss."""

    label: str
    amount: Decimal
    x: float
    width: float

    @property
    def gains(self) -> bool:
        return self.amount > 0


def swings(amounts: Sequence[tuple[str, Decimal]]) -> list[Swing]:
    """From the largest gain to the largest loss, in a picture from -100 to 100; the largest fills its side."""
    most = max((abs(amount) for _, amount in amounts), default=Decimal(0))
    ranked = sorted(amounts, key=lambda one: (-one[1], one[0]))
    return [_swing(label, amount, most) for label, amount in ranked]


def _swing(label: str, amount: Decimal, most: Decimal) -> Swing:
    width = round(float(abs(amount) / most) * WIDE, 2) if most else 0.0
    return Swing(label, amount, 0.0 if amount >= 0 else -width, width)
