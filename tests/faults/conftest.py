"""The whole line as `conveyor up` starts it, so that its processes can be killed and started again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conveyor.processes import Wish, down, up
from conveyor.running import Running

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "journey")]
WISH = Wish("fault-test")


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    down(WISH.name, lambda _: None, erase=True)  # what is left of a run that was cut off
    try:
        yield up(WISH, lambda _: None)[0]
    finally:
        down(WISH.name, lambda _: None, erase=True)


@pytest.fixture(scope="session")
def wish() -> Wish:
    return WISH
