"""Kafka and processes that are away."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime

from journey_firm import post
from stage import Stage


async def kafka(stage: Stage) -> None:
    """The broker is killed while the line works on."""
    broker = stage.watched.stack.kafka
    assert broker is not None
    assert broker.server is not None
    await asyncio.to_thread(broker.server.stop, signal.SIGKILL, 10)
    body = {"person": "later", "hired_on": f"{datetime.now(UTC):%Y-%m-%d}"}
    await post(stage.watched.line, "lead-gen", "/v1/staff", body)
    mine = {"app_kubernetes_io_name": "lead-gen"}
    await stage.shows("conveyor_unpublished_seconds", lambda v: v > 0, **mine)
    await stage.shows("conveyor_relay_active", lambda v: v == 0, **mine)
    await stage.seen("kafka", 1)
    before = stage.scenes["kafka"][0]
    age, restarts = (
        before.of("conveyor_unpublished_seconds", **mine),
        before.of("conveyor_relay_restarts_total", **mine),
    )
    assert age is not None
    assert restarts is not None
    await stage.shows("conveyor_unpublished_seconds", lambda v: v > age + 3, **mine)
    await stage.shows("conveyor_relay_restarts_total", lambda v: v > restarts, **mine)
    await stage.seen("kafka", 1)


async def processes(stage: Stage) -> None:
    """One is frozen, one is gone with its pod, one dies again and again."""
    targets, watch = stage.watched.targets, stage.watched.watch
    targets["compensation"].send(signal.SIGSTOP)
    await targets.pop("account-mgmt").end(signal.SIGKILL)
    dying = targets["conversion"]
    for _ in range(3):
        await stage.seen("processes", 1)
        await dying.end(signal.SIGKILL)
        dying.start(watch)
        await dying.ready()
    await stage.seen("processes", 1)
    targets["compensation"].send(signal.SIGCONT)
