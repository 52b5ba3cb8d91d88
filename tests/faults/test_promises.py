"""The page of promises and what proves them say the same."""

from __future__ import annotations

import re

from nemesis import FAULTS
from plant import HERE, ROOT

PAGE = (ROOT / "docs/promises.md").read_text()
ROW = re.compile(r"^\| (\d+) \| .* \| .* \| (.*) \|$", re.MULTILINE)
ROWS = {int(number): where for number, where in ROW.findall(PAGE)}


def test_thirty_of_the_forty_faults_are_tried() -> None:
    assert len(ROWS) >= 30
    assert set(ROWS) | {7, 10} == set(range(1, 41))


def test_every_kind_of_the_nemesis_stands_in_the_rows_of_its_numbers() -> None:
    for kind, (numbers, _) in FAULTS.items():
        for number in numbers:
            assert f"`{kind}`" in ROWS[number], f"{kind} is not named in row {number}"


def test_every_kind_and_every_file_that_the_page_names_is_there() -> None:
    only = {kind for words in re.findall(r"ONLY=([\w,-]+)", PAGE) for kind in words.split(",")}
    named = {word for where in ROWS.values() for word in re.findall(r"`([a-z-]+)`", where)}
    assert only | named <= FAULTS.keys()
    for path in re.findall(r"([\w/-]*test_\w+\.py)", PAGE):
        name = path.rpartition("/")[2]
        assert [*HERE.parent.glob(f"*/{name}"), *ROOT.glob(f"services/*/tests/{name}")], f"{path} is not there"


def test_every_command_of_make_that_the_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= targets
