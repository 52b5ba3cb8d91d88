"""What the overlay says comes to this machine whole: nothing is left out, and nothing is made up."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from deployment import SEEN_AFTER
from overlay import (
    KINDS,
    OF_THE_IMAGE,
    REPLACED,
    Here,
    Told,
    Unsaid,
    environment,
    explained,
    production,
    told,
    unfounded,
)
from stood_up import SERVICES, Wanted, line

from checks.k8s.cluster import Cluster
from checks.k8s.rendering import ROOT

HERE = Here("127.0.0.1:1", "/keys.json", "http://127.0.0.1:2", "{}")
FILES = Path("/files")


@pytest.fixture(scope="module")
def rendered() -> Cluster:
    return production()


@pytest.fixture
def cluster(rendered: Cluster) -> Cluster:
    """A copy, to be spoilt."""
    return Cluster("production", deepcopy(rendered.manifests))


def settings(cluster: Cluster, key: str) -> dict[str, str]:
    """The ConfigMap that holds a key."""
    found: list[dict[str, str]] = [one["data"] for one in cluster.of("ConfigMap") if key in one.get("data", {})]
    return found[0]


def test_every_setting_reaches_its_process_and_no_other_does(rendered: Cluster) -> None:
    for one in told(rendered, SERVICES, (*KINDS, "migrate")):
        here = environment(one, HERE, 8, FILES)
        assert here.keys() == one.settings.keys()
        changed = {key for key, value in here.items() if value != one.settings[key]}
        beside = {key for key in changed if not here[key].startswith("/files/etc/conveyor/secrets")}
        assert beside <= REPLACED.keys()


def test_what_differs_is_said_and_nothing_else(rendered: Cluster) -> None:
    them = told(rendered, SERVICES)
    said = {line.partition(":")[0] for line in explained(them, HERE, FILES)}
    differs = {
        key
        for one in them
        for key, value in environment(one, HERE, 8, FILES).items()
        if value != one.settings[key]
    }  # fmt: skip
    assert said == differs
    assert "CONVEYOR_ENVIRONMENT" not in said
    assert len(said) < 15


def test_a_new_setting_is_passed_on(cluster: Cluster) -> None:
    settings(cluster, "CONVEYOR_ZONE")["CONVEYOR_RATE"] = "50"
    assert all(environment(one, HERE, 8, FILES)["CONVEYOR_RATE"] == "50" for one in told(cluster, SERVICES))


def test_a_new_address_in_the_cluster_is_not_taken_for_one_of_ours(cluster: Cluster) -> None:
    settings(cluster, "CONVEYOR_ZONE")["CONVEYOR_CACHE"] = "cache.conveyor:6379"
    with pytest.raises(Unsaid, match="CONVEYOR_CACHE is an address in the cluster"):
        environment(told(cluster, SERVICES)[0], HERE, 8, FILES)


async def test_a_setting_that_is_replaced_here_and_nowhere_set_ends_the_rehearsal(cluster: Cluster) -> None:
    assert unfounded(cluster) == set()
    for config in cluster.of("ConfigMap"):
        config.get("data", {}).pop("CONVEYOR_JWKS", None)
    assert unfounded(cluster) == {"CONVEYOR_JWKS"}
    with pytest.raises(ValueError, match=r"in no ConfigMap: .*CONVEYOR_JWKS"):
        async with line(Wanted(), cluster):
            pass


def container(one: Told) -> dict[str, Any]:
    return one.pod.container


@pytest.mark.parametrize(
    ("spoil", "ask", "why"),
    [
        (lambda c: c["env"].append({"name": "A", "valueFrom": {"fieldRef": {}}}), lambda t: t.settings, "comes from"),
        (lambda c: c["envFrom"].append({"secretRef": {"name": "s"}}), lambda t: t.settings, "takes settings from"),
        (lambda c: c["lifecycle"]["preStop"].update(exec={}), Told.leaving, "preStop does"),
    ],
)
def test_what_nobody_knows_how_to_do_here_is_refused(
    cluster: Cluster, spoil: Callable[[dict[str, Any]], None], ask: Callable[[Told], object], why: str
) -> None:
    one = told(cluster, ("lead-gen",), ("api",))[0]
    container(one).setdefault("env", [])
    spoil(container(one))
    with pytest.raises(Unsaid, match=why):
        ask(one)


def test_the_manifests_say_how_it_is_rolled(rendered: Cluster) -> None:
    for one in told(rendered, SERVICES, ("api",)):
        assert one.replicas() == 2
        assert one.rolling() == (1, 0)
        assert SEEN_AFTER < one.leaving() < one.grace()
    for one in told(rendered, SERVICES, ("worker",)):
        assert one.replicas() == 2
        assert one.rolling() == (0, 1)


def test_a_process_is_started_as_the_image_does() -> None:
    containerfile = (ROOT / "deploy/images/Containerfile").read_text()
    assert 'ENTRYPOINT ["python3", "-m"]' in containerfile
    assert all(f"{key}={value}" in containerfile for key, value in OF_THE_IMAGE.items())
