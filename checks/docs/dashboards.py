"""The dashboards of Grafana, as JSON: one row for each question, one panel for each of its queries."""

from __future__ import annotations

import json
import re
from typing import Any

from checks.docs.questions import LINE, PAY, QUESTIONS, SERVICE, Panel

TITLES = {LINE: "The line", SERVICE: "One service", PAY: "Pay"}
OWN_NAME = "app_kubernetes_io_name"
SCOPES = {
    LINE: 'namespace="$namespace"',
    SERVICE: f'namespace="$namespace",{OWN_NAME}="$service"',
    PAY: f'namespace="$namespace",{OWN_NAME}="compensation"',
}
"""What each dashboard looks at. One company is one namespace."""
METRIC = re.compile(r"\b(conveyor_[a-z_]+)(\{?)")
WIDTH, HEIGHT = 24, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}


def scoped(query: str, dashboard: str) -> str:
    """The query, asked of what the dashboard looks at."""
    scope = SCOPES[dashboard]
    return METRIC.sub(lambda found: f"{found[1]}{{{scope}" + ("," if found[2] else "}"), query)


def page(dashboard: str) -> str:
    """The whole dashboard."""
    return json.dumps(_model(dashboard), indent=2, ensure_ascii=False) + "\n"


def _model(dashboard: str) -> dict[str, Any]:
    return {
        "uid": f"conveyor-{dashboard}",
        "title": f"Conveyor: {TITLES[dashboard].lower()}",
        "tags": ["conveyor"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables(dashboard)},
        "panels": _panels(dashboard),
    }


def _variables(dashboard: str) -> list[dict[str, Any]]:
    asked = {"namespace": "label_values(conveyor_http_in_flight, namespace)"}
    if dashboard == SERVICE:
        asked["service"] = f'label_values(conveyor_http_in_flight{{namespace="$namespace"}}, {OWN_NAME})'
    source = {"name": "source", "label": "source", "type": "datasource", "query": "prometheus"}
    return [source] + [
        {"name": name, "label": name, "type": "query", "datasource": SOURCE, "query": query, "refresh": 2, "sort": 1}
        for name, query in asked.items()
    ]


def _panels(dashboard: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    y = 0
    for title, question in QUESTIONS.items():
        if question.dashboard != dashboard:
            continue
        found.append({"type": "row", "title": title, "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}, "panels": []})
        y += 1
        across = min(len(question.panels), 4)
        for at, panel in enumerate(question.panels):
            place = {"x": at % across * (WIDTH // across), "y": y + at // across * HEIGHT}
            found.append(_panel(panel, dashboard) | {"gridPos": place | {"w": WIDTH // across, "h": HEIGHT}})
        y += -(-len(question.panels) // across) * HEIGHT
    return [{"id": number} | panel for number, panel in enumerate(found, 1)]


def _panel(panel: Panel, dashboard: str) -> dict[str, Any]:
    target: dict[str, Any] = {
        "refId": "A",
        "datasource": SOURCE,
        "expr": scoped(panel.query, dashboard),
        "legendFormat": panel.each,
    }
    if panel.kind == "table":
        target |= {"instant": True, "format": "table"}
    drawn: dict[str, Any] = {
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "targets": [target],
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": None if panel.kind == "table" else 0}, "overrides": []},
    }
    if panel.kind == "table":
        hidden = {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {"Value": "left"}}}
        drawn["transformations"] = [hidden]
    return drawn
