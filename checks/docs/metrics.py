"""docs/metrics.md: every metric, its unit, labels and meaning, and the questions they answer, from the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

from belt.io import telemetry
from checks.docs.apps import services

UNITS = {"_seconds": "s", "_bytes": "bytes", "_total": "count"}
ROOM = re.compile(r"^# ([A-Z][^\n]*)$|^([A-Z_]+) = _(?:counter|gauge|histogram)\(", re.MULTILINE)
LABEL = re.compile(r"conveyor_[a-z_]+")
HEAD = """\
# Metrics

Every service shows these at `/metrics`, in the text format of Prometheus. Base units: seconds and bytes; what ends in
`_total` only grows; a histogram `x` is asked as `x_bucket`, `x_sum` and `x_count`. Beside these stand the usual
`process_…` and `python_…`.

Gauges of the work (what is in hand, deadlines, pay) are read from the database every `CONVEYOR_WATCH_EVERY` seconds by
the workers, more rarely where a look takes long; each worker of a service shows the same, so ask for `max`. Counters
belong to a process: ask for `sum`. A label `person` holds the id of a member of staff; nothing of a client is a label.

## Questions and where the answer is

| question | ask Prometheus |
|---|---|
"""
MISSED = '{type=~".*(OfferExpired|HandoverOverdue|FirstTouchMissed)"}'
QUESTIONS: dict[str, tuple[str, ...]] = {
    "Is the line moving?": ("sum by (type) (rate(conveyor_public_events_total[5m]))",),
    "Where does it wait: at a station?": ("max by (thing, line, stage) (conveyor_things_in_hand)",),
    "Where does it wait: on the way?": (
        "max(conveyor_unpublished_seconds)",
        "max by (topic) (conveyor_consumer_lag_seconds)",
        "max by (topic) (conveyor_parked_keys)",
        "max by (topic) (conveyor_incomplete_keys)",
    ),
    "Who is about to miss a deadline?": (
        "sort(min by (deadline, line, person) (conveyor_deadline_seconds))",
        "max by (deadline, line) (conveyor_deadlines_near)",
    ),
    "Which deadlines were missed?": (f"sum by (type) (increase(conveyor_public_events_total{MISSED}[1d]))",),
    "Is pay up to date?": (
        "max by (topic) (conveyor_consumer_lag_seconds)",
        "max(conveyor_pay_facts_unread)",
        "max(conveyor_period_open_seconds)",
        "max(conveyor_close_waits_for)",
        "max by (kind) (conveyor_conflicts_open)",
    ),
    "Do callers get answers, and how fast?": (
        'sum by (route) (rate(conveyor_http_requests_total{status=~"5.."}[5m]))',
        "histogram_quantile(0.99, sum by (le) (rate(conveyor_http_request_seconds_bucket[5m])))",
    ),
    "Is the store the limit?": (
        "max(conveyor_waiting_commands)",
        "histogram_quantile(0.99, sum by (le) (rate(conveyor_append_seconds_bucket[5m])))",
        "histogram_quantile(0.99, sum by (le, pool) (rate(conveyor_pool_wait_seconds_bucket[5m])))",
    ),
    "How much is done twice?": ('sum by (topic) (rate(conveyor_consumed_total{outcome="duplicate"}[5m]))',),
    "How fast is history folded again?": ("sum by (into) (rate(conveyor_refolded_events_total[5m]))",),
}


def page() -> str:
    """The whole page."""
    text = HEAD
    for question, asked in QUESTIONS.items():
        queries = "<br>".join(f"`{one}`".replace("|", "\\|") for one in asked)
        text += f"| {question} | {queries} |\n"
    everywhere, owners = _declared(), _owners()
    for room, metrics in _rooms().items():
        shown = {everywhere[name]: owners.get(everywhere[name], "every service") for name in metrics}
        text += f"\n## {room}\n\n{_table(shown)}"
    own = {metric: of for metric, of in owners.items() if metric not in everywhere.values()}
    return text + f"\n## Of single services\n\n{_table(own)}"


def names() -> set[str]:
    """Every name under which a metric of ours is shown."""
    found: set[str] = set()
    for metric in {*_declared().values(), *_owners()}:
        name, kind = _name(metric), _kind(metric)
        found |= {f"{name}{end}" for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return found


def asked() -> set[str]:
    """Every name that a question uses."""
    return {name for queries in QUESTIONS.values() for query in queries for name in LABEL.findall(query)}


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
