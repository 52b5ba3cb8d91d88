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
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / other) for other in ("faults", "contract", "journey")), str(HERE.parents[1])]

from balancer import Balancer
from deployment import SEEN_AFTER, Deployment, Make
from evidence import Evidence, counts_of, records_of, rows_of, still
from ground import Ground, ground
from lag import Lag
from overlay import KINDS, Told, environment, explained, production, told, unfounded
from pods import Pod
from stories import FARMERS, HUNTERS, SCOUTS, Stories
from traffic import Caller, Follower
from verdict import violations

from checks.k8s.cluster import Cluster
from conveyor_local.home import free_port

SERVICES = ("lead-gen", "conversion", "account-mgmt", "compensation")
STATIONS = 3
SETTLED_WITHIN = 90.0
REST_WITHIN = 60.0
CALM = 3.0  # seconds of load before and after
RESENDS = 500


@dataclass
class Wanted:
    """`together`: all Deployments at once, as `kubectl apply` does; else one process after the other."""

    services: Sequence[str] = SERVICES
    together: bool = False
    rounds: int = 1
    lives: float = 2.0  # begun a second
    looks: float = 20.0  # a second
    seed: int = 1
    say: Callable[[str], None] = lambda _: None


@dataclass
class Line:
    """All that runs. `begun`: what the clock of every report counts from."""

    wanted: Wanted
    cluster: Cluster
    ground: Ground
    balancers: dict[str, Balancer]
    deployments: list[Deployment]
    replaced: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def of(self, called: str) -> Deployment:
        return next(one for one in self.deployments if one.told.called == called)

    @property
    def dsns(self) -> dict[str, str]:
        return {service: self.ground.dsn(service) for service in self.wanted.services}

    def say(self, text: str) -> None:
        self.wanted.say(f"{time.monotonic() - self.begun:6.1f} s  {text}")

    async def roll(self, deployments: Sequence[Deployment]) -> None:
        if self.wanted.together:
            await asyncio.gather(*(one.roll() for one in deployments))
            return
        for one in deployments:
            await one.roll()


@asynccontextmanager
async def line(wanted: Wanted, cluster: Cluster | None = None) -> AsyncIterator[Line]:
    """Everything up and ready, and away again."""
    cluster = cluster or production()
    if loose := unfounded(cluster):
        raise ValueError(f"replaced on this machine, and in no ConfigMap: {sorted(loose)}")
    deployed = told(cluster, wanted.services, KINDS)
    issuer = deployed[0].settings["CONVEYOR_ISSUER"]
    async with ground(issuer) as (base, authority):
        balancers = {service: Balancer(service) for service in wanted.services}
        for balancer in balancers.values():
            await balancer.listen()
        here = base.here({name: f"http://127.0.0.1:{one.port}" for name, one in balancers.items()})
        found = Line(wanted, cluster, base, balancers, [])
        await base.furnish(cluster, wanted.services, authority)
        found.replaced = explained(deployed, here, base.home / "files")
        found.say("PostgreSQL and Kafka are up")
        await base.migrate(cluster, wanted.services, here)
        found.say("the databases are made")

        def make(one: Told, number: int, changed: Callable[[], None]) -> Pod:
            port = free_port()
            return Pod(one, number, port, environment(one, here, port, base.mounted(one)), base.home, changed)

        found.deployments = [_deployment(one, make, balancers, found) for one in deployed]
        try:
            await asyncio.gather(*(one.up() for one in found.deployments))
            found.say(f"{sum(len(one.pods) for one in found.deployments)} processes are ready")
            yield found
        finally:
            for one in found.deployments:
                for pod in one.pods:
                    pod.kill()
            for balancer in balancers.values():
                await balancer.close()


def _deployment(one: Told, make: Make, balancers: dict[str, Balancer], found: Line) -> Deployment:
    return Deployment(one, make, balancers[one.service] if one.pod.component == "api" else None, found.say)


@dataclass
class Outcome:
    """What a rehearsal has found."""

    figures: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    broken: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        nothing = ("errors", "lost", "doubled", "lag_after")
        return not self.errors and not self.broken and not any(self.figures[name] for name in nothing)


