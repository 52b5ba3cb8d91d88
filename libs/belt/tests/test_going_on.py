"""Half a service is worse than none: work in the background that ends takes its process with it."""

from __future__ import annotations

import asyncio

from belt.io.parts import going_on


async def fails() -> None:
    raise RuntimeError("a fault that nobody thought of")


async def test_background_work_that_fails_or_ends_makes_the_process_end() -> None:
    for work in (fails(), asyncio.sleep(0)):
        stuck = asyncio.Event()
        with going_on(work, "work", stuck):
            await asyncio.wait_for(stuck.wait(), 5)


async def test_background_work_that_is_told_to_end_is_no_fault() -> None:
    stuck = asyncio.Event()
    with going_on(asyncio.sleep(60), "work", stuck):
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert not stuck.is_set()
