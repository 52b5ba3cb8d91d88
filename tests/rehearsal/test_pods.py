"""A pod that does not end as it should is told of, and its Deployment goes through its pods by its own strategy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest
from deployment import Deployment
from overlay import Told, production, told
from pods import Pod

from checks.k8s.cluster import Cluster
from conveyor_local.home import free_port


@pytest.fixture(scope="module")
def rendered() -> Cluster:
    return production()


def stranger(rendered: Cluster, port: int, **spec: Any) -> Told:
    """A pod like a door of lead-gen, but it runs a program that knows nothing of ending in order."""
    one = told(Cluster("production", deepcopy(rendered.manifests)), ("lead-gen",), ("api",))[0]
    one.pod.container["args"] = ["http.server", str(port), "--bind", "127.0.0.1"]
    one.pod.container.pop("lifecycle")
    cast("dict[str, Any]", one.pod.spec).update(spec)
    return one


async def test_who_dies_at_once_when_asked_to_end_is_told_of(rendered: Cluster, tmp_path: Path) -> None:
    port = free_port()
    pod = Pod(stranger(rendered, port), 1, port, {}, tmp_path, lambda: None)
    await pod.start()
    await pod.end()
    assert pod.trouble == ["it ended with -15"]
    assert pod.gone


async def test_who_is_cut_off_at_the_end_of_its_grace_is_told_of(rendered: Cluster, tmp_path: Path) -> None:
    port = free_port()
    pod = Pod(stranger(rendered, port, terminationGracePeriodSeconds=0), 1, port, {}, tmp_path, lambda: None)
    await pod.start()
    await pod.end()
    assert pod.trouble[0] == "it did not end within 0 s"


class Puppet(Pod):
    """Ready as soon as it is started; it counts who else is."""

    async def start(self) -> None:
        self.ready = True
        asyncio.get_running_loop().call_soon(self.changed)

    async def end(self) -> None:
        self.leaving = True
        self.changed()
        await asyncio.sleep(0)
        self.gone, self.ready = True, False
        self.changed()


@pytest.mark.parametrize(("kind", "fewest", "most"), [("api", 2, 3), ("worker", 1, 2)])
async def test_there_are_never_fewer_or_more_pods_than_the_strategy_allows(
    rendered: Cluster, tmp_path: Path, kind: str, fewest: int, most: int
) -> None:
    wanted: list[Pod] = []
    seen: list[int] = []

    def make(one: Told, number: int, changed: Callable[[], None]) -> Pod:
        def noted() -> None:
            seen.append(sum(pod.ready and not pod.leaving for pod in wanted))
            changed()

        wanted.append(Puppet(one, number, 0, {}, tmp_path, noted))
        return wanted[-1]

    deployment = Deployment(told(rendered, ("lead-gen",), (kind,))[0], make, None, lambda _: None)
    await deployment.up()
    before = {pod.name for pod in deployment.now}
    seen.clear()
    await deployment.roll()
    assert len(before) == len(deployment.now) == 2
    assert not before & {pod.name for pod in deployment.now}
    assert (min(seen), max(seen)) == (fewest, most)