@dataclass
class Load:
    """The callers of one line."""

    caller: Caller
    stories: Stories
    followers: list[Follower]
    lag: Lag
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def stop(self) -> None:
        """Nothing is begun any more. A task that broke is a fault of the rehearsal, not to be mistaken for silence."""
        for task in self.tasks:
            task.cancel()
        for found in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(found, Exception):
                raise found

    def errors(self, since: float = 0.0) -> list[str]:
        wrong = [one for one in self.caller.heard if one.wrong and one.at >= since]
        return [f"{one.at:.1f} s: {one.told} after {one.took:.2f} s: {one.what}" for one in wrong]


@asynccontextmanager
async def under_load(running: Line) -> AsyncIterator[Load]:
    """Callers at work, until they are stopped or this ends; readers of the feeds stay."""
    wanted = running.wanted
    addresses = {name: f"http://127.0.0.1:{one.port}" for name, one in running.balancers.items()}
    async with Caller(addresses, running.ground.issuer, wanted.seed) as caller:
        caller.begun = running.begun
        stations = len([service for service in wanted.services if service != "compensation"])
        stories = Stories(caller, wanted.seed, stations)
        await stories.open()
        followers = [Follower(service, caller) for service in wanted.services]
        load = Load(caller, stories, followers, Lag(running.dsns))
        looking = caller.look(tuple(wanted.services), wanted.looks)
        work = (_lives(stories, wanted.lives), looking, load.lag.measure(), _reported(running, load))
        load.tasks = [asyncio.create_task(one) for one in work]
        streams = [asyncio.create_task(follower.follow()) for follower in followers]
        try:
            yield load
        finally:
            for task in (*load.tasks, *streams):
                task.cancel()
            await asyncio.gather(*load.tasks, *streams, return_exceptions=True)


async def _lives(stories: Stories, rate: float) -> None:
    while True:
        stories.begin()
        await asyncio.sleep(1 / rate)


async def _reported(running: Line, load: Load) -> None:
    while True:
        await asyncio.sleep(5)
        running.say(
            f"requests {len(load.caller.heard)}, lives {load.stories.ended}/{load.stories.begun}, "
            f"errors {len(load.errors())}, lag {load.lag.most:.1f} s at most"
        )


async def rehearsed(running: Line) -> Outcome:
    """The whole of it: load, roll, load, rest, verdict."""
    found = Outcome()
    async with under_load(running) as load:
        await asyncio.sleep(CALM)
        begun = time.monotonic()
        for _ in range(running.wanted.rounds):
            await running.roll(running.deployments)
        took = time.monotonic() - begun
        running.say("everything is replaced")
        await asyncio.sleep(CALM)
        found.figures |= {"rolled": sum(pod.gone for one in running.deployments for pod in one.pods),
                          "roll_seconds": round(took, 1)}  # fmt: skip
        await judged(running, load, found)
    return found


async def judged(running: Line, load: Load, found: Outcome) -> None:
    """Nothing is begun any more: what is under way ends, and everything is compared with everything."""
    rolling = time.monotonic()
    await load.stop()
    hanging = await load.stories.settle(SETTLED_WITHIN)
    rested, left = await still(running.dsns, REST_WITHIN)
    lag_after = await load.lag.look()
    running.say(f"at rest after {time.monotonic() - rolling:.1f} s")
    evidence = await _evidence(running, load)
    found.broken |= violations(evidence)
    if hanging:
        found.broken["lives_come_to_their_ends"] = [f"{hanging} lives hang"]
    found.errors += load.errors()
    found.errors += [f"{follower.service}'s feed: {one}" for follower in load.followers for one in follower.wrong]
    pods = [pod for one in running.deployments for pod in one.pods]
    found.errors += [f"{pod.name}: {one}" for pod in pods for one in pod.trouble]
    heads = {service: len(rows.published) for service, rows in evidence.rows.items()}
    unread = {one.service: heads[one.service] - one.last for one in load.followers}
    took = sorted(one.took for one in load.caller.heard)
    found.figures |= {
        "requests": len(took),
        "errors": len(found.errors),
        "lives": load.stories.ended,
        "events": sum(len(rows.events) for rows in evidence.rows.values()),
        "lost": _lost(evidence) + sum(unread.values()),
        "doubled": _doubled(evidence),
        "lag_most_seconds": round(load.lag.most, 1),
        "lag_most_records": load.lag.most_records,
        "lag_after": round(lag_after) + sum(left.values()),
        "rest_seconds": round(rested, 1),
        "slowest_seconds": round(took[-1], 2),
        "p99_seconds": round(took[int(len(took) * 0.99)], 3),
        "readied_seconds": round(max(pod.readied for pod in pods), 1),
        "ended_seconds": round(max(pod.left for pod in pods), 1),
        "streams_opened": sum(one.opened for one in load.followers),
        "spans": len(running.ground.collector.spans),
    }


