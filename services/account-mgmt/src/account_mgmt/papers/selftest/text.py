"""The ten tests as they are written: `texts/<test>.v<version>.yaml`. A published version never changes its statements.

A new wording is a new file with the next version; attempts name theirs, so old ones stay readable.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Self

from pydantic import Field, model_validator

from account_mgmt.papers.texts import Name, Text, Written, read, versions

PACKAGE = "account_mgmt.papers.selftest"
STATEMENTS, REVERSED, LEAST, MOST = 10, 3, 1, 5
ORDER = (
    "listening",
    "first_contact",
    "needs",
    "use",
    "objections",
    "bargaining",
    "promises",
    "complaints",
    "regular",
    "passing_on",
)
"""The ten tests of "Client and You", in the order of a sale."""


class Statement(Text):
    """A thing one does or leaves. `reversed`: better the less it is true."""

    id: Name
    reversed: bool = False


class SelfTest(Written):
    """One test: ten statements, three of them reversed."""

    test: Name
    version: Annotated[int, Field(ge=1)]
    title: Text
    about: Text
    statements: Annotated[list[Statement], Field(min_length=STATEMENTS, max_length=STATEMENTS)]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len(self.ids) != STATEMENTS:
            raise ValueError("two statements bear the same id")
        if sum(one.reversed for one in self.statements) != REVERSED:
            raise ValueError(f"{REVERSED} of the {STATEMENTS} statements are reversed")
        for texts in ({one.en for one in self.statements}, {one.ru for one in self.statements}):
            if len(texts) != STATEMENTS:
                raise ValueError("two statements say the same")
        return self

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(one.id for one in self.statements)

    @property
    def turned(self) -> frozenset[str]:
        """The statements whose answers count the other way round."""
        return frozenset(one.id for one in self.statements if one.reversed)


class Bands(Written):
    low: Text
    middle: Text
    high: Text


class Scale(Written):
    """What is asked of each statement, what the points mean, and the names of the bands."""

    question: Text
    points: dict[int, Text]
    bands: Bands

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if list(self.points) != list(range(LEAST, MOST + 1)):
            raise ValueError(f"the points go from {LEAST} to {MOST}")
        return self


def _all() -> dict[str, dict[int, SelfTest]]:
    found: dict[str, dict[int, SelfTest]] = {name: {} for name in ORDER}
    for test in versions(PACKAGE, SelfTest):
        found[test.test][test.version] = test
    for name, known in found.items():
        if list(known) != list(range(1, len(known) + 1)) or not known:
            raise ValueError(f"the versions of {name} go from 1 on without a gap")
    return found


TESTS = _all()
SCALE = read(Scale, files(PACKAGE).joinpath("texts/scale.yaml").read_text(encoding="utf-8"))


def current(test: str) -> SelfTest | None:
    """The newest version of the test."""
    known = TESTS.get(test)
    return known[max(known)] if known else None


def pinned(test: str, version: int) -> SelfTest | None:
    """The version that somebody has read."""
    return TESTS.get(test, {}).get(version)
