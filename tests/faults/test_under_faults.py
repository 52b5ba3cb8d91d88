"""A short run: whatever happens to its processes, the line keeps its promises. `make faults` runs longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from nemesis import FAULTS, chosen
from run_faults import Run, run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
SEED = 4


def test_the_line_keeps_its_promises_under_faults(tmp_path: Path) -> None:
    done = run(Run(SEED, 30.0, quiet=True), tmp_path)
    assert done.broken == {}, f"make faults SEED={SEED} SECONDS=30"
    assert done.figures["ok"] > 300
    assert len(done.figures["faults"]) >= 5


def test_a_run_takes_the_faults_it_is_told_and_no_others() -> None:
    assert chosen(["kill", "close"], ["lead-gen"]) == ["kill", "close"]
    assert chosen([], ["lead-gen"]) == [name for name in FAULTS if name != "close"]
    with pytest.raises(ValueError, match="no such fault: typo"):
        chosen(["typo"], [])
