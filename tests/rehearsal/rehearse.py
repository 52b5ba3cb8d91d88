"""`make rehearse`: the line is replaced process by process under load, on this machine, as production would do it.

Two processes of each kind and service start with what the production overlay renders to, and are rolled by the
strategies, probes, waits and graces of its manifests, while clients' lives are told at all stations. Ends with
`rehearse: ok {figures}`, or with what went wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

from deployment import SEEN_AFTER
from load import under_load
from outcome import Outcome, judged
from stood_up import SERVICES, Line, Wanted, line


async def rehearsed(running: Line) -> Outcome:
    """The whole of it: load, roll, load, rest, verdict."""
    found = Outcome()
    async with under_load(running) as load:
        await asyncio.sleep(running.wanted.calm)
        begun = time.monotonic()
        for _ in range(running.wanted.rounds):
            await running.roll(running.deployments)
        took = time.monotonic() - begun
        running.say("everything is replaced")
        await asyncio.sleep(running.wanted.calm)
        found.figures |= {"rolled": sum(pod.gone for one in running.deployments for pod in one.pods),
                          "roll_seconds": round(took, 1)}  # fmt: skip
        await judged(running, load, found)
    return found


def report(found: Outcome) -> None:
    print(*found.errors[:20], sep="\n", end="\n" if found.errors else "")
    for law, said in found.broken.items():
        print(f"{law}: {len(said)}", *(f"  {one[:400]}" for one in said[:5]), sep="\n")
    print(f"rehearse: {'ok' if found.ok else 'FAILED'} {json.dumps(found.figures)}")


async def _main(wanted: Wanted) -> Outcome:
    async with line(wanted) as running:
        print("settings as production's ConfigMaps render, but for:", *running.replaced, sep="\n  ", file=sys.stderr)
        running.say(f"whoever sends requests hears of a pod's change after {SEEN_AFTER:g} s")
        return await rehearsed(running)


def main() -> int:
    parser = argparse.ArgumentParser(description="Replaces every process of the line under load.")
    parser.add_argument("--together", action="store_true", help="all Deployments at once, as kubectl apply does")
    parser.add_argument("--by-connection", action="store_true", help="a Service before the doors, and no ingress")
    parser.add_argument("--services", default=",".join(SERVICES), help="the first so many stations, or all")
    parser.add_argument("--rounds", type=int, default=1, help="how often all is replaced: there, back, …")
    parser.add_argument("--lives", type=float, default=2.0, help="clients' lives begun a second")
    parser.add_argument("--looks", type=float, default=20.0, help="lists looked at a second")
    parser.add_argument("--seed", type=int, default=1, help="which lives")
    asked = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    services = tuple(name for name in asked.services.split(",") if name)
    wanted = Wanted(
        services, asked.together, asked.by_connection, asked.rounds, asked.lives, asked.looks, asked.seed, say=say
    )
    found = asyncio.run(_main(wanted))
    report(found)
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
