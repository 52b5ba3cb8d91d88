"""docs/metrics.md: every metric, its unit, labels and meaning, and the questions they answer, from the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

from belt.io import telemetry
from checks.docs.apps import services
from checks.docs.dashboards import TITLES
from checks.docs.questions import QUESTIONS

UNITS = {"_seconds": "s", "_bytes": "bytes", "_total": "count"}
ROOM = re.compile(r"^# ([A-Z][^\n]*)$|^([A-Z_]+) = _(?:counter|gauge|histogram)\(", re.MULTILINE)
NAME = re.compile(r"conveyor_[a-z_]+")
HEAD = """\
# Metrics

Every service shows these at `/metrics`, in the text format of Prometheus. Base units: seconds and bytes; what ends in
`_total` only grows; a histogram `x` is asked as `x_bucket`, `x_sum` and `x_count`. Beside these stand the usual
`process_…` and `python_…`.

Gauges of the work (what is in hand, deadlines, pay) are read from the database every `CONVEYOR_WATCH_EVERY` seconds by
the workers, more rarely where a look takes long; each worker of a service shows the same, so ask for `max`. Counters
belong to a process: ask for `sum`. A label `person` holds the id of a member of staff; nothing of a client is a label.

## Questions and where the answer is

Each question has its panels on one of the dashboards in
[components/monitoring](../deploy/k8s/components/monitoring/dashboards), which ask the same for one namespace. What is
to be done when an answer is bad stands in the [runbooks](runbooks/README.md).

| question | dashboard | panel | ask Prometheus |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    text = HEAD
    for asked, question in QUESTIONS.items():
        for panel in question.panels:
            query = f"`{panel.query}`".replace("|", "\\|")
            text += f"| {asked} | {TITLES[question.dashboard]} | {panel.title} | {query} |\n"
    everywhere, owners = _declared(), _owners()
    for room, metrics in _rooms().items():
        shown = {everywhere[name]: owners.get(everywhere[name], "every service") for name in metrics}
        text += f"\n## {room}\n\n{_table(shown)}"
    own = {metric: of for metric, of in owners.items() if metric not in everywhere.values()}
    return text + f"\n## Of single services\n\n{_table(own)}"


def names() -> set[str]:
    """Every name under which a metric of ours is shown."""
    return {name for name in labels() if name.startswith("conveyor_")}


def labels() -> dict[str, set[str]]:
    """For every name under which a metric is shown, the labels it has, those of the usual process_… included."""
    found: dict[str, set[str]] = {}
    for metric in {*_declared().values(), *_owners()}:
        name, own = _name(metric), set(metric._labelnames)
        if _kind(metric) == "histogram":
            found |= {f"{name}_bucket": {*own, "le"}, f"{name}_sum": own, f"{name}_count": own}
        else:
            found[name] = own
    usual = (sample for family in telemetry.REGISTRY.collect() for sample in family.samples)
    return found | {each.name: set(each.labels) for each in usual if not each.name.startswith("conveyor_")}


def asked() -> set[str]:
    """Every name that a question uses."""
    queries = [panel.query for question in QUESTIONS.values() for panel in question.panels]
    return {name for query in queries for name in NAME.findall(query)}


def _table(rows: dict[Any, str]) -> str:
    text = "| metric | kind | unit | labels | meaning | from |\n|---|---|---|---|---|---|\n"
    for metric, of in rows.items():
        name = _name(metric)
        unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "count")
        labels = ", ".join(f"`{label}`" for label in metric._labelnames) or "–"
        text += f"| `{name}` | {_kind(metric)} | {unit} | {labels} | {metric._documentation} | {of} |\n"
    return text


def _name(metric: MetricWrapperBase) -> str:
    return str(metric._name) + ("_total" if _kind(metric) == "counter" else "")


def _kind(metric: MetricWrapperBase) -> str:
    return str(metric._type)


def _declared() -> dict[str, MetricWrapperBase]:
    """The metrics of the belt, by the names of their constants."""
    return {name: found for name, found in vars(telemetry).items() if isinstance(found, MetricWrapperBase)}


def _rooms() -> dict[str, list[str]]:
    """The constants of the belt's metrics under the headings they stand under."""
    rooms: dict[str, list[str]] = {}
    room = ""
    for found in ROOM.finditer(Path(telemetry.__file__).read_text()):
        room = found[1] or room
        if found[2]:
            rooms.setdefault(room, []).append(found[2])
    return rooms


def _owners() -> dict[Any, str]:
    """Which services set a gauge of the work."""
    found: dict[Any, list[str]] = {}
    for service in services():
        for gauge in service.watched.gauges():
            found.setdefault(gauge, []).append(service.name)
    return {gauge: ", ".join(of) for gauge, of in found.items()}
