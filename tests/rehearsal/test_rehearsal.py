"""A short rehearsal: two stations are replaced under load. `make rehearse` replaces all of them, one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psutil
import pytest
from load import under_load
from overlay import environment
from rehearse import rehearsed
from stood_up import Line, Wanted, line

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Line]:
    async with line(Wanted(("lead-gen", "conversion"), together=True, calm=1.0)) as found:
        yield found


async def test_every_process_runs_with_the_settings_of_its_config_maps(running: Line) -> None:
    here = running.ground.here({name: f"http://127.0.0.1:{one.port}" for name, one in running.balancers.items()})
    for deployment in running.deployments:
        for pod in deployment.now:
            wanted = environment(pod.told, here, pod.port, running.ground.home / "files" / pod.told.called)
            assert wanted.keys() == pod.told.settings.keys()
            has = psutil.Process(pod.pid).environ()
            assert {key: has.get(key) for key in wanted} == wanted
            assert {key for key in has if key.startswith(("CONVEYOR_", "PG"))} == wanted.keys()


async def test_nobody_notices_that_every_process_is_replaced(running: Line) -> None:
    before = {pod.name for one in running.deployments for pod in one.now}
    found = await rehearsed(running)
    assert found.broken == {}
    assert found.errors == []
    assert found.ok, found.figures
    assert found.figures["rolled"] == len(before) == 8
    after = {pod.name for one in running.deployments for pod in one.now if pod.ready}
    assert len(after) == len(before)
    assert not before & after
    assert found.figures["requests"] > 300
    assert found.figures["streams_opened"] >= 4, "the readers of the feeds were let go and came back"
    assert found.figures["spans"] > 0


async def test_who_ends_before_it_is_off_the_list_is_noticed(running: Line) -> None:
    """The seeded fault: the wait of preStop is gone, so requests come to a door that is shut."""
    deployment = running.of("lead-gen-api")
    kept = deployment.told.pod.container.pop("lifecycle")
    try:
        async with under_load(running, again=1) as load:
            balancer = running.balancers["lead-gen"]
            known = len(balancer.failures)
            await deployment.roll()
            await load.stop()
            assert load.errors()
            assert len(balancer.failures) > known
            assert await load.stories.settle(60.0) == 0
    finally:
        deployment.told.pod.container["lifecycle"] = kept
