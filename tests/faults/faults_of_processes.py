"""Processes of ours are killed, frozen, asked to end, or die at a point of their work (armed.py)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence

import aiohttp
from evidence import HEARS
from plant import Member
from scene import Fault, Scene, end_sessions
from talk import Refusal

CRASH_POINTS = ("after_send", "after_commit", "before_offset", "before_commit", "in_effect")
HEAR_OF_STAFF = frozenset(service for service, topics in HEARS.items() if "conveyor.staff.v1" in topics)
ENDS_WITHIN = 30.0
TAKEOVER_WITHIN = 10.0


async def kill(scene: Scene) -> None:
    scene.member().send(signal.SIGKILL)
    await scene.rest(0.5, 2.0)


async def kill_all(scene: Scene) -> None:
    for member in scene.plant.members:
        member.send(signal.SIGKILL)
    await scene.rest(1.0, 2.0)


def crash(point: str) -> Fault:
    async def crash_there(scene: Scene) -> None:
        victims = scene.plant.twins(scene.service())
        last = f"new-{len(scene.talk.history)}" if point == "in_effect" and victims[0].service in HEAR_OF_STAFF else ""
        for member in victims:  # one of them relays, and each has its share of the partitions
            member.arm(point, last)
        if last:
            await _last_word(scene, last)
        await scene.rest(2.0, 4.0)
        for member in victims:
            member.disarm(point)

    return crash_there


async def _last_word(scene: Scene, person: str) -> None:
    """Somebody is hired of whom nothing more is ever said: a record that is lost now is made known by no later one."""
    with contextlib.suppress(Refusal):
        await scene.talk.post("lead-gen", "/v1/staff", {"person": person, "hired_on": str(scene.stories.since)})


async def zombie_relay(scene: Scene) -> None:
    """The leader is frozen and loses its session; another takes over; then the first goes on where it was."""
    service = scene.service()
    frozen = scene.plant.twins(service)
    leader = await _leader(frozen)
    assert leader is not None
    leader.send(signal.SIGSTOP)
    try:
        await end_sessions(scene.plant.dsn(service), "application_name = 'belt-relay'")
        await scene.rest(1.5, 4.0)
    finally:
        leader.send(signal.SIGCONT)
    await scene.rest(0.5, 1.0)


async def frozen_leader(scene: Scene) -> None:
    """The leader is frozen and nobody ends its session: the database does, and the other leads within 10 s."""
    twins = scene.plant.twins(scene.service())
    leader = await _leader(twins)
    assert leader is not None
    [other] = [member for member in twins if member is not leader]
    leader.send(signal.SIGSTOP)
    begun = time.monotonic()
    try:
        while await _leader([other], none=True) is not other:
            if time.monotonic() > begun + TAKEOVER_WITHIN:
                scene.slow_takeovers.append(f"{other.name} does not lead after {TAKEOVER_WITHIN:g} s")
                return
            await asyncio.sleep(0.1)
        scene.takeovers.append(round(time.monotonic() - begun, 1))
    finally:
        leader.send(signal.SIGCONT)


async def end_in_trouble(scene: Scene) -> None:
    """Asked to end while Kafka answers nobody."""
    member = scene.member()
    while not await asyncio.to_thread(member.ready):  # noqa: ASYNC110 (another process; it cannot hear yet)
        await asyncio.sleep(0.1)
    scene.plant.signal_kafka(signal.SIGSTOP)
    try:
        await scene.rest(0.5, 1.0)
        await _ended(scene, member)
    finally:
        scene.plant.signal_kafka(signal.SIGCONT)


async def zombie_consumer(scene: Scene) -> None:
    """A member sleeps until the group has given its partitions away, and wakes with a batch in its hands."""
    member = scene.member()
    member.send(signal.SIGSTOP)
    try:
        await scene.rest(11.0, 14.0)
    finally:
        member.send(signal.SIGCONT)
    await scene.rest(0.5, 1.0)


async def ask_to_end(scene: Scene) -> None:
    await _ended(scene, scene.member())


async def roll(scene: Scene) -> None:
    """One after the other, as a rolling deployment does."""
    for member in scene.plant.twins(scene.service()):
        await _ended(scene, member)
        until = time.monotonic() + ENDS_WITHIN
        while not await asyncio.to_thread(member.ready) and time.monotonic() < until:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.1)


async def _ended(scene: Scene, member: Member) -> None:
    while not await asyncio.to_thread(member.ready):  # noqa: ASYNC110 (another process; it cannot hear yet)
        await asyncio.sleep(0.1)
    process = member.process
    assert process is not None
    begun = time.monotonic()
    member.send(signal.SIGTERM)
    while process.poll() is None and time.monotonic() < begun + ENDS_WITHIN:  # noqa: ASYNC110 (another process)
        await asyncio.sleep(0.05)
    if process.poll() != 0:
        scene.slow_ends.append(f"{member.name}: {process.poll()} after {time.monotonic() - begun:.1f} s")


async def _leader(twins: Sequence[Member], *, none: bool = False) -> Member | None:
    """The twin that relays, as its metrics say; if that cannot be had, any, or none where none is wanted."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        for member in twins:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with http.get(f"http://127.0.0.1:{member.port}/metrics") as answer:
                    if "conveyor_relay_active 1.0" in await answer.text():
                        return member
    return None if none else twins[0]
