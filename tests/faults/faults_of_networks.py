"""The wires between callers, services and databases lose, delay or swallow what they carry (wires.py)."""

from __future__ import annotations

import signal

from scene import Scene


async def database_hole(scene: Scene) -> None:
    wire = scene.plant.lines[scene.service()]
    wire.hole = True
    try:
        await scene.rest(3.0, 8.0)
    finally:
        wire.hole = False


async def hole_then_kill(scene: Scene) -> None:
    """A consumer holds what it cannot take in, and dies with it."""
    service = scene.service()
    wire = scene.plant.lines[service]
    wire.hole = True
    try:
        await scene.rest(1.5, 3.0)
        for member in scene.plant.twins(service):
            member.send(signal.SIGKILL)
        await scene.rest(0.2, 0.5)
    finally:
        wire.hole = False


async def database_replies_cut(scene: Scene) -> None:
    """PostgreSQL did it, and nobody hears of it."""
    wire = scene.plant.lines[scene.service()]
    for _ in range(5):
        wire.cut_replies = scene.rnd.randint(1, 3)
        await scene.rest(0.2, 0.8)
    wire.cut_replies = 0


async def database_slow(scene: Scene) -> None:
    wire = scene.plant.lines[scene.service()]
    wire.delay = scene.rnd.choice([0.02, 0.1, 0.3])
    try:
        await scene.rest(2.0, 5.0)
    finally:
        wire.delay = 0.0


async def replies_cut(scene: Scene) -> None:
    wire = scene.plant.doors[scene.service()]
    for _ in range(5):
        wire.cut_replies = scene.rnd.randint(1, 6)
        await scene.rest(0.2, 0.8)
    wire.cut_replies = 0


async def replies_late(scene: Scene) -> None:
    """Later than any caller waits."""
    wire = scene.plant.doors[scene.service()]
    wire.delay = 3.5
    try:
        await scene.rest(3.0, 5.0)
    finally:
        wire.delay = 0.0


async def cut(scene: Scene) -> None:
    for wire in (*scene.plant.doors.values(), *scene.plant.lines.values()):
        scene.plant.wires.cut(wire)
    await scene.rest(0.2, 1.0)
