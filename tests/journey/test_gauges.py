"""The questions of those on call are answered from outside, in a state that was brought about on purpose."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from journey_firm import Firm, plans, post
from prometheus_client.parser import text_string_to_metric_families

from checks.docs.dashboards import scoped
from checks.docs.questions import LINE, PAY, QUESTIONS
from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.words import Station

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]

WITHIN = 40.0
UNLESS_SOMETHING_IS_WRONG = ("parked_keys", "incomplete_keys", "disputes_open", "conflicts_open")  # nothing to be shown
ALERTS = Path(__file__).parents[2] / "deploy/k8s/components/monitoring/alerts.yaml"
ALWAYS_OPEN = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "opens": "00:00", "closes": "23:59"}
Labels = frozenset[tuple[str, str]]


class Scrape:
    """What the services show of one line, asked anew each time."""

    def __init__(self, running: Running, line: str) -> None:
        self._running, self._line = running, line

    async def all(self, service: str) -> dict[tuple[str, Labels], float]:
        def asked() -> str:
            with urlopen(f"{self._running.addresses[service]}/metrics", timeout=5) as answer:
                return str(answer.read().decode())

        families = text_string_to_metric_families(await asyncio.to_thread(asked))
        return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}

    async def one(self, service: str, name: str, **labels: str) -> float | None:
        return (await self.all(service)).get((f"conveyor_{name}", frozenset(labels.items())))

    async def waiting(self, service: str, thing: str, stage: str) -> float | None:
        return await self.one(service, "things_in_hand", thing=thing, line=self._line, stage=stage)

    async def left(self, service: str, deadline: str, person: str) -> float | None:
        return await self.one(service, "deadline_seconds", deadline=deadline, line=self._line, person=person)


async def eventually(read: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool]) -> Any:
    until = asyncio.get_running_loop().time() + WITHIN
    while not holds(found := await read()):
        assert asyncio.get_running_loop().time() < until, found
        await asyncio.sleep(0.1)
    return found


def within_hours(hours: float) -> Callable[[float | None], bool]:
    return lambda left: left is not None and (hours - 1) * 3_600 < left <= (hours + 0.1) * 3_600


async def test_where_the_line_waits_who_is_late_and_whether_pay_is_up_to_date(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "gauged", "scout-hunter-farmer")
        await firm.open(more={"gauged-second": "scout"})
        teams = {station: {"team": f"gauged-{station}", "members": [firm.seat(station)]} for station in Station}
        teams[Station.LEAD_GEN]["members"] = [firm.scout, "gauged-second"]
        policy = {"calendar": ALWAYS_OPEN, "accept_within_hours": 4, "first_touch_within_hours": 6}
        staffed = {"variant": firm.variant, "since": "2026-01-02T00:00:00+01:00", "zone": "UTC", "currency": "EUR"}
        await post(line, "lead-gen", "/v1/lines/gauged/staffing", staffed | {"teams": teams, "policy": policy})
        scrape = Scrape(running, "gauged")
        told = await scrape.one("lead-gen", "public_events_total", type="conveyor.leads.LeadQualified")
        assert told is not None, "shown before the first one"

        # An offer waits for its receiver.
        offer = await firm.offered(datetime.now(UTC).isoformat())
        await eventually(lambda: scrape.waiting("lead-gen", "prospect", "offered"), lambda found: found == 1)
        await eventually(lambda: scrape.waiting("conversion", "offer", "offered"), lambda found: found == 1)
        await eventually(lambda: scrape.left("conversion", "acceptance", firm.hunter), within_hours(4))
        assert await scrape.one("lead-gen", "public_events_total", type="conveyor.leads.LeadQualified") == told + 1

        # It is taken: another clock runs, and the old one is shown no more.
        await firm.heard("conversion", f"/v1/offers/{offer}/accept", {"by": firm.hunter})
        await eventually(lambda: scrape.left("conversion", "first_touch", firm.hunter), within_hours(4 + 6))
        assert await scrape.left("conversion", "acceptance", firm.hunter) is None
        assert await scrape.waiting("conversion", "offer", "offered") is None
        assert await scrape.waiting("conversion", "opportunity", "open") == 1
        await eventually(lambda: scrape.waiting("lead-gen", "prospect", "converting"), lambda found: found == 1)

        # Two claim one client: pay knows of a conflict, has read everything, and says since when a month is due.
        before = await scrape.one("compensation", "conflicts_open", kind="C1") or 0
        client = {
            "line": "gauged",
            "name": "Twice",
            "source": "fair",
            "identity_keys": [{"kind": "tax_no", "value": "DE811234567"}],
        }
        await post(line, "lead-gen", "/v1/prospects", client | {"by": firm.scout})
        with pytest.raises(Problem, match="client-protected"):
            await post(line, "lead-gen", "/v1/prospects", client | {"by": "gauged-second"})
        await eventually(
            lambda: scrape.one("compensation", "conflicts_open", kind="C1"), lambda found: (found or 0) > before
        )
        await eventually(lambda: scrape.one("compensation", "pay_facts_unread"), lambda found: found == 0)
        shown = await scrape.all("compensation")
        assert shown["conveyor_period_open_seconds", frozenset()] > 0
        assert 0 <= shown["conveyor_pay_newest_fact_seconds", frozenset()] < 60
        assert shown["conveyor_close_waits_for", frozenset()] >= 0
        for service in running.addresses:
            everything = await scrape.all(service)
            assert everything["conveyor_looks_failed_total", frozenset()] == 0
            assert everything["conveyor_pool_wait_seconds_count", frozenset({("pool", "lists")})] > 0


async def test_prometheus_reads_the_answers_off_the_panels_and_rings(running: Running, tmp_path: Path) -> None:
    """What real services show, given to the real queries: an offer has less than an hour, the panels are not empty."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool absent: apt-get install prometheus")
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "rings", "scout-hunter-farmer")
        await firm.open()
        teams = {station: {"team": f"rings-{station}", "members": [firm.seat(station)]} for station in Station}
        policy = {"calendar": ALWAYS_OPEN, "accept_within_hours": 1}
        zone = "UTC" if 2 <= datetime.now(UTC).hour < 22 else "Asia/Tokyo"  # a day lacks its last minute
        staffed = {"variant": firm.variant, "since": "2026-01-02T00:00:00+01:00", "zone": zone, "currency": "EUR"}
        await post(line, "lead-gen", "/v1/lines/rings/staffing", staffed | {"teams": teams, "policy": policy})
        scrape = Scrape(running, "rings")
        await firm.offered(datetime.now(UTC).isoformat())
        await eventually(lambda: scrape.left("conversion", "acceptance", firm.hunter), within_hours(1))
        panels = [
            {"expr": f"count({asked}) > bool 0", "eval_time": "10m", "exp_samples": [{"labels": "{}", "value": 1}]}
            for question in QUESTIONS.values()
            for panel in question.panels
            if question.dashboard in (LINE, PAY) and not any(rare in panel.query for rare in UNLESS_SOMETHING_IS_WRONG)
            for asked in [scoped(panel.query, question.dashboard).replace("$namespace", "firm")]
        ]
        assert len(panels) >= 12
        near = f'ALERTS{{alertname="ConveyorDeadlineNear",line="rings",person="{firm.hunter}",alertstate="firing"}}'
        panels.append({"expr": f"count({near})", "eval_time": "10m", "exp_samples": [{"labels": "{}", "value": 1}]})
        file = tmp_path / "seen.yaml"

        async def shown() -> list[dict[str, str]]:
            return [
                {"series": _named(name, labels | {("app_kubernetes_io_name", service)}), "values": f"{value:f}x20"}
                for service in running.addresses
                for (name, labels), value in (await scrape.all(service)).items()
                if not isnan(value)
            ]

        async def answered() -> subprocess.CompletedProcess[str]:
            test = {"interval": "1m", "input_series": await shown(), "promql_expr_test": panels}
            file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [test]}))
            return await asyncio.to_thread(_asked, promtool, file)

        await eventually(answered, lambda told: told.returncode == 0)  # not all gauges are read at once


def _named(name: str, labels: Labels) -> str:
    shown = ",".join(f"{label}={json.dumps(value)}" for label, value in sorted({*labels, ("namespace", "firm")}))
    return f"{name}{{{shown}}}"


def _asked(promtool: str, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False)
