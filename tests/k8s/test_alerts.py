"""Each alert is raised when it should be, says what is the matter, and is silent in an ordinary hour (by promtool)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.docs import metrics
from checks.docs.alerts import asks
from checks.k8s.cluster import Cluster
from checks.k8s.rendering import MANIFESTS

ALERTS = MANIFESTS / "components/monitoring/alerts.yaml"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"].removeprefix("Conveyor"): rule
    for group in yaml.safe_load(ALERTS.read_text())["groups"]
    for rule in group["rules"]
}
CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("alerts_raised.yaml").read_text())
RAISED = 'count by (alertname) (ALERTS{alertstate="firing"})'
SPACE = "firm"
PARTS = ("lead-gen", "conversion", "account-mgmt", "compensation", "board")


@pytest.fixture(scope="session")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool absent: apt-get install prometheus")
    return found


def ask(promtool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=60, check=False)


def scene(shown: Mapping[str, str], *wanted: Mapping[str, Any], every: str = "1m", name: str = "") -> dict[str, Any]:
    """What promtool is shown, and what is expected of it."""
    series = [{"series": named.replace("{", f'{{namespace="{SPACE}",'), "values": shown[named]} for named in shown]
    test: dict[str, Any] = {"name": name, "interval": every, "input_series": series}
    for each in wanted:
        test.setdefault("promql_expr_test" if "expr" in each else "alert_rule_test", []).append(each)
    return test


def tried(promtool: str, folder: Path, *scenes: dict[str, Any], rules: Path = ALERTS, every: str = "1m") -> str:
    """What promtool has against it; nothing, if all is as wanted."""
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": every, "tests": list(scenes)}))
    ended = ask(promtool, "test", "rules", file)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def silent(at: str) -> dict[str, Any]:
    return {"expr": RAISED, "eval_time": at, "exp_samples": []}


def raised(name: str) -> dict[str, Any]:
    """The alert as it must be, word for word."""
    case, rule = CASES["alerts"][name], RULES[name]
    labels = {"namespace": case.get("namespace", SPACE), "app_kubernetes_io_name": case.get("of", "conversion")}
    labels |= case.get("labels", {}) | rule["labels"]
    expected = {
        "exp_labels": {key: value for key, value in labels.items() if value},
        "exp_annotations": rule["annotations"] | {"description": case["says"]},
    }
    return {"alertname": rule["alert"], "eval_time": case["at"], "exp_alerts": [expected]}


def test_promtool_accepts_the_rules(promtool: str) -> None:
    ended = ask(promtool, "check", "rules", ALERTS)
    assert ended.returncode == 0, ended.stderr
    assert f"{len(RULES)} rules found" in ended.stdout


def test_in_an_ordinary_hour_nothing_is_raised(promtool: str, tmp_path: Path) -> None:
    assert tried(promtool, tmp_path, scene(CASES["healthy"], *map(silent, ("10m", "1h", "5h")))) == ""


@pytest.mark.parametrize("part", PARTS)
def test_of_each_part_it_is_noticed_that_it_is_gone_hangs_or_ends_again_and_again(
    promtool: str, tmp_path: Path, part: str
) -> None:
    of_it = f'{{pod="w",app_kubernetes_io_name="{part}"}}'
    gone = {f"up{of_it}": "_x60"}, "ServiceNotSeen", "6m"
    hangs = {f"up{of_it}": "0x60"}, "PodSilent", "6m"
    ends = {f"process_start_time_seconds{of_it}": "1x9 2x9 3x9 4x60"}, "PodRestarts", "31m"
    scenes = []
    for shown, alert, at in (gone, hangs, ends):
        alone = {"labels": f'{{alertname="Conveyor{alert}",app_kubernetes_io_name="{part}"}}', "value": 1}
        of_which = 'count by (alertname, app_kubernetes_io_name) (ALERTS{alertstate="firing"})'
        only = {"expr": of_which, "eval_time": at, "exp_samples": [alone]}
        scenes.append(scene(CASES["healthy"] | shown, only))
    assert tried(promtool, tmp_path, *scenes) == ""


@pytest.mark.parametrize("every", sorted({case.get("every", "1m") for case in CASES["alerts"].values()}))
def test_each_alert_is_raised_in_its_case_alone_and_not_at_once(promtool: str, tmp_path: Path, every: str) -> None:
    scenes = []
    for name, case in CASES["alerts"].items():
        if case.get("every", "1m") == every:
            alone = {"labels": f'{{alertname="{RULES[name]["alert"]}"}}', "value": 1}
            only = {"expr": RAISED, "eval_time": case["at"], "exp_samples": [alone]}
            shown = CASES["healthy"] | case["shown"]
            scenes.append(scene(shown, silent(case["not_yet"]), only, raised(name), every=every, name=name))
    assert tried(promtool, tmp_path, *scenes, every=every) == ""


def test_a_change_of_an_alert_is_found(promtool: str, tmp_path: Path) -> None:
    """promtool would say nothing if it did not look."""
    spoilt = tmp_path / "alerts.yaml"
    for here, instead in (("_seconds) > 60", "_seconds) > 6000"), ("Kafka does not have is", "Kafka lacks is")):
        text = ALERTS.read_text()
        assert here in text
        spoilt.write_text(text.replace(here, instead, 1))
        shown = CASES["healthy"] | CASES["alerts"]["RelayStalled"]["shown"]
        assert "RelayStalled" in tried(promtool, tmp_path, scene(shown, raised("RelayStalled")), rules=spoilt)


def test_every_alert_has_its_case_and_the_ordinary_hour_shows_all_that_alerts_ask_for() -> None:
    assert CASES["alerts"].keys() == RULES.keys()
    shown = {named.partition("{")[0] for named in CASES["healthy"]}
    appears_with_the_fault = {"conveyor_sequence_reused_total"}
    assert shown == {name for rule in RULES.values() for name in asks(rule["expr"]).metrics()} - appears_with_the_fault


def test_what_promtool_is_shown_is_what_the_code_shows() -> None:
    known = metrics.labels()
    target = {"namespace", "pod", "app_kubernetes_io_name"}
    for named in [*CASES["healthy"], *(name for case in CASES["alerts"].values() for name in case["shown"])]:
        ((name, labels),) = asks(named).chosen
        assert labels == target - {"namespace"} | known.get(name, set()), named


def test_the_operator_gets_what_promtool_has_read(clusters: Mapping[str, Cluster]) -> None:
    rule = clusters["production"].one("PrometheusRule", "conveyor")
    assert rule is not None
    assert rule["spec"] == yaml.safe_load(ALERTS.read_text())
