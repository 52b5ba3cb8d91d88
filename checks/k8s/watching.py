"""Rules for what watches: alerts and dashboards ask for what the code measures, and every alert has its runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from checks.docs import metrics
from checks.docs.alerts import Asks, asks, drawn
from checks.docs.dashboards import TITLES
from checks.k8s.cluster import Cluster, said
from checks.k8s.rendering import ROOT, Manifest

RUNBOOKS = ROOT / "docs/runbooks"
PROCEDURES = {"upgrade", "backup-and-restore", "replay", "partition-growth", "disaster-recovery"}
"""Pages among the runbooks that no alert leads to."""
SEVERITIES = ("critical", "warning", "info")
PREFIX = "Conveyor"
DASHBOARD = "grafana_dashboard"
OF_EVERY_TARGET = {"namespace", "pod", "job", "instance"}
UP = "up"


def alerts_ask_what_is_measured(cluster: Cluster) -> Iterator[str]:
    """Every metric and label in an alert is one that is there, and its texts show only labels that it keeps."""
    known = _known(cluster)
    for alert in _alerts(cluster):
        asked = asks(alert["expr"])
        yield from (f"{alert['alert']}: {wrong}" for wrong in _wrong(asked, known))
        shown = {label for text in alert["annotations"].values() for label in drawn(text)}
        chosen = {label for _, labels in asked.chosen for label in labels}
        for label in sorted(shown - asked.kept - (chosen if "absent(" in alert["expr"] else set())):
            yield f"{alert['alert']}: its text shows the label {label}, which it does not keep"


def alerts_lead_to_runbooks(cluster: Cluster) -> Iterator[str]:
    """Each alert says how bad it is, what is the matter with which value, and where to read on; no page is over."""
    led_to: set[str] = set()
    for alert in _alerts(cluster):
        name, annotations = str(alert["alert"]), alert["annotations"]
        page = _page(name)
        led_to.add(page)
        if alert["labels"].get("severity") not in SEVERITIES:
            yield f"{name}: its severity is none of {', '.join(SEVERITIES)}"
        if not name.startswith(PREFIX):
            yield f"{name}: its name does not begin with {PREFIX}"
        if not annotations.get("summary") or "$value" not in annotations.get("description", ""):
            yield f"{name}: it lacks a summary, or a description with the value"
        if not annotations.get("runbook_url", "").endswith(f"/runbooks/{page}.md"):
            yield f"{name}: its runbook_url does not lead to {page}.md"
        if not (RUNBOOKS / f"{page}.md").is_file():
            yield f"{name}: there is no docs/runbooks/{page}.md"
    pages = {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"}
    if led_to:
        yield from (f"docs/runbooks/{page}.md: no alert leads there" for page in sorted(pages - led_to - PROCEDURES))
        yield from (f"docs/runbooks/{page}.md is missing" for page in sorted(PROCEDURES - pages))


def dashboards_ask_what_is_measured(cluster: Cluster) -> Iterator[str]:
    """Dashboards come with the alerts, ask for what is there, from a source that can be chosen, and have units."""
    known = _known(cluster)
    found = [dashboard for config in cluster.of("ConfigMap") for dashboard in _dashboards(config)]
    if cluster.one("PrometheusRule", "conveyor") is not None:
        there = {model["uid"] for _, model in found}
        yield from (f"the dashboard conveyor-{name} is missing" for name in TITLES if f"conveyor-{name}" not in there)
    for where, model in found:
        variables = {variable["name"] for variable in model["templating"]["list"]}
        for panel in model["panels"]:
            at = f"{where}: {panel['title']}"
            if panel["type"] == "row":
                continue
            if not panel["fieldConfig"]["defaults"].get("unit"):
                yield f"{at}: it has no unit"
            for part in (panel, *panel["targets"]):
                if part["datasource"]["uid"] != "${source}":
                    yield f"{at}: its source cannot be chosen"
            for target in panel["targets"]:
                yield from (f"{at}: {wrong}" for wrong in _wrong(asks(target["expr"]), known))
                for variable in set(re.findall(r"\$(\w+)", target["expr"])) - variables:
                    yield f"{at}: nobody sets ${variable}"


def is_dashboard(config: Manifest) -> bool:
    """Whether a ConfigMap holds dashboards, and no settings."""
    return DASHBOARD in config["metadata"].get("labels", {})


def _alerts(cluster: Cluster) -> Iterator[dict[str, Any]]:
    for rule in cluster.of("PrometheusRule"):
        for group in rule["spec"]["groups"]:
            yield from group["rules"]


def _page(alert: str) -> str:
    """How the runbook of an alert is called."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert.removeprefix(PREFIX)).lower()


def _dashboards(config: Manifest) -> Iterator[tuple[str, Any]]:
    if is_dashboard(config):
        for file, text in config["data"].items():
            yield f"{said(config)}/{file}", json.loads(text)


def _known(cluster: Cluster) -> dict[str, set[str]]:
    """Every metric with its labels, those that the monitors put on every target included."""
    target = set(OF_EVERY_TARGET)
    for monitor in cluster.of("ServiceMonitor", "PodMonitor"):
        given = monitor["spec"].get("targetLabels", []) + monitor["spec"].get("podTargetLabels", [])
        target |= {re.sub(r"\W", "_", label) for label in given}
    return {name: labels | target for name, labels in metrics.labels().items()} | {UP: target}


def _wrong(asked: Asks, known: dict[str, set[str]]) -> Iterator[str]:
    for name, labels in asked.chosen:
        if name not in known:
            yield f"nobody measures {name}"
            continue
        for label in sorted(labels - known[name]):
            yield f"{name} has no label {label}"
    everywhere = {label for name in asked.metrics() for label in known.get(name, set())}
    for label in sorted(asked.kept - everywhere):
        yield f"nothing that it asks for has a label {label}"
    if not asked.chosen:
        yield "it asks for nothing"
