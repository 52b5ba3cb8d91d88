"""The operator's way with a record that nobody can read: list it, look at it, try it, pass it over with a reason."""

from __future__ import annotations

import asyncio
import json
from getpass import getuser
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from conveyor.addresses import SERVICES, variable
from conveyor.exits import CheckFailed
from conveyor.main import app
from conveyor.running import Running
from conveyor_local import Stack

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
RUNNER = CliRunner()


def conveyor(running: Running, *words: str) -> Any:
    """A command of the command line, against this stack."""
    env = {variable(service): running.addresses[service] for service in SERVICES}
    found = RUNNER.invoke(app, [*words, "--json"], env=env | {"CONVEYOR_ISSUER_FOLDER": str(running.issuer)})
    assert found.exception is None or isinstance(found.exception, SystemExit | CheckFailed), found.exception
    return json.loads(found.stdout) if found.stdout.strip() else found.exit_code


async def test_a_record_that_nobody_can_read_is_passed_over_with_a_reason(running: Running) -> None:
    stack = Stack.find(running.name)
    assert stack is not None
    producer = AIOKafkaProducer(bootstrap_servers=stack.brokers)
    await producer.start()
    await producer.send_and_wait("conveyor.deals.v1", value=b"{no json", key=b"nobody", headers=[("ce_id", b"7")])
    await producer.stop()
    mine: list[Any] = []
    for _ in range(200):
        listed = await asyncio.to_thread(conveyor, running, "parked", "list")
        mine = [one for one in listed if one["key"] == "nobody"]
        if {one["service"] for one in mine} == {"lead-gen", "account-mgmt", "compensation"}:
            break
        await asyncio.sleep(0.1)
    assert {one["service"] for one in mine} == {"lead-gen", "account-mgmt", "compensation"}
    for one in mine:
        place = one["service"], str(one["id"])
        shown = await asyncio.to_thread(conveyor, running, "parked", "show", *place)
        assert (shown["event"], shown["raw"]["value"]) == (None, "{no json")
        words = ("parked", "skip", *place, "--reason", "a test record of somebody")
        [done] = await asyncio.to_thread(conveyor, running, *words)
        assert done["left"] == 0
    left = await asyncio.to_thread(conveyor, running, "parked", "list")
    assert [one for one in left if one["key"] == "nobody"] == []
    kept = await asyncio.to_thread(conveyor, running, "parked", "skipped")
    said = {(one["service"], one["skipped_by"], one["because"]) for one in kept if one["key"] == "nobody"}
    assert said == {(one["service"], getuser(), "a test record of somebody") for one in mine}


def test_what_is_to_be_redriven_must_be_said(running: Running) -> None:
    assert conveyor(running, "parked", "redrive") == 2
    assert conveyor(running, "parked", "redrive", "lead-gen", "1", "--all") == 2
    assert conveyor(running, "rebuild", "no-such-service") == 2
