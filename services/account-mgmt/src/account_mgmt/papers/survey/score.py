"""How a survey is scored: the gap between what is received and what is expected, by group and in all.

A group's gap is the mean of its answered items, the total is Σ weight × gap / Σ weight over the groups that were
answered (Σ weight is 100 if all were). Computed in fractions and compared exactly; rounded, a half away from zero, only
to be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from account_mgmt.papers.survey.text import GROUPS

ENOUGH = 12
"""Of the 15 items; under it nothing is scored."""

TOTAL_BELOW, GROUP_BELOW, RECOMMEND_UP_TO = Fraction(-1), Fraction(-3, 2), 6
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Answer:
    """One item: what the client expects and what it receives, each from 1 to 7."""

    item: str
    expected: int
    received: int

    @property
    def gap(self) -> int:
        return self.received - self.expected


@dataclass(frozen=True)
class GroupGap:
    """`gap`: None if no item of the group was answered."""

    group: str
    weight: Decimal
    gap: Decimal | None


@dataclass(frozen=True)
class Result:
    """What a survey comes to. It says nothing of the person who answered.

    `alerts`: why somebody should look at the account: total, group:<name>, recommend. `total` and the gaps are None if
    too few items were answered; whoever would not recommend us is an alert even then.
    """

    answered: int
    total: Decimal | None
    gaps: tuple[GroupGap, ...]
    recommend: int | None
    alerts: tuple[str, ...]

    @property
    def alert(self) -> bool:
        return bool(self.alerts)


def score(
    answers: Sequence[Answer],
    recommend: int | None,
    weights: Mapping[str, Decimal],
    group_of: Mapping[str, str],
) -> Result:
    gaps: dict[str, Fraction] = {}
    scored = len(answers) >= ENOUGH
    for group in GROUPS if scored else ():
        of_group = [answer.gap for answer in answers if group_of[answer.item] == group]
        if of_group:
            gaps[group] = Fraction(sum(of_group), len(of_group))
    total = _total(gaps, weights)
    alerts = ["total"] if total is not None and total < TOTAL_BELOW else []
    alerts += [f"group:{group}" for group, gap in gaps.items() if gap < GROUP_BELOW]
    alerts += ["recommend"] if recommend is not None and recommend <= RECOMMEND_UP_TO else []
    told = tuple(GroupGap(group, weights[group], _shown(gaps.get(group))) for group in GROUPS)
    return Result(len(answers), _shown(total), told, recommend, tuple(alerts))


def _total(gaps: Mapping[str, Fraction], weights: Mapping[str, Decimal]) -> Fraction | None:
    whole = sum((Fraction(weights[group]) for group in gaps), Fraction(0))
    return sum((Fraction(weights[group]) * gap for group, gap in gaps.items()), Fraction(0)) / whole if gaps else None


def _shown(exact: Fraction | None) -> Decimal | None:
    """With two decimals, a half away from zero, and no minus before a zero."""
    if exact is None:
        return None
    hundredths = (abs(exact) * 200 + 1) // 2
    rounded = Decimal(int(hundredths)).scaleb(-2).quantize(CENT, ROUND_HALF_UP)
    return -rounded if exact < 0 and rounded else rounded
