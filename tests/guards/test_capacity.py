"""The page of capacity is reckoned from what was measured, and says what was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checks.docs.capacity import FIGURES, LOCK, MISSING, PAGE, RESULTS, Need, measured, page

FOOTPRINT = {
    "door_ms_per_request": 2.0,
    "worker_ms_per_public_event": 5.0,
    "database_ms_per_event": 1.5,
    "idle_ms_per_second": 3.0,
    "door_megabytes": 150,
    "worker_megabytes": 170,
    "events_per_command": 1.2,
    "public_events_per_command": 0.8,
    "database_bytes_per_event": 4_000,
    "kafka_bytes_per_public_event": 1_000,
}
EMPTY = "".join(f"<!-- reckoned: {part} -->\n<!-- end -->\n" for part in ("measured", "needed"))


def checkout(folder: Path, results: dict[str, Any], text: str = EMPTY) -> Path:
    """A page without figures, and results."""
    (folder / "docs").mkdir()
    (folder / PAGE).write_text(f"before\n{text}after\n")
    (folder / RESULTS).mkdir(parents=True)
    for name, found in results.items():
        (folder / RESULTS / name).write_text(json.dumps(found))
    return folder


def test_what_nobody_has_measured_is_said_to_be_missing(tmp_path: Path) -> None:
    root = checkout(tmp_path, {})
    assert set(measured(root).values()) == {None}
    found = page(root)
    assert found.count(MISSING) > len(FIGURES)
    assert found.startswith("before\n")
    assert found.endswith("after\n")


def test_a_figure_is_the_median_of_its_rounds(tmp_path: Path) -> None:
    relay = {"rounds": {"relay, from PostgreSQL": [3_000, 9_000, 4_000], "bare producer": [1]}}
    facts = {"each": {"bare consumer": [1], "facts in PostgreSQL, exactly once": [10.5, 20.5]}}
    commands = {"rounds": {"call at 64": {"conveyor": [2_000, 1_000, 3_000]}}}
    found = measured(checkout(tmp_path, {"relay.json": relay, "facts.json": facts, "commands.json": commands}))
    assert (found["relayed"], found["facts"], found["commands"]) == (4_000, 15.5, 2_000)
    assert found["bulk"] is None


def test_the_needs_follow_from_the_figures(tmp_path: Path) -> None:
    root = checkout(tmp_path, {"footprint.json": FOOTPRINT, "statements.json": {"rebuild": {"bytes_a_fact": 500.0}}})
    need = Need(1_000, measured(root))
    assert need.verification() == pytest.approx(25_000_000 * 0.8 * 500 / 1e9)
    assert need.commands == pytest.approx(1_000 * 100 * 10 / 28_800)
    assert need.doors(0.6) == 2
    assert (
        Need(100_000, measured(root)).doors(0.6) == 36
    )  # 20,833 requests, 60 % of them at 2 ms, a core filled to 70 %
    assert Need(10, measured(root)).workers() == 2
    assert need.database() == pytest.approx(need.commands * 1.2 * 0.0015 * 0.6)
    stored, sent = need.disk() or (0, 0)
    assert stored == pytest.approx(25_000_000 * 1.2 * 4_000 / 1e9)
    assert sent == pytest.approx(25_000_000 * 0.8 * 1_000 * 3 / 1e9)
    assert f"{need.commands * 0.6 / LOCK:.1%}" in page(root)
    assert "120.0 GB" in page(root)
    assert "| 0.1 GB | 10.0 GB | 1,000.0 GB |" in page(root)


def test_other_results_make_another_page(tmp_path: Path) -> None:
    root = checkout(tmp_path, {"footprint.json": FOOTPRINT})
    before = page(root)
    (root / PAGE).write_text(before)
    assert page(root) == before
    (root / RESULTS / "footprint.json").write_text(json.dumps(FOOTPRINT | {"door_ms_per_request": 4.0}))
    assert page(root) != before


def test_a_page_that_lost_a_mark_is_refused(tmp_path: Path) -> None:
    root = checkout(tmp_path, {}, EMPTY.replace("needed", "other"))
    with pytest.raises(ValueError, match="needed"):
        page(root)
