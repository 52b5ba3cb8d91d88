"""The questionnaire as it is written: `texts/service_quality.v<version>.yaml`. A published version never changes.

A new wording is a new file with the next version; surveys name theirs, so old answers stay readable.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from account_mgmt.papers.texts import Name, Text, Written, versions

PACKAGE = "account_mgmt.papers.survey"
GROUPS = ("promises", "speed", "competence", "care", "materials")
ITEMS_PER_GROUP, LEAST, MOST = 3, 1, 7
HUNDRED = Decimal(100)


class Item(Text):
    id: Name


Weight = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]?(\.[0-9]{1,2})?$")]
"""Written as text, so that no number ever becomes a float."""


class Group(Written):
    """A side of the service: three items, and how much it weighs unless a survey says otherwise."""

    group: Name
    weight: Weight
    title: Text
    items: Annotated[list[Item], Field(min_length=ITEMS_PER_GROUP, max_length=ITEMS_PER_GROUP)]


class Questionnaire(Written):
    """Five groups of three items, each asked twice: what is expected, what is received."""

    version: Annotated[int, Field(ge=1)]
    title: Text
    about: Text
    expected: Text
    received: Text
    points: dict[int, Text]
    recommend: Text
    groups: list[Group]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if tuple(group.group for group in self.groups) != GROUPS:
            raise ValueError(f"the groups are {', '.join(GROUPS)}, in this order")
        if sum(self.weights.values()) != HUNDRED:
            raise ValueError("the weights add up to 100")
        if len(self.group_of) != len(GROUPS) * ITEMS_PER_GROUP:
            raise ValueError("two items bear the same id")
        if not {LEAST, MOST} <= set(self.points) <= set(range(LEAST, MOST + 1)):
            raise ValueError(f"the points lie between {LEAST} and {MOST}, and both ends have a name")
        return self

    @property
    def weights(self) -> dict[str, Decimal]:
        return {group.group: Decimal(group.weight) for group in self.groups}

    @property
    def group_of(self) -> dict[str, str]:
        """Each item's group."""
        return {item.id: group.group for group in self.groups for item in group.items}


def _all() -> dict[int, Questionnaire]:
    found = {one.version: one for one in versions(PACKAGE, Questionnaire)}
    if sorted(found) != list(range(1, len(found) + 1)) or not found:
        raise ValueError("the versions of the questionnaire go from 1 on without a gap")
    return found


QUESTIONNAIRES = _all()
NEWEST = max(QUESTIONNAIRES)