async def _evidence(running: Line, load: Load) -> Evidence:
    found = Evidence({}, [], load.caller.history)
    dsns = running.dsns
    if "compensation" in dsns:
        for day in (load.stories.before, load.stories.today):
            for person in (*SCOUTS, *HUNTERS, *FARMERS):
                path = f"/v1/statements/{person}/{day:%Y-%m}"
                found.statements[person, f"{day:%Y-%m}"] = await load.caller.found("compensation", path)
        found.verification = await load.caller.found("compensation", "/v1/verification")
    found.counts_before = await counts_of(dsns)
    gate = asyncio.Semaphore(8)

    async def again(asked: Any) -> None:
        async with gate:
            headers = {"idempotency-key": asked.key, "content-type": "application/json"}
            found.answered_again.append((asked, *await load.caller.send(asked, headers)))

    accepted = [asked for asked in load.caller.history if asked.outcome == "ok"]
    await asyncio.gather(*(again(asked) for asked in load.stories.rnd.sample(accepted, min(RESENDS, len(accepted)))))
    found.counts_after = await counts_of(dsns)
    found.rows = {service: await rows_of(dsn, facts=service == "compensation") for service, dsn in dsns.items()}
    found.records = await records_of(running.ground.broker.kafka.brokers, **running.ground.reading)
    return found


def _lost(found: Evidence) -> int:
    """Accepted commands without an event, told events that Kafka lacks, and places that somebody never took in."""
    stored = {json.loads(event["meta"]).get("command") for rows in found.rows.values() for event in rows.events}
    nowhere = [asked for asked in found.history if asked.outcome == "ok" and asked.key not in stored]
    carried = {record.event_id for record in found.records}
    unsent = [row for rows in found.rows.values() for row in rows.published if row["event_id"] not in carried]
    return len(nowhere) + len(unsent)


def _doubled(found: Evidence) -> int:
    """Commands with events of two commits, answers that were others the second time, rows that resends have left."""
    commits: dict[str, set[Any]] = {}
    for rows in found.rows.values():
        for event in rows.events:
            commits.setdefault(json.loads(event["meta"]).get("command") or "", set()).add(event["recorded_at"])
    keys = {asked.key for asked in found.history}
    twice = [key for key, at in commits.items() if key in keys and len(at) > 1]
    others = [asked for asked, status, body in found.answered_again if (status, body) != (asked.status, asked.reply)]
    more = sum(found.counts_after[table] - before for table, before in found.counts_before.items())
    return len(twice) + len(others) + more


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
    parser.add_argument("--services", default=",".join(SERVICES), help="the first so many stations, or all")
    parser.add_argument("--rounds", type=int, default=1, help="how often all is replaced: there, back, …")
    parser.add_argument("--lives", type=float, default=2.0, help="clients' lives begun a second")
    parser.add_argument("--looks", type=float, default=20.0, help="lists looked at a second")
    parser.add_argument("--seed", type=int, default=1, help="which lives")
    asked = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    services = tuple(name for name in asked.services.split(",") if name)
    wanted = Wanted(services, asked.together, asked.rounds, asked.lives, asked.looks, asked.seed, say)
    found = asyncio.run(_main(wanted))
    report(found)
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
