"""The ten tests of a person side by side: what a front end draws as a radar."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from account_mgmt.papers.selftest.attempts import AttemptMade, Attempts
from account_mgmt.papers.selftest.score import mean
from account_mgmt.papers.selftest.text import ORDER


@dataclass(frozen=True)
class Direction:
    """One test: the newest attempt, and how far its score is from the one before."""

    test: str
    last: AttemptMade | None = None
    change: Decimal | None = None


@dataclass(frozen=True)
class Profile:
    """In the order of the tests. `mean` is over those that were taken."""

    directions: tuple[Direction, ...]
    mean: Decimal | None


def profile(attempts: Attempts) -> Profile:
    directions = tuple(_direction(test, attempts.of(test)) for test in ORDER)
    scores = [one.last.result.score for one in directions if one.last and one.last.result]
    return Profile(directions, mean(scores))


def _direction(test: str, made: tuple[AttemptMade, ...]) -> Direction:
    scores = [one.result.score for one in made if one.result is not None]
    return Direction(test, made[-1] if made else None, scores[-1] - scores[-2] if len(scores) > 1 else None)
