"""Five mistakes that such systems make, put into a copy of the code one at a time: the verdict finds each of them.

The product has no switches for them. The patches are in defects/.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from plant import ROOT
from run_faults import Run, run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
DEFECTS = Path(__file__).parent / "defects"
STATIONS = ("lead-gen", "conversion")
SEEDS = (7, 8, 9)
SHOWN_BY = {
    "publish_before_commit": ("what_is_public_was_decided", ("crash-after-commit",)),
    "reaction_without_key": ("everybody_has_heard_everything", ("crash-before-offset",)),
    "offset_before_effect": ("everybody_has_heard_everything", ("crash-in-effect",)),
    "positions_without_lock": ("the_log_is_whole", ("log-locked",)),
    "checkpoint_before_acks": ("kafka_has_what_is_public", ("kafka-away-kill",)),
}


def spoilt(defect: str, copy: Path) -> Path:
    """A copy of the code with the defect in it."""
    for folder in ("libs", "services"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    patch = str(DEFECTS / f"{defect}.patch")
    subprocess.run(["git", "apply", "--unidiff-zero", patch], cwd=copy, check=True, capture_output=True, timeout=30)
    return copy


def test_every_defect_has_a_patch_and_every_patch_is_tried() -> None:
    assert {path.stem for path in DEFECTS.glob("*.patch")} == SHOWN_BY.keys()


@pytest.mark.parametrize("defect", SHOWN_BY)
def test_the_verdict_finds(defect: str, tmp_path: Path) -> None:
    """In the first run almost always; what it needs (a batch in the hands of who dies) may not come about in one."""
    law, faults = SHOWN_BY[defect]
    code = spoilt(defect, tmp_path / "code")
    found = []
    for seed in SEEDS:
        folder = tmp_path / f"found-{seed}"
        folder.mkdir()
        asked = Run(seed, 8.0, faults, 8.0, STATIONS, code, quiet=True, rest_within=15.0, lives_within=10.0)
        found.append(run(asked, folder).broken)
        if law in found[-1]:
            return
    pytest.fail(f"{law} holds: {found}")
