"""The dashboards ask what docs/metrics.md names, of one namespace, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from checks.docs import metrics
from checks.docs.dashboards import SCOPES, TITLES, page, scoped
from checks.docs.questions import LINE, PAY, QUESTIONS
from checks.k8s.cluster import Cluster
from checks.k8s.rendering import ROOT

FOUR = {
    "Is the line moving?": LINE,
    "Where does it wait: at a station?": LINE,
    "Where does it wait: on the way?": LINE,
    "Who is about to miss a deadline?": LINE,
    "Is pay up to date?": PAY,
}


def model(dashboard: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page(dashboard))
    return found


def panels(dashboard: str) -> dict[str, list[dict[str, Any]]]:
    """By the question of their row."""
    found: dict[str, list[dict[str, Any]]] = {}
    row = ""
    for panel in model(dashboard)["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            found.setdefault(row, []).append(panel)
    return found


def asked(panel: Mapping[str, Any], dashboard: str) -> str:
    """Its query, without the scope."""
    scope = SCOPES[dashboard]
    return str(panel["targets"][0]["expr"]).replace(f"{{{scope}}}", "").replace(f"{{{scope},", "{")


@pytest.mark.parametrize("dashboard", TITLES)
def test_the_panels_of_a_question_ask_exactly_its_queries(dashboard: str) -> None:
    wanted = {
        title: [panel.query for panel in question.panels]
        for title, question in QUESTIONS.items()
        if question.dashboard == dashboard
    }
    assert {title: [asked(panel, dashboard) for panel in under] for title, under in panels(dashboard).items()} == wanted


def test_the_four_questions_have_their_panels() -> None:
    for question, dashboard in FOUR.items():
        assert panels(dashboard)[question]
        for panel in panels(dashboard)[question]:
            assert f"| {question} | {TITLES[dashboard]} | {panel['title']} | " in metrics.page()


@pytest.mark.parametrize("dashboard", TITLES)
def test_a_dashboard_is_found_again_and_its_panels_do_not_overlap(dashboard: str) -> None:
    told = model(dashboard)
    assert told["uid"] == f"conveyor-{dashboard}"
    assert told["templating"]["list"][0]["name"] == "source"
    assert len({panel["id"] for panel in told["panels"]}) == len(told["panels"])
    cells = [
        (place["x"] + right, place["y"] + down)
        for place in (panel["gridPos"] for panel in told["panels"])
        for right in range(place["w"])
        for down in range(place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert all(x < 24 for x, _ in cells)


def test_a_scope_is_put_into_each_selector() -> None:
    query = 'sum(rate(conveyor_a_total{code="x"}[5m])) / sum(conveyor_b)'
    scope = SCOPES[LINE]
    assert scoped(query, LINE) == f'sum(rate(conveyor_a_total{{{scope},code="x"}}[5m])) / sum(conveyor_b{{{scope}}})'


def test_every_query_can_be_read_by_prometheus(tmp_path: Any) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool absent: apt-get install prometheus")
    queries = [scoped(panel.query, one.dashboard) for one in QUESTIONS.values() for panel in one.panels]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "rules.yaml"
    for spoil, code in ("", 0), (" by by", 1):
        rules[-1]["expr"] += spoil
        file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
        ended = subprocess.run([promtool, "check", "rules", file], capture_output=True, timeout=60, check=False)
        assert ended.returncode == code, ended.stderr


def test_the_cluster_gets_what_lies_in_the_files(clusters: Mapping[str, Cluster]) -> None:
    config = clusters["production"].one("ConfigMap", "dashboards")
    assert config is not None
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    folder = ROOT / "deploy/k8s/components/monitoring/dashboards"
    assert config["data"] == {file.name: file.read_text() for file in folder.iterdir()}
    assert config["data"].keys() == {f"{name}.json" for name in TITLES}
