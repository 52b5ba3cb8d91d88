"""The questions of those on call, the queries that answer them, and the panels of the dashboards that show the answers.

One table: docs/metrics.md lists it, the dashboards (`checks.docs.dashboards`) draw it, so a panel shows what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LINE, SERVICE, PAY = "line", "service", "pay"
MISSED = '{type=~".*(OfferExpired|HandoverOverdue|FirstTouchMissed)"}'
ROUTES = '{route!~"/livez|/readyz|/metrics"}'


@dataclass(frozen=True)
class Panel:
    """What is drawn of one query. `unit` is a word of Grafana's; `each` names a curve, in its braces."""

    title: str
    query: str
    unit: Literal["short", "s", "bytes", "reqps", "ops"]
    each: str = ""
    kind: Literal["timeseries", "table", "stat"] = "timeseries"


@dataclass(frozen=True)
class Question:
    """On which dashboard it is answered, and how."""

    dashboard: str
    panels: tuple[Panel, ...]


QUESTIONS: dict[str, Question] = {
    "Is the line moving?": Question(
        LINE,
        (Panel("Events told", "sum by (type) (rate(conveyor_public_events_total[5m]))", "ops", "{{type}}"),),
    ),
    "Where does it wait: at a station?": Question(
        LINE,
        (
            Panel(
                "In hand",
                "max by (thing, line, stage) (conveyor_things_in_hand)",
                "short",
                "{{thing}} {{stage}} ({{line}})",
            ),
        ),
    ),
    "Where does it wait: on the way?": Question(
        LINE,
        (
            Panel("Oldest event not in Kafka", "max(conveyor_unpublished_seconds)", "s", "oldest"),
            Panel("Not taken in yet", "max by (topic) (conveyor_consumer_lag_seconds)", "s", "{{topic}}"),
            Panel("Parked keys", "max by (topic) (conveyor_parked_keys)", "short", "{{topic}}"),
            Panel("Incomplete keys", "max by (topic) (conveyor_incomplete_keys)", "short", "{{topic}}"),
        ),
    ),
    "Who is about to miss a deadline?": Question(
        LINE,
        (
            Panel(
                "Time left",
                "sort(min by (deadline, line, person) (conveyor_deadline_seconds))",
                "s",
                kind="table",
            ),
            Panel(
                "Within a day",
                "max by (deadline, line) (conveyor_deadlines_near)",
                "short",
                "{{deadline}} ({{line}})",
            ),
        ),
    ),
    "Which deadlines were missed?": Question(
        LINE,
        (
            Panel(
                "Missed in a day",
                f"sum by (type) (increase(conveyor_public_events_total{MISSED}[1d]))",
                "short",
                "{{type}}",
            ),
        ),
    ),
    "Is pay up to date?": Question(
        PAY,
        (
            Panel("On the way to pay", "max by (topic) (conveyor_consumer_lag_seconds)", "s", "{{topic}}"),
            Panel("Facts unread", "max(conveyor_pay_facts_unread)", "short", "unread", "stat"),
            Panel("Facts unreadable", "max(conveyor_pay_facts_unreadable)", "short", "unreadable", "stat"),
            Panel("Since a month has ended", "max(conveyor_period_open_seconds)", "s", "open", "stat"),
            Panel("Reasons why a close waits", "max(conveyor_close_waits_for)", "short", "reasons", "stat"),
            Panel("Since the close was begun", "max(conveyor_close_seconds)", "s", "under way", "stat"),
            Panel("Conflicts undecided", "max by (kind) (conveyor_conflicts_open)", "short", "{{kind}}"),
            Panel("Disputes undecided", "max by (overdue) (conveyor_disputes_open)", "short", "overdue: {{overdue}}"),
        ),
    ),
    "Do callers get answers, and how fast?": Question(
        SERVICE,
        (
            Panel(
                "Faults (5xx)",
                'sum by (route) (rate(conveyor_http_requests_total{status=~"5.."}[5m]))',
                "reqps",
                "{{route}}",
            ),
            Panel(
                "99 of 100 are answered within",
                f"histogram_quantile(0.99, sum by (le) (rate(conveyor_http_request_seconds_bucket{ROUTES}[5m])))",
                "s",
                "p99",
            ),
            Panel("Refusals", "sum by (code) (rate(conveyor_problems_total[5m]))", "reqps", "{{code}}"),
            Panel("Being worked on", "sum(conveyor_http_in_flight)", "short", "requests"),
        ),
    ),
    "Is the store the limit?": Question(
        SERVICE,
        (
            Panel("Commands that wait", "max(conveyor_waiting_commands)", "short", "waiting"),
            Panel(
                "Append",
                "histogram_quantile(0.99, sum by (le) (rate(conveyor_append_seconds_bucket[5m])))",
                "s",
                "p99",
            ),
            Panel(
                "Wait for a connection",
                "histogram_quantile(0.99, sum by (le, pool) (rate(conveyor_pool_wait_seconds_bucket[5m])))",
                "s",
                "{{pool}}",
            ),
            Panel("Size of the database", "max(conveyor_storage_used_bytes)", "bytes", "used"),
            Panel("Room until commands are refused", "max(conveyor_storage_room_bytes)", "bytes", "room"),
        ),
    ),
    "How much is done twice?": Question(
        SERVICE,
        (
            Panel(
                "Duplicates",
                'sum by (topic) (rate(conveyor_consumed_total{outcome="duplicate"}[5m]))',
                "ops",
                "{{topic}}",
            ),
        ),
    ),
    "How fast is history folded again?": Question(
        SERVICE,
        (Panel("Folded again", "sum by (into) (rate(conveyor_refolded_events_total[5m]))", "ops", "{{into}}"),),
    ),
}
