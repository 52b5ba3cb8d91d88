"""The line as production stands: every Deployment of the services that are wanted, with a balancer before its doors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from balancer import Balancer
from deployment import Deployment, Make
from ground import Ground, ground
from overlay import KINDS, Told, environment, explained, production, told, unfounded
from pods import Pod

from checks.k8s.cluster import Cluster
from conveyor_local.home import free_port

SERVICES = ("lead-gen", "conversion", "account-mgmt", "compensation")  # rolled from the end, as the runbook says


@dataclass
class Wanted:
    """`together`: all Deployments at once, as `kubectl apply` does; else one process after the other.

    `by_connection`: a Service stands before the doors, and no ingress (balancer.py).
    """

    services: Sequence[str] = SERVICES
    together: bool = False
    by_connection: bool = False
    rounds: int = 1
    lives: float = 2.0  # begun a second
    looks: float = 20.0  # a second
    seed: int = 1
    calm: float = 3.0  # seconds of load before and after
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
    deployed = sorted(told(cluster, wanted.services, KINDS), key=lambda one: -SERVICES.index(one.service))
    issuer = deployed[0].settings["CONVEYOR_ISSUER"]
    async with ground(issuer) as (base, authority):
        balancers = {service: Balancer(service, by_connection=wanted.by_connection) for service in wanted.services}
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
            await asyncio.gather(*(pod.cut() for one in found.deployments for pod in one.pods))
            for balancer in balancers.values():
                await balancer.close()


def _deployment(one: Told, make: Make, balancers: dict[str, Balancer], found: Line) -> Deployment:
    return Deployment(one, make, balancers[one.service] if one.pod.component == "api" else None, found.say)
