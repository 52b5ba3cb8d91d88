"""Several processes of a station at once: of two releases, strangers in its group, with clocks of their own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from stations import changed, end, eventually, fetch, parked, ready, settings_of, spawn, stack_of
from story import Story, undisturbed

from conveyor.addresses import SERVICES
from conveyor.answer import Answer
from conveyor.line import Line
from conveyor.running import Running, address
from conveyor.tokens import Tokens
from conveyor_local.home import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(150)]
ROOT = Path(__file__).parents[2]
PARTS = ("libs/events", "libs/belt", "services/conversion")


class Both(Line):
    """Requests go to two doors of conversion in turn, as behind a balancer."""

    other: str
    turn: Any

    async def _once(self, method: str, address: str, **rest: Any) -> Answer:
        first = self.addresses["conversion"]
        if address.startswith(first) and not address.endswith("/v1/clock") and next(self.turn) % 2:
            address = self.other + address.removeprefix(first)
        return await super()._once(method, address, **rest)


@asynccontextmanager
async def next_release(running: Running, folder: Path) -> AsyncIterator[str]:
    """A second process of conversion, from code that says one thing more in an event. Answers its address."""
    for part in PARTS:
        shutil.copytree(ROOT / part / "src", folder, dirs_exist_ok=True)
    deals = folder / "conveyor_events" / "deals.py"
    head = "class LeadAccepted("
    before, after = deals.read_text().split(head)
    line, body = after.split("\n", 1)
    doc, fields = body.split('"""\n', 1)
    deals.write_text(f'{before}{head}{line}\n{doc}"""\n\n    word_of_tomorrow: str = "new"\n{fields}')
    port = free_port()
    settings = settings_of(running, "conversion") | {"PYTHONPATH": str(folder), "CONVEYOR_PORT": str(port)}
    server = spawn(running, "conversion", ["-m", "conversion", "all"], settings, "next-release")
    try:
        await ready(address(port), server)
        yield address(port)
    finally:
        await end(server)


async def test_two_releases_work_side_by_side(running: Running, tmp_path: Path) -> None:
    async with Line.of(running) as line, Both.of(running) as both:
        truth = await undisturbed(line, "one-release")
        both.turn = count()
        async with next_release(running, tmp_path) as both.other:
            stories = [await Story.begun(both, f"side-by-side-{n}") for n in range(3)]
            await asyncio.gather(*(story.found() for story in stories))
            await asyncio.gather(*(story.sold(client) for story in stories for client in story.clients))
            # While both run, each sees a part of the topics: what is at rest is seen by the statements.
            for story in stories:
                await eventually(partial(becomes, story, truth), "the statements are those without a fault")
        await line.drained()
        for story in stories:
            assert await story.told() == truth
        said = "select value::json->>'word_of_tomorrow' as word from published where attributes like '%LeadAccepted%'"
        words = [row["word"] for row in await fetch(running, "conversion", said)][-6:]
        assert set(words) == {"new", None}, "only one of the releases worked"
        assert [await parked(line, service) for service in SERVICES] == [[]] * len(SERVICES)


async def becomes(story: Story, truth: list[Any]) -> bool:
    return await story.told() == truth


async def stranger(brokers: str, group: str, ended: asyncio.Event) -> int:
    """A member of the group that comes, takes its share of partitions and goes, again and again."""
    times = 0
    while not ended.is_set():
        topics = ("conveyor.staff.v1", "conveyor.leads.v1", "conveyor.accounts.v1")
        member = AIOKafkaConsumer(*topics, bootstrap_servers=brokers, group_id=group, enable_auto_commit=False)
        try:
            await member.start()
            times += 1
            await member.getmany(timeout_ms=200)
        except KafkaError:
            pass  # the group moves on without it
        finally:
            await member.stop()
    return times


async def test_a_storm_of_rebalances_stops_nothing_and_doubles_nothing(running: Running) -> None:
    async with Line.of(running) as line:
        truth = await undisturbed(line, "calm")
        ended = asyncio.Event()
        brokers = stack_of(running).brokers
        strangers = [asyncio.create_task(stranger(brokers, "conversion", ended)) for _ in range(5)]
        try:
            story = await Story.begun(line, "storm")
            await story.found()
            await asyncio.sleep(3.0)  # the storm itself
        finally:
            ended.set()
            came = sum(await asyncio.gather(*strangers))
        assert came >= 5
        for client in story.clients:
            await story.sold(client)
        await story.comes_to(truth)
        assert await parked(line, "conversion") == []


JUMPS = """
import time
from datetime import UTC, datetime
from belt.io.clock import SystemClock
from conversion.main import SERVICE
real = time.time
def wrong():
    return real() + (3_600 if int(real()) % 2 else -3_600)
time.time = wrong
SystemClock.now = lambda self: datetime.fromtimestamp(wrong(), UTC)
"""


async def test_a_clock_that_jumps_by_hours_moves_no_month_and_no_order(running: Running) -> None:
    """Every second the station's wall clock jumps: an hour ahead, an hour back."""
    async with Line.of(running) as line:
        truth = await undisturbed(line, "true-clock")
        tokens = line.tokens
        assert isinstance(tokens, Tokens)
        tokens.issuer.issue = long_lived(tokens.issuer.issue)  # type: ignore[method-assign]
        tokens._held.clear()
        async with changed(running, "conversion", JUMPS):
            story = await Story.begun(line, "jumps")
            await story.found()
            for client in story.clients:
                await story.sold(client)
                await asyncio.sleep(1.0)  # a jump lies between them
            await story.comes_to(truth)
        order = "select recorded_at from published order by position"
        times = [row["recorded_at"] for row in await fetch(running, "conversion", order)]
        assert times == sorted(times)


def long_lived(issue: Any) -> Any:
    """Tokens that hold for a day: an hour too late is not too late for them."""
    return lambda *names, **more: issue(*names, **more | {"ttl": 86_400.0})
