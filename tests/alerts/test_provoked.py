"""Each alert is raised by real processes in a state that was brought about, and the questions of those on call are
answered there.

The rules and the queries of the panels are taken as they are; promtool plays to them what was scraped (scraping.py).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from provoking import provoke
from records import DEALS, LEADS, STAFF
from scraping import BEFORE, SPACE, Scrape, series
from stage import Stage
from watched_line import watched

from checks.docs.alerts import asks
from checks.docs.dashboards import scoped
from checks.docs.questions import QUESTIONS
from checks.k8s.rendering import MANIFESTS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

ALERTS = MANIFESTS / "components/monitoring/alerts.yaml"
RULES = {
    rule["alert"].removeprefix("Conveyor"): rule
    for group in yaml.safe_load(ALERTS.read_text())["groups"]
    for rule in group["rules"]
}
RAISED = {
    "RelayStalled": ("kafka", "lead-gen"),
    "RelayWithoutLeader": ("kafka", "lead-gen"),
    "RelayRestarts": ("kafka", "lead-gen"),
    "ConsumerLag": ("databases", "conversion"),
    "KeysParked": ("records", "account-mgmt"),
    "KeysIncomplete": ("records", "compensation"),
    "SequenceReused": ("records", "conversion"),
    "TopicRecordsMissing": ("records", "lead-gen"),
    "TopicPartitionsWrong": ("records", "compensation"),
    "TimersLate": ("databases", "conversion"),
    "Faults": ("databases", "lead-gen"),
    "Slow": ("databases", "conversion"),
    "Overloaded": ("databases", "conversion"),
    "CallersThrottled": ("databases", "account-mgmt"),
    "KeysetUnreachable": ("databases", "conversion"),
    "AuditUnavailable": ("records", "lead-gen"),
    "PoolExhausted": ("databases", "account-mgmt"),
    "ServiceNotSeen": ("processes", "account-mgmt"),
    "PodSilent": ("processes", "compensation"),
    "PodRestarts": ("processes", "conversion"),
    "StorageClosed": ("databases", "account-mgmt"),
    "StorageLow": ("databases", "lead-gen"),
    "LooksFail": ("databases", "lead-gen"),
    "DeadlineNear": ("people", ""),
    "DeadlineMissed": ("people", ""),
    "PayFactsUnread": ("records", "compensation"),
    "PayFactsUnreadable": ("records", "compensation"),
    "CloseWaits": ("people", "compensation"),
    "PeriodOpen": ("people", "compensation"),
    "ConflictsWait": ("people", "compensation"),
    "DisputesOverdue": ("people", "compensation"),
}
"""In which scene, and of which service: every alert."""

TOLD, ON_THE_WAY, WHO = "Is the line moving?", "Where does it wait: on the way?", "Who is about to miss a deadline?"
UP_TO_DATE, AT_A_STATION = "Is pay up to date?", "Where does it wait: at a station?"
OFFERED = {"deadline": "acceptance", "line": "west"}
ANSWERS: dict[tuple[str, str], tuple[str, dict[str, str], str]] = {
    (TOLD, "Events told"): ("people", {"type": "conveyor.leads.LeadQualified"}, "> 0"),
    (AT_A_STATION, "In hand"): ("people", {"thing": "offer", "line": "west", "stage": "offered"}, ">= 1"),
    (ON_THE_WAY, "Oldest event not in Kafka"): ("kafka", {}, "> 30"),
    (ON_THE_WAY, "Not taken in yet"): ("databases", {"topic": STAFF}, "> 30"),
    (ON_THE_WAY, "Parked keys"): ("records", {"topic": DEALS}, ">= 1"),
    (ON_THE_WAY, "Incomplete keys"): ("records", {"topic": LEADS}, ">= 1"),
    (WHO, "Time left"): ("people", OFFERED | {"person": "west-hunter"}, "< 3600"),
    (WHO, "Within a day"): ("people", OFFERED, ">= 1"),
    (UP_TO_DATE, "On the way to pay"): ("databases", {"topic": STAFF}, "> 30"),
    (UP_TO_DATE, "Facts unread"): ("records", {}, ">= 1"),
    (UP_TO_DATE, "Facts unreadable"): ("records", {}, ">= 1"),
    (UP_TO_DATE, "Since a month has ended"): ("people", {}, "> 10 * 86400"),
    (UP_TO_DATE, "Reasons why a close waits"): ("people", {}, ">= 1"),
    (UP_TO_DATE, "Since the close was begun"): ("people", {}, "> 3600"),
    (UP_TO_DATE, "Conflicts undecided"): ("people", {"kind": "C1"}, ">= 1"),
    (UP_TO_DATE, "Disputes undecided"): ("people", {"overdue": "yes"}, "== 1"),
}
"""For each panel of the four questions: the scene in which it is asked, of what, and what its answer must be there."""
IN_THE_END = f"{BEFORE + 80}m"
SOON = f"{BEFORE + 2}m"
HALF_HOURS = 200  # four days


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    asked = {name for rule in RULES.values() for name in asks(rule["expr"]).metrics()} - {"up"}
    asked |= {name for one in QUESTIONS.values() for panel in one.panels for name in asks(panel.query).metrics()}
    async with watched() as everything:
        found = Stage(everything, asked)
        await provoke(found)
        yield found


@pytest.fixture(scope="session")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool absent: apt-get install prometheus")
    return found


def played(
    promtool: str,
    folder: Path,
    shown: Sequence[dict[str, Any]],
    wanted: Sequence[dict[str, Any]],
    every: str = "1m",
    rules: Path = ALERTS,
) -> str:
    """What promtool has against it; nothing, if all is as wanted."""
    file = folder / "scene.yaml"
    scene = {"interval": every, "input_series": list(shown), "promql_expr_test": list(wanted)}
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": every, "tests": [scene]}))
    ended = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=100, check=False)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def holds(expression: str, at: str = IN_THE_END) -> dict[str, Any]:
    """That something fulfils it."""
    return {"expr": f"count({expression}) > bool 0", "eval_time": at, "exp_samples": [{"labels": "{}", "value": 1}]}


def raised(name: str, service: str) -> str:
    """That an alert was raised at some time."""
    of = f',app_kubernetes_io_name="{service}"' if service else ""
    return f'count_over_time(ALERTS{{alertname="{RULES[name]["alert"]}",alertstate="firing"{of}}}[90m])'


def test_while_the_line_is_as_it_should_be_nothing_is_raised(promtool: str, tmp_path: Path, stage: Stage) -> None:
    calm = 'count_over_time(ALERTS{alertstate="firing"}[90m])'
    silent = {"expr": calm, "eval_time": IN_THE_END, "exp_samples": []}
    assert played(promtool, tmp_path, series(stage.ordinary, stage.scenes["ordinary"]), [silent]) == ""


@pytest.mark.parametrize("scene", sorted({scene for scene, _ in RAISED.values()}))
def test_what_is_the_matter_in_a_scene_is_raised(promtool: str, tmp_path: Path, stage: Stage, scene: str) -> None:
    wanted = [holds(raised(name, of)) for name, (where, of) in RAISED.items() if where == scene and not _slow(name)]
    assert played(promtool, tmp_path, series(stage.ordinary, stage.scenes[scene]), wanted) == ""


def test_a_rule_that_looks_away_is_found(promtool: str, tmp_path: Path, stage: Stage) -> None:
    """promtool would say nothing if nothing were shown to it."""
    spoilt, text = tmp_path / "alerts.yaml", ALERTS.read_text()
    assert "(conveyor_parked_keys) > 0" in text
    spoilt.write_text(text.replace("(conveyor_parked_keys) > 0", "(conveyor_parked_keys) > 1000"))
    shown = series(stage.ordinary, stage.scenes["records"])
    said = played(promtool, tmp_path, shown, [holds(raised("KeysParked", "account-mgmt"))], rules=spoilt)
    assert "ConveyorKeysParked" in said


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if str(rule.get("for", "")).endswith("d")])
def test_what_may_stay_for_days_is_raised_after_days(promtool: str, tmp_path: Path, stage: Stage, name: str) -> None:
    """A value every half an hour, and looked at as often: an hour of minutes would be too many."""
    scene, of = RAISED[name]
    asked = asks(RULES[name]["expr"]).metrics()
    last = stage.scenes[scene][-1]
    only = [Scrape(0.0), Scrape(1.0, {key: value for key, value in last.values.items() if key[0] in asked})]
    shown = series(only[0], only[1:], after=HALF_HOURS)
    firing = raised(name, of).replace("[90m]", "[5d]")
    assert played(promtool, tmp_path, shown, [holds(firing, "100h")], every="30m") == ""


def _slow(name: str) -> bool:
    return str(RULES[name].get("for", "")).endswith("d")


@pytest.mark.parametrize("scene", sorted({scene for scene, _, _ in ANSWERS.values()}))
def test_the_questions_are_answered_by_their_panels(promtool: str, tmp_path: Path, stage: Stage, scene: str) -> None:
    wanted = []
    for (question, title), (where, of, answer) in ANSWERS.items():
        if where == scene:
            (panel,) = (panel for panel in QUESTIONS[question].panels if panel.title == title)
            asked = scoped(panel.query, QUESTIONS[question].dashboard).replace("$namespace", SPACE)
            wanted.append(holds(f"({_only(asked, of)}) {answer}", SOON))
    assert played(promtool, tmp_path, series(stage.ordinary, stage.scenes[scene]), wanted) == ""


def _only(query: str, labels: Mapping[str, str]) -> str:
    """Of the answers to a query, that with these labels."""
    told = "vector(1)"
    for label, value in labels.items():
        told = f'label_replace({told}, "{label}", "{value}", "", "")'
    return f"({query}) and on({','.join(labels)}) {told}"


def test_every_alert_has_its_scene_and_every_panel_of_the_four_questions_its_answer() -> None:
    assert RAISED.keys() == RULES.keys()
    four = (TOLD, AT_A_STATION, ON_THE_WAY, WHO, UP_TO_DATE)
    assert ANSWERS.keys() == {(question, panel.title) for question in four for panel in QUESTIONS[question].panels}
