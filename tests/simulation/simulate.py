"""`make simulate SECONDS=60`: history after history, each out of its own seed, until the time is over.

Ends with `simulate: ok {figures}`. A history that breaks a law is told with its seed and the command that plays it
again, exactly as it was.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HASHES = "PYTHONHASHSEED"
TELL_EVERY = 5.0


def quieted() -> None:
    """What the services log in a thousand histories helps nobody."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def work(first: int, step: int, seconds: float, most: int, told: Any) -> None:
    """Plays the seeds first, first + step …; tells of each history."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "faults")]
    quieted()
    from history import history, opening

    begun, ends, seed = opening(), time.monotonic() + seconds, first
    for _ in range(most):
        if time.monotonic() > ends:
            break
        found = history(seed, begun)
        told.put((seed, found.broken, found.happened, found.seconds, found.events, found.commands, found.trace))
        seed += step
    told.put(None)


def main() -> int:
    parser = argparse.ArgumentParser(description="Plays seeded histories of the line on a virtual clock.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to play")
    parser.add_argument("--seed", type=int, default=None, help="play this history alone")
    parser.add_argument("--from", type=int, default=None, dest="first", help="the first seed; default: any")
    asked = parser.parse_args()
    first = asked.seed if asked.seed is not None else asked.first
    if first is None:
        first = random.SystemRandom().randrange(1, 1_000_000_000)
    workers = 1 if asked.seed is not None else max(1, os.cpu_count() or 1)
    most = 1 if asked.seed is not None else 10**9
    print(f"histories from seed {first} on, {workers} at a time", file=sys.stderr)
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    begun = time.monotonic()
    playing = [
        context.Process(target=work, args=(first + n, workers, asked.seconds, most, told), daemon=True)
        for n in range(workers)
    ]
    for process in playing:
        process.start()
    return _watched(told, workers, begun)


def _watched(told: Any, workers: int, begun: float) -> int:
    happened: Counter[str] = Counter()
    played, virtual, events, commands, last = 0, 0.0, 0, 0, begun
    trace = ""
    while workers:
        found = told.get(timeout=120)
        if found is None:
            workers -= 1
            continue
        seed, broken, more, seconds, some, asked, trace = found
        if broken:
            for law, words in broken.items():
                print(f"{law}: {len(words)}", *(f"  {one[:400]}" for one in words[:5]), sep="\n")
            print(f"simulate: FAILED, seed {seed}; again: make simulate SEED={seed}")
            return 1
        played, virtual, events, commands = played + 1, virtual + seconds, events + some, commands + asked
        happened += more
        if time.monotonic() > last + TELL_EVERY:
            last = time.monotonic()
            print(f"  {played:6,} histories, {virtual / 3600:6.1f} h of their time", file=sys.stderr, flush=True)
    figures = {
        "histories": played,
        "seconds": round(time.monotonic() - begun, 1),
        "virtual_hours": round(virtual / 3600, 1),
        "commands": commands,
        "events": events,
        "faults": dict(happened.most_common()),
    }
    print(f"simulate: ok {json.dumps(figures | ({'trace': trace} if played == 1 else {}))}")
    return 0


if __name__ == "__main__":
    if os.environ.get(HASHES) != "0":  # the order of sets must be the same in every run
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {HASHES: "0"})
    sys.exit(main())
