"""Every overlay renders, and neither our rules nor anybody's tools find anything wrong with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from checks.k8s import rendering
from checks.k8s.cluster import Cluster
from checks.k8s.judging import SKIPPED, breaches, checkov_says, kubernetes_says
from checks.k8s.rendering import OVERLAYS
from conveyor_events.catalog import TOPICS


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_keeps_every_rule(clusters: Mapping[str, Cluster], overlay: str) -> None:
    assert breaches(clusters[overlay]) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_knows_every_field_of_an_overlay(rendered: Mapping[str, Path], overlay: str) -> None:
    assert kubernetes_says(rendered[overlay]) == []


def test_kubernetes_knows_no_misspelled_field(rendered: Mapping[str, Path], tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.yaml"
    spoilt.write_text(rendered["dev"].read_text().replace("terminationGracePeriodSeconds", "terminationGraceSeconds"))
    assert any("terminationGraceSeconds" in line for line in kubernetes_says(spoilt))


@pytest.mark.timeout(300)  # it takes ten seconds to think, and more where others work
def test_checkov_finds_nothing_but_what_was_decided_otherwise(rendered: Mapping[str, Path], tmp_path: Path) -> None:
    """One start for all: the overlays, and one that is spoilt, so that it is seen to look."""
    spoilt = tmp_path / "spoilt.yaml"
    spoilt.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: spoilt, namespace: spoilt}\n"
        "spec: {containers: [{name: one, image: one, securityContext: {privileged: true}}]}\n"
    )
    found = checkov_says(*rendered.values(), spoilt)
    assert any(line.startswith("CKV_K8S_16 ") and "spoilt" in line for line in found)
    assert [line for line in found if "spoilt" not in line] == []


def test_what_checkov_may_not_say_has_a_reason() -> None:
    assert all(len(reason.split()) > 5 for reason in SKIPPED.values())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_brings_all_that_it_needs(clusters: Mapping[str, Cluster], overlay: str) -> None:
    """Rules about what is not there would pass in silence."""
    cluster = clusters[overlay]
    assert len(cluster.pods) == 15
    assert len(list(cluster.of("KafkaTopic"))) == len(TOPICS)
    assert len(list(cluster.of("Cluster"))) == 5
    assert len(list(cluster.of("ScaledObject", "HorizontalPodAutoscaler"))) == (10 if overlay == "production" else 0)


def test_without_a_renderer_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And where the pinned one is not for this machine, one from the PATH does it."""
    monkeypatch.setattr(rendering, "PINNED", tmp_path / "kubectl")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(rendering.Missing, match="make tools"):
        rendering.program()
    (tmp_path / "kubectl").touch(mode=0o755)
    monkeypatch.setattr(rendering, "PINNED", tmp_path / "nowhere")
    assert rendering.program() == [str(tmp_path / "kubectl"), "kustomize"]


def test_an_argument_that_means_nothing_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "checks.k8s", "nonsense"],
        cwd=rendering.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "unrecognized arguments: nonsense" in done.stderr
