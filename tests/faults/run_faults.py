"""`make faults SEED=… SECONDS=… ONLY=…`: the line is disturbed, left alone, and judged.

Ends with `faults: ok {figures}`, or with what was broken and the seed. What a run has found (history, logs, the list
of faults) stays in the folder it names if it failed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from evidence import Evidence, counts_of, marks, records_of, rows_of, still
from faults_of_content import redriven
from faults_of_processes import CRASH_POINTS
from nemesis import FAULTS, chosen, disturb
from plant import SERVICES, Plant, plant
from scene import Scene
from stories import FARMERS, HUNTERS, SCOUTS, Stories
from talk import Talk
from verdict import violations
from verdict_pay import agreed

REST_WITHIN = 60.0
LIVES_WITHIN = 300.0  # for those who waited all the while to be told to their ends
TELL_EVERY = 5.0
SCRAPED_WITHIN = 15.0
RESENDS = 1_500
GAUGES = re.compile(
    r"^(conveyor_(?:unpublished_records|parked_keys|consumer_lag_records|published_position))(?:\{.*\})? (\S+)"
)


@dataclass
class Run:
    """What is asked of a run, and what came of it."""

    seed: int
    seconds: float
    only: Sequence[str] = ()
    rate: float = 3.0  # lives begun a second
    services: Sequence[str] = SERVICES
    code: Path | None = None
    calm: bool = False  # nothing is disturbed: only load
    quiet: bool = False
    rest_within: float = REST_WITHIN
    lives_within: float = LIVES_WITHIN
    figures: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)
    faults: list[tuple[float, str]] = field(default_factory=list)

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)


def run(wanted: Run, folder: Path) -> Run:
    """Brings everything up, disturbs it, judges it, and takes it down."""
    wanted.say(f"seed {wanted.seed}: {wanted.seconds:g} s of {', '.join(wanted.only) or 'every fault'}")
    with plant(wanted.services, code=wanted.code, keep_logs=folder) as running:
        asyncio.run(_run(wanted, running, folder))
    return wanted


async def _run(wanted: Run, running: Plant, folder: Path) -> None:
    addresses = {service: f"http://127.0.0.1:{wire.port}" for service, wire in running.doors.items()}
    async with Talk(addresses, running.issuer, wanted.seed) as talk:
        stations = len([s for s in wanted.services if s != "compensation"])
        stories = Stories(talk, wanted.seed, stations)
        found = Evidence({}, [], talk.history)
        try:
            await stories.open()
            scene = Scene(running, talk, stories, random.Random(f"nemesis {wanted.seed}"), wanted.seconds)
            scene.alone = len(wanted.only) == 1
            await _disturbed(wanted, scene, found)
            await _at_rest(wanted, scene, found)
            await _gathered(wanted, scene, found)
        finally:
            talk.write(folder / "history.jsonl")
            (folder / "faults.json").write_text(json.dumps(wanted.faults, indent=1))
        wanted.broken |= violations(found)
        wanted.figures |= _figures(wanted, found, stories)


async def _disturbed(wanted: Run, scene: Scene, found: Evidence) -> None:
    begun = time.monotonic()

    def report(kind: str, left: float) -> None:
        wanted.faults.append((round(time.monotonic() - begun, 2), kind))
        talk = scene.talk
        wanted.say(f"  {wanted.seconds - left:6.1f} s  {kind:<22} lives {scene.stories.ended}/{scene.stories.begun}"
                   f"  requests {len(talk.history)}")  # fmt: skip

    kinds = [] if wanted.calm else chosen(wanted.only, wanted.services)
    weighing = asyncio.create_task(_weigh(wanted, scene.plant))
    living = asyncio.create_task(_lives(scene.stories, wanted.rate))
    prying = asyncio.create_task(_pry(scene.talk, found)) if "compensation" in wanted.services else None
    frozen = asyncio.create_task(_freeze(scene, found)) if "compensation" in wanted.services else None
    try:
        used = await disturb(scene, kinds, report) if kinds else await _left_alone(wanted, report)
    finally:
        healed(scene.plant)
        for task in (living, prying, weighing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    wanted.figures["faults"] = {kind: count for kind, count in used.items() if count}
    if frozen is not None:
        if used.get("close"):
            await asyncio.wait([frozen], timeout=wanted.rest_within)
            if not frozen.done():
                wanted.broken["a_close_ends"] = [f"the month is not closed after {wanted.rest_within:g} s"]
        frozen.cancel()
        await asyncio.gather(frozen, return_exceptions=True)
    if scene.takeovers:
        wanted.figures["takeover_seconds"] = max(scene.takeovers)
    if scene.slow_takeovers:
        wanted.broken["a_frozen_leader_is_followed"] = scene.slow_takeovers
    if scene.slow_ends:
        wanted.broken["who_is_asked_to_end_ends"] = scene.slow_ends


def healed(running: Plant) -> None:
    """Nothing is disturbed any more."""
    for wire in (*running.doors.values(), *running.lines.values()):
        wire.hole, wire.delay, wire.cut_replies = False, 0.0, 0
    for member in running.members:
        for point in (*CRASH_POINTS, "slow", "poison", "clock"):
            member.disarm(point)
        member.send(signal.SIGCONT)


async def _left_alone(wanted: Run, report: Callable[[str, float], None]) -> dict[str, int]:
    ends = time.monotonic() + wanted.seconds
    while (left := ends - time.monotonic()) > 0:
        report("nothing", left)
        await asyncio.sleep(min(10.0, left))
    return {}


async def _weigh(wanted: Run, running: Plant) -> None:
    """The most memory that one process of each service held, in megabytes."""
    most: dict[str, int] = {}
    wanted.figures["megabytes"] = most
    while True:
        for member in running.members:
            with contextlib.suppress(psutil.Error):
                if member.process is not None:
                    held = psutil.Process(member.process.pid).memory_info().rss // 1_000_000
                    most[member.service] = max(most.get(member.service, 0), held)
        await asyncio.sleep(1.0)


async def _lives(stories: Stories, rate: float) -> None:
    while True:
        stories.begin()
        await asyncio.sleep(1 / rate)


async def _pry(talk: Talk, found: Evidence) -> None:
    """Somebody keeps asking for what is not theirs to see."""
    month = time.strftime("%Y-%m")
    while True:
        for roles, person in ((("scout",), "ana"), (("operator",), "olga"), ((), "nobody")):
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
                status, _ = await talk.get("compensation", f"/v1/statements/boris/{month}", person=person, roles=roles)
                if status < 500:
                    found.denied.append((f"{person}'s look at boris' pay", status))
        await asyncio.sleep(1.0)


async def _freeze(scene: Scene, found: Evidence) -> None:
    """As soon as the month is closed: its statements as they are then."""
    month = f"{scene.stories.before:%Y-%m}"
    while True:
        told = await scene.talk.found("compensation", "/v1/periods", 600.0)
        if any(item["period"] == month for item in told["items"]):
            break
        await asyncio.sleep(0.5)
    for person in (*SCOUTS, *HUNTERS, *FARMERS):
        found.frozen[person, month] = await scene.talk.found("compensation", f"/v1/statements/{person}/{month}", 120.0)


async def _at_rest(wanted: Run, scene: Scene, found: Evidence) -> None:
    """What was on its way when the last fault ended is taken in within a minute, whatever comes beside it.

    Then the lives are told to their ends, and within another minute nothing is on its way at all.
    """
    begun = time.monotonic()
    dsns = {service: scene.plant.dsn(service) for service in wanted.services}
    await asyncio.to_thread(scene.plant.wait_ready)
    backlog = await marks(dsns)
    await _redriven(wanted, scene)
    _, behind = await still(dsns, max(1.0, wanted.rest_within - (time.monotonic() - begun)), backlog)
    caught_up = time.monotonic() - begun
    hanging = await scene.stories.settle(wanted.lives_within)
    settled = time.monotonic()
    await _redriven(wanted, scene)
    _, left = await still(dsns, max(1.0, wanted.rest_within - (time.monotonic() - settled)))
    took = time.monotonic() - begun
    wanted.say(f"  caught up after {caught_up:.1f} s, at rest after {took:.1f} s")
    wanted.figures |= {"caught_up_seconds": round(caught_up, 1), "rest_seconds": round(took, 1)}
    if behind:
        wanted.broken["it_catches_up"] = [f"after {caught_up:.0f} s: {behind}"]
    if hanging:
        wanted.broken["lives_come_to_their_ends"] = [f"{hanging} lives hang"]
    if left:
        wanted.broken["it_comes_to_rest"] = [f"after {took:.0f} s: {left}"]


async def _redriven(wanted: Run, scene: Scene) -> None:
    for service in wanted.services:
        await redriven(scene.talk, service, wanted.rest_within / 3)


async def _gathered(wanted: Run, scene: Scene, found: Evidence) -> None:
    talk, dsns = scene.talk, {service: scene.plant.dsn(service) for service in wanted.services}
    if "compensation" in wanted.services:
        for day in (scene.stories.before, scene.stories.today):
            for person in (*SCOUTS, *HUNTERS, *FARMERS):
                path = f"/v1/statements/{person}/{day:%Y-%m}"
                found.statements[person, f"{day:%Y-%m}"] = await talk.found("compensation", path)
        found.verification = await talk.found("compensation", "/v1/verification")
    found.counts_before = await counts_of(dsns)
    await _asked_again(scene, found)
    found.counts_after = await counts_of(dsns)
    found.metrics = await _scraped(scene.plant)
    found.rows = {s: await rows_of(dsn, facts=s == "compensation") for s, dsn in dsns.items()}
    found.records = await records_of(scene.plant.stack.brokers)


async def _asked_again(scene: Scene, found: Evidence) -> None:
    """Every accepted request once more, or as many as there is time for."""
    accepted = [asked for asked in scene.talk.history if asked.outcome == "ok" and "/redrive" not in asked.path]
    some = scene.rnd.sample(accepted, min(RESENDS, len(accepted)))
    gate = asyncio.Semaphore(16)

    async def again(asked: Any) -> None:
        async with gate:
            headers = {"idempotency-key": asked.key, "content-type": "application/json"}
            found.answered_again.append((asked, *await scene.talk.send(asked, headers)))

    await asyncio.gather(*(again(asked) for asked in some))


async def _scraped(running: Plant) -> dict[str, dict[str, float]]:
    """The gauges of each service, over its processes; waits for the next measurement if they speak of earlier times."""
    until = time.monotonic() + SCRAPED_WITHIN
    while True:
        told: dict[str, dict[str, float]] = {service: {} for service in running.services}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            for member in running.members:
                async with http.get(f"http://127.0.0.1:{member.port}/metrics") as answer:
                    for line in (await answer.text()).splitlines():
                        if found := GAUGES.match(line):
                            name, value = found[1], float(found[2])
                            told[member.service][name] = max(told[member.service].get(name, 0.0), value)
        waits = [n for gauges in told.values() for n, v in gauges.items() if v and n != "conveyor_published_position"]
        if not waits or time.monotonic() > until:
            return told
        await asyncio.sleep(0.5)


def _figures(wanted: Run, found: Evidence, stories: Stories) -> dict[str, Any]:
    events = sum(len(rows.events) for rows in found.rows.values())
    public = sum(len(rows.published) for rows in found.rows.values())
    outcomes = {kind: len([a for a in found.history if a.outcome == kind]) for kind in ("ok", "refused", "unknown")}
    return {
        "seed": wanted.seed,
        "seconds": wanted.seconds,
        "lives": stories.ended,
        "requests": len(found.history),
        "attempts": sum(len(a.attempts) for a in found.history),
        **outcomes,
        "events": events,
        "public": public,
        "records": len(found.records),
        "repeated_records": len(found.records) - public,
        "resent": len(found.answered_again),
        "frozen": len(found.frozen),
        "late_lines": len([1 for s in found.statements.values() for one in s["lines"] if one["relates_to_period"]]),
        "paid": str(sum(agreed(found).values())) if found.statements else None,
        "kinds": len(wanted.figures.get("faults", {})),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Disturbs the line and judges what is left.")
    parser.add_argument("--seed", type=int, default=None, help="which faults, when, and which lives; default: any")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is disturbed")
    parser.add_argument("--only", default="", help=f"of {', '.join(FAULTS)}; several separated by commas")
    parser.add_argument("--calm", action="store_true", help="no faults, only load")
    parser.add_argument("--rate", type=float, default=3.0, help="clients' lives begun a second")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1, 1_000_000)
    only = [name for name in asked.only.split(",") if name]
    try:
        chosen(only, SERVICES)
    except ValueError as wrong:
        parser.error(str(wrong))
    folder = Path(tempfile.mkdtemp(prefix=f"faults-{seed}-"))
    done = run(Run(seed, asked.seconds, only, asked.rate, calm=asked.calm), folder)
    if not done.broken:
        print(f"faults: ok {json.dumps(done.figures)}")
        return 0
    for law, told in done.broken.items():
        print(f"{law}: {len(told)}", *(f"  {one[:400]}" for one in told[:5]), sep="\n")
    print(f"faults: FAILED {json.dumps(done.figures)}")
    print(f"again: make faults SEED={seed} SECONDS={asked.seconds:g} ONLY={asked.only}   found: {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
