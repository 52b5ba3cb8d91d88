"""`replace` gives what `dataclasses.replace` gives, whatever the class is like."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest

from belt.core.replacing import replace


@dataclass(frozen=True)
class Plain:
    name: str = "a"
    many: tuple[int, ...] = ()


@dataclass(frozen=True)
class Remembering(Plain):
    @cached_property
    def loud(self) -> str:
        return self.name.upper()


@dataclass(frozen=True, slots=True)
class Slotted:
    name: str = "a"


@dataclass(frozen=True)
class Checked:
    name: str = "a"

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a name")


@dataclass(frozen=True)
class Derived:
    name: str = "a"
    size: int = field(init=False, default=7)


@pytest.mark.parametrize("of", [Plain(), Plain(many=(1,)), Remembering(), Slotted(), Checked(), Derived()])
def test_it_gives_what_the_standard_one_gives(of: Any) -> None:
    new = replace(of, name="b")
    assert new == dataclasses.replace(of, name="b")
    assert type(new) is type(of)
    assert hash(new) == hash(dataclasses.replace(of, name="b"))
    assert of.name == "a"


def test_what_was_remembered_of_the_old_one_is_not_known_of_the_new_one() -> None:
    old = Remembering()
    assert old.loud == "A"
    assert replace(old, name="b").loud == "B"
    assert replace(old, many=(2,)) == Remembering(many=(2,))


@pytest.mark.parametrize("of", [Plain(), Remembering(), Slotted(), Checked()])
def test_what_is_no_field_is_refused(of: Any) -> None:
    with pytest.raises(TypeError):
        replace(of, nam="b")


def test_what_a_class_checks_is_checked() -> None:
    with pytest.raises(ValueError, match="a name"):
        replace(Checked(), name="")


def test_the_new_one_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(Plain(), name="b").name = "c"  # type: ignore[misc]
