"""What is carried is wrong, late, said twice, or meets a month that is being closed; clocks jump."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

from again import send_again
from scene import Scene
from talk import Refusal, Talk


async def slow_consumer(scene: Scene) -> None:
    member = scene.member()
    member.arm("slow", "0.8")
    try:
        await scene.rest(4.0, 8.0)
    finally:
        member.disarm("slow")


async def poison(scene: Scene) -> None:
    """One client's events make a station fail: they are parked, the others flow; then it is mended and redriven."""
    stations = [service for service in scene.plant.services if service != "compensation"]
    service = scene.rnd.choice(stations)
    twins = scene.plant.twins(service)
    client = scene.stories.begin()
    for member in twins:
        member.arm("poison", client)
    try:
        await scene.rest(2.0, 5.0)
    finally:
        for member in twins:
            member.disarm("poison")
    await redriven(scene.talk, service)


async def redriven(talk: Talk, service: str, within: float = 20.0) -> None:
    """What an operator does when the cause is mended."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        told = await talk.found(service, "/v1/parked?limit=200")
        if not told["items"]:
            return
        for one in {(item["topic"], item["key"]): item["id"] for item in reversed(told["items"])}.values():
            with contextlib.suppress(Refusal):
                await talk.post(service, f"/v1/parked/{one}/redrive", {})
        await asyncio.sleep(0.2)


async def clock_jump(scene: Scene) -> None:
    member = scene.member()
    member.arm("clock", str(scene.rnd.choice([-3600, 3600, -90_000])))
    try:
        await scene.rest(2.0, 5.0)
    finally:
        member.disarm("clock")


async def doubled(scene: Scene) -> None:
    """Everything that Kafka has, sent once more."""
    with contextlib.suppress(TimeoutError):
        await send_again(scene.plant.stack.brokers, scene.rnd, most=400)


async def close(scene: Scene) -> None:
    """The month before is closed while money of it still comes in; who closes it may die over it."""
    month = f"{scene.stories.before:%Y-%m}"
    with contextlib.suppress(Refusal):
        await scene.talk.post("compensation", f"/v1/periods/{month}/close", {}, roles=("payroll",), person="payer")
    for member in scene.plant.twins("compensation"):
        await scene.rest(0.0, 0.4)
        member.send(signal.SIGKILL)
