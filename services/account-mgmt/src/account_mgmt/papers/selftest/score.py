"""How an attempt is scored, and the ten scores of a person side by side. Exact: no score is rounded.

raw = Σ v, or 6 − v for a reversed statement (10 to 50); score = (raw − 10) / 40 × 100, a multiple of 2.50.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from account_mgmt.papers.selftest.text import LEAST, MOST, STATEMENTS

CENT = Decimal("0.01")
MIDDLE_FROM, HIGH_FROM = Decimal(40), Decimal(70)
STRAIGHT_LINE = "straight_line"
"""Every statement got the same answer, though three of them say the opposite of the others."""


class Band(StrEnum):
    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


@dataclass(frozen=True)
class Score:
    raw: int
    score: Decimal
    band: Band
    flags: tuple[str, ...] = ()


def score(turned: frozenset[str], answers: Mapping[str, int]) -> Score:
    """The score of ten answers by statement; `turned` are the reversed ones."""
    raw = sum(LEAST + MOST - value if statement in turned else value for statement, value in answers.items())
    span = STATEMENTS * (MOST - LEAST)
    points = (Decimal(100 * (raw - STATEMENTS * LEAST)) / span).quantize(CENT)
    return Score(raw, points, band(points), (STRAIGHT_LINE,) if len(set(answers.values())) == 1 else ())


def band(points: Decimal) -> Band:
    """Half-open: [0, 40) low, [40, 70) middle, [70, 100] high. Nothing is rounded up: 69.5 is middle."""
    if points < MIDDLE_FROM:
        return Band.LOW
    return Band.MIDDLE if points < HIGH_FROM else Band.HIGH


def mean(points: Iterable[Decimal]) -> Decimal | None:
    """The mean with two decimals, a half upwards; none of nothing."""
    known = list(points)
    return (sum(known, Decimal(0)) / len(known)).quantize(CENT, ROUND_HALF_UP) if known else None
