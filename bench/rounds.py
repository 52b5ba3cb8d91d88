"""Contestants in turns: each round runs them all, in an order by chance, and what is compared ran side by side.

The machine is shared and noisy. What slows it slows both sides of a round, so ratios are taken within a round and the
middle one counts; absolute figures are of this machine and this hour only.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Awaitable, Callable, Mapping

Run = Callable[[], Awaitable[float]]
Measured = dict[str, list[float]]


async def in_turns(contestants: Mapping[str, Run], rounds: int, *, seed: int = 1, unit: str = "1/s") -> Measured:
    """What each contestant reached in each round. Says so on standard error as it goes."""
    found: Measured = {name: [] for name in contestants}
    order, chance = list(contestants), random.Random(seed)
    for number in range(1, rounds + 1):
        chance.shuffle(order)
        for name in order:
            value = await contestants[name]()
            found[name].append(value)
            print(f"  round {number} of {rounds}: {name:<44} {value:>12,.1f} {unit}", file=sys.stderr, flush=True)
    return found


def middle(found: Measured, name: str) -> float:
    """The middle one of a contestant's rounds."""
    return statistics.median(found[name])


def ratio(found: Measured, ours: str, to: str) -> float:
    """The middle one of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(found[ours], found[to], strict=True))
