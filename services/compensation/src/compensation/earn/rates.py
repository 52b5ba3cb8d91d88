"""What a base is worth: flat, a percentage, or bands over what was credited before."""

from collections.abc import Iterator
from decimal import Decimal

from compensation.line import Slice
from compensation.rules import Bands

_HUNDRED = Decimal(100)


def percent_of(base: Decimal, percent: Decimal) -> Decimal:
    return base * percent / _HUNDRED


def rated(bands: Bands, before: Decimal, base: Decimal) -> tuple[Decimal, tuple[Slice, ...]]:
    """The commission on a base that comes on top of `before`, and the slices it is made of.

    Marginal: each slice of the base at the rate of its band. Whole: the rate of the band that is reached holds for
    everything credited in the window, so the base that reaches it also lifts what was credited before.
    """
    slices = tuple((_lifted if bands.mode == "whole" else _cut)(bands, before, base))
    return sum((part.amount for part in slices), Decimal(0)), slices


def _ranges(bands: Bands) -> Iterator[tuple[Decimal, Decimal | None, Decimal]]:
    steps = bands.in_money
    ends: list[Decimal | None] = [*(step.start for step in steps[1:]), None]
    for step, end in zip(steps, ends, strict=True):
        yield step.start, end, step.percent


def _cut(bands: Bands, low: Decimal, base: Decimal) -> Iterator[Slice]:
    high = low + base
    for start, end, percent in _ranges(bands):
        inside = (high if end is None else min(high, end)) - max(low, start)
        if inside > 0:
            yield Slice(start, end, inside, percent, percent_of(inside, percent))


def _lifted(bands: Bands, before: Decimal, base: Decimal) -> Iterator[Slice]:
    old, new = _reached(bands, before), _reached(bands, before + base)
    yield Slice(new[0], new[1], base, new[2], percent_of(base, new[2]))
    if before > 0 and new[2] != old[2]:
        lift = new[2] - old[2]
        yield Slice(new[0], new[1], before, lift, percent_of(before, lift))


def _reached(bands: Bands, total: Decimal) -> tuple[Decimal, Decimal | None, Decimal]:
    return next(found for found in reversed(list(_ranges(bands))) if found[0] <= total)
